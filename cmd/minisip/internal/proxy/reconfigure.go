package proxy

import (
	"net/netip"
	"time"

	"minisip/session"
)

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
			_, next := k.Silent(now, k.lastMedia(), k.limit())
			c.timers.Set(&k.timer, next)
		}
	}
}
