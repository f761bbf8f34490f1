package proxy

import (
	"fmt"
	"net/netip"
	"time"

	"minisip/cmd/minisip/internal/location"
	"minisip/session"
)

// pinger keeps the way to one binding behind NAT open: an OPTIONS every Keepalive, one
// datagram, never repeated. A phone that used to answer and is silent three times is
// taken out of routing until anything comes from it again.
type pinger struct {
	core    *Core
	timer   session.Timer
	binding *location.Binding
	waiting *clientTx // the ping without an answer
	sentAt  time.Time
}

// deadAfter is how many pings in a row stay unanswered before routing does without.
const deadAfter = 3

// bound notes the bindings of a user after a REGISTER from in.src.
func (c *Core) bound(in *inbound, bindings []*location.Binding) {
	for _, b := range bindings {
		if b.Source == in.src {
			c.alive(b, in.now)
		}
		if b.NAT && c.cfg.Keepalive > 0 && c.pingers[b] == nil {
			p := &pinger{core: c, binding: b}
			p.timer.Own(p)
			c.pingers[b] = p
			c.timers.Set(&p.timer, in.now.Add(c.spread()))
		}
	}
}

// spread gives each binding its own place in the interval, so that pings never burst.
func (c *Core) spread() time.Duration {
	return time.Duration(c.rnd.Uint64() % uint64(c.cfg.Keepalive))
}

// unbound forgets what was kept for a binding that is gone.
func (c *Core) unbound(b *location.Binding) {
	if b.Ping.Suspended {
		c.suspended--
	}
	if p := c.pingers[b]; p != nil {
		c.timers.Stop(&p.timer)
		p.forgetPing()
		delete(c.pingers, b)
	}
}

// alive notes that something came from a binding's phone.
func (c *Core) alive(b *location.Binding, now time.Time) {
	b.Ping.LastSeen, b.Ping.Misses = now, 0
	if b.Ping.Suspended {
		b.Ping.Suspended = false
		c.suspended--
		c.logf("%s at %s is back", b.AOR, b.Source)
	}
}

// heard puts bindings back into routing when anything comes from where they registered.
func (c *Core) heard(src netip.AddrPort, now time.Time) {
	for b := range c.where.AtSource(src) {
		c.alive(b, now)
	}
}

// Expire implements session.Expirer: the next ping is due.
func (p *pinger) Expire(now time.Time) {
	c, b := p.core, p.binding
	if c.cfg.Keepalive <= 0 { // switched off since
		c.unbound(b)
		return
	}
	if p.waiting != nil && b.Ping.Answered {
		b.Ping.Misses++
		if b.Ping.Misses >= deadAfter && !b.Ping.Suspended {
			b.Ping.Suspended = true
			c.suspended++
			c.logf("%s at %s has not answered %d pings: no calls go there until it is heard of again", b.AOR, b.Source, deadAfter)
		}
	}
	p.forgetPing()
	p.ping(now)
	b.Ping.Next = now.Add(c.cfg.Keepalive)
	c.timers.Set(&p.timer, b.Ping.Next)
}

// ping sends one OPTIONS. Its transaction is only there to know the answer: nothing
// is repeated, the next ping ends it.
func (p *pinger) ping(now time.Time) {
	c, b := p.core, p.binding
	at := c.advertised(b.Local)
	who := fmt.Sprintf("<sip:%s>", netip.AddrPortFrom(at.Addr(), at.Port()))
	p.sentAt = now
	p.waiting = c.ownRequest(now, ownRequest{
		method: "OPTIONS", uri: b.Contact, from: who + ";tag=" + c.token(), to: "<" + b.Contact + ">",
		callID: c.token() + "@minisip", cseq: 1, routes: b.Path, dst: c.reach(b, nil)[0].addr, local: b.Local,
		user: p, once: true,
	})
}

func (p *pinger) forgetPing() {
	if p.waiting != nil {
		p.waiting.drop()
		p.waiting = nil
	}
}

// responded implements clientUser.
func (p *pinger) responded(_ *clientTx, in *inbound) {
	p.binding.Ping.Answered = true
	p.binding.Ping.RTT = in.now.Sub(p.sentAt)
	p.core.alive(p.binding, in.now)
	p.forgetPing()
}

// failed implements clientUser; a ping has no timeout of its own.
func (p *pinger) failed(*clientTx, time.Time, session.Action) {}

// unanswered notes that a branch brought no response at all.
func (c *Core) unanswered(b *branch, now time.Time) {
	if b.Cancelled() {
		return
	}
	what := string(b.ctx.req.MethodName())
	if k := b.ctx.call; k != nil {
		what = "call " + k.number
	}
	c.logf("%s: %s at %s did not answer", what, b.target.user, b.to)
}
