package proxy

import (
	"errors"
	"net/netip"
	"time"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/cmd/minisip/internal/pack"
	"minisip/nat"
	"minisip/session"
	"minisip/sipmsg"
)

// ErrNoPorts is a Relay's error when all its ports are in use.
var ErrNoPorts = errors.New("no relay ports left")

// Relay opens the ports of media streams.
type Relay interface {
	// Open gives one stream between two legs, or an error: ErrNoPorts when no ports are left.
	Open(caller, callee Leg) (Stream, error)
	// Free is how many streams there are ports for.
	Free() int
	// Reopen goes on with a stream of an earlier process: state is what its AppendState gave.
	Reopen(caller, callee Leg, epoch time.Time, state *pack.Reader) (Stream, error)
}

// media is what passes through us for one branch and then its dialog: a stream for
// each m= line, in order, ports kept for the life of the dialog. A nil media relays nothing.
type media struct {
	call    *call
	ends    [2]end // by role
	streams []relayedStream
	ability [2]ability // by role: whether it does ICE
	offers  [2]offer   // by role: what waits for its answer
	offered [2]int     // by role: how many streams its latest offer had
	asked   [2]bool    // by role: its INVITE had no SDP, and a response brought the offer
	again   bool       // what is being rewritten repeats what was seen
	closed  bool       // for good
}

// offer is what one side's SDP has changed that is not answered yet.
type offer struct {
	opened []int    // streams
	undo   []before // what the SDP before said
}

// before is what a side's SDP said of a stream.
type before struct {
	stream int
	peer   Peer
	ice    iceLeg
}

type end struct {
	local  netip.AddrPort
	signal netip.Addr
}

// newMedia prepares the media of a branch, if the proxy relays any.
func (c *Core) newMedia(ctx *context, b *branch) *media {
	if !c.cfg.SDP || c.relay == nil || ctx.call == nil {
		return nil // without a call, nothing would close it
	}
	md := &media{call: ctx.call, ends: [2]end{
		session.Caller: {ctx.local, ctx.src.Addr()},
		session.Callee: {b.local, b.to.Addr()},
	}}
	if b.target.ice {
		md.ability[session.Callee] = able
	}
	return md
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
	// RFC 3262 5: the answer to an offer in a reliable provisional response is in the PRACK.
	answer := ctx.req.Method() == sipmsg.PRACK && md != nil && md.asked[from]
	hasSDP, err := md.rewrite(ctx.req, from, answer)
	if err != nil {
		md.refused(from)
		c.logf("call %s: %s", ctx.call.number, whyNoStream(err))
		switch {
		case errors.Is(err, errCrowded):
			ctx.call.refusal = diagnosis.TooMany
		case errors.Is(err, ErrNoPorts):
			ctx.call.refusal = diagnosis.NoPorts
		default:
			ctx.call.refusal = diagnosis.NoSockets
		}
		return 503
	}
	ctx.offered = ctx.offered || hasSDP && !answer
	if hasSDP {
		if ctx.dialog != nil {
			ctx.wasHeld = ctx.dialog.party(from).Held
		}
		ctx.hold(from, b, md.held(c))
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
	if err != nil {
		c.logf("call %s: %s: media goes past us", ctx.call.number, whyNoStream(err))
		return
	}
	if hasSDP {
		md.asked[from.Other()] = md.asked[from.Other()] || ctx.invite && !ctx.offered && !b.described
		b.described = true
		ctx.hold(from, b, md.held(c))
	}
}

// whyNoStream says in words why a stream could not be opened.
func whyNoStream(err error) string {
	if errors.Is(err, errCrowded) || errors.Is(err, ErrNoPorts) {
		return err.Error()
	}
	return "media cannot be relayed: " + err.Error()
}

// hold notes whether side from holds the call, on branch b where the dialog is just being made.
func (ctx *context) hold(from session.Role, b *branch, held bool) {
	switch {
	case ctx.dialog != nil:
		ctx.dialog.party(from).Held = held
	case ctx.call == nil:
	case from == session.Caller:
		ctx.call.caller.Held = held
	default:
		for _, d := range ctx.call.dialogs {
			if d.branch == b.key.id {
				d.callee.Held = held
			}
		}
	}
}

// relayAck rewrites the SDP of an ACK. It is the answer to an offer in a response, if one waits for it (RFC
// 3261 13.2.1). Any other repeats what was said, so it changes nothing: nobody can be challenged for an
// ACK, and whoever is behind the same NAT could send one.
func (c *Core) relayAck(m *sipmsg.Message, d *dialog, from session.Role) {
	md := d.media
	if md == nil {
		return
	}
	if !md.asked[from] {
		md.repeat(m, from)
	} else if hasSDP, err := md.rewrite(m, from, true); hasSDP && err == nil {
		d.party(from).Held = md.held(c)
	}
}

// rewrite puts our legs into the SDP that side from sends in m, opening what is missing;
// in an answer, what it refuses is closed (RFC 3264 6).
func (md *media) rewrite(m *sipmsg.Message, from session.Role, answer bool) (hasSDP bool, err error) {
	part, ok := md.parse(m, from)
	if !ok {
		return false, nil
	}
	c, to := md.call.core, from.Other()
	if answer {
		md.cut(from, md.offered[to])
	} else {
		md.offers[from], md.offered[from] = offer{}, len(c.sdp.Streams)
	}
	c.legs = c.legs[:0]
	for i := range c.sdp.Streams {
		leg, err := md.stream(i, &c.sdp.Streams[i], from, answer)
		if err != nil {
			return true, err
		}
		c.legs = append(c.legs, leg)
	}
	md.learnICE(from)
	if answer {
		md.offers[to], md.asked[from] = offer{}, false
		for i := len(c.sdp.Streams); i < len(md.streams); i++ {
			md.closeStream(&md.streams[i]) // not answered, so refused
		}
	}
	md.put(m, part, to)
	return true, nil
}

// cut leaves n streams in the SDP that side from has sent. RFC 3264 6: an answer has as many m= lines as its offer. The
// surplus goes: with port 0 it would be no answer either, and as it came it would lead media past us.
func (md *media) cut(from session.Role, n int) {
	c := md.call.core
	if has := len(c.sdp.Streams); has > n {
		c.logf("call %s: SDP from %s has %d streams where %d were offered: the others are taken out", md.call.number, md.ends[from].signal, has, n)
		c.sdp.Cut(n)
	}
}

// repeat puts the legs that there are into SDP that side from has sent before.
func (md *media) repeat(m *sipmsg.Message, from session.Role) {
	part, ok := md.parse(m, from)
	if !ok {
		return
	}
	c, to := md.call.core, from.Other()
	md.cut(from, max(md.offered[from], md.offered[to]))
	c.legs = c.legs[:0]
	for i := range c.sdp.Streams {
		var leg nat.Leg
		switch st := &c.sdp.Streams[i]; {
		case !st.Relayable:
		case i < len(md.streams) && md.streams[i].Stream != nil:
			leg = md.streams[i].towards(to, st, c.cfg.ICE && md.streams[i].ice[to].pwd != "")
		case md.open():
			leg.Refused = true
		}
		c.legs = append(c.legs, leg)
	}
	md.put(m, part, to)
}

// parse reads the SDP that side from sends in m into the core's, if there is any to be rewritten.
func (md *media) parse(m *sipmsg.Message, from session.Role) (part nat.Part, ok bool) {
	if md == nil || md.closed || !negotiates(m.Method()) {
		return part, false
	}
	if part, ok = nat.FindSDP(m); !ok {
		return part, false
	}
	c := md.call.core
	if err := c.sdp.Parse(part.SDP()); err != nil {
		c.logf("SDP from %s cannot be read, so its media is not relayed: %v", md.ends[from].signal, err)
		return part, false
	}
	return part, true
}

// put writes the SDP just parsed into m again, with the core's legs at our address towards side to.
func (md *media) put(m *sipmsg.Message, part nat.Part, to session.Role) {
	c := md.call.core
	for i := range c.legs {
		if l := &c.legs[i]; l.Port != 0 || l.Refused {
			l.Addr = md.address(i, to)
		}
	}
	c.sdpOut = c.sdp.AppendRewritten(c.sdpOut[:0], c.legs)
	c.bodyOut = nat.ReplaceSDP(m, part, c.sdpOut, c.bodyOut)
}

// negotiates lists the methods whose bodies are offers and answers: RFC 3261 13.2.1, 3262 5, 3311.
func negotiates(m sipmsg.Method) bool {
	return m == sipmsg.INVITE || m == sipmsg.ACK || m == sipmsg.PRACK || m == sipmsg.UPDATE
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

// refused takes back what an offer of one side has changed. RFC 3264 8, RFC 3261 14.1: the
// session goes on as if it had not been made.
func (md *media) refused(side session.Role) {
	if md == nil || md.closed {
		return
	}
	for _, i := range md.offers[side].opened {
		md.closeStream(&md.streams[i])
	}
	for _, u := range md.offers[side].undo {
		if s := &md.streams[u.stream]; s.Stream != nil {
			s.peers[side] = u.peer
			s.setICE(side, u.ice)
			s.Expect(side, u.peer, nil)
		}
	}
	md.offers[side] = offer{}
}

func (md *media) close() {
	if md == nil {
		return
	}
	for i := range md.streams {
		md.closeStream(&md.streams[i])
	}
	md.streams, md.offers, md.closed = nil, [2]offer{}, true
}

// dropMedia frees the ports of a branch that lost.
func (b *branch) dropMedia() {
	if ctx := b.ctx; ctx.dialog != nil {
		if ctx.offered {
			ctx.dialog.media.refused(ctx.from)
			ctx.dialog.party(ctx.from).Held = ctx.wasHeld
		} else if md := ctx.dialog.media; md != nil && ctx.invite {
			md.asked[ctx.from] = false
		}
		return
	}
	b.media.close()
}
