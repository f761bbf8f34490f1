package rtprelay

import (
	"net/netip"
	"sync"
)

// Two calls can be joined by somebody in their middle who does not touch the media himself: a PBX, or whoever
// controls the calls of others (RFC 3725). He gives each phone the SDP of the other, in which stands a leg of ours that
// faces him. So a leg of one stream is to talk to a leg of another, and each would wait for the first packet.
// It need not: what is sent to a leg that faces the same side as this one is nobody's but that side's, and is heard
// there only if the other leg was told of this one as well.
//
// A stream is joined with others on one side alone. So no packet can go around in a circle: there each stream would have
// a leg that was told of the next stream's when that was open, and have been named by it before it was open itself. A
// leg that is joined no more forgets the other one, or its stream could be joined on both sides, one after the other.
// And nothing that a leg of ours sends is heard by one that was not joined with it: a phone at our own address, whose IP is
// that of our legs, could name them as well as its own ports, and before they are open.

// A joint is what a leg of ours is to another one that SDP names.
type joint struct {
	at    netip.AddrPort // its RTP; RTCP's is the next
	found bool           // SDP names a leg of ours
	near  bool           // it belongs to another stream, and faces the same side
}

// joint looks up the leg that the SDP of a side of s names, if it is one. The lock of s must not be held.
func (s *Stream) joint(p Peer) (j joint) {
	r, ip := s.relay, canonical(p.RTP.Addr())
	signal := canonical(p.Signal)
	if !ip.IsValid() {
		return j
	}
	r.mu.Lock()
	other := r.streams[p.RTP.Port()]
	r.mu.Unlock()
	if other == nil {
		return j
	}
	other.mu.Lock()
	defer other.mu.Unlock()
	for i := range other.legs {
		l := &other.legs[i]
		// Whoever is at the router's address has a right to be there; at that of a socket of ours is nobody else.
		if l.port == p.RTP.Port() && (p.Ours && ip != signal || ip == canonical(l.local)) {
			return joint{
				at: netip.AddrPortFrom(canonical(l.local), l.port), found: true,
				near: other != s && l.rtp.latch.signal == signal,
			}
		}
	}
	return j
}

// join is what SDP that names a leg of ours says to the leg of side: that one's addresses, or nothing. The lock of s is held.
func (s *Stream) join(side Side, j joint) (media, control netip.AddrPort) {
	l := &s.legs[side]
	if media = l.place(j.at); !j.near || s.legs[1-side].rtp.latch.joined || !media.IsValid() {
		return netip.AddrPort{}, netip.AddrPort{}
	}
	return media, netip.AddrPortFrom(media.Addr(), media.Port()+1)
}

// join notes whether the SDP names a leg of ours now. Any other source stays when SDP names a new address; in that of a leg of
// ours nobody's voice would get lost.
func (l *latch) join(joined bool) {
	if l.joined && !joined && !l.proven {
		l.turn(netip.AddrPort{})
	}
	l.joined = joined
}

// places are the addresses of all open legs, of RTP. Its lock is held by nobody who waits for another.
type places struct {
	mu sync.RWMutex
	at map[netip.AddrPort]struct{}
}

func (p *places) add(local netip.Addr, port uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at[netip.AddrPortFrom(canonical(local), port)] = struct{}{}
}

func (p *places) remove(local netip.Addr, port uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.at, netip.AddrPortFrom(canonical(local), port))
}

// has says whether an address is that of a leg, of RTP or RTCP: ports of a pair are an even one and the next.
func (p *places) has(a netip.AddrPort) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	_, ok := p.at[netip.AddrPortFrom(a.Addr(), a.Port()&^1)]
	return ok
}

// unjoined says whether from is a leg of ours that e is not joined with.
func (e *endpoint) unjoined(from netip.AddrPort) bool {
	return !(e.latch.joined && from == e.latch.sdp) && e.stream.relay.legs.has(from)
}
