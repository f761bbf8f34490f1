package proxy

import (
	"net/netip"
	"time"

	"minisip/cmd/minisip/internal/location"
	"minisip/session"
	"minisip/sipmsg"
)

// context is RFC 3261 16.7's response context: a request that was forwarded to one or
// more targets, and the responses so far.
type context struct {
	core       *Core
	tx         *serverTx
	req        *sipmsg.Message // as it came; ours until the context is done
	routes     int             // Route values on top that are ours
	breadth    int             // Max-Breadth: how many branches there may be at a time
	interval   uint64          // of the session, that the request asks for (RFC 4028); 0: none
	cseq       uint32
	strict     bool // as in inbound
	counted    bool // as unanswered, though no call is known
	invite     bool
	initial    bool         // outside a dialog: Record-Route goes in
	offered    bool         // the request carried an offer
	wasHeld    [2]bool      // by role: whether it held the call before this request
	from       session.Role // which side of the call asked
	cancelled  bool
	done       bool // a final response went upstream
	call       *call
	dialog     *dialog // nil outside a dialog
	branches   []*branch
	later      []target // of lower q, the best first: tried when the ones before have failed; none once it is cancelled
	best       []byte   // best final response so far, as it came
	bestMark   noted
	bestStatus int
	bestFrom   *branch
	ownStatus  int      // a refusal of our own, for when nobody does better
	warning    string   // the line that goes with it, or with a 502; "": none
	challenges [][]byte // lines of 401 and 407 responses, to be gathered
	why        []byte   // of the CANCELs: Reason fields, as lines

	// Most have one branch.
	first branch
	room  [1]*branch
}

// target is one place that a request goes to.
type target struct {
	binding *location.Binding // that it was made of; nil: none

	user   string // whose binding it is
	uri    string // the Request-URI there
	addr   netip.AddrPort
	local  netip.AddrPort
	routes []string // Path of the binding
	q      int

	ice      bool     // the phone has registered with +sip.ice (RFC 5768)
	instance string   // the phone's, "" where it gave none
	flows    []target // other ways to the same phone, for when this one fails
}

// branch is one forwarded copy of the request: RFC 3261 16.6.
type branch struct {
	clientTx
	ctx       *context
	target    target
	breadth   int // its share of Max-Breadth
	recorded  int // Record-Route values it went out with; 0: none of ours
	status    int // of the final response; 0: none yet
	media     *media
	described bool     // a response with SDP has come
	routed    bool     // the request has Routes: others pass it on
	quiet     bool     // three copies of the request have brought nothing
	orphans   []string // To tags that answered too late and were hung up by us
	wantsStop bool     // to be cancelled as soon as a provisional response comes
	passed2xx time.Time
	passedTag string
	again     bool   // the 2xx that is being handled has passed before
	reliable  string // RSeq and To tag of the latest reliable 1xx with SDP
}

// newContext opens the server transaction and the response context of in, which the
// context keeps. It returns nil, having answered, when a table is full, or the user's part of it.
func (c *Core) newContext(in *inbound, user string) *context {
	if !c.roomFor(in, user) {
		c.refuseWith(in, 503, "", "Retry-After: 5\r\n")
		return nil
	}
	in.kept = true
	ctx := &context{
		core: c, tx: c.newServer(in), req: in.Message, routes: in.routes, strict: in.strict, breadth: in.breadth(), cseq: in.CSeq(),
		interval: asksInterval(in.Message), invite: in.Method() == sipmsg.INVITE,
	}
	ctx.tx.ownedBy(user)
	ctx.tx.weigh(weightOf(in.Bytes()))
	ctx.tx.ctx = ctx
	return ctx
}

// newBranch adds a branch.
func (ctx *context) newBranch(t target, breadth int) *branch {
	b := &ctx.first
	if len(ctx.branches) > 0 {
		b = new(branch)
	} else {
		ctx.branches = ctx.room[:0]
	}
	b.ctx, b.target, b.breadth = ctx, t, breadth
	ctx.branches = append(ctx.branches, b)
	return b
}

// inbound gives the request again as if it had just come.
func (ctx *context) inbound(now time.Time) *inbound {
	return &inbound{
		Message: ctx.req, mark: ctx.tx.mark, now: now, src: ctx.tx.src, local: ctx.tx.local,
		routes: ctx.routes, strict: ctx.strict, sender: ctx.tx.owner,
	}
}

// answer sends a final response of our own upstream and ends the context.
func (ctx *context) answer(now time.Time, status int, header string) {
	c := ctx.core
	if ctx.done {
		return
	}
	b := append(c.startResponse(ctx.inbound(now), status, ""), header...)
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
	if status < 300 && ctx.invite && ctx.open() {
		ctx.settledBy(status)
	}
	ctx.cancelBranches(now)
	ctx.settled(now, status)
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
	if ctx.req != nil {
		ctx.core.spent = append(ctx.core.spent, ctx.req)
	}
	ctx.req, ctx.later, ctx.tx.ctx = nil, nil, nil
	for _, b := range ctx.branches {
		if b.status >= 200 && b.status < 300 || b.status > 0 && !ctx.invite {
			ctx.core.spare.free(b.sent)
			b.sent = nil
		}
	}
}

// reuseSpent gives back the requests of contexts that are done. Not at once: what ended a context may still be looking at its
// request.
func (c *Core) reuseSpent() {
	for i, m := range c.spent {
		c.out.Reuse(m)
		c.spent[i] = nil
	}
	c.spent = c.spent[:0]
}

// tryNext goes on with the group of targets with the next lower q, where there is one and
// this one has nobody left but phones that have shown no sign of life.
func (ctx *context) tryNext(now time.Time) bool {
	if len(ctx.later) == 0 {
		return false
	}
	for _, b := range ctx.branches {
		if b.status == 0 && !b.quiet {
			return false
		}
	}
	for _, b := range ctx.branches {
		if b.status == 0 {
			b.notAnswered()
			b.giveUp(now)
		}
	}
	ctx.next(now)
	return true
}

func (ctx *context) next(now time.Time) {
	group := leading(ctx.later)
	ctx.later = ctx.later[len(group):]
	ctx.fork(now, ctx.core.stillRoutable(now, group))
}

// silent is told that three copies of the request have brought nothing. So that nobody waits until timer B or F runs
// out, the phone's next flow is tried, or the next group, and ports that were kept for a 2xx on its way are freed. It reports whether the branch was given up.
func (b *branch) silent(now time.Time) bool {
	ctx := b.ctx
	if ctx.initial && ctx.done && b.wantsStop && b.status == 0 {
		b.forsake()
		if !ctx.open() {
			ctx.release()
		}
	}
	if ctx.done || ctx.cancelled || b.wantsStop {
		return false
	}
	if len(b.target.flows) == 0 {
		b.quiet = true
		return ctx.tryNext(now)
	}
	b.notAnswered()
	b.nextFlow(now, 408)
	b.giveUp(now)
	b.considerNothing(now) // which waits for the next flow, where there is one
	return true
}

// giveUp stops waiting for a phone that has not answered anything. If it wakes up, it gets a
// CANCEL; what is no INVITE is not sent to it any more, but a 2xx that still comes counts while nobody else has answered.
func (b *branch) giveUp(now time.Time) {
	if b.ctx.invite {
		b.stop(now)
		return
	}
	b.status = 408
	b.Abandon()
	b.core.timers.Set(&b.timer, b.Deadline())
}

// follow has the branch go on where its phone has registered since the request was sent; it reports whether that is elsewhere.
func (b *branch) follow() bool {
	at := b.target.binding
	if at == nil || len(at.Path()) > 0 || !b.core.where.Has(at) || at.Source() == b.to {
		return false
	}
	b.to, b.local = at.Source(), at.Local()
	b.media.moved(session.Callee, b.local, b.to.Addr())
	if k := b.ctx.call; k != nil {
		k.course.Name(b.to, b.target.user)
	}
	return true
}

// notAnswered logs that a branch brought no response at all. Of a call its INVITE is meant, unless another request is named.
func (b *branch) notAnswered() {
	if b.Cancelled() {
		return
	}
	ctx := b.ctx
	what, which := string(ctx.req.MethodName()), ""
	if k := ctx.call; k != nil {
		if len(ctx.req.ToTag()) > 0 {
			which = " the " + what
		}
		what = "call " + k.number
	}
	ctx.core.logf("%s: %s at %s did not answer%s", what, b.target.user, b.to, which)
}
