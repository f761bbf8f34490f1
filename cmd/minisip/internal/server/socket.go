package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
)

// socket is one UDP socket for SIP.
type socket struct {
	transport
	local    netip.AddrPort // as bound
	wildcard bool
	lost     uint32 // of what the kernel dropped, how many are counted
	stopped  atomic.Bool
}

// receiveBuffer is asked of the kernel for each socket: it holds what comes while the
// loop is busy. The kernel may give less.
const receiveBuffer = 4 << 20

// listen binds one address. Its error is one sentence with the way out.
func listen(at netip.AddrPort, tos int, inherited map[netip.AddrPort]int) (*socket, error) {
	conn, err := bind(at, inherited)
	if err != nil {
		return nil, explain(at, err)
	}
	conn.SetReadBuffer(receiveBuffer)
	conn.SetWriteBuffer(receiveBuffer)
	raw, err := conn.SyscallConn()
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("cannot listen on %s: %w", at, err)
	}
	forceBuffer(raw, receiveBuffer)
	letFragment(raw)
	setTOS(raw, max(tos, 0)) // an earlier process may have set another one
	s := &socket{local: numbered(at), wildcard: at.Addr().IsUnspecified()}
	if bound, ok := conn.LocalAddr().(*net.UDPAddr); ok {
		s.local = netip.AddrPortFrom(s.local.Addr(), uint16(bound.Port))
	}
	if s.wildcard {
		if err := askDestination(conn, at.Addr().Is6()); err != nil {
			conn.Close()
			return nil, fmt.Errorf("cannot learn at which address packets to %s arrive: %w", at, err)
		}
	}
	if err := s.open(conn); err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", at, err)
	}
	s.lost = s.drops() // an earlier process's
	return s, nil
}

// stop ends each, however much still comes in; the socket can still be sent from.
func (s *socket) stop() {
	s.stopped.Store(true)
	s.end()
}

// bind opens a socket, or takes the one that an earlier process has left, with what waits in it.
func bind(at netip.AddrPort, inherited map[netip.AddrPort]int) (*net.UDPConn, error) {
	if fd, ok := inherited[numbered(at)]; ok {
		delete(inherited, numbered(at))
		file := os.NewFile(uintptr(fd), "udp")
		defer file.Close() // the connection has a descriptor of its own
		if conn, err := net.FilePacketConn(file); err == nil {
			return conn.(*net.UDPConn), nil
		}
	}
	network := "udp4"
	if at.Addr().Is6() {
		network = "udp6"
	}
	return net.ListenUDP(network, net.UDPAddrFromAddrPort(at))
}

// numbered is an address whose interface, if it has one, is named by its number: so the system tells it of sockets and datagrams.
func numbered(at netip.AddrPort) netip.AddrPort {
	ifi, err := net.InterfaceByName(at.Addr().Zone())
	if err != nil {
		return at // it has none, or a number
	}
	return netip.AddrPortFrom(at.Addr().WithZone(strconv.Itoa(ifi.Index)), at.Port())
}

// setTOS marks what the socket sends. A system that cannot is no reason not to serve. An IPv6
// socket that carries IPv4 heeds both options.
func setTOS(raw syscall.RawConn, tos int) {
	raw.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_TOS, tos)
		syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS, tos)
	})
}

// explain says what a failed bind means and what to do.
func explain(at netip.AddrPort, err error) error {
	// The system call and its error are enough of what the net package says.
	if call := (*os.SyscallError)(nil); errors.As(err, &call) {
		err = call
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("UDP port %d at %s is in use by another program (%w): stop that (to see it: ss -lunp 'sport = :%d'), or choose another port with -listen ADDR:PORT",
			at.Port(), at.Addr(), err, at.Port())
	case errors.Is(err, os.ErrPermission) && at.Port() >= 1024:
		return fmt.Errorf("no permission to use UDP port %d at %s (%w): anybody may by itself, so something here forbids it: see SELinux, AppArmor, or the sandbox that minisip runs in",
			at.Port(), at.Addr(), err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("no permission to use UDP port %d at %s (%w): ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher one with -listen ADDR:PORT",
			at.Port(), at.Addr(), err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("this machine has no address %s (%w): give -listen one of its own (to see them: ip address), and -public the one that phones shall use",
			at.Addr(), err)
	}
	return fmt.Errorf("cannot listen on UDP %s: %w", at, err)
}
