package rtprelay

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// A State is what of a stream outlives its process: enough to go on with the next packet,
// and to know strangers as before.
type State struct {
	Legs [2]LegState // by Side
}

// LegState is the state of one leg.
type LegState struct {
	Port      uint16     // of RTP
	Local     netip.Addr // our address; invalid: not known
	Mux       bool
	ICE       ICE
	Clocks    map[uint8]uint32 // must not be changed
	RTP, RTCP LatchState

	// What has been counted.
	Packets, Bytes, RTCPPackets, Other, Lost, Duplicates, OutOfOrder, Strangers uint64
	First, Last                                                                 time.Time
}

// LatchState is whom one socket listens and talks to, and why.
type LatchState struct {
	SDP, Source, Target netip.AddrPort
	Signal, Kin         netip.Addr
	Open, Due, Joined   bool

	Proven, Nominated bool   // by a check of ICE
	Priority          uint32 // of that
	// The newest packet of Source, for whom a NAT's new mapping must carry on.
	RTP, RTCP bool // which of the two it was
	SSRC      uint32
	Seq       uint16
}

// State returns what has to be kept. Its Clocks are shared.
func (s *Stream) State() (st State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.legs {
		l := &s.legs[i]
		ice := ICE{}
		if l.agent != nil {
			ice = l.agent.now.ICE
		}
		f := l.flow.snapshot(s.relay.start)
		st.Legs[i] = LegState{
			Port: l.port, Local: l.local, Mux: l.mux, ICE: ice, Clocks: l.clocks, RTP: l.rtp.latch.state(), RTCP: l.rtcp.latch.state(),
			Packets: f.Packets, Bytes: f.Bytes, RTCPPackets: f.RTCP, Other: f.Other, Lost: f.Lost,
			Duplicates: f.Duplicates, OutOfOrder: f.OutOfOrder, Strangers: f.Strangers, First: f.First, Last: f.Last,
		}
	}
	return st
}

func (l *latch) state() LatchState {
	return LatchState{
		SDP: l.sdp, Source: l.source, Target: l.target, Signal: l.signal, Kin: l.kin, Open: l.open, Due: l.due, Joined: l.joined,
		Proven: l.proven, Nominated: l.nominated != 0, Priority: l.priority,
		RTP: l.last.kind == rtp, RTCP: l.last.kind == rtcp, SSRC: l.last.ssrc, Seq: l.last.seq,
	}
}

// restore is the opposite of state. The source counts as heard now: nobody can
// inherit its place before it has had the time to be heard. How long ago state was kept is not known where the process
// was killed, so of an heir's sequence numbers only that they follow each other is asked for.
func (l *latch) restore(now time.Duration, st LatchState) {
	*l = latch{
		sdp: st.SDP, source: st.Source, target: st.Target, signal: st.Signal, kin: st.Kin, open: st.Open, due: st.Due, joined: st.Joined,
		proven: st.Proven, priority: st.Priority,
		heard: now, last: header{ssrc: st.SSRC, seq: st.Seq}, aged: true,
	}
	if st.Nominated {
		l.nominated = now
	}
	switch {
	case st.RTP:
		l.last.kind = rtp
	case st.RTCP:
		l.last.kind = rtcp
	}
}

// Moves counts how often a side's address has changed: where it has not, nor has what
// was signalled, State need not be kept anew.
func (s *Stream) Moves() uint32 { return s.moves.Load() }

// Reopen opens the legs of a stream of an earlier process: the same ports, and the same
// addresses talked and listened to. The error tells which port is not to be had.
func (r *Relay) Reopen(caller, callee LegConfig, st State) (*Stream, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, net.ErrClosed
	}
	s := newStream(r)
	for side, cfg := range [2]LegConfig{caller, callee} {
		if err := r.reopenLeg(s, Side(side), cfg, &st.Legs[side]); err != nil {
			if side == int(Callee) {
				s.legs[Caller].close()
				r.ports.put(s.legs[Caller].port, r.now())
			}
			return nil, err
		}
	}
	r.keep(s)
	s.start()
	return s, nil
}

var errNotOurs = errors.New("it is in use, or outside the range of ports")

// reopenLeg binds a leg to the ports that it had. What was latched is in place before
// the first packet can arrive.
func (r *Relay) reopenLeg(s *Stream, side Side, cfg LegConfig, st *LegState) error {
	if !r.ports.claim(st.Port) {
		return fmt.Errorf("rtprelay: port %d: %w", st.Port, errNotOurs)
	}
	if st.Local.IsValid() {
		cfg.Local = st.Local
	}
	if err := s.openLeg(side, cfg, st.Port); err != nil {
		r.ports.put(st.Port, r.now())
		return fmt.Errorf("rtprelay: port %d: %w", st.Port, err)
	}
	l, now := &s.legs[side], r.now()
	l.mux, l.clocks = st.Mux, st.Clocks
	if st.ICE != (ICE{}) {
		l.agent = &agent{now: newSecret(st.ICE)}
	}
	l.rtp.latch.restore(now, st.RTP)
	l.rtcp.latch.restore(now, st.RTCP)
	l.rtp.aim()
	l.rtcp.aim()
	l.flow.restore(r.start, st)
	if st.RTP.Source.IsValid() || st.RTCP.Source.IsValid() {
		s.heard[side].Store(int64(now))
	}
	return nil
}

// restore goes on counting from what had been counted.
func (f *flow) restore(start time.Time, st *LegState) {
	since := func(t time.Time) time.Duration {
		if t.IsZero() {
			return 0
		}
		return t.Sub(start)
	}
	f.packets, f.bytes, f.rtcp, f.other = st.Packets, st.Bytes, st.RTCPPackets, st.Other
	f.seq.lost, f.seq.duplicates, f.seq.late = st.Lost, st.Duplicates, st.OutOfOrder
	f.ssrc = st.RTP.SSRC
	f.strangers = st.Strangers
	f.first, f.last = since(st.First), since(st.Last)
}
