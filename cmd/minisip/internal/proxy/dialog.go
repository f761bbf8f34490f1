package proxy

import (
	"bytes"
	"hash/maphash"
	"net/netip"

	"minisip/session"
	"minisip/sipmsg"
)

// findDialog looks up the dialog that a request belongs to: RFC 3261 12.2.2. Where a
// call went through us twice, the one whose side is at this source is meant. A phone of
// RFC 2543's days may have no tag, which "is considered to have a value of null" (12.1.1, 12.1.2).
func (c *Core) findDialog(in *inbound) {
	from, to := in.FromTag(), in.ToTag()
	c.lookFor(in, from, to, session.Caller)
	if in.dialog == nil || in.dialog.party(in.from).Addr != in.src {
		c.lookFor(in, to, from, session.Callee)
	}
}

// inside says whether a request belongs to a dialog, known or not.
func (in *inbound) inside() bool { return in.dialog != nil || len(in.ToTag()) > 0 }

func (c *Core) lookFor(in *inbound, callerTag, calleeTag []byte, from session.Role) {
	for k := c.named(in.CallID(), callerTag); k != nil; k = k.next {
		for _, d := range k.dialogs {
			if d.callee.Tag != string(calleeTag) {
				continue
			}
			// Phones of one make may draw the same tag: the one that has answered is meant.
			if in.dialog == nil || d.party(from).Addr == in.src && (d.confirmed || !in.dialog.confirmed) {
				in.dialog, in.from = d, from
			}
		}
	}
}

// named is the first call with a Call-ID and a caller's tag; the others, where one call went through us several times, are
// next to it.
func (c *Core) named(callID, tag []byte) *call {
	c.key = append(append(append(c.key[:0], callID...), 0), tag...)
	return c.calls[string(c.key)]
}

// inDialog takes a request inside a dialog. It comes from the address of the side that it
// claims to be, or proves itself as that side's user.
func (c *Core) inDialog(in *inbound) {
	if in.dialog == nil {
		if !c.watching(in) {
			c.withoutCall(in)
		}
		return
	}
	d := in.dialog
	p := d.party(in.from)
	if in.src != p.Addr && !c.proves(in, []byte(p.User)) {
		return
	}
	if !c.keepsName(in, p) {
		c.logf("call %s: %s from %s: user %s may not go on as %s", d.call.number, printable(in.MethodName()), in.src, p.User, printable(c.claimed(in)))
		c.reply(in, 403, "", "")
		return
	}
	if in.src != p.Addr || in.local != p.Local {
		d.call.move(in.from, d, in)
		d.keepOpen(in.from, in)
	}
	peer := d.party(in.from.Other())
	to, ok := c.routeOn(in, peer)
	if !ok {
		c.reply(in, 403, "Route Refused", "")
		return
	}
	if c.refuseInterval(in) {
		return
	}
	c.refers(in, p.User, peer.User)
	ctx := c.newContext(in, p.User)
	if ctx == nil {
		return
	}
	p.CSeq = max(p.CSeq, in.CSeq())
	d.call.Touch(in.now)
	ctx.call, ctx.dialog, ctx.from = d.call, d, in.from
	if ctx.invite {
		ctx.trying(in.now)
	}
	if in.Method() == sipmsg.BYE && d.live() && d.call.State == session.Up { // that of an early dialog ends no call
		d.call.State = session.Ending
	}
	ctx.fork(in.now, []target{{user: peer.User, uri: c.remoteURI(in.now, peer), addr: to, local: peer.Local}})
}

// withoutCall takes a request inside a dialog that no call is known for: a subscription,
// or a call from before a restart. The bindings are asked, under the same rule: without
// a challenge only from the address of a binding of the user that it claims to be.
func (c *Core) withoutCall(in *inbound) {
	claimed := c.notifier(in)
	if !c.atBinding(in, claimed) && !c.proves(in, claimed) {
		return
	}
	targets := c.remoteTargets(in)
	if len(targets) == 0 {
		c.reply(in, 481, "", "")
		return
	}
	for i := range targets {
		if !c.alongPath(in, &targets[i]) {
			c.reply(in, 403, "Route Refused", "")
			return
		}
	}
	if c.refuseInterval(in) {
		return
	}
	user := string(claimed)
	if !c.mayTakeOver(in, user) {
		c.reply(in, 403, "", "")
		return
	}
	if c.refuseCrowded(in, user) {
		return
	}
	ctx := c.newContext(in, user)
	if ctx == nil {
		return
	}
	if ctx.invite {
		ctx.trying(in.now)
		ctx.counted = true
		c.usageOf(user).pending++
	}
	ctx.fork(in.now, targets)
}

// alongPath has a request obey the Route values that it has left, if they lead along the Path of its target, or to where
// it would go anyway: the Record-Route of the proxy there may be forgotten, or was never kept. Any other Route it refuses.
func (c *Core) alongPath(in *inbound, t *target) (ok bool) {
	next := in.nextRoute()
	if next == nil {
		return true
	}
	if at, ok := c.routeAddr(string(next)); ok && at == t.addr {
		t.routes = nil
		return true
	}
	t.addr, ok = c.routeOn(in, &session.Party{Routes: t.routes, Addr: t.addr})
	t.routes = nil
	return ok
}

// proves says whether a request has the credentials of a user; if not, it is answered.
func (c *Core) proves(in *inbound, name []byte) bool {
	user := c.authenticate(in)
	if user == nil {
		return false
	}
	if user.Name != string(name) {
		c.drop(Forged)
		c.reply(in, 403, "", "")
		return false
	}
	return true
}

// atBinding says whether a request comes from where a user has registered. It asks his own bindings, which are few:
// behind one address and port, as of a gateway, there may be any number of users.
func (c *Core) atBinding(in *inbound, name []byte) bool {
	for _, b := range c.where.Bindings(in.now, string(name)) {
		if b.Source() == in.src {
			return true
		}
	}
	return false
}

// ack takes an ACK that no INVITE transaction wanted: one for a 2xx goes to the other
// side of its dialog; any other is dropped, since an ACK is never answered.
func (c *Core) ack(in *inbound) {
	d := in.dialog
	if d == nil {
		if !bytes.Equal(in.ToTag(), c.tagFor(in)) { // else it is for a refusal that left no state
			c.ackWithoutCall(in)
		}
		return
	}
	p := d.party(in.from)
	if in.src.Addr() != p.Addr.Addr() {
		c.drop(Forged)
		return
	}
	acks := &d.acks[in.from]
	if !acks.fits(in.CSeq()) {
		c.drop(Stray)
		return
	}
	if c.cfg.Duplicate && acks.again(in.CSeq()) && in.now.Sub(acks.at) < soonest {
		c.drop(Copy)
		return
	}
	c.findRoutes(in)
	peer := d.party(in.from.Other())
	to, ok := c.routeOn(in, peer)
	if !ok {
		c.drop(Stray)
		return
	}
	acks.at, acks.seq = in.now, in.CSeq()
	d.call.Touch(in.now)
	if in.from == session.Caller {
		d.call.said.hear(c, in) // its answer, where the INVITE had no offer
	}
	in.sender = p.User
	c.rewriteRequest(in, c.remoteURI(in.now, peer), nil, in.breadth())
	c.relayAck(in.Message, d, in.from)
	d.call.watch(in.now)
	c.passAck(in, peer.Local, to)
}

// ackWithoutCall lets the ACK of a call from before a restart through, between phones
// that are registered.
func (c *Core) ackWithoutCall(in *inbound) {
	c.findRoutes(in)
	t, found := c.remoteTarget(in)
	if !found || len(in.ToTag()) == 0 || !c.atBinding(in, c.claimed(in)) || !c.alongPath(in, &t) {
		c.drop(Stray)
		return
	}
	in.sender = string(c.claimed(in))
	c.rewriteRequest(in, t.uri, t.routes, in.breadth())
	c.passAck(in, t.local, t.addr)
}

// ackID is the number in the branch of an ACK that goes on. RFC 3261 16.11: without a transaction, what makes a branch
// unique "MUST be the same each time a retransmitted request is forwarded".
func (c *Core) ackID(in *inbound) uint64 { return maphash.Bytes(c.answers.seeds[0], c.keyOf(in)) }

// passAck sends an ACK on without a transaction: RFC 3261 16.11 last paragraphs.
func (c *Core) passAck(in *inbound, local, to netip.AddrPort) {
	if n, ok := in.MaxForwards(); ok && n == 0 {
		c.drop(Stray)
		return
	}
	c.pushVia(in.Message, local, c.ackID(in))
	c.buf = in.AppendTo(c.buf[:0])
	c.madeOf(in.Bytes(), in.mark.id)
	c.send(in.mark, local, to, c.buf)
}
