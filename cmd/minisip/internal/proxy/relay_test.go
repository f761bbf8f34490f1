package proxy

import (
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"minisip/cmd/minisip/internal/pack"
	"minisip/session"
)

// fakeRelay hands out ports in order, four to a stream, and tells what it was asked for.
type fakeRelay struct {
	note     func(line string) // may be nil
	capacity int               // streams open at once; 0: any number
	clock    func() time.Time  // by which ports rest for 2 s; nil: they do not
	ready    []time.Time       // when those at rest serve again
	streams  []*fakeStream     // all there ever were
	open     int
	newest   int // stream
}

type fakeStream struct {
	relay       *fakeRelay
	number      int
	first, last [2]time.Time // packets, by side
	lastRTP     [2]time.Time
	tap         Tap
	closed      bool
	local       [2]netip.Addr
	moves       uint32
	fax         bool       // what passes is no RTP
	mute        bool       // nor is what passes from now on
	types       [2][]uint8 // by side: the payload types that come
	undelivered uint64     // of what comes from the caller: our own firewall is in the way
}

func (r *fakeRelay) say(format string, args ...any) {
	if r.note != nil {
		r.note("relay: " + fmt.Sprintf(format, args...))
	}
}

// Open implements Relay.
func (r *fakeRelay) Open(caller, callee Leg) (Stream, error) {
	if r.Free() == 0 {
		r.say("no ports left")
		return nil, ErrNoPorts
	}
	r.newest++
	s := &fakeStream{relay: r, number: r.newest, local: [2]netip.Addr{caller.Local, callee.Local}}
	r.streams = append(r.streams, s)
	r.open++
	r.say("stream %d opens, %s:%d for the caller at %s, %s:%d for the callee at %s", s.number,
		caller.Local, s.Port(session.Caller), caller.Signal, callee.Local, s.Port(session.Callee), callee.Signal)
	return s, nil
}

// Free implements Relay.
func (r *fakeRelay) Free() int {
	if r.capacity == 0 {
		return 1 << 20
	}
	for len(r.ready) > 0 && !r.clock().Before(r.ready[0]) {
		r.ready = r.ready[1:]
	}
	return r.capacity - r.open - len(r.ready)
}

// Port implements Stream: 10000 and 10002 for the first.
func (s *fakeStream) Port(side session.Role) uint16 {
	return uint16(10000 + 4*(s.number-1) + 2*int(side))
}

// Expect implements Stream.
func (s *fakeStream) Expect(side session.Role, p Peer, _ map[uint8]uint32) {
	mux := ""
	if p.Mux {
		mux = ", multiplexed"
	}
	s.relay.say("stream %d expects the %s at %s, RTCP %s, signalling from %s%s", s.number, side, p.RTP, p.RTCP, p.Signal, mux)
	if s.closed {
		s.relay.say("stream %d IS CLOSED ALREADY", s.number)
	}
}

// MoveTo implements Stream.
func (s *fakeStream) MoveTo(side session.Role, local netip.Addr) netip.Addr {
	if local != s.local[side] {
		s.relay.say("stream %d is at %s for the %s", s.number, local, side)
		s.local[side] = local
	}
	return local
}

// SetICE implements Stream.
func (s *fakeStream) SetICE(side session.Role, ice ICE) {
	switch {
	case ice == ICE{}:
		s.relay.say("stream %d does no ICE with the %s", s.number, side)
	case ice.Peer == "":
		s.relay.say("stream %d does ICE with the %s by ufrag:%s pwd:%s", s.number, side, ice.Ufrag, ice.Pwd)
	default:
		s.relay.say("stream %d does ICE with the %s by ufrag:%s pwd:%s, theirs %s", s.number, side, ice.Ufrag, ice.Pwd, ice.Peer)
	}
	if s.closed {
		s.relay.say("stream %d IS CLOSED ALREADY", s.number)
	}
}

// LastMedia implements Stream.
func (s *fakeStream) LastMedia(from session.Role) time.Time { return s.last[from] }

// Flow implements Stream: 50 packets a second, none lost.
func (s *fakeStream) Flow(from session.Role) Flow {
	first, last := s.first[from], s.last[from]
	if first.IsZero() {
		return Flow{}
	}
	n := 50*uint64(last.Sub(first)/time.Second) + 1
	if s.fax {
		return Flow{Other: n, First: first, Last: last}
	}
	f := Flow{Packets: n, First: first, Last: last, LastRTP: s.lastRTP[from], Types: s.types[from]}
	if from == session.Caller && s.undelivered > 0 {
		f.Undelivered, f.SendError = s.undelivered, syscall.EPERM
	}
	return f
}

// media lets packets of one side pass.
func (s *fakeStream) media(now time.Time, from session.Role) {
	if s.first[from].IsZero() {
		s.first[from] = now
	}
	s.last[from] = now
	if !s.mute {
		s.lastRTP[from] = now
	}
	if s.tap != nil {
		s.tap(now, netip.AddrPort{}, netip.AddrPort{}, fmt.Appendf(nil, "media of stream %d from the %s", s.number, from))
	}
}

// Tap implements Stream.
func (s *fakeStream) Tap(t Tap) { s.tap = t }

// Moves implements Stream.
func (s *fakeStream) Moves() uint32 { return s.moves }

// AppendState implements Stream.
func (s *fakeStream) AppendState(b []byte, epoch time.Time) []byte {
	b = pack.AppendUint(b, uint64(s.number))
	for side := range s.first {
		b = pack.AppendTime(pack.AppendTime(b, epoch, s.first[side]), epoch, s.last[side])
	}
	return b
}

// Reopen implements Relay.
func (r *fakeRelay) Reopen(caller, callee Leg, epoch time.Time, state *pack.Reader) (Stream, error) {
	s := &fakeStream{relay: r, number: int(state.Uint()), local: [2]netip.Addr{caller.Local, callee.Local}}
	for side := range s.first {
		s.first[side], s.last[side] = state.Time(epoch), state.Time(epoch)
	}
	if r.capacity > 0 && r.open >= r.capacity {
		r.say("the ports of stream %d are taken", s.number)
		return nil, fmt.Errorf("port %d: %w", s.Port(session.Caller), ErrNoPorts)
	}
	r.newest = max(r.newest, s.number)
	r.streams = append(r.streams, s)
	r.open++
	r.say("stream %d opens again, %s:%d for the caller at %s, %s:%d for the callee at %s", s.number,
		caller.Local, s.Port(session.Caller), caller.Signal, callee.Local, s.Port(session.Callee), callee.Signal)
	return s, nil
}

// Close implements Stream.
func (s *fakeStream) Close() {
	s.relay.say("stream %d closes", s.number)
	if s.closed {
		s.relay.say("stream %d CLOSED TWICE", s.number)
		return
	}
	s.closed = true
	s.relay.open--
	if clock := s.relay.clock; clock != nil {
		s.relay.ready = append(s.relay.ready, clock().Add(2*time.Second))
	}
}
