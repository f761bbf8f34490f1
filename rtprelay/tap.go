package rtprelay

import (
	"net/netip"
	"time"
)

// A Tap is shown a datagram of a stream: as it came, also from strangers, and if it went on, again
// from the leg that it left by; and what a leg itself answers. It is called with the stream locked, so it must not wait, nor
// keep b, nor call the stream.
type Tap = func(at time.Time, from, to netip.AddrPort, b []byte)

// strangersShown is how many packets of strangers a leg shows a tap: enough to see who they are, and too few to fill a
// recording, which a stranger could end that way.
const strangersShown = 1000

// Tap has all that passes shown to t from now on; nil ends that.
func (s *Stream) Tap(t Tap) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tap = t
	for i := range s.legs {
		s.legs[i].unseen = s.legs[i].flow.strangers
	}
}

// shows reports whether a tap is shown what comes from an address.
func (e *endpoint) shows(from netip.AddrPort) bool {
	l := &e.stream.legs[e.side]
	return from == e.latch.source || l.flow.strangers-l.unseen < strangersShown
}

// show shows the tap what an endpoint sends.
func (s *Stream) show(p *packet, out *endpoint, to netip.AddrPort) {
	s.tap(s.relay.start.Add(p.now), out.at(), to, p.data)
}

// at is the address of an endpoint's socket.
func (e *endpoint) at() netip.AddrPort {
	l := &e.stream.legs[e.side]
	port := l.port
	if e.rtcp {
		port++
	}
	return netip.AddrPortFrom(l.local, port)
}
