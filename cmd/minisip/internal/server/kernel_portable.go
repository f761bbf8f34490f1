//go:build !(linux && (amd64 || arm64))

package server

import "syscall"

func forceBuffer(syscall.RawConn, int) {}

// drops is not told everywhere.
func (t *transport) drops() uint32 { return 0 }
