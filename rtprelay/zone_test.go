package rtprelay

import (
	"net"
	"net/netip"
	"strconv"
	"testing"
)

// linkLocal is an IPv6 address that means something on one interface of this machine alone, with that one's number.
func linkLocal(t *testing.T) netip.Addr {
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, ifi := range all {
		addrs, _ := ifi.Addrs()
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok && ifi.Flags&net.FlagUp != 0 {
				if ip, _ := netip.AddrFromSlice(n.IP); ip.Is6() && ip.IsLinkLocalUnicast() {
					return ip.WithZone(strconv.Itoa(ifi.Index))
				}
			}
		}
	}
	t.Skip("no interface has a link-local address")
	return netip.Addr{}
}

// A phone that signals from a link-local address is reached on its interface, also where the address of ours that it knows
// came without one, as in the header of a packet; a leg can move there, too.
func TestLinkLocal(t *testing.T) {
	at := linkLocal(t)
	r := newRelay(t, 4, -1)
	s, err := r.Open(LegConfig{at.WithZone(""), at}, LegConfig{server, hostB})
	if err != nil {
		t.Fatal(err)
	}
	a, b := newPhone(t, at), newPhone(t, hostB)
	s.Expect(Caller, Peer{RTP: netip.AddrPortFrom(at.WithZone(""), a.addr.Port()), Signal: at})
	s.Expect(Callee, Peer{RTP: b.addr, Signal: hostB})
	pass := func(local netip.Addr, n uint16) {
		t.Helper()
		b.send(s.Port(Callee), rtpPacket(n, "b"))
		a.hears(rtpPacket(n, "b"), s.Port(Caller))
		if _, err := a.conn.WriteToUDPAddrPort(rtpPacket(n, "a"), netip.AddrPortFrom(local, s.Port(Caller))); err != nil {
			t.Fatal(err)
		}
		b.hears(rtpPacket(n, "a"), s.Port(Callee))
	}
	pass(at, 1)

	if _, err := s.MoveTo(Callee, at.WithZone("")); err == nil {
		t.Error("a leg moved to an address of which nobody knows the interface")
	}
	s.Expect(Callee, Peer{RTP: b.addr, Signal: at})
	if got, err := s.MoveTo(Callee, at.WithZone("")); err != nil || got != at.WithZone("") {
		t.Errorf("the leg is at %v, %v; want %v", got, err, at.WithZone(""))
	}
}
