package rtprelay

import (
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// A side that cannot be sent to costs its packets and nothing else: once signalling names where it can be
// reached, both hear each other.
func TestSendErrorOnOneLeg(t *testing.T) {
	unreachable := netip.MustParseAddr("192.0.2.66") // from 127.0.0.1
	r := newRelay(t, 2, -1)
	s, err := r.Open(LegConfig{server, hostA}, LegConfig{server, unreachable})
	if err != nil {
		t.Fatal(err)
	}
	a, b := newPhone(t, hostA), newPhone(t, hostB)
	s.Expect(Caller, Peer{RTP: a.addr, Signal: hostA})
	s.Expect(Callee, Peer{RTP: netip.AddrPortFrom(unreachable, 4000), Signal: unreachable})
	for seq := range uint16(100) {
		a.send(s.Port(Caller), rtpPacket(seq, "lost"))
	}
	for deadline := time.Now().Add(5 * time.Second); s.Stats().From[Caller].Packets < 100; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the relay does not take what the caller sends")
		}
	}
	s.Expect(Callee, Peer{RTP: b.addr, Signal: hostB})
	b.send(s.Port(Callee), rtpPacket(1, "from b"))
	a.hears(rtpPacket(1, "from b"), s.Port(Caller))
	a.send(s.Port(Caller), rtpPacket(100, "from a"))
	b.hears(rtpPacket(100, "from a"), s.Port(Callee))
}
