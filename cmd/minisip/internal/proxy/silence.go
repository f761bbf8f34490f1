package proxy

import (
	"time"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/session"
)

// unrelayedLimit is how long a call whose media we do not see may go without SIP.
const unrelayedLimit = 24 * time.Hour

// limit is how long the call may be silent, and whether that is because its session has expired then. While a BYE is under
// way it is for the BYE's transaction to end the call.
func (k *call) limit() (limit time.Duration, expired bool) {
	if k.State == session.Ending {
		return session.Lifetime + linger, false
	}
	if !k.relayed() {
		for _, d := range k.dialogs {
			if d.live() && d.acknowledged() {
				return k.expires(unrelayedLimit)
			}
		}
		return session.Lifetime, false // the ACK never came
	}
	for _, d := range k.dialogs {
		if d.live() && d.held() {
			return k.expires(k.core.cfg.HoldTimeout)
		}
	}
	return k.core.cfg.Timeout, false
}

// watch arms the timer that finds an answered call silent.
func (k *call) watch(now time.Time) {
	if k.State == session.Up {
		limit, _ := k.limit()
		k.core.timers.Set(&k.timer, session.Later(now.Add(limit)))
	}
}

// Expire implements session.Expirer. A silent call is hung up; not so one whose session has expired: RFC 4028 8.3 lets a proxy
// free what it holds for it, but "unlike the UA, it MUST NOT send a BYE".
func (k *call) Expire(now time.Time) {
	if k.State == session.Ended {
		k.forget()
		return
	}
	limit, expired := k.limit()
	over, next := k.Silent(now, k.lastMedia(), limit)
	if !over {
		k.core.timers.Set(&k.timer, session.Later(k.listen(now, limit, next)))
		return
	}
	for _, d := range k.dialogs {
		if d.live() && !expired {
			k.core.hangUp(d, now)
		}
	}
	k.ending = diagnosis.Silence
	k.end(now, "no SIP and no media for "+seconds(limit))
}

// lastMedia is when the last packet of any of the call's streams passed.
func (k *call) lastMedia() time.Time {
	a, b := k.lastFrom(session.Caller), k.lastFrom(session.Callee)
	if b.After(a) {
		return b
	}
	return a
}

// lastFrom is when the last packet came from a side.
func (k *call) lastFrom(side session.Role) (last time.Time) {
	for _, d := range k.dialogs {
		if t := d.media.last(side); t.After(last) {
			last = t
		}
	}
	return last
}

// listen says in the log, once a side, that nothing has come from it for limit while the
// other is heard: one-way audio, most often a firewall, a NAT or an SDP that names the wrong
// address. The call goes on: a phone may be muted and save its packets. It returns when to
// look again: at next, or earlier for the sake of a side.
func (k *call) listen(now time.Time, limit time.Duration, next time.Time) time.Time {
	if k.State != session.Up || !k.relayed() {
		return next
	}
	for _, side := range bothSides {
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
		if !d.live() {
			continue
		}
		for s := range d.media.open() {
			return d.direction(s, side, now).Verdict
		}
	}
	return "no stream is open"
}
