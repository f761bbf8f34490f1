package proxy

import (
	"iter"
	"net/netip"
	"slices"
	"time"

	"minisip/cmd/minisip/internal/trail"
	"minisip/nat"
	"minisip/session"
)

// Leg is what a relay must know of one side before media flows.
type Leg struct {
	Local  netip.Addr // our address on that side
	Signal netip.Addr // the IP that side signals from
}

// Peer is what a side's SDP says of one stream.
type Peer struct {
	RTP, RTCP netip.AddrPort
	Signal    netip.Addr
	Mux       bool // RTCP on the RTP port
	Ours      bool // RTP's address is ours, as that side knows it
}

// Stream is one m= line of one branch: a leg to each side.
type Stream interface {
	Port(side session.Role) uint16 // of RTP; RTCP is the next
	// Expect tells what side's SDP says; clocks are the rates of dynamic payload types
	// in Hz, 0 for those that are no media (telephone-event).
	Expect(side session.Role, p Peer, clocks map[uint8]uint32)
	// MoveTo has side's leg at another address of ours, on the same ports, and gives the one that it
	// has now: where that cannot be had, the old one.
	MoveTo(side session.Role, local netip.Addr) netip.Addr
	// SetICE makes side's leg an ICE-lite agent, or makes it none.
	SetICE(side session.Role, ice ICE)
	// LastMedia is when the newest packet of any kind came from a side; zero for never.
	LastMedia(from session.Role) time.Time
	Flow(from session.Role) Flow
	// Tap has all that passes shown to t, by goroutines of the relay; nil ends that.
	Tap(t Tap)
	// Moves counts changes of where a side's packets come from or go to.
	Moves() uint32
	// AppendState appends what outlives the process, with times counted from epoch.
	AppendState(b []byte, epoch time.Time) []byte
	Close()
}

type relayedStream struct {
	Stream // nil: none
	peers  [2]Peer
	ice    [2]iceLeg      // by role
	kind   string         // audio, video ...
	fax    bool           // it is one, or was: by T.38
	opened [2]bool        // by role: an offer of this side that waits for its answer has added it
	codec  string         // first of the answer, as "PCMU/8000"
	lists  [2]formats     // by role: the payload types that its SDP has listed since we run
	names  [2]string      // by role: what its SDP calls its dynamic payload types: "101 telephone-event/8000 "
	tracks [2]trail.Track // by role: loss and jitter over time
	trends *[2]trend      // by role: once somebody has looked at the call while it is up
	due    [2]time.Time   // by role: when one that was heard until then was to send again; see resume
}

// stream brings stream i to what st says and gives our leg towards the other side, but for
// its address; its port is 0 where the stream does not pass through us.
func (md *media) stream(i int, st *nat.Stream, from session.Role, answer bool) (leg nat.Leg, err error) {
	for len(md.streams) <= i {
		md.streams = append(md.streams, relayedStream{})
	}
	s := &md.streams[i]
	if !answer {
		md.remember(i, from, from)
	} else if md.preview {
		md.remember(i, from, from.Other())
	}
	switch {
	case !st.Relayable && md.preview:
		return leg, nil
	case !st.Relayable && answer:
		md.leave(i, from)
		return leg, nil
	case !st.Relayable:
		s.peers[from] = Peer{} // the answer closes it
		return leg, nil
	}
	if answer && s.peers[from.Other()] == (Peer{}) {
		// An answer to nothing: the offer had port 0, and RFC 3264 6 wants the same of this.
		md.leave(i, from)
		leg.Refused = true
		return leg, nil
	}
	if s.Stream == nil {
		if err := md.openStream(s); err != nil {
			return leg, err
		}
		s.opened[from] = !answer
	} else if !answer && s.opened[from.Other()] {
		s.opened[from] = true
	}
	s.describe(st, answer, md.preview, md.call.core.now)
	md.hearICE(s, st, from, answer)
	md.expect(s, st, from)
	to := from.Other()
	if u := md.before(to, i); u != nil && !answer {
		// Offers cross, and only if that of the other side is refused will it answer this one. Then it does ICE as before.
		leg = s.towards(to, st, false)
		if u.ice.pwd != "" {
			leg.Ufrag, leg.Pwd = u.ice.Ufrag, u.ice.Pwd
		}
		return leg, nil
	}
	return s.towards(to, st, md.offersICE(s, st, to, answer)), nil
}

// describe names what a stream carries: what was agreed last, and until then what was shown.
func (s *relayedStream) describe(st *nat.Stream, answer, preview bool, now time.Time) {
	if s.kind == "" || answer && !preview && s.kind != string(st.Media) { // RFC 3264 8.3.3: sound may turn into a fax
		if s.kind != "" {
			s.resume(now, now)
		}
		s.kind = printable(st.Media) // the log shows it
		s.fax = s.fax || s.kind == "image"
	}
	if answer && (!preview || s.codec == "" && s.kind == string(st.Media)) {
		s.codec = firstCodec(st)
	}
}

// expect tells a stream where side from wants its packets and sends its own from.
func (md *media) expect(s *relayedStream, st *nat.Stream, from session.Role) {
	p := Peer{RTP: netip.AddrPortFrom(st.Addr, st.Port), RTCP: st.RTCP, Signal: md.ends[from].signal, Mux: st.Mux}
	// New signalling lets a side's source move, even where its SDP says what it said
	// before (RFC 3264 8: a phone comes back from hold behind a NAT that forgot it). The
	// same response again is nothing new.
	if !md.again || p != s.peers[from] {
		s.peers[from] = p
		types := md.call.core.dynamicTypes(st)
		if types.names != "" {
			s.names[from] = types.names
		}
		s.lists[from].add(st)
		md.tell(s, from, types.rates)
	}
}

// tell has the relay know what a side says of a stream.
func (md *media) tell(s *relayedStream, side session.Role, rates map[uint8]uint32) {
	p := s.peers[side]
	p.Ours = md.call.core.knownAs(md.ends[side].local, p.RTP.Addr())
	s.Expect(side, p, rates)
}

// remember keeps what a side says of stream i, for when the offer of offerer is refused.
func (md *media) remember(i int, side, offerer session.Role) {
	s := &md.streams[i]
	noted := func(b before) bool { return b.stream == i && b.side == side }
	if s.peers[side] != (Peer{}) && !slices.ContainsFunc(md.undo[offerer], noted) {
		md.undo[offerer] = append(md.undo[offerer], before{i, side, s.peers[side], s.ice[side]})
	}
}

// before is what a side said of stream i until it made the offer that waits for an answer; nil: no offer waits, or it had said nothing.
func (md *media) before(side session.Role, i int) *before {
	own := func(b before) bool { return b.stream == i && b.side == side }
	if j := slices.IndexFunc(md.undo[side], own); j >= 0 {
		return &md.undo[side][j]
	}
	return nil
}

// towards is our leg towards side to, but for its address, in SDP of the other side that says st.
func (s *relayedStream) towards(to session.Role, st *nat.Stream, ice bool) nat.Leg {
	leg := nat.Leg{Port: s.Port(to), Mux: st.Mux && s.peers[to].Mux}
	if ice {
		leg.Ufrag, leg.Pwd = s.ice[to].Ufrag, s.ice[to].Pwd
	}
	return leg
}

func (md *media) leg(r session.Role) Leg {
	return Leg{Local: md.ends[r].local.Addr(), Signal: md.ends[r].signal}
}

// crowds says whether the call, not answered yet, would take ports that others are to find.
func (k *call) crowds() bool {
	return k.Answered.IsZero() && k.core.usage[k.caller.User].greedy(k.core.relay.Free(), k.core.now)
}

// ports says why no stream could be opened now.
func (k *call) ports() error {
	switch {
	case k.core.relay.Free() == 0:
		return ErrNoPorts
	case k.crowds():
		return errCrowded
	}
	return nil
}

// openStream takes ports for a stream.
func (md *media) openStream(s *relayedStream) error {
	k := md.call
	if k.crowds() {
		return errCrowded
	}
	stream, err := k.core.relay.Open(md.leg(session.Caller), md.leg(session.Callee))
	if err != nil {
		return err
	}
	s.Stream = stream
	md.opened()
	if len(k.traces) > 0 {
		s.Tap(k.tap())
	}
	return nil
}

func (md *media) closeStream(s *relayedStream) {
	if s.Stream != nil {
		s.Close()
		md.gone()
	}
	*s = relayedStream{}
}

// moved notes that a side's packets come from another IP now, or to another address of ours. Its legs go
// there when it is told of that: see address.
func (md *media) moved(r session.Role, local netip.AddrPort, ip netip.Addr) {
	if md == nil {
		return
	}
	md.ends[r] = end{local, ip}
	for s := range md.open() {
		s.peers[r].Signal = ip
		md.tell(s, r, nil)
	}
}

// address is ours for stream i in SDP for side to: the one at which that side reaches us now.
func (md *media) address(i int, to session.Role) netip.Addr {
	at := md.ends[to].local
	if i < len(md.streams) && md.streams[i].Stream != nil {
		at = netip.AddrPortFrom(md.streams[i].MoveTo(to, at.Addr()), at.Port())
	}
	return md.call.core.advertised(at).Addr()
}

// open gives the streams that have ports.
func (md *media) open() iter.Seq[*relayedStream] {
	return func(yield func(*relayedStream) bool) {
		if md == nil {
			return
		}
		for i := range md.streams {
			if s := &md.streams[i]; s.Stream != nil && !yield(s) {
				return
			}
		}
	}
}

// last is when the newest packet came from a side.
func (md *media) last(from session.Role) (t time.Time) {
	for s := range md.open() {
		if l := s.LastMedia(from); l.After(t) {
			t = l
		}
	}
	return t
}
