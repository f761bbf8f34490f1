//go:build !linux

package server

import "syscall"

// letFragment has nothing to do: routers may.
func letFragment(syscall.RawConn) {}
