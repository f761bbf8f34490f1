package server

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

// TestAddressThatGoes: an address that phones use and that goes is said once, stays known as ours, and is said again when it
// is back; one that nobody uses comes and goes unnoticed.
func TestAddressThatGoes(t *testing.T) {
	ip := netip.MustParseAddr
	eth, spare, other, fixed := ip("192.0.2.1"), ip("192.0.2.2"), ip("192.0.2.3"), ip("198.51.100.1")
	at := func(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, 5060) }
	sockets := []*socket{{local: at(netip.IPv4Unspecified()), wildcard: true}, {local: netip.AddrPortFrom(fixed, 5070)}}
	var a addresses
	if lines := a.look([]netip.Addr{eth, spare, fixed}, sockets); lines != nil {
		t.Errorf("at first: %q", lines)
	}
	a.came(at(eth))
	lost := func(a netip.Addr) string {
		return "this machine has lost the address " + a.String() + ": who reaches minisip there cannot, until it is back"
	}
	back := func(a netip.Addr) string { return "this machine has the address " + a.String() + " again" }
	for _, step := range []struct {
		name    string
		machine []netip.Addr
		says    []string
		ours    []netip.Addr
		gone    bool // eth
	}{
		{"one that nobody uses goes", []netip.Addr{eth, fixed}, nil, []netip.Addr{eth}, false},
		{"another comes in the place of one in use", []netip.Addr{other, fixed}, []string{lost(eth)}, []netip.Addr{eth, other}, true},
		{"nothing new", []netip.Addr{other, fixed}, nil, []netip.Addr{eth, other}, true},
		{"the one in use is back", []netip.Addr{eth, fixed}, []string{back(eth)}, []netip.Addr{eth}, false},
		{"a socket's own goes", []netip.Addr{eth}, []string{lost(fixed)}, []netip.Addr{eth}, false},
		{"and comes back", []netip.Addr{eth, fixed}, []string{back(fixed)}, []netip.Addr{eth}, false},
	} {
		if lines := a.look(step.machine, sockets); !slices.Equal(lines, step.says) {
			t.Errorf("%s: said %q, want %q", step.name, lines, step.says)
		}
		for _, ip := range []netip.Addr{eth, spare, other} {
			if got, want := a.has(at(ip)), slices.Contains(step.ours, ip); got != want {
				t.Errorf("%s: %s is ours: %v", step.name, ip, got)
			}
		}
		if a.gone(eth) != step.gone {
			t.Errorf("%s: %s is gone: %v", step.name, eth, a.gone(eth))
		}
	}

	// What comes to a new one is the first to say that it is ours.
	if spare := at(spare); a.has(spare) || a.came(spare) != "" || !a.has(spare) {
		t.Errorf("a datagram comes to %s: it is ours: %v", spare, a.has(spare))
	}

	// What comes to it is the first to say that it is back: what answers must leave from there.
	a.look([]netip.Addr{fixed}, sockets)
	if line := a.came(at(eth)); line != back(eth) || a.gone(eth) {
		t.Errorf("a datagram comes to %s: said %q, it is gone: %v", eth, line, a.gone(eth))
	}
	if lines := a.look([]netip.Addr{eth, fixed}, sockets); lines != nil || a.came(at(eth)) != "" {
		t.Errorf("said once more: %q", lines)
	}
}

// TestRoutedHere: what the system takes for its own without an interface that has it, as most of 127.0.0.0/8, is not lost.
func TestRoutedHere(t *testing.T) {
	here, elsewhere := netip.MustParseAddr("127.0.0.77"), netip.MustParseAddr("192.0.2.77")
	if !routedHere(here) || routedHere(elsewhere) {
		t.Errorf("%s is ours: %v, %s: %v", here, routedHere(here), elsewhere, routedHere(elsewhere))
	}
	var a addresses
	sockets := []*socket{{local: netip.MustParseAddrPort("0.0.0.0:5060"), wildcard: true}}
	a.refresh(time.Now(), sockets)
	a.came(netip.AddrPortFrom(here, 5060))
	a.came(netip.AddrPortFrom(elsewhere, 5060))
	lines := a.refresh(time.Now().Add(lookEvery), sockets)
	if len(lines) != 1 || !a.gone(elsewhere) || a.gone(here) {
		t.Errorf("said %q; %s is gone: %v", lines, here, a.gone(here))
	}
}
