package server

import (
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"testing"
)

// TestLinkLocalInherited: a socket at a link-local address is taken over by who names the interface, though the system
// tells its number.
func TestLinkLocalInherited(t *testing.T) {
	name, at := linkLocal(t)
	s, err := Listen(testConfig(t, netip.AddrPortFrom(at.WithZone(name), 20310).String()))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Addresses()[0], netip.AddrPortFrom(at, 20310); got != want {
		t.Errorf("it is at %s, want %s, as its datagrams say", got, want)
	}
	fd, ok := s.sockets[0].descriptor()
	if ok {
		fd, err = syscall.Dup(fd)
	}
	s.close()
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	cfg := testConfig(t, netip.AddrPortFrom(at.WithZone(name), 20310).String())
	cfg.Sockets = map[netip.AddrPort]int{netip.AddrPortFrom(at, 20310): fd}
	next, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	next.close()
}

// linkLocal is an IPv6 address that means something on one interface of this machine alone: that one's name, and the address
// with its number.
func linkLocal(t *testing.T) (name string, at netip.Addr) {
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, ifi := range all {
		addrs, _ := ifi.Addrs()
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && ifi.Flags&net.FlagUp != 0 {
				if ip, _ := netip.AddrFromSlice(n.IP); ip.Is6() && ip.IsLinkLocalUnicast() {
					return ifi.Name, ip.WithZone(strconv.Itoa(ifi.Index))
				}
			}
		}
	}
	t.Skip("no interface has a link-local address")
	return "", netip.Addr{}
}
