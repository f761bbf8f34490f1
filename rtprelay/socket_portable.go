//go:build unix && (!linux || !(amd64 || arm64) || portable)

package rtprelay

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
)

// A socket is a bound UDP socket, and where it sends. The build tag portable
// chooses this one, made of package net alone, on Linux too.
type socket struct {
	conn *net.UDPConn
	zone string
	to   netip.AddrPort
}

func (s *socket) open(local netip.AddrPort, tos int) error {
	network := "udp6"
	switch {
	case local.Addr().Is4():
		network = "udp4"
	case local.Addr().IsUnspecified():
		network = "udp" // both
	}
	conn, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(local))
	if err != nil {
		return err
	}
	*s = socket{conn: conn, zone: local.Addr().Zone()}
	if fd, ok := s.descriptor(); ok && tos >= 0 {
		mark(fd, local.Addr().Is6(), tos)
	}
	return nil
}

// adopt makes s of a descriptor of another process's.
func (s *socket) adopt(fd int, local netip.AddrPort) error {
	file := os.NewFile(uintptr(fd), "udp")
	defer file.Close() // what follows has its own
	drain(fd)
	conn, err := net.FilePacketConn(file)
	if err != nil {
		return err
	}
	*s = socket{conn: conn.(*net.UDPConn), zone: local.Addr().Zone()}
	return nil
}

func (s *socket) descriptor() (fd int, ok bool) {
	raw, err := s.conn.SyscallConn()
	if err == nil {
		err = raw.Control(func(n uintptr) { fd = int(n) })
	}
	return fd, err == nil
}

func setOption(fd, level, name, value int) error {
	return syscall.SetsockoptInt(fd, level, name, value)
}

// close closes the socket and ends run. The stream's lock must not be held.
func (s *socket) close() { s.conn.Close() }

// run relays what arrives at a socket of an endpoint until that is closed.
func (e *endpoint) run(s socket) {
	defer e.stream.survive()
	buffer := make([]byte, maxPacket+1)
	p := new(packet)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			p.from, p.data = netip.AddrPortFrom(canonical(from.Addr()), from.Port()), buffer[:n]
			e.serve(p)
		}
	}
}

func (e *endpoint) serve(p *packet) {
	s := e.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
	case len(p.data) > maxPacket:
		e.tooLarge(p.from)
	default:
		p.now = s.relay.now()
		e.pass(p)
	}
}

// aim sets where the socket sends.
func (s *socket) aim(to netip.AddrPort) {
	if s.zone != "" {
		to = netip.AddrPortFrom(to.Addr().WithZone(s.zone), to.Port())
	}
	s.to = to
}

// send sends where the socket is aimed at.
func (s *socket) send(b []byte) error {
	_, err := s.conn.WriteToUDPAddrPort(b, s.to)
	return err
}
