package proxy

import (
	"net/netip"
	"time"

	"minisip/nat"
	"minisip/session"
	"minisip/sipmsg"
)

// context is RFC 3261 16.7's response context: a request that was forwarded to one or
// more targets, and the responses so far.
type context struct {
	core       *Core
	tx         *serverTx
	req        *sipmsg.Message // as it came; ours until the context is done
	src, local netip.AddrPort
	routes     int // Route values on top that are ours
	strict     bool
	counted    bool // as unanswered, though no call is known
	invite     bool
	initial    bool // outside a dialog: Record-Route goes in
	bye        bool
	offered    bool // the request carried SDP
	wasHeld    bool // what its side was before
	user       string
	branches   []*branch
	later      [][]target // groups of lower q, tried when the ones before have failed
	best       []byte     // best final response so far, as it came
	bestStatus int
	bestFrom   *branch
	ownStatus  int      // a refusal of our own, for when nobody does better
	challenges [][]byte // lines of 401 and 407 responses, to be gathered
	cancelled  bool
	done       bool // a final response went upstream
	call       *call
	dialog     *dialog      // nil outside a dialog
	from       session.Role // which side of the call asked
}

// target is one place that a request goes to.
type target struct {
	user   string // whose binding it is
	uri    string // the Request-URI there
	addr   netip.AddrPort
	local  netip.AddrPort
	routes []string // Path of the binding
	q      int
}

// branch is one forwarded copy of the request: RFC 3261 16.6.
type branch struct {
	clientTx
	ctx       *context
	target    target
	status    int // of the final response; 0: none yet
	media     *media
	described bool // a response with SDP has come
	orphaned  bool // answered too late and hung up by us
	wantsStop bool // to be cancelled as soon as a provisional response comes
	passed2xx time.Time
	passedTag string
}

// newContext opens the server transaction and the response context of in, which the
// context keeps. It returns nil, having answered, when a table is full.
func (c *Core) newContext(in *inbound) *context {
	tx := c.newServer(in)
	if tx == nil {
		c.refuseWith(in, 503, "", "Retry-After: 5\r\n")
		return nil
	}
	in.kept = true
	ctx := &context{
		core: c, tx: tx, req: in.Message, src: in.src, local: in.local, routes: in.routes, strict: in.strict,
		invite: in.Method() == sipmsg.INVITE, bye: in.Method() == sipmsg.BYE,
	}
	tx.ctx = ctx
	return ctx
}

// inbound gives the request again as if it had just come.
func (ctx *context) inbound(now time.Time) *inbound {
	return &inbound{Message: ctx.req, now: now, src: ctx.src, local: ctx.local, routes: ctx.routes, strict: ctx.strict}
}

// answer sends a final response of our own upstream and ends the context.
func (ctx *context) answer(now time.Time, status int, reason, header string) {
	c := ctx.core
	if ctx.done {
		return
	}
	b := append(c.startResponse(ctx.inbound(now), status, reason), header...)
	c.buf = sipmsg.EndResponse(b)
	ctx.finish(now, status, c.buf)
}

// trying sends 100. RFC 3261 16.2: within 200 ms, so that the phone stops repeating.
func (ctx *context) trying(now time.Time) {
	c := ctx.core
	c.buf = sipmsg.EndResponse(c.startResponse(ctx.inbound(now), 100, ""))
	ctx.tx.respond(now, 100, c.buf)
}

// finish sends the final response upstream; only 2xx to INVITE may follow another.
func (ctx *context) finish(now time.Time, status int, response []byte) {
	ctx.tx.respond(now, status, response)
	if ctx.done {
		return
	}
	ctx.done = true
	ctx.later, ctx.best, ctx.challenges = nil, nil, nil
	ctx.cancelBranches(now)
	ctx.core.settled(ctx, now, status)
	if !ctx.open() {
		ctx.release()
	}
}

// open says whether a branch may still bring a final response.
func (ctx *context) open() bool {
	for _, b := range ctx.branches {
		if b.status == 0 {
			return true
		}
	}
	return false
}

// release lets go of what only open branches need.
func (ctx *context) release() {
	ctx.req, ctx.later = nil, nil
	for _, b := range ctx.branches {
		if b.status >= 200 && b.status < 300 || b.status > 0 && !ctx.invite {
			b.sent = nil
		}
	}
}

// responded implements clientUser: RFC 3261 16.7.
func (b *branch) responded(_ *clientTx, in *inbound) {
	status := in.Status()
	switch {
	case !hasTwoVias(in.Message):
		// RFC 3261 16.7 step 3: without a Via of the caller's it is not to be forwarded.
		b.ctx.core.count.drop(Stray)
	case status == 100:
		b.stopNow(in.now)
	case status < 200:
		b.stopNow(in.now)
		b.ctx.provisional(b, in)
	case status < 300:
		b.ctx.success(b, in)
	case status == 408 && !b.ctx.invite:
		b.status = status
		b.ctx.considerNothing(b, in.now) // RFC 4320 4.2: never sent on
	default:
		b.status = status
		b.ctx.failure(b, in)
	}
}

func hasTwoVias(m *sipmsg.Message) bool {
	it := m.Values(sipmsg.ViaHdr)
	return it.Next() && it.Next()
}

// failed implements clientUser: no response came.
func (b *branch) failed(_ *clientTx, now time.Time, act session.Action) {
	if act.Has(session.Expired) && !act.Has(session.Done) {
		b.stop(now) // timer C: RFC 3261 16.8
		return
	}
	if b.status != 0 {
		return
	}
	b.status = 408
	b.ctx.core.unanswered(b, now)
	b.ctx.considerNothing(b, now)
}

func (ctx *context) provisional(b *branch, in *inbound) {
	if ctx.done || !ctx.invite {
		return // RFC 4320 4.1: nothing but 100 goes up for anything else
	}
	c := ctx.core
	c.progress(ctx, b, in)
	if out, ok := c.responseUp(ctx, b, in); ok {
		ctx.tx.respond(in.now, in.Status(), out)
	}
}

// success forwards a 2xx at once: RFC 3261 16.7 step 5, for INVITE every one of them.
func (ctx *context) success(b *branch, in *inbound) {
	c := ctx.core
	first := b.status == 0
	b.status = in.Status()
	if ctx.done && (!ctx.invite || ctx.tx.State() != session.Accepted) {
		if ctx.invite {
			b.dropMedia()
			c.hangUpOrphan(b, in)
		}
		return
	}
	// A copy of a 2xx sooner than a retransmission timer allows was made by the network.
	same := string(in.ToTag()) == b.passedTag
	if c.cfg.Duplicate && !first && same && in.now.Sub(b.passed2xx) < soonest {
		c.count.drop(Copy)
		return
	}
	b.passed2xx, b.passedTag = in.now, string(in.ToTag())
	if !ctx.invite {
		c.accepted(ctx, in)
	} else if !c.established(ctx, b, in) {
		c.hangUpOrphan(b, in)
		ctx.considerNothing(b, in.now)
		return
	}
	out, ok := c.responseUp(ctx, b, in)
	if !ok {
		return
	}
	if ctx.call != nil {
		ctx.call.watch(in.now) // by now it is known whether the call is held
	}
	ctx.finish(in.now, in.Status(), out)
}

// soonest is the shortest time after which a phone repeats a message on purpose.
const soonest = 400 * time.Millisecond

// failure takes a response of 300 and above.
func (ctx *context) failure(b *branch, in *inbound) {
	b.dropMedia()
	if ctx.done {
		if !ctx.open() {
			ctx.release()
		}
		return
	}
	if in.Status() >= 600 {
		// RFC 3261 16.7 step 5: the others "SHOULD" be cancelled and no new branch made.
		ctx.later = nil
		ctx.cancelBranches(in.now)
	}
	ctx.gather(in)
	last := !ctx.open() && (len(ctx.later) == 0 || ctx.cancelled)
	better := preference(in.Status()) < preference(ctx.bestStatus)
	switch {
	case last && better:
		ctx.forwardFinal(b, in)
	case last:
		ctx.forwardBest(in.now)
	default:
		if better {
			ctx.best = append(ctx.best[:0], in.Bytes()...)
			ctx.bestStatus, ctx.bestFrom = in.Status(), b
		}
		if !ctx.open() {
			ctx.next(in.now)
		}
	}
}

// considerNothing takes a branch that brought no final response.
func (ctx *context) considerNothing(b *branch, now time.Time) {
	b.dropMedia()
	switch {
	case ctx.done:
		if !ctx.open() {
			ctx.release()
		}
	case ctx.open():
	case len(ctx.later) > 0 && !ctx.cancelled:
		ctx.next(now)
	default:
		ctx.forwardBest(now)
	}
}

// next tries the group of targets with the next lower q.
func (ctx *context) next(now time.Time) {
	group := ctx.later[0]
	ctx.later = ctx.later[1:]
	ctx.core.fork(ctx, now, group)
}

// preference orders final responses as RFC 3261 16.7 step 6 wants: lowest wins. 6xx
// first, then the lowest class, and in 4xx those that tell the phone what to change.
func preference(status int) int {
	switch {
	case status == 0:
		return 1 << 20
	case status >= 600:
		return status - 600
	case status == 401, status == 407, status == 415, status == 420, status == 484:
		return 4000
	case status == 408:
		return 4999 // somebody who answered knows more than nobody
	case status == 503:
		return 5999
	default:
		return status * 10
	}
}

// forwardFinal forwards the response that just came.
func (ctx *context) forwardFinal(b *branch, in *inbound) {
	status := in.Status()
	if status == 503 || status == 408 && ctx.cancelled {
		ctx.bestStatus = status
		ctx.forwardBest(in.now)
		return
	}
	if out, ok := ctx.core.responseUp(ctx, b, in); ok {
		ctx.finish(in.now, status, out)
	}
}

// forwardBest forwards the best response kept, or one of our own where there is none.
func (ctx *context) forwardBest(now time.Time) {
	c := ctx.core
	switch {
	case ctx.cancelled && (ctx.bestStatus == 0 || ctx.bestStatus == 408):
		ctx.answer(now, 487, "", "")
	case ctx.bestStatus == 503:
		// RFC 3261 16.7 step 6: a 503 is about that phone's server, not about us.
		ctx.answer(now, 500, "", "")
	case ctx.bestStatus == 0 && ctx.invite:
		ctx.answer(now, 408, "", "")
	case ctx.bestStatus == 0:
		// RFC 4320 4.2: no 408 for anything but INVITE: it would come too late.
		ctx.done = true
		ctx.tx.drop()
		c.settled(ctx, now, 408)
		ctx.release()
	default:
		if c.stored.Parse(append([]byte(nil), ctx.best...)) != nil {
			ctx.answer(now, 500, "", "")
			return
		}
		in := &inbound{Message: &c.stored, now: now, src: ctx.bestFrom.to, local: ctx.bestFrom.local}
		if out, ok := c.responseUp(ctx, ctx.bestFrom, in); ok {
			ctx.finish(now, ctx.bestStatus, out)
		}
	}
}

// gather keeps the challenges of 401 and 407: RFC 3261 16.7 step 7.
func (ctx *context) gather(in *inbound) {
	if in.Status() != 401 && in.Status() != 407 {
		return
	}
	for i := range in.NumHeaders() {
		h := in.Header(i)
		if (h.ID == sipmsg.WWWAuthenticateHdr || h.ID == sipmsg.ProxyAuthenticateHdr) && len(ctx.challenges) < maxChallenges {
			ctx.challenges = append(ctx.challenges, in.AppendHeader(nil, i))
		}
	}
}

const maxChallenges = 20

// responseUp rewrites a response for its way upstream: RFC 3261 16.7 steps 3, 7 and 8,
// and what NAT needs. The result is scratch space.
func (c *Core) responseUp(ctx *context, b *branch, in *inbound) ([]byte, bool) {
	in.ResetEdits()
	in.Remove(in.ViaValue())
	if in.Status() < 300 {
		if c.cfg.Contact && in.Index(sipmsg.ContactHdr) >= 0 {
			nat.FixContact(in.Message, in.src)
		}
		c.relayResponse(ctx, b, in)
	} else if in.Status() == 401 || in.Status() == 407 {
		c.addChallenges(ctx, in)
	}
	c.buf = in.AppendTo(c.buf[:0])
	c.before = in.Bytes()
	return c.buf, true
}

// addChallenges puts the challenges of all branches in place of this one's own.
func (c *Core) addChallenges(ctx *context, in *inbound) {
	if len(ctx.branches) == 1 {
		return
	}
	for i := range in.NumHeaders() {
		if id := in.Header(i).ID; id == sipmsg.WWWAuthenticateHdr || id == sipmsg.ProxyAuthenticateHdr {
			in.RemoveHeader(i)
		}
	}
	for _, line := range ctx.challenges {
		name, value := cutHeader(line)
		in.Append(name, value)
	}
}
