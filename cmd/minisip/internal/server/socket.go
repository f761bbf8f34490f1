package server

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
)

// socket is one UDP socket for SIP.
type socket struct {
	conn     *net.UDPConn
	local    netip.AddrPort // as bound
	wildcard bool
}

// receiveBuffer is asked of the kernel for each socket: it holds what comes while the
// loop is busy. The kernel may give less.
const receiveBuffer = 4 << 20

// listen binds one address. Its error is one sentence with the way out.
func listen(at netip.AddrPort) (*socket, error) {
	network := "udp4"
	if at.Addr().Is6() {
		network = "udp6"
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, explain(at, err)
	}
	conn.SetReadBuffer(receiveBuffer)
	conn.SetWriteBuffer(receiveBuffer)
	s := &socket{conn: conn, local: at, wildcard: at.Addr().IsUnspecified()}
	if bound, ok := conn.LocalAddr().(*net.UDPAddr); ok {
		s.local = netip.AddrPortFrom(at.Addr(), uint16(bound.Port))
	}
	if s.wildcard {
		if err := askDestination(conn, at.Addr().Is6()); err != nil {
			conn.Close()
			return nil, fmt.Errorf("cannot learn at which address packets to %s arrive: %w", at, err)
		}
	}
	return s, nil
}

// explain says what a failed bind means and what to do.
func explain(at netip.AddrPort, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %d at %s is in use by another program: stop it (see: ss -lunp 'sport = :%d') or choose another port with -listen: %w", at.Port(), at.Addr(), at.Port(), err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("no permission to use port %d at %s: ports below 1024 need root or CAP_NET_BIND_SERVICE: %w", at.Port(), at.Addr(), err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("this machine has no address %s: give one of its own to -listen (see: ip address), and what phones shall use to -public: %w", at.Addr(), err)
	}
	return fmt.Errorf("cannot listen on %s: %w", at, err)
}

// read takes one datagram into b; local is the address it was sent to.
func (s *socket) read(b, oob []byte) (n int, src, local netip.AddrPort, err error) {
	if !s.wildcard {
		n, src, err = s.conn.ReadFromUDPAddrPort(b)
		return n, plain(src), s.local, err
	}
	n, oobn, _, src, err := s.conn.ReadMsgUDPAddrPort(b, oob)
	local = s.local
	if ip, ok := destination(oob[:oobn]); ok {
		local = netip.AddrPortFrom(ip.Unmap(), s.local.Port())
	}
	return n, plain(src), local, err
}

// write sends b from the address local.
func (s *socket) write(b []byte, local, to netip.AddrPort, oob []byte) error {
	var err error
	if s.wildcard && !local.Addr().IsUnspecified() {
		_, _, err = s.conn.WriteMsgUDPAddrPort(b, appendSource(oob[:0], local.Addr()), to)
	} else {
		_, err = s.conn.WriteToUDPAddrPort(b, to)
	}
	return err
}

// plain gives an IPv4 address its own form.
func plain(a netip.AddrPort) netip.AddrPort {
	if a.Addr().Is4In6() {
		return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	return a
}
