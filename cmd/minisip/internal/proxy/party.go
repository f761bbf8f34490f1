package proxy

import (
	"net/netip"
	"slices"
	"time"

	"minisip/session"
	"minisip/sipmsg"
)

// dialog is one dialog of a call: a callee's tag, with what lies behind it.
type dialog struct {
	call      *call
	part      part // the callee's, in the list of his account
	callee    session.Party
	branch    uint64 // that leads to the callee
	media     *media
	confirmed bool
	began     time.Time     // when it was answered
	ended     time.Time     // when a BYE passed; zero: it ends with the call
	acks      [2]acks       // by role
	said      said          // by the callee
	interval  time.Duration // of the session, RFC 4028; 0: it does not expire
}

var bothSides = [...]session.Role{session.Caller, session.Callee}

// party is one side of the dialog.
func (d *dialog) party(r session.Role) *session.Party {
	if r == session.Caller {
		return &d.call.caller
	}
	return &d.callee
}

// live says whether the dialog can carry requests on.
func (d *dialog) live() bool { return d.confirmed && d.ended.IsZero() }

// held says whether a side has put it on hold.
func (d *dialog) held() bool { return d.media.holds(session.Caller) || d.media.holds(session.Callee) }

// contactOf is the URI of the first Contact that has one, as the phone wrote it.
func contactOf(m *sipmsg.Message) []byte {
	for it := m.Values(sipmsg.ContactHdr); it.Next(); {
		if raw, _, ok := readURI(it.Value().Bytes); ok {
			return raw
		}
	}
	return nil
}

// routeSet lists the Record-Route values of m.
func routeSet(m *sipmsg.Message) (routes []string) {
	for it := m.Values(sipmsg.RecordRouteHdr); it.Next(); {
		routes = append(routes, string(it.Value().Bytes))
	}
	return routes
}

// behind counts the Record-Route values of a response that are from behind us. The first that names us may be: where the
// request came through us again, the one of this time is among as many as it went out with.
func (b *branch) behind(in *inbound) (n int) {
	all := countValues(in.Message, sipmsg.RecordRouteHdr)
	for it := in.Values(sipmsg.RecordRouteHdr); it.Next(); n++ {
		if (b.recorded == 0 || all-n <= b.recorded) && b.ctx.core.ourRoute(in, it.Value().Bytes, false) {
			break
		}
	}
	return n
}

// early finds or adds the dialog that a response's To tag names. RFC 3261 12.1.2: a 2xx without one makes a dialog too.
func (b *branch) early(in *inbound) *dialog {
	k := b.ctx.call
	tag := in.ToTag()
	if k == nil || len(tag) == 0 && in.Status() < 200 { // whose 2xx may have one
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
	to, contact := b.ctx.identity(in), contactOf(in.Message)
	if sideSize(in.Message, to) > maxSide {
		return nil
	}
	text := k.core.copied(tag, to, contact)
	d := k.newDialog()
	d.branch, d.media = b.key.id, b.media
	d.callee = session.Party{User: b.target.user, Tag: text.cut(tag), Identity: text.cut(to), Contact: text.cut(contact), Local: b.local}
	k.place(&d.callee, in.src)
	d.callee.Routes = b.routesTo(in)
	d.joined()
	return d
}

// newDialog adds a dialog.
func (k *call) newDialog() *dialog {
	d := &k.first
	if len(k.dialogs) > 0 {
		d = new(dialog)
	} else {
		k.dialogs = k.room[:0]
	}
	d.call = k
	k.dialogs = append(k.dialogs, d)
	return d
}

const (
	maxDialogs = 32      // early ones that one INVITE can make
	maxSide    = 8 << 10 // bytes of text by which a call knows one of its sides, for as long as it lasts
)

// sideSize is how much of m, in which a side makes its first appearance as identity, a call would keep. The rest of what
// it keeps can be as long as one line at the most.
func sideSize(m *sipmsg.Message, identity []byte) int {
	n := len(m.CallID()) + len(identity) + len(contactOf(m))
	for it := m.Values(sipmsg.RecordRouteHdr); it.Next(); {
		n += len(it.Value().Bytes)
	}
	return n
}

// refuseLong refuses a call of which too much would have to be kept.
func (c *Core) refuseLong(in *inbound, user string) bool {
	if in.Method() != sipmsg.INVITE || sideSize(in.Message, in.Get(sipmsg.FromHdr)) <= maxSide {
		return false
	}
	c.logf("INVITE from %s (%s): Call-ID, From, Contact and Record-Route have more than %d bytes", in.src, user, maxSide)
	c.reply(in, 513, "", "")
	return true
}

// routesTo is the way to the phone that answered on a branch. RFC 3261 12.1.2: the caller's
// route set is Record-Route in reverse. Without one, the Path that the INVITE took serves.
func (b *branch) routesTo(in *inbound) []string {
	routes := routeSet(in.Message)[:b.behind(in)]
	if len(routes) == 0 {
		return b.target.routes
	}
	slices.Reverse(routes)
	return routes
}

// learn takes from a response what the dialog must know of the callee.
func (d *dialog) learn(in *inbound) {
	d.call.place(&d.callee, in.src)
	d.said.hear(d.call.core, in)
	if u := contactOf(in.Message); len(u) > 0 {
		learn(&d.callee.Contact, u)
	}
}

// place notes where the packets of one of the call's sides come from, for as long as the call is known.
func (k *call) place(p *session.Party, at netip.AddrPort) {
	if !k.forgotten && at != p.Addr {
		k.core.sources.Add(at)
		k.unplace(p)
	}
	p.Addr = at
}

func (k *call) unplace(p *session.Party) {
	if p.Addr.IsValid() {
		k.core.sources.Remove(p.Addr)
	}
}

// longest is, of the dialogs of an answered call, the one that has lasted longest at a time.
func (k *call) longest(at time.Time) (longest *dialog) {
	var most time.Duration
	for _, d := range k.dialogs {
		end := d.ended
		if end.IsZero() {
			end = at
		}
		if length := end.Sub(d.began); d.confirmed && (longest == nil || length > most) {
			longest, most = d, length
		}
	}
	return longest
}

// moveCalls lets the calls of a user follow when one of its phones has registered from a
// new address. Thousands of them hold the event loop for some 20 ms, so when many have just moved, a phone that registers from
// one address after the other moves no more: then each call follows when a request inside it comes from the new address.
func (c *Core) moveCalls(in *inbound, user string, old netip.AddrPort) {
	u := c.usage[user]
	if u == nil || in.now.Sub(u.moved) < manyMoveEvery {
		return
	}
	calls := c.callsOf(user)
	if len(calls) > manyCalls {
		u.moved = in.now
	}
	for _, k := range calls {
		if k.caller.User == user && k.caller.Addr == old {
			k.move(session.Caller, nil, in)
		}
		for _, d := range k.dialogs {
			if d.callee.User == user && d.callee.Addr == old {
				k.move(session.Callee, d, in)
			}
		}
	}
}

const (
	manyCalls     = 100
	manyMoveEvery = time.Second
)

// move lets a side of the call, the callee that of dialog d, go on from where in came, and at the address of
// ours that it came to.
func (k *call) move(r session.Role, d *dialog, in *inbound) {
	p := &k.caller
	if r == session.Callee {
		p = &d.callee
	}
	if in.src != p.Addr {
		k.core.logf("call %s: %s moved from %s to %s", k.number, p.User, p.Addr, in.src)
		k.place(p, in.src)
		k.course.Name(in.src, p.User)
	}
	k.changed()
	p.Local = in.local
	for _, other := range k.dialogs {
		if other == d || r == session.Caller {
			other.media.moved(r, in.local, in.src.Addr())
		}
	}
}

// accepted notes a 2xx to a request inside a dialog: it may have moved remote targets.
func (ctx *context) accepted(in *inbound) {
	d := ctx.dialog
	if d == nil {
		return
	}
	d.call.Touch(in.now)
	d.agreed(ctx, in)
	if ctx.invite {
		d.acks[ctx.from].answer(ctx.cseq)
	}
	d.retarget(ctx, in)
}

// retarget learns from a request inside a dialog and its response where both sides are to be reached: RFC 3261 12.2.1.2. A
// reliable 1xx says so at once, whatever follows (RFC 6141 4).
func (d *dialog) retarget(ctx *context, in *inbound) {
	if !makesOrRefreshes(in.Method()) {
		return
	}
	if u := contactOf(in.Message); len(u) > 0 {
		learn(&d.party(ctx.from.Other()).Contact, u)
	}
	if ctx.req != nil {
		if u := contactOf(ctx.req); len(u) > 0 {
			learn(&d.party(ctx.from).Contact, u)
		}
	}
}
