//go:build linux && (amd64 || arm64)

package server

import (
	"syscall"
	"unsafe"
)

// soMemInfo is the option SO_MEMINFO (linux/sock_diag.h), and skMemDrops the place in what it gives that counts the datagrams
// which found the socket's buffer full, and those with a wrong checksum.
const (
	soMemInfo  = 55
	skMemDrops = 8
)

// forceBuffer asks for a receive buffer beyond what the system lets anybody have, as root may.
func forceBuffer(raw syscall.RawConn, size int) {
	raw.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, size)
	})
}

// drops is how many of the socket's datagrams the kernel has dropped.
func (t *transport) drops() uint32 {
	var info [skMemDrops + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := syscall.RawSyscall6(syscall.SYS_GETSOCKOPT, uintptr(t.fd), syscall.SOL_SOCKET, soMemInfo,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return info[skMemDrops]
}
