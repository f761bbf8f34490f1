package rtprelay

import (
	"net/netip"
	"time"
)

// A Tap is shown a datagram of a stream: as it came, from whomever, and if it went on, again
// from the leg that it left by; and what a leg itself answers. It is called with the stream locked, so it must not wait, nor
// keep b, nor call the stream.
type Tap = func(at time.Time, from, to netip.AddrPort, b []byte)

// Tap has all that passes shown to t from now on; nil ends that.
func (s *Stream) Tap(t Tap) {
	s.mu.Lock()
	s.tap = t
	s.mu.Unlock()
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
