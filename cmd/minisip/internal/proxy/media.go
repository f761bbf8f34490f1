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
	// Free is how many streams there are ports for now: ports at rest are not free.
	Free() int
	// Reopen goes on with a stream of an earlier process: state is what its AppendState gave.
	Reopen(caller, callee Leg, epoch time.Time, state *pack.Reader) (Stream, error)
}

// media is what passes through us for one branch and then its dialog: a stream for
// each m= line, in order, ports kept for the life of the dialog. A nil media relays nothing.
type media struct {
	call     *call
	ends     [2]end // by role
	streams  []relayedStream
	left     []Direction // of streams that were taken out while the call was up
	ability  [2]ability  // by role: whether it does ICE
	undo     [2][]before // by role: what both sides said before its offer that waits for an answer
	offered  [2]int      // by role: how many streams its latest offer had
	asked    [2]bool     // by role: its INVITE had no SDP, and a response brought the offer
	held     [2]bool     // by role: its latest SDP has put the call on hold
	holdAt   time.Time   // when it was put on hold
	again    bool        // what is being rewritten: its branch has brought SDP before
	preview  bool        // what is being rewritten: an answer in an unreliable 1xx, which another may follow
	answered bool        // the branch was
	closed   bool        // for good

	room [1]relayedStream // most have one
}

// before is what a side's SDP said of a stream.
type before struct {
	stream int
	side   session.Role
	peer   Peer
	ice    iceLeg
}

type end struct {
	local  netip.AddrPort
	signal netip.Addr
}

// newMedia prepares the media of a branch, if the proxy relays any.
func (b *branch) newMedia() *media {
	ctx := b.ctx
	if !ctx.core.cfg.SDP || ctx.call == nil {
		return nil // without a call, nothing would close it
	}
	md := &media{call: ctx.call, ends: [2]end{
		session.Caller: {ctx.tx.local, ctx.tx.src.Addr()},
		session.Callee: {b.local, b.to.Addr()},
	}}
	md.streams = md.room[:0]
	if b.target.ice {
		md.ability[session.Callee] = able
	}
	return md
}

// relayRequest rewrites the SDP of a branch's request. A status other than 0 refuses it.
func (b *branch) relayRequest() int {
	ctx := b.ctx
	c := ctx.core
	var md *media
	from := session.Caller
	if d := ctx.dialog; d != nil {
		md, from = d.media, ctx.from
	} else {
		md = b.newMedia()
		b.media = md
	}
	// RFC 3262 5: the answer to an offer in a reliable provisional response is in the PRACK.
	answer := ctx.req.Method() == sipmsg.PRACK && md != nil && md.asked[from]
	hasSDP, err := md.rewrite(ctx.req, from, answer)
	if errors.Is(err, nat.ErrSDP) {
		return ctx.refuseSDP(err)
	}
	if !hasSDP && ctx.initial && ctx.invite && md != nil {
		err = ctx.call.ports() // the offer will come in a response, which cannot be refused
	}
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
	if md != nil {
		ctx.wasHeld = md.held
	}
	if hasSDP {
		md.hold(from, c.held())
	}
	return 0
}

// relayResponse rewrites the SDP of a response: an answer, or the offer where the
// request had none.
func (b *branch) relayResponse(in *inbound) {
	ctx := b.ctx
	md, from := b.media, session.Callee
	if d := ctx.dialog; d != nil {
		md, from = d.media, ctx.from.Other()
	}
	rseq := rseqOf(in.Message)
	if md != nil {
		md.again, md.preview = b.described, in.Status() < 200 && rseq == ""
		defer func() { md.again, md.preview = false, false }()
	}
	if b.repeats(in, rseq) {
		if err := md.repeat(in.Message, from); err != nil {
			ctx.call.takeOut(in.Message, in.src, err)
		}
		return
	}
	hasSDP, err := md.rewrite(in.Message, from, ctx.offered)
	if err != nil {
		ctx.call.takeOut(in.Message, in.src, err)
		return
	}
	if hasSDP {
		if rseq != "" {
			b.reliable = rseq + string(in.ToTag())
		}
		md.asked[from.Other()] = md.asked[from.Other()] || ctx.invite && !ctx.offered && !b.described
		b.described = true
		md.hold(from, ctx.core.held())
	}
}

// rseqOf is the number of a provisional response that is acknowledged by a PRACK: RFC 3262 3. In any other there is
// no answer yet, but a preview of the one in the 2xx (RFC 3261 13.2.1), and some phones refuse there
// what they take in the end.
func rseqOf(m *sipmsg.Message) string {
	if m.Status() >= 200 {
		return ""
	}
	return string(m.GetName("RSeq"))
}

// repeats says whether a response is sent again because its ACK or PRACK has not arrived. It says what was true when it
// was new: a re-INVITE or an UPDATE may have changed that meanwhile, or the very ACK or PRACK that it waits for.
func (b *branch) repeats(in *inbound, rseq string) bool {
	return b.again || rseq != "" && b.reliable == rseq+string(in.ToTag())
}

// whyNoStream says in words why a stream could not be opened.
func whyNoStream(err error) string {
	if errors.Is(err, errCrowded) || errors.Is(err, ErrNoPorts) {
		return err.Error()
	}
	return "media cannot be relayed: " + err.Error()
}

// relayAck rewrites the SDP of an ACK. It is the answer to an offer in a response, if one waits for it (RFC
// 3261 13.2.1). Any other repeats what was said, so it changes nothing: nobody can be challenged for an
// ACK, and whoever is behind the same NAT could send one.
func (c *Core) relayAck(m *sipmsg.Message, d *dialog, from session.Role) {
	md := d.media
	if md == nil {
		return
	}
	hasSDP, err := false, error(nil)
	if md.asked[from] {
		hasSDP, err = md.rewrite(m, from, true)
	} else {
		err = md.repeat(m, from)
	}
	if err != nil {
		d.call.takeOut(m, d.party(from).Addr, err)
	} else if hasSDP {
		md.hold(from, c.held())
	}
}

// refused takes back what an offer of one side, and previews of its answer, have changed. RFC 3264 8, RFC 3261
// 14.1: the session goes on as if it had not been made.
func (md *media) refused(side session.Role) {
	if md == nil {
		return
	}
	for i := range md.streams {
		switch s := &md.streams[i]; {
		case s.opened[side] && s.opened[side.Other()]: // offers have crossed, and the other one may be taken
			s.peers[side] = Peer{} // its ICE stands in the other one
		case s.opened[side]:
			md.closeStream(s)
		}
	}
	for _, u := range md.undo[side] {
		if s := &md.streams[u.stream]; s.Stream != nil {
			s.peers[u.side] = u.peer
			s.setICE(u.side, u.ice)
			md.tell(s, u.side, nil)
		}
	}
	md.settle(side)
}

// settle forgets what an offer of one side has changed.
func (md *media) settle(side session.Role) {
	md.undo[side] = nil
	for i := range md.streams {
		md.streams[i].opened[side] = false
	}
}

func (md *media) close() {
	if md == nil {
		return
	}
	md.unanswered()
	for i := range md.streams {
		md.closeStream(&md.streams[i])
	}
	md.streams, md.undo, md.closed = nil, [2][]before{}, true
}

// dropMedia frees the ports of a branch that lost. Inside a dialog, whose ports stay, it takes back what the offer that
// came to nothing has changed.
func (b *branch) dropMedia() {
	if ctx := b.ctx; ctx.dialog != nil {
		md, other := ctx.dialog.media, ctx.from.Other()
		switch {
		case ctx.offered:
			md.refused(ctx.from)
			md.held[ctx.from] = ctx.wasHeld[ctx.from]
			if b.described { // by a preview
				md.held[other] = ctx.wasHeld[other]
			}
		case b.described && md.asked[ctx.from]:
			md.refused(other) // the offer that a response made
			md.asked[ctx.from] = false
			md.held[other] = ctx.wasHeld[other]
		default:
			return
		}
		ctx.dialog.call.watch(ctx.core.now) // it may be set to the time that a held call has
		return
	}
	b.media.close()
}
