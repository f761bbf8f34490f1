package proxy

import (
	"fmt"
	"iter"
	"strconv"
	"time"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/cmd/minisip/internal/trail"
	"minisip/session"
	"minisip/sipmsg"
)

// call is one call: what an INVITE outside a dialog began, with all dialogs that grew
// out of it.
type call struct {
	session.Call
	core      *Core
	timer     session.Timer
	serial    int64  // counts calls
	number    string // the same, in the log
	key       string // Call-ID and caller's tag
	callID    string
	caller    session.Party
	part      part // the caller's, in the list of his account
	sampled   int  // its place among those that are looked at in the same turn
	dialled   string
	dialogs   []*dialog
	streams   int // relay streams that are open
	traces    []*Trace
	missed    [2]bool // by role: the log was told that nothing comes from this side
	forgotten bool    // it is in no table any more, but a late answer can still be to it
	unsaved   bool    // its record is to be written
	kept      bool    // there is a record
	moves     uint32  // of its streams, that the record knows of
	course    *trail.Course
	via       string      // the host of the Via that the caller wrote
	early     []Direction // what came before an answer, over branches that have ended
	refusal   diagnosis.Refusal
	ending    diagnosis.End
	said      said     // by the caller
	referred  []string // users whom a party has sent here: they may take the call over
	next      *call    // the same call on another way through us (a spiral)

	// Most have one dialog.
	first dialog
	room  [1]*dialog
}

// keyGap parts Call-ID and tag in the key of a call.
var keyGap = []byte{0}

// relayed says whether media of the call pass through us.
func (k *call) relayed() bool {
	for _, d := range k.dialogs {
		for range d.media.open() {
			return true
		}
	}
	return false
}

// everyCall gives all calls that are known, those that have just ended included.
func (c *Core) everyCall() iter.Seq[*call] {
	return func(yield func(*call) bool) {
		for _, k := range c.calls {
			for ; k != nil; k = k.next {
				if !yield(k) {
					return
				}
			}
		}
	}
}

// newCall notes the INVITE that ctx forwards.
func (c *Core) newCall(ctx *context, in *inbound, callee string) {
	c.callSeq++
	id, tag, from, contact, via := in.CallID(), in.FromTag(), in.Get(sipmsg.FromHdr), contactOf(in.Message), in.Via().Host
	text := c.copied(id, keyGap, tag, from, contact, via)
	key := string(text[:len(id)+len(keyGap)+len(tag)]) // before cut shortens text
	k := &call{
		core: c, serial: c.callSeq, number: strconv.FormatInt(c.callSeq, 10), key: key,
		callID: text.cut(id), dialled: callee,
	}
	text.cut(keyGap)
	k.caller = session.Party{
		User: ctx.tx.owner, Tag: text.cut(tag), Identity: text.cut(from), Contact: text.cut(contact), Routes: routeSet(in.Message),
		Local: in.local, CSeq: in.CSeq(),
	}
	k.via = text.cut(via)
	k.place(&k.caller, in.src)
	k.timer.Own(k)
	k.next = c.calls[k.key]
	c.calls[k.key] = k
	k.count()
	k.follow(in.now, in.mark.key)
	k.course.Name(in.src, k.caller.User)
	k.said.hear(c, in)
	c.count.Calls++
	k.Begin(in.now)
	ctx.call, ctx.from = k, session.Caller
	c.traceCall(k)
	c.say(appendText(k.line(), k.caller.User, " calls ", printable(callee)))
}

// progress notes a provisional response to an INVITE.
func (b *branch) progress(in *inbound) {
	ctx, k := b.ctx, b.ctx.call
	switch {
	case k == nil: // from before a restart
		return
	case ctx.dialog != nil:
		k.Touch(in.now)
		if rseqOf(in.Message) != "" {
			ctx.dialog.retarget(ctx, in)
		}
		return
	}
	if d := b.early(in); d != nil && !d.confirmed {
		d.learn(in)
	}
	if k.Ring(in.now) {
		c := k.core
		c.hist.Setup.observe(in.now.Sub(k.Created).Seconds())
		c.changed(k.number)
		c.say(in.src.AppendTo(appendText(k.line(), b.target.user, " rings at ")))
	}
}

// established notes a 2xx to an INVITE. It reports false where no dialog can come of it:
// with one too many.
func (b *branch) established(in *inbound) bool {
	ctx, k := b.ctx, b.ctx.call
	c := ctx.core
	if ctx.dialog != nil || k == nil {
		ctx.accepted(in)
		return true
	}
	d := b.early(in)
	if d == nil {
		return false
	}
	d.learn(in)
	d.agreed(ctx, in)
	d.acks[session.Caller].answer(ctx.cseq)
	if !d.confirmed {
		d.confirmed, d.began = true, in.now
	}
	d.media = b.media
	if len(k.traces) > 0 {
		d.media.tap()
	}
	if k.State == session.Ended {
		d.media.close() // nobody would later
	} else {
		d.media.taken()
	}
	if k.Answer(in.now) {
		if k.Rang.IsZero() {
			c.hist.Setup.observe(in.now.Sub(k.Created).Seconds())
		}
		c.changed(k.number)
		c.count.Completed++
		c.usage[k.caller.User].pending--
		line := in.src.AppendTo(appendText(k.line(), b.target.user, " answered at "))
		c.say(appendText(line, " after ", seconds(in.now.Sub(k.Created))))
	}
	return true
}

// settled is told the final response of every context.
func (ctx *context) settled(now time.Time, status int) {
	c, k := ctx.core, ctx.call
	if ctx.counted {
		c.usage[ctx.tx.owner].pending--
		c.dropUsage(ctx.tx.owner)
	}
	switch {
	case k == nil:
	case ctx.initial && status >= 300:
		if ctx.cancelled && k.ending == diagnosis.Normal {
			k.ending = diagnosis.Cancelled
		}
		k.end(now, ctx.failureOf(status))
	case ctx.req.Method() != sipmsg.BYE:
	case status == 401 || status == 407:
		if k.State == session.Ending {
			k.State = session.Up // the phone wants to know who asks
			k.watch(now)
		}
	default:
		d := ctx.dialog
		if ctx.ownStatus == unsendable && d.live() {
			c.sendBye(d, ctx.from.Other(), now) // which is repeated: the call is over, and that side does not know
		}
		k.hungUp(d, now, "hung up by "+d.party(ctx.from).User)
	}
}

// hungUp ends one dialog of the call, and with the last one the call. After a BYE in an
// early dialog it is for the INVITE's final response to say what becomes of the call.
func (k *call) hungUp(d *dialog, now time.Time, why string) {
	d.ended = now
	if !d.confirmed || k.State == session.Ended { // a BYE can cross the end of the call
		return
	}
	up, shared := false, false // by a proxy's fork behind us
	for _, other := range k.dialogs {
		if other.live() {
			up, shared = true, shared || other.media == d.media
		}
	}
	switch {
	case !up:
		k.end(now, why)
		return
	case !shared:
		d.media.close()
	}
	k.State = session.Up
	k.watch(now) // the dialogs that are left may have less time than this one had
	k.changed()
}

// failureOf says why a call was not answered.
func (ctx *context) failureOf(status int) string {
	switch {
	case ctx.cancelled:
		return "cancelled by the caller"
	case status == 486 || status == 600:
		return fmt.Sprintf("busy (%d)", status)
	case status == 603:
		return "declined (603)"
	case status == 408:
		return "no answer (408)"
	case status == 487: // timer C, or the phone by itself
		return "given up before an answer (487)"
	}
	return fmt.Sprintf("refused (%d %s)", status, sipmsg.ReasonPhrase(status))
}

// end closes the call's media and remembers it a little longer, for what is still on
// its way.
func (k *call) end(now time.Time, why string) {
	answered := k.State >= session.Up
	k.sample(new(tally), false)
	if !answered {
		k.closeMedia() // which keeps an account of what came
	}
	if !k.Call.End(now, why) {
		return
	}
	r := k.record()
	k.ended(r, k.diagnose(r, now))
	k.core.hist.account(r)
	k.uncount()
	k.closeMedia()
	k.changed()
	line := appendText(k.line(), k.caller.User, " -> ", printable(k.dialled), " ended ")
	if answered {
		line = appendText(line, "after ", seconds(now.Sub(k.Answered)))
	} else {
		line = appendText(line, "not answered")
	}
	k.core.say(r.appendSummary(appendText(line, ": ", k.Why)))
	k.tellFindings(r)
	k.core.out.Record(r)
	k.core.timers.Set(&k.timer, session.Later(now.Add(linger)))
}

func (k *call) closeMedia() {
	for _, d := range k.dialogs {
		d.media.close()
	}
}

// linger is how long an ended call still routes what crossed its end.
const linger = 5 * time.Second

// forget takes the call out of the table.
func (k *call) forget() {
	c := k.core
	k.left()
	c.sampler.remove(k)
	c.trail.End(c.trail.Key([]byte(k.callID)))
	k.forgotten = true
	k.traceOver()
	k.unplace(&k.caller)
	for _, d := range k.dialogs {
		k.unplace(&d.callee)
	}
	c.timers.Stop(&k.timer)
	if c.calls[k.key] == k {
		if k.next == nil {
			delete(c.calls, k.key)
		} else {
			c.calls[k.key] = k.next
		}
		return
	}
	for p := c.calls[k.key]; p != nil; p = p.next {
		if p.next == k {
			p.next = k.next
			return
		}
	}
}
