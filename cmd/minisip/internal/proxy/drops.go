package proxy

import (
	"fmt"
	"strings"
	"time"

	"minisip/session"
	"minisip/sipmsg"
)

// Reason says why a datagram got no further.
type Reason uint8

const (
	Malformed   Reason = iota // not SIP, cut short, contradictory
	UnknownUser               // silent: the user is not in the user file
	Copy                      // duplicate: acted on already
	Stray                     // a response or ACK that belongs to nothing
	Forged                    // a response or request from the wrong address
	Overload                  // a table is full
	Doubtful                  // from a source that is banned or guesses at names
	Scanner                   // silent: a tool of those who look for servers to abuse
	Short                     // a stranger's, so short that the answer would be far longer
	reasons
)

var reasonNames = [reasons]string{"malformed", "unknown user", "duplicate", "stray", "forged", "overload", "banned source", "scanner", "shorter than its answer"}

func (r Reason) String() string { return reasonNames[r] }

// Counters count what happened since the start.
type Counters struct {
	Requests  [sipmsg.PUBLISH + 1]uint64 // by method; 0: unknown ones
	Responses uint64
	Dropped   [reasons]uint64
	Calls     uint64
	Completed uint64 // calls that were answered
	Denied    uint64 // wrong passwords

	Packets, PacketsLost uint64 // of media
}

// Counters gives a copy.
func (c *Core) Counters() Counters { return c.count }

// dropReport tells the log what was dropped: a line a minute at most, and none where
// nothing was.
type dropReport struct {
	core  *Core
	timer session.Timer
	told  [reasons]uint64 // what the log knows of
}

const dropsEvery = time.Minute

// drop counts a datagram that gets no further, and sees to it that the log is told.
func (c *Core) drop(why Reason) {
	c.count.Dropped[why]++
	if c.drops.timer.At().IsZero() {
		c.timers.Set(&c.drops.timer, c.now.Add(dropsEvery))
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
