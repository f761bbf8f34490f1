//go:build linux && (amd64 || arm64)

package server

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

// The system calls for SIP's sockets are made by hand, for two reasons that were measured:
// a call that cannot block needs none of what the Go runtime prepares for one that can (at
// a few hundred messages a second each such preparation wakes the runtime's monitor
// thread, which then costs more than the message), and recvmmsg that brings less than it
// could tells that the socket is empty without a second call to be told so.
//
// What is left is waking up: see gate. At a few hundred messages a second a bare echo in C costs 50-57 us of
// CPU a wake, one in Go on its poller 55-70, this server with two messages 75-100; eight messages a wake cost
// it 150 (one machine, cold caches, loopback).

// transport is a socket as the system has it.
type transport struct {
	fd   int
	gate *gate
	out  outbox // the loop's
}

// open takes conn's socket over, out of Go's poller.
func (t *transport) open(conn *net.UDPConn) error {
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var fd uintptr
	var errno syscall.Errno
	err = raw.Control(func(its uintptr) {
		fd, _, errno = syscall.RawSyscall(syscall.SYS_FCNTL, its, syscall.F_DUPFD_CLOEXEC, 0)
	})
	if err != nil {
		return err
	}
	if errno != 0 {
		return os.NewSyscallError("fcntl", errno)
	}
	t.fd = int(fd)
	// To read no datagram tells whether any could be: a sandbox may let through recvmsg alone.
	_, _, errno = syscall.RawSyscall6(syscall.SYS_RECVMMSG, fd, 0, 0, syscall.MSG_DONTWAIT, 0, 0)
	if errno == syscall.ENOSYS || errno == syscall.EPERM {
		syscall.Close(t.fd)
		return os.NewSyscallError("recvmmsg", errno)
	}
	if t.gate, err = newGate(t.fd); err != nil {
		syscall.Close(t.fd)
	}
	return err
}

// descriptor gives the socket's.
func (t *transport) descriptor() (fd int, ok bool) { return t.fd, true }

// end ends each.
func (t *transport) end() { t.gate.stop() }

func (t *transport) close() {
	t.gate.close()
	syscall.Close(t.fd)
}

// received is how many datagrams one system call takes.
const received = 4

// inbox is where recvmmsg puts what it reads.
type inbox struct {
	messages [received]mmsghdr
	vectors  [received]syscall.Iovec
	names    [received]syscall.RawSockaddrInet6 // large enough for IPv4
	control  [received][64]byte
	data     [received][65536]byte
}

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	header syscall.Msghdr
	size   uint32
	_      uint32
}

// each gives every datagram that comes to take, until stop. What it is
// given is valid during the call.
func (s *socket) each(take func(b []byte, src, local netip.AddrPort)) error {
	in := new(inbox)
	defer runtime.KeepAlive(in)
	return s.gate.each(func() (found int) {
		for {
			n := in.receive(uintptr(s.fd))
			for i := range n {
				take(in.data[i][:in.messages[i].size], in.source(i), in.destination(i, s.local))
			}
			found += n
			if n < received || s.stopped.Load() {
				return found
			}
		}
	})
}

func (in *inbox) receive(fd uintptr) int {
	for i := range in.messages {
		in.vectors[i] = syscall.Iovec{Base: &in.data[i][0], Len: uint64(len(in.data[i]))}
		h := &in.messages[i].header
		h.Name, h.Namelen = (*byte)(unsafe.Pointer(&in.names[i])), syscall.SizeofSockaddrInet6
		h.Iov, h.Iovlen = &in.vectors[i], 1
		h.Control, h.Controllen = &in.control[i][0], uint64(len(in.control[i]))
	}
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&in.messages[0])), received, syscall.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0 // nothing there, or an ICMP error of something sent before
	}
	return int(n)
}

func (in *inbox) source(i int) netip.AddrPort {
	name := &in.names[i]
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&name.Port))[:])
	if name.Family == syscall.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4((*syscall.RawSockaddrInet4)(unsafe.Pointer(name)).Addr), port)
	}
	return netip.AddrPortFrom(withZone(netip.AddrFrom16(name.Addr).Unmap(), name.Scope_id), port)
}

func (in *inbox) destination(i int, bound netip.AddrPort) netip.AddrPort {
	if !bound.Addr().IsUnspecified() {
		return bound
	}
	if ip, ok := destination(in.control[i][:in.messages[i].header.Controllen]); ok {
		return netip.AddrPortFrom(ip.Unmap(), bound.Port())
	}
	return bound
}

// outbox is what sendmsg reads from.
type outbox struct {
	header  syscall.Msghdr
	vector  syscall.Iovec
	name    syscall.RawSockaddrInet6 // large enough for IPv4
	control [64]byte
}

// write sends b to to from our address local. It does not wait: where the socket has no
// room the datagram is lost, as it could be anywhere on its way.
func (s *socket) write(b []byte, local, to netip.AddrPort) error {
	if len(b) == 0 {
		return nil
	}
	o := &s.out
	o.vector = syscall.Iovec{Base: &b[0], Len: uint64(len(b))}
	h := &o.header
	h.Iov, h.Iovlen = &o.vector, 1
	h.Name, h.Namelen = (*byte)(unsafe.Pointer(&o.name)), o.setName(to)
	h.Control, h.Controllen = nil, 0
	if s.wildcard && !local.Addr().IsUnspecified() {
		control := appendSource(o.control[:0], local.Addr())
		h.Control, h.Controllen = &o.control[0], uint64(len(control))
	}
	_, _, errno := syscall.RawSyscall(syscall.SYS_SENDMSG, uintptr(s.fd), uintptr(unsafe.Pointer(h)), syscall.MSG_DONTWAIT)
	runtime.KeepAlive(b)
	o.vector.Base = nil
	if errno != 0 {
		return errno
	}
	return nil
}

// setName puts to into o.name and gives its size.
func (o *outbox) setName(to netip.AddrPort) uint32 {
	o.name = syscall.RawSockaddrInet6{}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&o.name.Port))[:], to.Port())
	if to.Addr().Is4() {
		four := (*syscall.RawSockaddrInet4)(unsafe.Pointer(&o.name))
		four.Family, four.Addr = syscall.AF_INET, to.Addr().As4()
		return syscall.SizeofSockaddrInet4
	}
	o.name.Family, o.name.Addr = syscall.AF_INET6, to.Addr().As16()
	o.name.Scope_id = zoneOf(to.Addr())
	return syscall.SizeofSockaddrInet6
}

// withZone gives a link-local address its interface, as a number.
func withZone(ip netip.Addr, scope uint32) netip.Addr {
	if scope == 0 || !ip.IsLinkLocalUnicast() {
		return ip
	}
	return ip.WithZone(strconv.FormatUint(uint64(scope), 10))
}

// zoneOf is the interface's number in an address that withZone made.
func zoneOf(ip netip.Addr) uint32 {
	n, err := strconv.ParseUint(ip.Zone(), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}
