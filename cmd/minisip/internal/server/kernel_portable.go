//go:build !(linux && (amd64 || arm64))

package server

import "syscall"

func forceBuffer(syscall.RawConn, int) {}

func kernelDrops(syscall.RawConn) uint32 { return 0 }
