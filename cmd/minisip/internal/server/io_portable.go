//go:build !(linux && (amd64 || arm64))

package server

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

// transport is a socket as the system has it.
type transport struct {
	conn    *net.UDPConn
	control [64]byte // of what is sent
}

func (t *transport) open(conn *net.UDPConn) error {
	t.conn = conn
	return nil
}

// descriptor gives the socket's.
func (t *transport) descriptor() (fd int, ok bool) {
	if raw, err := t.conn.SyscallConn(); err == nil {
		ok = raw.Control(func(f uintptr) { fd = int(f) }) == nil
	}
	return fd, ok
}

// end ends each.
func (t *transport) end() { t.conn.SetReadDeadline(time.Now()) }

func (t *transport) close() { t.conn.Close() }

// each gives every datagram that comes to take, until stop. What it is
// given is valid during the call.
func (s *socket) each(take func(b []byte, src, local netip.AddrPort)) error {
	b := make([]byte, 65536)
	oob := make([]byte, 64)
	for !s.stopped.Load() {
		n, oobn, _, src, err := s.conn.ReadMsgUDPAddrPort(b, oob)
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		if err != nil {
			continue // an ICMP error of something sent before
		}
		local := s.local
		if ip, ok := destination(oob[:oobn]); ok && s.wildcard {
			local = netip.AddrPortFrom(ip.Unmap(), s.local.Port())
		}
		take(b[:n], netip.AddrPortFrom(src.Addr().Unmap(), src.Port()), local)
	}
	return nil
}

// write sends b to to from our address local.
func (s *socket) write(b []byte, local, to netip.AddrPort) (err error) {
	if s.wildcard && !local.Addr().IsUnspecified() {
		_, _, err = s.conn.WriteMsgUDPAddrPort(b, appendSource(s.control[:0], local.Addr()), to)
	} else {
		_, err = s.conn.WriteToUDPAddrPort(b, to)
	}
	return err
}
