package server

import (
	"net/netip"
	"testing"
)

// TestDestination: what is sent to all nodes of a link, as any host there may, has come to no address of ours: nothing can leave
// from such a one.
func TestDestination(t *testing.T) {
	for _, test := range []struct {
		to  string
		one bool
	}{
		{"192.0.2.1", true},
		{"2001:db8::1", true},
		{"fe80::1", true},
		{"ff02::1", false},
	} {
		var control [64]byte
		ip := netip.MustParseAddr(test.to)
		got, ok := destination(appendSource(control[:0], ip))
		if ok != test.one || ok && got != ip {
			t.Errorf("to %s: %s, %v", test.to, got, ok)
		}
	}
}
