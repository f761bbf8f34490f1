package proxy

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"minisip/nat"
	"minisip/session"
	"minisip/sipmsg"
)

// Relay opens the ports of media streams.
type Relay interface {
	// Open gives one stream between two legs, or an error when no ports are left.
	Open(caller, callee Leg) (Stream, error)
}

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
}

// Stream is one m= line of one branch: a leg to each side.
type Stream interface {
	Port(side session.Role) uint16 // of RTP; RTCP is the next
	// Expect tells what side's SDP says; clocks are the rates of dynamic payload types
	// in Hz, 0 for those that are no media (telephone-event).
	Expect(side session.Role, p Peer, clocks map[uint8]uint32)
	LastMedia() time.Time
	Flow(from session.Role) Flow
	Close()
}

// media is what passes through us for one branch and then its dialog: a stream for
// each m= line, in order, ports kept for the life of the dialog. A nil media relays nothing.
type media struct {
	core    *Core
	ends    [2]end // by role
	streams []relayedStream
	fresh   []int    // opened by an offer that is not answered yet
	closed  bool     // for good
	again   bool     // what is being rewritten repeats a response that was seen
	undo    []before // what an offer that is not answered yet has changed
}

// before is what a side's SDP said of a stream until the pending offer.
type before struct {
	stream int
	side   session.Role
	peer   Peer
}

type end struct {
	local  netip.AddrPort
	signal netip.Addr
}

type relayedStream struct {
	Stream // nil: none
	peers  [2]Peer
	kind   string // audio, video ...
	codec  string // first of the answer, as "PCMU/8000"
}

// newMedia prepares the media of a branch, if the proxy relays any.
func (c *Core) newMedia(ctx *context, b *branch) *media {
	if !c.cfg.SDP || c.relay == nil || ctx.call == nil {
		return nil // without a call, nothing would close it
	}
	return &media{core: c, ends: [2]end{
		session.Caller: {ctx.local, ctx.src.Addr()},
		session.Callee: {b.local, b.to.Addr()},
	}}
}

// relayRequest rewrites the SDP of a branch's request. A status other than 0 refuses it.
func (c *Core) relayRequest(b *branch) int {
	ctx := b.ctx
	md, from := b.media, session.Caller
	if ctx.dialog != nil {
		md, from = ctx.dialog.media, ctx.from
	} else {
		md = c.newMedia(ctx, b)
		b.media = md
	}
	hasSDP, err := md.rewrite(ctx.req, from, false)
	if err != nil {
		md.refuseFresh()
		c.logf("call %s: no relay ports left", callNumber(ctx.call))
		return 503
	}
	ctx.offered = ctx.offered || hasSDP
	if hasSDP {
		if ctx.dialog != nil {
			ctx.wasHeld = ctx.dialog.party(from).Held
		}
		ctx.hold(from, nil, md.held(c))
	}
	return 0
}

// relayResponse rewrites the SDP of a response: an answer, or the offer where the
// request had none.
func (c *Core) relayResponse(ctx *context, b *branch, in *inbound) {
	md, from := b.media, session.Callee
	d := ctx.dialog
	if d != nil {
		md, from = d.media, ctx.from.Other()
	}
	if md != nil {
		md.again = b.described
		defer func() { md.again = false }()
	}
	hasSDP, err := md.rewrite(in.Message, from, ctx.offered)
	b.described = b.described || hasSDP
	if err != nil {
		c.logf("call %s: no relay ports left: media goes past us", callNumber(ctx.call))
		return
	}
	if hasSDP {
		ctx.hold(from, in.ToTag(), md.held(c))
	}
}

// hold notes whether side from holds the call; tag finds a dialog that is just being made.
func (ctx *context) hold(from session.Role, tag []byte, held bool) {
	switch {
	case ctx.dialog != nil:
		ctx.dialog.party(from).Held = held
	case ctx.call == nil:
	case from == session.Caller:
		ctx.call.caller.Held = held
	default:
		for _, d := range ctx.call.dialogs {
			if d.callee.Tag == string(tag) {
				d.callee.Held = held
			}
		}
	}
}

// relayInDialog rewrites the SDP of an ACK.
func (c *Core) relayInDialog(m *sipmsg.Message, d *dialog, from session.Role) {
	if hasSDP, err := d.media.rewrite(m, from, true); hasSDP && err == nil {
		d.party(from).Held = d.media.held(c)
	}
}

func callNumber(k *call) string {
	if k == nil {
		return "-"
	}
	return k.number
}

// rewrite puts our legs into the SDP that side from sends in m, opening what is missing;
// in an answer, what it refuses is closed (RFC 3264 6).
func (md *media) rewrite(m *sipmsg.Message, from session.Role, answer bool) (hasSDP bool, err error) {
	if md == nil || md.closed || !negotiates(m.Method()) {
		return false, nil
	}
	part, ok := nat.FindSDP(m)
	if !ok {
		return false, nil
	}
	c := md.core
	if err := c.sdp.Parse(part.SDP()); err != nil {
		c.logf("SDP from %s cannot be read, so its media is not relayed: %v", md.ends[from].signal, err)
		return false, nil
	}
	md.undo = md.undo[:0]
	to := from.Other()
	at := c.advertised(md.ends[to].local).Addr()
	c.legs = c.legs[:0]
	for i := range c.sdp.Streams {
		leg := nat.Leg{}
		port, err := md.stream(i, &c.sdp.Streams[i], from, answer)
		if err != nil {
			return true, err
		}
		if port != 0 {
			leg = nat.Leg{Addr: at, Port: port}
		}
		c.legs = append(c.legs, leg)
	}
	if answer {
		md.fresh = md.fresh[:0]
	}
	c.sdpOut = c.sdp.AppendRewritten(c.sdpOut[:0], c.legs)
	c.bodyOut = nat.ReplaceSDP(m, part, c.sdpOut, c.bodyOut)
	return true, nil
}

// negotiates lists the methods whose bodies are offers and answers: RFC 3261 13.2.1, 3262 5, 3311.
func negotiates(m sipmsg.Method) bool {
	return m == sipmsg.INVITE || m == sipmsg.ACK || m == sipmsg.PRACK || m == sipmsg.UPDATE
}

// stream brings stream i to what st says and gives our port towards the other side; 0
// where it does not pass through us.
func (md *media) stream(i int, st *nat.Stream, from session.Role, answer bool) (uint16, error) {
	for len(md.streams) <= i {
		md.streams = append(md.streams, relayedStream{})
	}
	s := &md.streams[i]
	if !answer && s.peers[from] != (Peer{}) {
		md.undo = append(md.undo, before{i, from, s.peers[from]})
	}
	if !st.Relayable {
		s.peers[from] = Peer{}
		if answer || s.peers[from.Other()] == (Peer{}) {
			s.close()
		}
		return 0, nil
	}
	if s.Stream == nil {
		if answer && s.peers[from.Other()] == (Peer{}) {
			return 0, nil // an answer to nothing
		}
		stream, err := md.core.relay.Open(md.leg(session.Caller), md.leg(session.Callee))
		if err != nil {
			return 0, err
		}
		s.Stream = stream
		if !answer {
			md.fresh = append(md.fresh, i)
		}
	}
	if s.kind == "" {
		s.kind = string(st.Media)
	}
	if s.codec == "" && answer {
		s.codec = firstCodec(st)
	}
	p := Peer{RTP: netip.AddrPortFrom(st.Addr, st.Port), RTCP: st.RTCP, Signal: md.ends[from].signal, Mux: st.Mux}
	// New signalling lets a side's source move, even where its SDP says what it said
	// before (RFC 3264 8: a phone comes back from hold behind a NAT that forgot it). The
	// same response again is nothing new.
	if !md.again || p != s.peers[from] {
		s.peers[from] = p
		s.Expect(from, p, clocks(st))
	}
	return s.Port(from.Other()), nil
}

// clocks reads the rates of a stream's dynamic payload types.
func clocks(st *nat.Stream) (rates map[uint8]uint32) {
	for f := range bytes.FieldsSeq(st.Formats) {
		pt, err := strconv.ParseUint(string(f), 10, 7)
		if err != nil || pt < 96 {
			continue
		}
		name, rest, _ := strings.Cut(st.PayloadName(uint8(pt)), "/")
		rate, _, _ := strings.Cut(rest, "/")
		hz, err := strconv.ParseUint(rate, 10, 32)
		if err != nil {
			continue
		}
		if strings.EqualFold(name, "telephone-event") {
			hz = 0
		}
		if rates == nil {
			rates = map[uint8]uint32{}
		}
		rates[uint8(pt)] = uint32(hz)
	}
	return rates
}

// firstCodec names the first format of a stream: in an answer, the one that will be used.
func firstCodec(st *nat.Stream) string {
	first, _, _ := bytes.Cut(st.Formats, []byte(" "))
	pt, err := strconv.ParseUint(string(first), 10, 7)
	if err != nil {
		return ""
	}
	return st.PayloadName(uint8(pt))
}

func (md *media) leg(r session.Role) Leg {
	return Leg{Local: md.ends[r].local.Addr(), Signal: md.ends[r].signal}
}

// held says whether the SDP just parsed puts all its streams on hold.
func (md *media) held(c *Core) bool {
	any := false
	for i := range c.sdp.Streams {
		st := &c.sdp.Streams[i]
		if st.Port != 0 && !st.Hold {
			return false
		}
		any = any || st.Hold
	}
	return any
}

// signal notes that a side's packets come from another IP now.
func (md *media) signal(r session.Role, ip netip.Addr) {
	if md == nil {
		return
	}
	md.ends[r].signal = ip
	for i := range md.streams {
		s := &md.streams[i]
		if s.Stream != nil {
			s.peers[r].Signal = ip
			s.Expect(r, s.peers[r], nil)
		}
	}
}

// refuseFresh closes what an offer opened that was not accepted.
func (md *media) refuseFresh() {
	if md == nil {
		return
	}
	for _, i := range md.fresh {
		md.streams[i].close()
	}
	md.fresh = md.fresh[:0]
	// RFC 3264 8, RFC 3261 14.1: after a refused offer "the session parameters in use remain".
	for _, u := range md.undo {
		if s := &md.streams[u.stream]; s.Stream != nil {
			s.peers[u.side] = u.peer
			s.Expect(u.side, u.peer, nil)
		}
	}
	md.undo = md.undo[:0]
}

func (s *relayedStream) close() {
	if s.Stream != nil {
		s.Stream.Close()
	}
	*s = relayedStream{}
}

func (md *media) close() {
	if md == nil {
		return
	}
	for i := range md.streams {
		md.streams[i].close()
	}
	md.streams, md.fresh, md.undo, md.closed = nil, nil, nil, true
}

// open says whether any stream has ports.
func (md *media) open() bool {
	if md == nil {
		return false
	}
	for i := range md.streams {
		if md.streams[i].Stream != nil {
			return true
		}
	}
	return false
}

// last is when the newest packet passed.
func (md *media) last() (t time.Time) {
	if md == nil {
		return t
	}
	for i := range md.streams {
		if s := md.streams[i].Stream; s != nil {
			if l := s.LastMedia(); l.After(t) {
				t = l
			}
		}
	}
	return t
}

// dropMedia frees the ports of a branch that lost.
func (b *branch) dropMedia() {
	if ctx := b.ctx; ctx.dialog != nil {
		if ctx.offered {
			ctx.dialog.media.refuseFresh()
			ctx.dialog.party(ctx.from).Held = ctx.wasHeld
		}
		return
	}
	b.media.close()
}
