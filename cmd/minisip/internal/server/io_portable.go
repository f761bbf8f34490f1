//go:build !(linux && (amd64 || arm64))

package server

import (
	"errors"
	"net"
	"net/netip"
)

// outbox is where the control message of what is sent lies.
type outbox struct{ control [64]byte }

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
		_, _, err = s.conn.WriteMsgUDPAddrPort(b, appendSource(s.out.control[:0], local.Addr()), to)
	} else {
		_, err = s.conn.WriteToUDPAddrPort(b, to)
	}
	return err
}
