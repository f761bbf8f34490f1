package rtprelay

import "net/netip"

// An endpoint is one socket of a leg.
type endpoint struct {
	stream *Stream
	side   Side
	rtcp   bool
	socket socket
	latch  latch
	kept   []byte // to be sent as soon as there is somebody to send to
}

// aim points the socket where the latch says.
func (e *endpoint) aim() {
	t := e.latch.target
	if !t.IsValid() {
		return
	}
	e.socket.aim(t)
	if e.kept != nil {
		e.socket.send(e.kept)
		if s := e.stream; s.tap != nil {
			s.show(&packet{now: s.relay.now(), data: e.kept}, e, t)
		}
		e.kept = nil
	}
}

// keep holds a packet back for the phone that e cannot reach yet, if it is one of DTLS: the
// newest, since each flight is repeated (RFC 6347 4.2.4), but the first time only after a
// second. Where both phones do ICE, the one that answers is proven, and begins its handshake,
// before the other one knows where to send its checks.
func (e *endpoint) keep(b []byte) bool {
	if len(b) == 0 || b[0] < firstDTLS || b[0] > lastDTLS {
		return false
	}
	e.kept = append(e.kept[:0], b...)
	return true
}

// pass relays a packet that arrived at e. The stream's lock is held.
func (e *endpoint) pass(p *packet) {
	s := e.stream
	if s.tap != nil && e.shows(p.from) {
		s.tap(s.relay.start.Add(p.now), p.from, e.at(), p.data)
	}
	out := e.receive(p)
	if out == nil {
		return
	}
	if s.tap != nil {
		s.show(p, out, out.latch.target)
	}
	if err := out.socket.send(p.data); err != nil {
		f := &s.legs[e.side].flow
		f.undelivered++
		f.sendError = err
	}
}

// tooLarge counts a packet that is not relayed for its size: the side's, or a stranger's. The stream's lock is held.
func (e *endpoint) tooLarge(from netip.AddrPort) {
	f := &e.stream.legs[e.side].flow
	if from != e.latch.source && !e.latch.trusts(from.Addr()) {
		f.strangers++
		f.stranger = from
		return
	}
	f.oversize++
}

// receive decides on a packet that arrived at e, and counts it. It returns
// the endpoint to send it from, or nil. The stream's lock is held.
func (e *endpoint) receive(p *packet) *endpoint {
	s := e.stream
	near, far := &s.legs[e.side], &s.legs[1-e.side]
	p.header = parseHeader(p.data)
	v := drop
	switch {
	case p.from != e.latch.source && e.unjoined(p.from):
	case p.kind == stun && near.agent != nil:
		v = e.check(p)
	default:
		v = e.latch.packet(p)
	}
	switch v {
	case drop:
		near.flow.strangers++
		near.flow.stranger = p.from
		return nil
	case moved:
		e.moved(p.from)
	}
	s.heard[e.side].Store(int64(p.now))
	if near.flow.untyped(p) {
		near.flow.setType(p.pt, s.clock(e.side, p.pt))
	}
	near.flow.count(p, &far.flow)
	if p.kind == stun && (near.agent != nil || far.agent != nil) {
		return nil // checks are a matter between a phone and its leg
	}
	out := &far.rtp
	if far.apart(near, e.rtcp, p.kind == rtcp) {
		out = &far.rtcp
	}
	if !out.latch.target.IsValid() {
		if !out.keep(p.data) {
			near.flow.unaddressed++
		}
		return nil
	}
	return out
}

// moved follows its latch to who is listened to now.
func (e *endpoint) moved(source netip.AddrPort) {
	e.stream.moves.Add(1)
	e.aim()
	if !e.rtcp {
		control := &e.stream.legs[e.side].rtcp
		control.latch.follow(source.Addr())
		control.aim()
	}
}

// apart reports whether a packet of the other side leaves from the RTCP port. RFC 5761
// 5.1.1: RTCP is on RTP's port where both have agreed on it. A phone that offered it in
// vain and does it all the same is understood, if the other's RTCP port is known.
func (l *leg) apart(near *leg, rtcpPort, isRTCP bool) bool {
	if l.mux {
		return rtcpPort && !near.mux
	}
	return rtcpPort || isRTCP && near.mux && l.rtcp.latch.target.IsValid()
}

// clock returns the clock rate of a payload type that side sends. It is the
// receiver's SDP that says what the numbers mean (RFC 3264 5.1); who answers
// need not repeat the offer's, so the sender's comes next.
func (s *Stream) clock(side Side, pt uint8) uint32 {
	for _, l := range [2]*leg{&s.legs[1-side], &s.legs[side]} {
		if rate, ok := l.clocks[pt]; ok {
			return rate
		}
	}
	return staticClock(pt)
}
