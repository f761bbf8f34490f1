package proxy

import (
	"time"

	"minisip/cmd/minisip/internal/location"
	"minisip/digest"
	"minisip/session"
)

// expiryTimer wakes when the earliest binding runs out.
type expiryTimer struct {
	core  *Core
	timer session.Timer
}

// Expire implements session.Expirer.
func (e *expiryTimer) Expire(now time.Time) {
	c := e.core
	for _, b := range c.where.Expire(now) {
		c.unbound(b)
		c.tell(b, "expired")
		c.logf("%s: registration of %s ran out", b.AOR(), b.Source())
	}
	c.armExpiry()
}

func (c *Core) armExpiry() { c.timers.Set(&c.expiry.timer, c.where.Deadline()) }

// SetUsers takes a new set of users; registrations of those who are gone end.
func (c *Core) SetUsers(users *digest.Users) {
	c.users = users
	var gone []*location.Binding
	for b := range c.where.All() {
		if users.Lookup([]byte(b.AOR())) == nil {
			gone = append(gone, b)
		}
	}
	for _, b := range gone {
		c.where.Remove(b)
		c.unbound(b)
		c.tell(b, "rejected")
		c.logf("%s: registration of %s ended: the user is gone", b.AOR(), b.Source())
	}
	c.usersChanged()
	c.armExpiry()
}
