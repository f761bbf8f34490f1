package proxy

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"minisip/session"
	"minisip/sipmsg"
)

// call is one call: what an INVITE outside a dialog began, with all dialogs that grew
// out of it.
type call struct {
	session.Call
	core    *Core
	timer   session.Timer
	serial  int64  // counts calls
	number  string // the same, in the log
	key     string // Call-ID and caller's tag
	callID  string
	caller  session.Party
	dialled string
	dialogs []*dialog
	pending bool  // counts as unanswered
	next    *call // the same call on another way through us (a spiral)
}

// dialog is one dialog of a call: a callee's tag, with what lies behind it.
type dialog struct {
	call      *call
	callee    session.Party
	branch    uint64 // that leads to the callee
	media     *media
	confirmed bool
	over      bool      // a BYE has passed
	acked     time.Time // when an ACK passed last
	ackedSeq  uint32
}

// party is one side of the dialog.
func (d *dialog) party(r session.Role) *session.Party {
	if r == session.Caller {
		return &d.call.caller
	}
	return &d.callee
}

// relayed says whether media of the call pass through us.
func (k *call) relayed() bool {
	for _, d := range k.dialogs {
		if d.media.open() {
			return true
		}
	}
	return false
}

// newCall notes the INVITE that ctx forwards.
func (c *Core) newCall(ctx *context, in *inbound, callee string) {
	c.callSeq++
	k := &call{
		core: c, serial: c.callSeq, number: strconv.FormatInt(c.callSeq, 10),
		callID: string(in.CallID()), dialled: callee, pending: true,
	}
	k.caller = session.Party{
		User: ctx.user, Tag: string(in.FromTag()), Identity: string(in.Get(sipmsg.FromHdr)),
		Contact: contactOf(in.Message), Routes: routeSet(in.Message, nil),
		Addr: in.src, Local: in.local, CSeq: in.CSeq(),
	}
	k.timer.Own(k)
	k.key = k.callID + "\x00" + k.caller.Tag
	k.next = c.calls[k.key]
	c.calls[k.key] = k
	c.known++
	c.pending[ctx.user]++
	c.count.Calls++
	k.Begin(in.now)
	ctx.call, ctx.from = k, session.Caller
	c.logf("call %s: %s calls %s", k.number, k.caller.User, printable([]byte(callee)))
}

// contactOf is the URI of the first Contact, as the phone wrote it.
func contactOf(m *sipmsg.Message) string {
	for it := m.Values(sipmsg.ContactHdr); it.Next(); {
		if a, err := sipmsg.ParseNameAddr(it.Value().Bytes); err == nil {
			return string(a.URI)
		}
	}
	return ""
}

// routeSet lists the Record-Route values in front of the first that is ours; of a request
// that has not been forwarded yet, all.
func routeSet(m *sipmsg.Message, ours func(value []byte) bool) (routes []string) {
	for it := m.Values(sipmsg.RecordRouteHdr); it.Next(); {
		v := it.Value().Bytes
		if ours != nil && ours(v) {
			return routes
		}
		routes = append(routes, string(v))
	}
	return routes
}

// early finds or adds the dialog that a response's To tag names.
func (c *Core) early(ctx *context, b *branch, in *inbound) *dialog {
	k := ctx.call
	tag := in.ToTag()
	if len(tag) == 0 || k == nil {
		return nil
	}
	for _, d := range k.dialogs {
		if d.branch == b.key.id && d.callee.Tag == string(tag) {
			return d
		}
	}
	if len(k.dialogs) >= maxDialogs {
		return nil
	}
	d := &dialog{call: k, branch: b.key.id, media: b.media}
	d.callee = session.Party{User: b.target.user, Tag: string(tag), Local: b.local, Addr: in.src}
	// RFC 3261 12.1.2: the caller's route set is Record-Route in reverse. Without one, the
	// Path that the INVITE took serves.
	d.callee.Routes = routeSet(in.Message, func(v []byte) bool { return c.ourRoute(in, v, false) })
	slices.Reverse(d.callee.Routes)
	if len(d.callee.Routes) == 0 {
		d.callee.Routes = b.target.routes
	}
	k.dialogs = append(k.dialogs, d)
	return d
}

// maxDialogs bounds the early dialogs that one INVITE can make.
const maxDialogs = 32

// learn takes from a response what the dialog must know of the callee.
func (d *dialog) learn(in *inbound) {
	d.callee.Addr = in.src
	d.callee.Identity = string(in.Get(sipmsg.ToHdr))
	if u := contactOf(in.Message); u != "" {
		d.callee.Contact = u
	}
}

// progress notes a provisional response to an INVITE.
func (c *Core) progress(ctx *context, b *branch, in *inbound) {
	k := ctx.call
	switch {
	case k == nil: // from before a restart
		return
	case ctx.dialog != nil:
		k.Touch(in.now)
		return
	}
	if d := c.early(ctx, b, in); d != nil && !d.confirmed {
		d.learn(in)
	}
	if k.Ring(in.now) {
		c.logf("call %s: %s rings at %s", k.number, b.target.user, in.src)
	}
}

// established notes a 2xx to an INVITE. It reports false where no dialog can come of it:
// without a To tag, or with one too many.
func (c *Core) established(ctx *context, b *branch, in *inbound) bool {
	k := ctx.call
	if ctx.dialog != nil || k == nil {
		c.accepted(ctx, in)
		return true
	}
	d := c.early(ctx, b, in)
	if d == nil {
		return false
	}
	d.learn(in)
	d.confirmed, d.media = true, b.media
	if k.State == session.Ended {
		d.media.close() // nobody would later
	}
	if k.Answer(in.now) {
		c.count.Completed++
		k.noLongerPending()
		c.logf("call %s: %s answered at %s after %s", k.number, b.target.user, in.src, seconds(in.now.Sub(k.Created)))
	}
	return true
}

// accepted notes a 2xx to a request inside a dialog: it may have moved remote targets.
func (c *Core) accepted(ctx *context, in *inbound) {
	d := ctx.dialog
	if d == nil {
		return
	}
	d.call.Touch(in.now)
	if !makesOrRefreshes(in.Method()) {
		return
	}
	if u := contactOf(in.Message); u != "" {
		d.party(ctx.from.Other()).Contact = u
	}
	if ctx.req != nil {
		if u := contactOf(ctx.req); u != "" {
			d.party(ctx.from).Contact = u
		}
	}
}

// settled is told the final response of every context.
func (c *Core) settled(ctx *context, now time.Time, status int) {
	k := ctx.call
	if ctx.counted {
		ctx.counted = false
		c.answeredOne(ctx.user)
	}
	switch {
	case k == nil:
	case ctx.initial && status >= 300:
		k.end(now, failureOf(ctx, status))
	case ctx.dialog != nil && ctx.bye && (status == 401 || status == 407):
		if k.State == session.Ending {
			k.State = session.Up // the phone wants to know who asks
			k.watch(now)
		}
	case ctx.dialog != nil && ctx.bye:
		k.hungUp(ctx.dialog, now, "hung up by "+ctx.dialog.party(ctx.from).User)
	}
}

// hungUp ends one dialog of the call, and with the last one the call. After a BYE in an
// early dialog it is for the INVITE's final response to say what becomes of the call.
func (k *call) hungUp(d *dialog, now time.Time, why string) {
	d.over = true
	if !d.confirmed {
		return
	}
	for _, other := range k.dialogs {
		if other.confirmed && !other.over {
			d.media.close()
			k.State = session.Up
			return
		}
	}
	k.end(now, why)
}

// failureOf says why a call was not answered.
func failureOf(ctx *context, status int) string {
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

func (k *call) noLongerPending() {
	if !k.pending {
		return
	}
	k.pending = false
	k.core.answeredOne(k.caller.User)
}

// answeredOne notes that a user has one unanswered call less.
func (c *Core) answeredOne(user string) {
	if c.pending[user]--; c.pending[user] <= 0 {
		delete(c.pending, user)
	}
}

// end closes the call's media and remembers it a little longer, for what is still on
// its way.
func (k *call) end(now time.Time, why string) {
	answered := k.State >= session.Up
	if !k.Call.End(now, why) {
		return
	}
	k.noLongerPending()
	r := k.record()
	for _, d := range k.dialogs {
		d.media.close()
	}
	length := "not answered"
	if answered {
		length = "after " + seconds(now.Sub(k.Answered))
	}
	k.core.logf("call %s: %s -> %s ended %s: %s%s", k.number, k.caller.User, printable([]byte(k.dialled)), length, k.Why, r.summary())
	k.core.out.Record(r)
	k.core.timers.Set(&k.timer, now.Add(linger))
}

// linger is how long an ended call still routes what crossed its end.
const linger = 5 * time.Second

// forget takes the call out of the table.
func (k *call) forget() {
	c := k.core
	c.known--
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

// unrelayedLimit is how long a call whose media we do not see may go without SIP.
const unrelayedLimit = 24 * time.Hour

// limit is how long the call may be silent. While a BYE is under way it is for the BYE's
// transaction to end the call.
func (k *call) limit() time.Duration {
	if k.State == session.Ending {
		return session.Lifetime + linger
	}
	if !k.relayed() {
		for _, d := range k.dialogs {
			if !d.acked.IsZero() {
				return unrelayedLimit
			}
		}
		return session.Lifetime // the ACK never came
	}
	for _, d := range k.dialogs {
		if d.confirmed && (d.callee.Held || k.caller.Held) {
			return k.core.cfg.HoldTimeout
		}
	}
	return k.core.cfg.Timeout
}

// watch arms the timer that finds an answered call silent.
func (k *call) watch(now time.Time) {
	if k.State == session.Up {
		k.core.timers.Set(&k.timer, now.Add(k.limit()))
	}
}

// Expire implements session.Expirer.
func (k *call) Expire(now time.Time) {
	if k.State == session.Ended {
		k.forget()
		return
	}
	limit := k.limit()
	over, next := k.Silent(now, k.lastMedia(), limit)
	if !over {
		k.core.timers.Set(&k.timer, next)
		return
	}
	for _, d := range k.dialogs {
		if d.confirmed && !d.over {
			k.core.hangUp(d, now)
		}
	}
	k.end(now, "no SIP and no media for "+seconds(limit))
}

// lastMedia is when the last packet of any of the call's streams passed.
func (k *call) lastMedia() (last time.Time) {
	for _, d := range k.dialogs {
		if t := d.media.last(); t.After(last) {
			last = t
		}
	}
	return last
}

func seconds(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }

// moveCalls lets the calls of a user follow when one of its phones has registered from a
// new address.
func (c *Core) moveCalls(in *inbound, user string, old netip.AddrPort) {
	for _, k := range c.calls {
		for ; k != nil; k = k.next {
			for _, d := range k.dialogs {
				for _, r := range [...]session.Role{session.Caller, session.Callee} {
					if p := d.party(r); p.User == user && p.Addr == old {
						d.move(r, in)
					}
				}
			}
		}
	}
}

// move lets a side of a dialog go on from where in came.
func (d *dialog) move(r session.Role, in *inbound) {
	p := d.party(r)
	d.call.core.logf("call %s: %s moved from %s to %s", d.call.number, p.User, p.Addr, in.src)
	p.Addr, p.Local = in.src, in.local
	d.media.signal(r, in.src.Addr())
}
