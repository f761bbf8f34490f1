package proxy

import (
	"time"

	"minisip/session"
)

// listen says in the log, once a side, that nothing has come from it for limit while the
// other is heard: one-way audio, most often a firewall, a NAT or an SDP that names the wrong
// address. The call goes on: a phone may be muted and save its packets. It returns when to
// look again: at next, or earlier for the sake of a side.
func (k *call) listen(now time.Time, limit time.Duration, next time.Time) time.Time {
	if k.State != session.Up || !k.relayed() {
		return next
	}
	for _, side := range [...]session.Role{session.Caller, session.Callee} {
		if k.missed[side] {
			continue
		}
		over, at := k.Silent(now, k.lastFrom(side), limit)
		switch {
		case !over && at.Before(next):
			next = at
		case over:
			k.missed[side] = true
			k.core.logf("call %s: %s has not been heard for %s: %s", k.number, k.user(side), seconds(limit), k.heardOf(side, now))
		}
	}
	return next
}

// user names a side; of several callees the one that has been up longest.
func (k *call) user(side session.Role) string {
	if side == session.Caller {
		return k.caller.User
	}
	return k.longest(k.core.now).callee.User
}

// heardOf is the verdict on what came from a side.
func (k *call) heardOf(side session.Role, now time.Time) string {
	for _, d := range k.dialogs {
		if !d.confirmed || d.over || d.media == nil {
			continue
		}
		for i := range d.media.streams {
			if s := &d.media.streams[i]; s.Stream != nil {
				return d.direction(s, side, now).Verdict
			}
		}
	}
	return "no stream is open"
}
