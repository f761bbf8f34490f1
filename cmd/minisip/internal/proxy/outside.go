package proxy

import (
	"net/netip"
	"slices"
	"time"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/cmd/minisip/internal/location"
	"minisip/sipmsg"
)

// outside takes a request that belongs to no dialog, from authentication to its
// targets: RFC 3261 16.4 to 16.6.
func (c *Core) outside(in *inbound) {
	user := c.authenticate(in)
	if user == nil {
		return
	}
	uri := in.meant()
	switch {
	case string(c.claimed(in)) != user.Name:
		c.logf("%s from %s: user %s may not call as %s", in.MethodName(), in.src, user.Name, printable(c.claimed(in)))
		c.reply(in, 403, "", "")
		c.refusedCall(in, diagnosis.NotHimself)
		return
	case in.nextRoute() != nil:
		c.logf("%s from %s (%s): refused a Route that leads elsewhere", in.MethodName(), in.src, user.Name)
		c.reply(in, 403, "Route Refused", "")
		c.refusedCall(in, diagnosis.ForeignRoute)
		return
	case !c.mayTakeOver(in, user.Name):
		c.logf("INVITE from %s (%s): refused to take over a call of others", in.src, user.Name)
		c.reply(in, 403, "", "")
		c.refusedCall(in, diagnosis.ForeignCall)
		return
	}
	if cmd, ok := c.dialled(in); ok {
		c.dial(in, user.Name, cmd)
		return
	}
	if isWatch(in, uri) {
		c.watch(in, user.Name, uri)
		return
	}
	targets, status := c.targets(in, uri)
	if status != 0 {
		c.logf("%s from %s to %s: %d %s", in.MethodName(), user.Name, printable(uri.User), status, sipmsg.ReasonPhrase(status))
		c.reply(in, status, "", "")
		c.refusedCall(in, c.whyNoTarget(in, status))
		return
	}
	if c.refuseInterval(in) || c.refuseLong(in, user.Name) || c.refuseSame(in, user.Name) {
		return
	}
	if c.refuseCrowded(in, user.Name) {
		c.refusedCall(in, diagnosis.TooMany)
		return
	}
	c.refers(in, user.Name, targets[0].user)
	c.begin(in, user.Name, string(userOf(uri)), targets)
}

// begin opens the response context of a new request and forwards it.
func (c *Core) begin(in *inbound, user, callee string, targets []target) {
	ctx := c.newContext(in, user)
	if ctx == nil {
		return
	}
	ctx.initial = true
	if ctx.invite {
		ctx.trying(in.now)
		c.newCall(ctx, in, callee)
	}
	group := targets
	if in.Method() != sipmsg.MESSAGE { // q or not: that is read on any of them
		group = leading(targets)
	}
	ctx.later = targets[len(group):]
	ctx.fork(in.now, group)
}

// targets is RFC 3261 16.5: who is meant by the Request-URI. A status other than 0 is
// the refusal.
func (c *Core) targets(in *inbound, uri *sipmsg.URI) ([]target, int) {
	name := userOf(uri)
	// A user at our own host is an address of record, whatever anyone wrote into a Contact.
	known := c.users.Lookup(name) != nil
	gr, gruu := uri.Param("gr")
	if gruu && known && c.serves(in, uri) {
		if flows := c.where.Instance(in.now, string(name), gr); len(flows) > 0 {
			return c.routable(flows)
		}
	}
	if !known || uri.IsSIP() && !c.ours(in.local, uri.Host, uri.Port) {
		if b := c.where.FindContact(uri); b != nil {
			return []target{c.targetOf(b)}, 0
		}
	}
	if !known && !gruu {
		if b := c.phoneAt(uri); b != nil {
			return []target{c.targetAs(b, in.target(), uri)}, 0
		}
	}
	switch {
	case !known || !c.serves(in, uri) || c.elsewhere(in, uri), gruu && len(gr) == 0:
		return nil, 404
	case gruu:
		return nil, 480
	}
	return c.routable(c.where.Lookup(in.now, string(name)))
}

// routable is the ways to those of bindings that are not known to be dead, or 480.
func (c *Core) routable(bindings []*location.Binding) (targets []target, status int) {
	for _, b := range bindings {
		if !b.Ping.Suspended {
			targets = append(targets, c.targetOf(b))
		}
	}
	if len(targets) == 0 {
		return nil, 480
	}
	return oneFlow(targets), 0
}

// stillRoutable gives group as its phones are to be reached now: while others rang, one may have moved or gone.
func (c *Core) stillRoutable(now time.Time, group []target) []target {
	var bindings []*location.Binding
	for _, t := range group {
		here := c.where.Lookup(now, t.user)
		for _, way := range append([]target{t}, t.flows...) {
			if slices.Contains(here, way.binding) {
				bindings = append(bindings, way.binding)
			}
		}
	}
	targets, _ := c.routable(bindings)
	return targets
}

// elsewhere says whether a Request-URI asks with maddr for a machine that is not us. RFC 3261
// 16.5 makes that the only target, and requests leave here for bindings alone; a maddr of
// ours counts for nothing (16.4).
func (c *Core) elsewhere(in *inbound, uri *sipmsg.URI) bool {
	maddr, has := uri.Param("maddr")
	return has && !c.ours(in.local, maddr, uri.Port)
}

// targetOf is a binding as a target.
func (c *Core) targetOf(b *location.Binding) target {
	t := target{
		binding: b, user: b.AOR(), uri: targetURI(b.Contact()), addr: c.wayTo(b), local: b.Local(), routes: b.Path(),
		q: int(b.Q), instance: b.Instance(),
	}
	_, t.ice = sipmsg.Param([]byte(b.Params()), "+sip.ice")
	return t
}

// wayTo is where packets to a binding go: the address its REGISTER came from, or the top of
// its Path (RFC 3327 5.1).
func (c *Core) wayTo(b *location.Binding) netip.AddrPort {
	if len(b.Path()) > 0 {
		return c.along(b.Path()[0], b.Source())
	}
	return b.Source()
}

// leading are the first of targets, best q first, that have the same q: RFC 3261 16.6 lets a
// proxy try one such group after the other.
func leading(targets []target) []target {
	n := 1
	for n < len(targets) && targets[n].q == targets[0].q {
		n++
	}
	return targets[:n]
}
