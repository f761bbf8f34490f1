package rtprelay

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// maxPacket is the largest datagram relayed: an Ethernet frame's, with room
// to spare. A larger one is dropped and counted.
const maxPacket = 2048

// A Side is one of the two phones of a stream.
type Side uint8

const (
	Caller Side = iota
	Callee
)

// LegConfig says how the leg that faces one side is opened.
type LegConfig struct {
	Local  netip.Addr // address to bind; unspecified: any. :: takes IPv4 as well
	Signal netip.Addr // the IP that this side signals from; invalid: not known yet
}

// A Peer is what signalling says of one side. What is not valid, not known
// or, like 0.0.0.0 and port 0, no place to send to, leaves what was known.
type Peer struct {
	RTP    netip.AddrPort // SDP c= and m=
	RTCP   netip.AddrPort // a=rtcp (RFC 3605); invalid: RTP's next port
	Signal netip.Addr     // the IP this side signals from
	Mux    bool           // RTCP on the RTP port (RFC 5761); agreed on when both sides say so
	Ours   bool           // RTP's address is the one at which that side knows this relay

	// Clocks are the clock rates in Hz by payload type, of a=rtpmap. They win
	// over those of RFC 3551; a type with rate 0 (telephone-event) is left out
	// of the jitter. Nil leaves what was known. It must not be changed later.
	Clocks map[uint8]uint32
}

// A Stream relays one media stream between two phones. Each leg has its own
// port pair; what arrives at one leg leaves from the other, RTP from RTP's
// port and RTCP from RTCP's.
//
// All methods may be called from any goroutine.
type Stream struct {
	relay *Relay
	heard [2]atomic.Int64 // time.Duration since the relay's start; 0: never
	moves atomic.Uint32   // how often a side's address, or what was signalled of it, has changed

	mu     sync.Mutex // guards the rest; held while a packet passes
	closed bool
	tap    Tap // nil: nobody looks
	legs   [2]leg
}

// A leg faces one side. What it counts comes from there. The fields stand in the order in which
// a packet needs them, so that it touches few lines of the cache.
type leg struct {
	rtp    endpoint
	flow   flow
	mux    bool
	v4     bool // its sockets reach IPv4 only
	port   uint16
	rtcp   endpoint
	local  netip.Addr
	former *former // where it was before it moved; nil: nowhere
	clocks map[uint8]uint32
	agent  *agent // nil: the side does no ICE
	unseen uint64 // strangers that came before the tap
	zone   string // the interface that a link-local side signals from, else ""
}

func newStream(r *Relay) *Stream {
	s := &Stream{relay: r}
	for i := range s.legs {
		l := &s.legs[i]
		l.rtp = endpoint{stream: s, side: Side(i)}
		l.rtcp = endpoint{stream: s, side: Side(i), rtcp: true}
	}
	return s
}

// openLeg binds both sockets of a leg, or none.
func (s *Stream) openLeg(side Side, cfg LegConfig, port uint16) error {
	local := cfg.Local.Unmap()
	if !local.IsValid() {
		return errors.New("no local address")
	}
	l := &s.legs[side]
	l.local, l.port, l.v4, l.zone = local, port, local.Is4(), cfg.Signal.Zone()
	if err := s.relay.bind(&l.rtp.socket, l.at(local, port)); err != nil {
		return err
	}
	if err := s.relay.bind(&l.rtcp.socket, l.at(local, port+1)); err != nil {
		l.rtp.socket.close()
		return err
	}
	signal, now := canonical(cfg.Signal), s.relay.now()
	l.rtp.latch.expect(now, netip.AddrPort{}, signal)
	l.rtcp.latch.expect(now, netip.AddrPort{}, signal)
	return nil
}

// at is an address of ours for the system. A link-local one means something on its interface alone (RFC 4007 6): that
// on which the side reaches us.
func (l *leg) at(local netip.Addr, port uint16) netip.AddrPort {
	if local.IsLinkLocalUnicast() && local.Zone() == "" {
		local = local.WithZone(l.zone)
	}
	return netip.AddrPortFrom(local, port)
}

// start begins to relay. What the first packet changes of the other sockets waits until all are listened to.
func (s *Stream) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.legs {
		l := &s.legs[i]
		go l.rtp.run(l.rtp.socket)
		go l.rtcp.run(l.rtcp.socket)
	}
}

// close closes the sockets of a leg. The stream's lock must not be held: it
// waits for those who read.
func (l *leg) close() {
	l.rtp.socket.close()
	l.rtcp.socket.close()
	if l.former != nil {
		l.former.close()
	}
}

// Port returns the RTP port of the leg that faces side; RTCP's is the next.
func (s *Stream) Port(side Side) uint16 {
	return s.legs[side].port
}

// Expect takes in new signalling of one side.
func (s *Stream) Expect(side Side, p Peer) {
	joint := s.joint(p)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.moves.Add(1)
	l, now := &s.legs[side], s.relay.now()
	media, control := l.place(p.RTP), l.place(p.RTCP)
	if !p.RTCP.IsValid() && media.Port() < 65535 {
		control = netip.AddrPortFrom(media.Addr(), media.Port()+1)
	}
	if joint.found {
		media, control = s.join(side, joint)
	}
	if media.IsValid() {
		l.rtp.latch.join(joint.found)
		l.rtcp.latch.join(joint.found)
	}
	signal := canonical(p.Signal)
	if zone := p.Signal.Zone(); zone != "" {
		l.zone = zone
	}
	l.mux = p.Mux
	if p.Clocks != nil {
		l.clocks = p.Clocks
		s.legs[Caller].flow.typed = false
		s.legs[Callee].flow.typed = false
	}
	l.rtp.latch.expect(now, media, signal)
	l.rtcp.latch.expect(now, control, signal)
	l.rtp.aim()
	l.rtcp.aim()
}

// place returns an address that signalling names in canonical form, or no
// address where this leg cannot send to it. A held call names 0.0.0.0
// (RFC 3264 8.4), a refused stream port 0 (RFC 3264 6).
func (l *leg) place(a netip.AddrPort) netip.AddrPort {
	ip := canonical(a.Addr())
	if a.Port() == 0 || !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || l.v4 && ip.Is6() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, a.Port())
}

// LastMedia returns when the newest packet of a side's latched source
// arrived, on either port; RTCP and STUN count. Zero: never.
func (s *Stream) LastMedia(side Side) time.Time {
	last := s.heard[side].Load()
	if last == 0 {
		return time.Time{}
	}
	return s.relay.start.Add(time.Duration(last))
}

// Stats returns the counters as they are now, also after Close.
func (s *Stream) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out Stats
	for i := range s.legs {
		l, f := &s.legs[i], &out.From[i]
		*f = l.flow.snapshot(s.relay.start)
		if d := s.heard[i].Load(); d != 0 {
			f.Heard = s.relay.start.Add(time.Duration(d))
		}
		f.Source, f.Target = l.rtp.latch.source, l.rtp.latch.target
		f.Rebinds = uint64(l.rtp.latch.rebinds)
		f.RTCPSource, f.RTCPTarget = l.rtcp.latch.source, l.rtcp.latch.target
	}
	return out
}

// Close ends the stream and gives the ports back, once. Nothing is relayed from now on;
// the sockets are closed within a second, together with those of other streams.
func (s *Stream) Close() {
	s.mu.Lock()
	was := s.closed
	s.closed = true
	s.mu.Unlock()
	if !was {
		s.relay.release(s)
	}
}

// closeSockets closes all four.
func (s *Stream) closeSockets() {
	for i := range s.legs {
		s.legs[i].close()
	}
}
