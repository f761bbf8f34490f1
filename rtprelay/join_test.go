package rtprelay

import (
	"net/netip"
	"runtime"
	"testing"
)

// public is where phones find the relay of these tests: a router's address.
var public = netip.MustParseAddr("203.0.113.9")

// named is the leg of s that faces a side, as its SDP has it, given to somebody who signals from an IP.
func named(s *Stream, side Side, signal netip.Addr) Peer {
	return Peer{RTP: netip.AddrPortFrom(public, s.Port(side)), Signal: signal, Ours: true}
}

// between opens a stream between hosts.
func between(t *testing.T, r *Relay, caller, callee netip.Addr) *Stream {
	t.Helper()
	s, err := r.Open(LegConfig{server, caller}, LegConfig{server, callee})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestJoined: whoever is in the middle of two calls gives each phone the SDP of the other (RFC 3725 4.1). The phones hear
// each other from the first packet on, RTP and RTCP, also after a restart, and nobody when he takes the media to himself.
func TestJoined(t *testing.T) {
	r := newRelay(t, 4, -1)
	one, two := between(t, r, hostX, hostA), between(t, r, hostX, hostB)
	a, ac, b, bc := newPhone(t, hostA), newPhone(t, hostA), newPhone(t, hostB), newPhone(t, hostB)
	one.Expect(Callee, Peer{RTP: a.addr, RTCP: ac.addr, Signal: hostA})
	two.Expect(Caller, named(one, Caller, hostX))
	two.Expect(Callee, Peer{RTP: b.addr, RTCP: bc.addr, Signal: hostB})
	one.Expect(Caller, named(two, Caller, hostX))
	pass := func(n uint16) {
		t.Helper()
		a.send(one.Port(Callee), rtpPacket(n, "of a"))
		b.hears(rtpPacket(n, "of a"), two.Port(Callee))
		b.send(two.Port(Callee), rtpPacket(n, "of b"))
		a.hears(rtpPacket(n, "of b"), one.Port(Callee))
		bc.send(two.Port(Callee)+1, []byte("\x80\xc9\x00\x01BBBB"))
		ac.hears([]byte("\x80\xc9\x00\x01BBBB"), one.Port(Callee)+1)
	}
	pass(1)

	states := [2]State{one.State(), two.State()}
	r.Close()
	r = newRelay(t, 4, -1)
	for i, s := range []**Stream{&one, &two} {
		again, err := r.Reopen(LegConfig{server, hostX}, LegConfig{server, hostA}, states[i])
		if err != nil {
			t.Fatal(err)
		}
		*s = again
	}
	pass(2)
	if l := &one.legs[Caller].rtp.latch; !l.joined || !l.reachable() {
		t.Errorf("after a restart the leg is joined no more: %+v", l)
	}

	x := newPhone(t, hostX)
	one.Expect(Caller, Peer{RTP: x.addr, Signal: hostX})
	a.send(one.Port(Callee), rtpPacket(3, "of a"))
	x.hears(rtpPacket(3, "of a"), one.Port(Caller))
	if one.legs[Caller].rtp.latch.joined {
		t.Error("a leg that was given an address of its side is joined")
	}
}

// TestNotJoined: SDP that names a leg of ours leads to none that faces somebody else, nor to its own stream, nor does a
// stream stand between two others. At whose address the router is has a right to name it.
func TestNotJoined(t *testing.T) {
	r := newRelay(t, 8, -1)
	one, two, three := between(t, r, hostX, hostX), between(t, r, hostX, hostX), between(t, r, hostA, hostB)
	target := func(s *Stream, side Side) netip.AddrPort { return s.Stats().From[side].Target }
	nowhere := netip.AddrPort{}

	one.Expect(Caller, named(three, Caller, hostX))
	one.Expect(Callee, named(one, Caller, hostX))
	local := named(one, Callee, hostX)
	local.RTP, local.Ours = netip.AddrPortFrom(server, local.RTP.Port()), false // as one who knows what the router hides
	one.Expect(Caller, local)
	for side := range Side(2) {
		if at := target(one, side); at != nowhere {
			t.Errorf("a leg talks to %v", at)
		}
	}

	// The circle: one - two - one.
	one.Expect(Caller, named(two, Caller, hostX))
	two.Expect(Caller, named(one, Caller, hostX))
	two.Expect(Callee, named(one, Callee, hostX))
	one.Expect(Callee, named(two, Callee, hostX))
	if at, want := target(one, Caller), netip.AddrPortFrom(server, two.Port(Caller)); at != want {
		t.Errorf("the first leg talks to %v, want %v", at, want)
	}
	for _, s := range []*Stream{one, two} {
		if l := &s.legs[Callee].rtp.latch; l.target != nowhere || l.sdp != nowhere {
			t.Errorf("the circle is closed: %+v", l)
		}
	}

	three.Expect(Callee, named(one, Caller, public))
	if at, want := target(three, Callee), netip.AddrPortFrom(public, one.Port(Caller)); at != want {
		t.Errorf("who is at the router's address is talked to at %v, want %v", at, want)
	}
}

// TestJoinedNoMore: a leg that was joined with another and is given an address where nobody is yet talks to neither, so that
// its stream, joined on its other side now, is no part of a circle.
func TestJoinedNoMore(t *testing.T) {
	r := newRelay(t, 4, -1)
	one, two := between(t, r, hostX, hostX), between(t, r, hostX, hostX)
	x, y := newPhone(t, hostX), newPhone(t, hostX)
	one.Expect(Callee, Peer{RTP: x.addr, Signal: hostX})
	two.Expect(Callee, Peer{RTP: y.addr, Signal: hostX})
	one.Expect(Caller, named(two, Caller, hostX))
	two.Expect(Caller, named(one, Caller, hostX))
	x.send(one.Port(Callee), rtpPacket(1, "of x"))
	y.hears(rtpPacket(1, "of x"), two.Port(Callee))
	y.send(two.Port(Callee), rtpPacket(1, "of y"))
	x.hears(rtpPacket(1, "of y"), one.Port(Callee))

	elsewhere := Peer{RTP: netip.MustParseAddrPort("10.0.0.1:4000"), Signal: hostX}
	for _, s := range []*Stream{one, two} {
		s.Expect(Caller, elsewhere)
	}
	one.Expect(Callee, named(two, Callee, hostX))
	two.Expect(Callee, named(one, Callee, hostX))
	for _, s := range []*Stream{one, two} {
		for _, e := range []*endpoint{&s.legs[Caller].rtp, &s.legs[Caller].rtcp} {
			if l := &e.latch; l.target.IsValid() || l.source.IsValid() {
				t.Errorf("the circle is closed: %+v", l)
			}
		}
		if from := s.Stats().From[Callee]; !from.Target.IsValid() {
			t.Error("the other side is not joined")
		}
	}
}

// own is the leg of s that faces a side, as whoever is at our own address may name it.
func own(s *Stream, side Side) Peer {
	return Peer{RTP: netip.AddrPortFrom(server, s.Port(side)), Signal: server, Ours: true}
}

// TestJoinedAtHome: a PBX on the host of the relay joins calls like any other.
func TestJoinedAtHome(t *testing.T) {
	r := newRelay(t, 4, -1)
	one, two := between(t, r, server, hostA), between(t, r, server, hostB)
	a, b := newPhone(t, hostA), newPhone(t, hostB)
	one.Expect(Callee, Peer{RTP: a.addr, Signal: hostA})
	two.Expect(Callee, Peer{RTP: b.addr, Signal: hostB})
	one.Expect(Caller, own(two, Caller))
	two.Expect(Caller, own(one, Caller))
	a.send(one.Port(Callee), rtpPacket(1, "of a"))
	b.hears(rtpPacket(1, "of a"), two.Port(Callee))
	b.send(two.Port(Callee), rtpPacket(1, "of b"))
	a.hears(rtpPacket(1, "of b"), one.Port(Callee))
}

// TestNoCircleAtHome: who signals from our own address has no packet go around: neither by naming the legs of his own stream,
// nor those of the next one, which he can guess.
func TestNoCircleAtHome(t *testing.T) {
	r := newRelay(t, 4, -1)
	next := between(t, r, server, server)
	guess := [2]Peer{own(next, Caller), own(next, Callee)}
	one := between(t, r, server, server)
	next.Close()
	for side := range Side(2) {
		one.Expect(side, own(one, 1-side))
		if at := one.Stats().From[side].Target; at.IsValid() {
			t.Errorf("a leg talks to %v", at)
		}
		one.Expect(side, guess[side])
	}
	two := between(t, r, server, server)
	for two.Port(Caller) != guess[Caller].RTP.Port() {
		two.Close()
		two = between(t, r, server, server)
	}
	x := newPhone(t, server)
	x.send(one.Port(Caller), rtpPacket(1, "to the other stream"))
	for two.Stats().From[Callee].Strangers == 0 && two.Stats().From[Callee].Packets == 0 {
		runtime.Gosched()
	}
	if from := two.Stats().From[Callee]; from.Packets != 0 || from.Target.IsValid() {
		t.Errorf("a leg listens to another: %+v", from)
	}
	x.send(two.Port(Callee), rtpPacket(1, "of a phone"))
	for two.Stats().From[Callee].Packets == 0 {
		runtime.Gosched()
	}
}
