package proxy

import (
	"net/netip"
	"slices"
	"time"

	"minisip/cmd/minisip/internal/location"
	"minisip/nat"
	"minisip/session"
	"minisip/sipmsg"
)

// The way to a binding behind NAT is kept open by an OPTIONS every Keepalive (wheel.go), one
// datagram, never repeated. A phone that used to answer and is silent three times, nothing else coming from it meanwhile, is
// taken out of routing until anything comes from it again. A side of a call that has gone on from
// elsewhere is sent the same by a timer of its own, and nobody counts its answers.

// deadAfter is how many pings in a row stay unanswered before routing does without.
const deadAfter = 3

// bound notes the bindings of a user after a REGISTER from in.src.
func (c *Core) bound(in *inbound, bindings []*location.Binding) {
	for _, b := range bindings {
		if b.Source() == in.src && (len(b.Path()) == 0 || c.where.Registered(b).Equal(in.now)) {
			c.alive(b, in.now)
		}
		c.keepOpen(b, in.now)
	}
}

// keepOpen sees to it that a binding behind NAT is pinged.
func (c *Core) keepOpen(b *location.Binding, now time.Time) {
	if b.NAT && c.cfg.Keepalive > 0 {
		c.pingers.add(b, now)
	}
}

// unbound forgets what was kept for a binding that is gone.
func (c *Core) unbound(b *location.Binding) {
	c.forgive(b)
	c.pingers.remove(b)
	c.unsaved(b)
}

// alive notes that something came from a binding's phone.
func (c *Core) alive(b *location.Binding, now time.Time) {
	c.where.Seen(b, now)
	if c.forgive(b) {
		c.unsaved(b)
		c.logf("%s at %s is back", b.AOR(), b.Source())
	}
}

// forgive forgets the pings that a binding's phone has missed, and says whether it was out of routing for them.
func (c *Core) forgive(b *location.Binding) (back bool) {
	if b.Ping.Misses > 0 {
		c.missed--
	}
	if back = b.Ping.Suspended; back {
		c.suspended--
	}
	b.Ping.Misses, b.Ping.Suspended = 0, false
	return back
}

// heard takes notice of a datagram while there are missed pings: it shows that a phone is there. Of a gateway's users, who
// may be many, that is the one who sends, and some of the others; the rest follow with the next datagrams. Behind a
// proxy (Path) one phone's datagrams do not tell of another: there it is who sends a request, and alone.
func (c *Core) heard(in *inbound) {
	for _, b := range c.where.Bindings(in.now, string(c.claimed(in))) {
		if b.Source() == in.src && (len(b.Path()) == 0 || in.IsRequest() && in.Method() != sipmsg.REGISTER) {
			c.alive(b, in.now)
		}
	}
	for b := range c.where.AtSource(in.src) {
		if len(b.Path()) == 0 {
			c.alive(b, in.now)
		}
	}
}

// ping sends one OPTIONS, and takes notice if the one before was not answered.
func (c *Core) ping(p *pinger, now time.Time) {
	b := p.binding
	if p.waiting != 0 && b.Ping.Answered {
		if b.Ping.Misses == 0 {
			c.missed++
		}
		b.Ping.Misses = min(b.Ping.Misses+1, deadAfter)
		if b.Ping.Misses >= deadAfter && !b.Ping.Suspended {
			b.Ping.Suspended = true
			c.suspended++
			c.unsaved(b)
			c.logf("%s at %s has not answered %d pings: no calls go there until it is heard of again", b.AOR(), b.Source(), deadAfter)
		}
	}
	p.sentAt, p.waiting = c.pingers.since(now), uint32(c.rnd.Uint64())|1
	c.sendPing(uint64(b.Ping.Place)<<32|uint64(p.waiting), b.Local(), c.wayTo(b), targetURI(b.Contact()), b.Path())
}

// sendPing sends one OPTIONS whose branch is made of id.
func (c *Core) sendPing(id uint64, local, to netip.AddrPort, contact string, path []string) {
	uri, routes := throughStrict(contact, path)
	m := append(append(append(c.buf[:0], "OPTIONS "...), uri...), " SIP/2.0\r\nVia: "...)
	m = append(c.appendVia(m, local, id, 0), "\r\n"...)
	for _, v := range routes {
		m = append(append(append(m, "Route: "...), v...), "\r\n"...)
	}
	m = c.advertised(local).AppendTo(append(m, "From: <sip:"...))
	m = appendHex(append(m, ">;tag="...), c.rnd.Uint64(), 16)
	m = append(append(append(m, "\r\nTo: <"...), contact...), ">\r\nCall-ID: "...)
	callID := len(m)
	m = append(appendHex(m, c.rnd.Uint64(), 16), "@minisip"...)
	mark := noted{key: c.trail.Key(m[callID:]), method: sipmsg.OPTIONS}
	m = append(m, "\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\n"...)
	c.buf = sipmsg.EndResponse(m)
	c.send(mark, local, to, c.buf)
}

// pong takes a response that may be one to a ping. It reports whether a binding was sent such a ping, or a side of
// a call could have been.
func (c *Core) pong(in *inbound, id uint64) bool {
	place, number := id>>32, uint32(id)
	switch {
	case in.Method() != sipmsg.OPTIONS, place > uint64(len(c.pingers.all)):
		return false
	case place == 0:
		return c.sources.Has(in.src) // that of a call, which is not waited for
	}
	p := &c.pingers.all[place-1]
	switch {
	case p.waiting == 0 || p.waiting != number:
		return false
	case in.src.Addr() != c.wayTo(p.binding).Addr():
		c.drop(Forged)
		return true
	case byProxy(in.Status()):
		return true
	}
	p.waiting = 0
	if !p.binding.Ping.Answered {
		p.binding.Ping.Answered = true
		c.unsaved(p.binding)
	}
	p.binding.Ping.RTT = max(0, c.pingers.since(in.now)-p.sentAt)
	c.alive(p.binding, in.now)
	return true
}

// byProxy says whether a response may be that of a proxy on the way, which has not heard the phone: 100, which goes one
// hop (RFC 4320 4.1), 408, and 430 (RFC 5626 5.3).
func byProxy(status int) bool { return status == 100 || status == 408 || status == 430 }

// away is a side of a call behind NAT that has gone on from elsewhere and not registered there. Pings to its binding go
// where it is no more, so the call sends some of its own.
type away struct {
	timer  session.Timer
	call   *call
	callee *dialog // whose callee it is; nil: it is the caller
}

func (a *away) party() *session.Party {
	if a.callee != nil {
		return &a.callee.callee
	}
	return &a.call.caller
}

// over says that there is nothing left that the side could hear of.
func (a *away) over() bool {
	k := a.call
	return k.State == session.Ended || a.callee != nil && k.State >= session.Up && !a.callee.live()
}

// keepOpen sees to it that a side that has moved with the request in is pinged where it is now.
func (d *dialog) keepOpen(r session.Role, in *inbound) {
	a := &away{call: d.call}
	if r == session.Callee {
		a.callee = d
	}
	if interval := d.call.core.cfg.Keepalive; !a.party().Away && interval > 0 && nat.Behind(in.Message, in.src) {
		a.begin(in.now.Add(interval))
	}
}

// keepOpenAgain goes on after a restart, soon, or a NAT forgets the side, and not with all others in one instant.
func (a *away) keepOpenAgain(now time.Time) {
	c, p := a.call.core, a.party()
	if p.Away = p.Away && c.cfg.Keepalive > 0; p.Away {
		a.begin(now.Add(time.Duration(c.rnd.Uint64() % uint64(c.cfg.Keepalive/8+1))))
	}
}

// begin has the side pinged from a time on.
func (a *away) begin(first time.Time) {
	a.party().Away = true
	a.timer.Own(a)
	a.call.core.timers.Set(&a.timer, first)
}

// Expire implements session.Expirer: it is time for a ping, unless the side is gone or has registered.
func (a *away) Expire(now time.Time) {
	c, p := a.call.core, a.party()
	registered := slices.ContainsFunc(c.where.Bindings(now, p.User), func(b *location.Binding) bool {
		return b.Source() == p.Addr && b.Local() == p.Local
	})
	if registered || a.over() || c.cfg.Keepalive <= 0 {
		p.Away = false
		a.call.changed()
		return
	}
	c.sendPing(c.rnd.Uint64()>>32, p.Local, c.firstHop(p), c.remoteURI(now, p), p.Routes)
	c.timers.Set(&a.timer, now.Add(c.cfg.Keepalive))
}
