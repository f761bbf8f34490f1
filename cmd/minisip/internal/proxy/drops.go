package proxy

import (
	"fmt"
	"strings"
	"time"

	"minisip/session"
)

// dropReport tells the log what was dropped: a line a minute at most, and none where
// nothing was.
type dropReport struct {
	core  *Core
	timer session.Timer
	told  [reasons]uint64 // what the log knows of
}

const dropsEvery = time.Minute

// note sees to it that what was dropped since the last line gets one.
func (r *dropReport) note(now time.Time) {
	if r.core.count.Dropped != r.told && r.timer.At().IsZero() {
		r.core.timers.Set(&r.timer, now.Add(dropsEvery))
	}
}

// Expire implements session.Expirer.
func (r *dropReport) Expire(time.Time) {
	dropped := r.core.count.Dropped
	r.core.logf("in the last minute dropped: %s", dropList(dropped, r.told))
	r.told = dropped
}

// Drops says in words what was dropped since the start: "12 malformed, 3 duplicate".
func (n *Counters) Drops() string { return dropList(n.Dropped, [reasons]uint64{}) }

// dropList names the reasons that count more than before, and by how much.
func dropList(now, before [reasons]uint64) string {
	var list []string
	for r, n := range now {
		if n > before[r] {
			list = append(list, fmt.Sprintf("%d %s", n-before[r], Reason(r)))
		}
	}
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}
