package proxy

import (
	"net/netip"
	"time"

	"minisip/session"
)

// Features are those in force now, what was dialled included.
func (c *Core) Features() Features { return c.cfg.Features }

// Reconfigure takes what can change while calls are up. Features change only where
// was, the configuration before, had others: what was dialled meanwhile stays otherwise.
func (c *Core) Reconfigure(at time.Time, was, now Config) {
	if was.Features != now.Features {
		c.cfg.Features = now.Features
	}
	now = now.withDefaults()
	c.cfg.Domains, c.cfg.DialAdmins, c.cfg.AddUser = now.Domains, now.DialAdmins, now.AddUser
	c.now = at
	c.rename(now.Public4, now.Public6)
	if now.Keepalive != c.cfg.Keepalive {
		c.pingers.setInterval(at, now.Keepalive)
	}
	c.retime(at, now.Timeout, now.HoldTimeout)
	c.cfg.TimerC, c.cfg.MaxPending = now.TimerC, now.MaxPending
	c.cfg.Bans = now.Bans
	c.bans.SetLimits(now.Bans)
}

// rename takes other -public addresses. The dialogs that go on have the old ones in their Routes.
func (c *Core) rename(public4, public6 netip.Addr) {
	old := [...]netip.Addr{c.cfg.Public4, c.cfg.Public6}
	c.cfg.Public4, c.cfg.Public6 = public4, public6
	for _, ip := range old {
		c.wasPublic(ip)
	}
	if c.cfg.Keeper != nil {
		c.saver.serial = -1
		c.saver.arm(saveAfter)
	}
}

// retime lets other times hold for the calls that are up already.
func (c *Core) retime(now time.Time, timeout, hold time.Duration) {
	if timeout == c.cfg.Timeout && hold == c.cfg.HoldTimeout {
		return
	}
	c.cfg.Timeout, c.cfg.HoldTimeout = timeout, hold
	for k := range c.everyCall() {
		if k.State == session.Up {
			limit, _ := k.limit()
			_, next := k.Silent(now, k.lastMedia(), limit)
			c.timers.Set(&k.timer, next)
		}
	}
}
