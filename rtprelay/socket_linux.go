//go:build linux && (amd64 || arm64) && !portable

package rtprelay

import (
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// A mailbox is where a packet lies from reading to sending. There is one for each core that
// relays, not for each socket: what one packet has left in the core's cache is overwritten by
// the next, whosever it is.
type mailbox struct {
	packet
	name  syscall.RawSockaddrInet6 // large enough for IPv4
	size  uint32                   // of name
	bytes [maxPacket]byte
}

var mailboxes = sync.Pool{New: func() any { return new(mailbox) }}

// sender returns where the packet came from.
func (m *mailbox) sender() netip.AddrPort {
	port := (*[2]byte)(unsafe.Pointer(&m.name.Port))
	n := uint16(port[0])<<8 | uint16(port[1])
	if m.name.Family == syscall.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4((*syscall.RawSockaddrInet4)(unsafe.Pointer(&m.name)).Addr), n)
	}
	return netip.AddrPortFrom(netip.AddrFrom16(m.name.Addr).Unmap(), n)
}

// A socket is a bound UDP socket, and where it sends.
type socket struct {
	conn *os.File // keeps fd in Go's poller
	fd   int
	v6   bool
	size uint32                   // of to
	to   syscall.RawSockaddrInet6 // large enough for IPv4
}

// open binds the socket. It is done by hand because a call pays for four:
// what package net asks of the kernel besides is of no use here.
func (s *socket) open(local netip.AddrPort, tos int) error {
	ip := local.Addr()
	zone, err := zoneID(ip.Zone())
	if err != nil {
		return err
	}
	family := syscall.AF_INET6
	if ip.Is4() {
		family = syscall.AF_INET
	}
	n, _, errno := syscall.RawSyscall(syscall.SYS_SOCKET, uintptr(family), syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if errno != 0 {
		return os.NewSyscallError("socket", errno)
	}
	fd := int(n)
	if err := setup(fd, local, zone, tos); err != nil {
		syscall.Close(fd)
		return err
	}
	return s.take(fd, ip, zone)
}

// take makes s of a descriptor that is bound.
func (s *socket) take(fd int, ip netip.Addr, zone uint32) error {
	file := os.NewFile(uintptr(fd), "udp")
	if err := file.SetReadDeadline(time.Time{}); err != nil {
		// Go's poller did not take it; nothing would ever be read.
		file.Close()
		return err
	}
	*s = socket{conn: file, fd: fd, v6: ip.Is6()}
	s.to.Scope_id = zone
	return nil
}

// adopt makes s of a descriptor of another process's.
func (s *socket) adopt(fd int, local netip.AddrPort) error {
	zone, err := zoneID(local.Addr().Zone())
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err != nil {
		syscall.Close(fd)
		return err
	}
	drain(fd)
	return s.take(fd, local.Addr(), zone)
}

func (s *socket) descriptor() (fd int, ok bool) { return s.fd, true }

// setup binds. None of its calls can block, so Go's scheduler need not know of them.
func setup(fd int, local netip.AddrPort, zone uint32, tos int) error {
	ip := local.Addr()
	if tos >= 0 {
		mark(fd, ip.Is6(), tos)
	}
	// As for SIP: a router before a narrow link may cut a packet in pieces (RFC 791), since its word that it is too
	// large does not always come back. This is for mapped addresses as well.
	setOption(fd, syscall.IPPROTO_IP, syscall.IP_MTU_DISCOVER, syscall.IP_PMTUDISC_DONT)
	if ip.Is6() && ip.IsUnspecified() {
		if errno := setOption(fd, syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 0); errno != 0 {
			return os.NewSyscallError("setsockopt", errno)
		}
	}
	s := socket{v6: ip.Is6()}
	s.to.Scope_id = zone
	s.aim(local)
	_, _, errno := syscall.RawSyscall(syscall.SYS_BIND, uintptr(fd), uintptr(unsafe.Pointer(&s.to)), uintptr(s.size))
	if errno != 0 {
		return os.NewSyscallError("bind", errno)
	}
	return nil
}

func setOption(fd, level, name, value int) syscall.Errno {
	v := int32(value)
	_, _, errno := syscall.RawSyscall6(syscall.SYS_SETSOCKOPT, uintptr(fd), uintptr(level), uintptr(name),
		uintptr(unsafe.Pointer(&v)), unsafe.Sizeof(v), 0)
	return errno
}

// zoneID returns the interface that a link-local address is of.
func zoneID(zone string) (uint32, error) {
	if zone == "" {
		return 0, nil
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n), nil // RFC 4007 11.2: the interface's number may stand there
	}
	ifi, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, err
	}
	return uint32(ifi.Index), nil
}

// close closes the socket and ends run. The stream's lock must not be held.
func (s *socket) close() { s.conn.Close() }

// run relays what arrives at a socket of an endpoint until that is closed.
func (e *endpoint) run(s socket) {
	defer e.stream.survive()
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return
	}
	raw.Read(func(fd uintptr) bool {
		m := mailboxes.Get().(*mailbox)
		for e.serve(fd, m) {
		}
		mailboxes.Put(m)
		return false
	})
}

// serve relays one packet. It reports false when there was none: the poller
// tells of packets only once, so the socket is read until it is empty.
func (e *endpoint) serve(fd uintptr, m *mailbox) bool {
	if !m.read(fd) {
		return false
	}
	s := e.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return false
	case m.data == nil:
		e.tooLarge(m.from)
	default:
		m.now = s.relay.now()
		e.pass(&m.packet)
	}
	return true
}

// read takes a packet from a socket, if there is one. The data of one that is too large is nil. The
// system call is a non-blocking one, of which Go's scheduler need not know.
func (m *mailbox) read(fd uintptr) bool {
	m.size = syscall.SizeofSockaddrInet6
	n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd,
		uintptr(unsafe.Pointer(&m.bytes)), maxPacket, syscall.MSG_TRUNC,
		uintptr(unsafe.Pointer(&m.name)), uintptr(unsafe.Pointer(&m.size)))
	if errno != 0 {
		return false
	}
	m.from, m.data = m.sender(), nil
	if n <= maxPacket { // MSG_TRUNC gives the true length
		m.data = m.bytes[:n]
	}
	return true
}

// aim sets where the socket sends. An IPv4 address that an IPv6 socket talks
// to is mapped (RFC 4291 2.5.5.2); no IPv4 socket talks to IPv6.
func (s *socket) aim(to netip.AddrPort) {
	port := (*[2]byte)(unsafe.Pointer(&s.to.Port))
	port[0], port[1] = byte(to.Port()>>8), byte(to.Port())
	if s.v6 {
		s.to.Family = syscall.AF_INET6
		s.to.Addr = to.Addr().As16()
		s.size = syscall.SizeofSockaddrInet6
		return
	}
	if !to.Addr().Is4() {
		s.size = 0 // send will fail
		return
	}
	s.to.Family = syscall.AF_INET
	(*syscall.RawSockaddrInet4)(unsafe.Pointer(&s.to)).Addr = to.Addr().As4()
	s.size = syscall.SizeofSockaddrInet4
}

// send sends where the socket is aimed at. A datagram that the kernel has no
// room for is lost, as on any other link.
func (s *socket) send(b []byte) error {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(s.fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0,
		uintptr(unsafe.Pointer(&s.to)), uintptr(s.size))
	if errno != 0 {
		return errno
	}
	return nil
}
