package rtprelay

import (
	"net/netip"
	"testing"
	"unsafe"
)

// Streams that relay at the same time wait for no lock of each other's: while one stream's lock and
// the relay's own are held, the others go on. And no line of a core's cache holds state of two streams, since
// each is an object of its own, larger than a line.
func TestStreamsShareNothing(t *testing.T) {
	if unsafe.Sizeof(Stream{}) < 512 {
		t.Errorf("a stream has %d bytes: two of them could share a line", unsafe.Sizeof(Stream{}))
	}
	const streams, packets = 8, 20
	r := newRelay(t, 2*(streams+1), -1)
	held := mustOpen(t, r)
	type pair struct {
		*Stream
		a, b phoneSocket
	}
	var pairs []pair
	for range streams {
		p := pair{mustOpen(t, r), newPhone(t, hostA), newPhone(t, hostB)}
		p.Expect(Callee, Peer{RTP: p.b.addr, Signal: hostB})
		pairs = append(pairs, p)
	}
	held.mu.Lock()
	r.mu.Lock()
	defer held.mu.Unlock()
	defer r.mu.Unlock()
	for n := range uint16(packets) {
		for _, p := range pairs {
			p.a.conn.WriteToUDPAddrPort(rtpPacket(n, "x"), netip.AddrPortFrom(server, p.Port(Caller)))
		}
		for _, p := range pairs {
			p.b.hears(rtpPacket(n, "x"), p.Port(Callee))
		}
	}
}
