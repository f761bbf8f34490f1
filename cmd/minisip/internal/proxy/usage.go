package proxy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"minisip/session"
	"minisip/sipmsg"
)

// usage is what one user's calls take up. Answered calls with relayed media are not limited:
// ports and silence bound them.
type usage struct {
	parts   *part     // in the calls that he makes or gets, until they are forgotten
	made    int       // calls of his that have not ended
	relayed int       // of those, with media through us
	pending int       // of those, unanswered; and such INVITEs of calls that are not known
	streams int       // open relay streams of his calls' branches that were not answered
	resting [2]int    // such streams that were closed in this spell, and in the one before
	spell   time.Time // when this one began
	open    int       // transactions of requests that he sent and that were forwarded, and their weight

	moved time.Time // when many calls of his have followed a phone
}

// part is somebody's part in a call, as its caller or in one of its dialogs, in the list of his account.
type part struct {
	call       *call // nil: it is in no list
	prev, next *part
}

func (u *usage) add(p *part, k *call) {
	*p = part{call: k, next: u.parts}
	if p.next != nil {
		p.next.prev = p
	}
	u.parts = p
}

func (u *usage) remove(p *part) {
	if p.next != nil {
		p.next.prev = p.prev
	}
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		u.parts = p.next
	}
	*p = part{}
}

// maxStreams bounds the relay streams of one user's unanswered calls, those included whose ports rest.
const maxStreams = 256

// portRest is how long a port rests before it serves again. Till then it counts to who had it: calls that are cancelled
// as soon as made, all their phones ringing, else left no port to others.
const portRest = 2 * time.Second

var errCrowded = errors.New("the caller's unanswered calls hold too many relay streams")

// taken is how many relay streams others cannot have because of the user's unanswered calls.
func (u *usage) taken(now time.Time) int {
	u.pass(now)
	return u.streams + u.resting[0] + u.resting[1]
}

// pass begins a new spell when one is over.
func (u *usage) pass(now time.Time) {
	switch past := now.Sub(u.spell); {
	case past >= 2*portRest:
		u.resting, u.spell = [2]int{}, now
	case past >= portRest:
		u.resting, u.spell = [2]int{0, u.resting[0]}, u.spell.Add(portRest)
	}
}

// greedy says whether the user's unanswered calls have taken as many relay streams as they may: no more than are
// still free for everybody else.
func (u *usage) greedy(free int, now time.Time) bool {
	taken := u.taken(now)
	return taken >= maxStreams || free > 0 && taken > free
}

// busy says whether the user has as many requests under way as he may, where so many more can be: one alone
// gets a ninth of the table, and however many there are, the next one finds room.
func (u *usage) busy(free int) bool { return u != nil && u.open > max(free/8, fewOpen) }

const fewOpen = 16

// usageOf gives the account of a user, opening it if need be.
func (c *Core) usageOf(user string) *usage {
	u := c.usage[user]
	if u == nil {
		u = new(usage)
		c.usage[user] = u
	}
	return u
}

// dropUsage forgets the account of a user that has nothing in it.
func (c *Core) dropUsage(user string) {
	if u := c.usage[user]; u != nil && u.parts == nil && u.pending == 0 && u.open == 0 && u.streams == 0 {
		delete(c.usage, user)
	}
}

// crowded says why a user may not make another call now; "" if he may.
func (c *Core) crowded(user string) string {
	var u usage
	if has := c.usage[user]; has != nil {
		u = *has
	}
	switch {
	case c.sampler.calls >= c.cfg.MaxCalls:
		return fmt.Sprintf("%d calls in all already", c.sampler.calls)
	case u.pending >= c.cfg.MaxPending:
		return fmt.Sprintf("%d unanswered calls already", u.pending)
	case u.greedy(c.relay.Free(), c.now):
		return fmt.Sprintf("%d relay streams for unanswered calls already", u.taken(c.now))
	case u.made-u.relayed >= max(c.cfg.MaxPending, c.cfg.MaxCalls/10):
		return fmt.Sprintf("%d calls without relayed media already", u.made-u.relayed)
	}
	return ""
}

// maxSame bounds the calls with one Call-ID and tag: one call that went through us so often (a spiral). They are looked
// through for each request that may belong to one of them, whoever sends it.
const maxSame = 16

// refuseSame refuses an INVITE of a call that went through us too often.
func (c *Core) refuseSame(in *inbound, user string) bool {
	if in.Method() != sipmsg.INVITE {
		return false
	}
	same := 0
	for k := c.named(in.CallID(), in.FromTag()); k != nil; k = k.next {
		same++
	}
	if same < maxSame {
		return false
	}
	c.drop(Overload)
	c.logf("INVITE from %s (%s): %d calls with the same Call-ID and tag already", in.src, user, same)
	c.reply(in, 482, "", "")
	return true
}

// refuseCrowded refuses an INVITE beyond a limit.
func (c *Core) refuseCrowded(in *inbound, user string) bool {
	if in.Method() != sipmsg.INVITE {
		return false
	}
	why := c.crowded(user)
	if why == "" {
		return false
	}
	c.drop(Overload)
	c.logf("INVITE from %s: %s", user, why)
	c.reply(in, 503, "", "Retry-After: 10\r\n")
	return true
}

// count enters a call into its caller's account, from which uncount takes it when it has ended.
func (k *call) count() {
	u := k.core.usageOf(k.caller.User)
	u.add(&k.part, k)
	u.made++
	if k.Answered.IsZero() {
		u.pending++
	}
}

// joined enters the call into the account of a dialog's callee.
func (d *dialog) joined() {
	if d.call.State != session.Ended {
		d.call.core.usageOf(d.callee.User).add(&d.part, d.call)
	}
}

// opened notes that a relay stream of a branch was opened.
func (md *media) opened() {
	md.call.changeStreams(1)
	if !md.answered {
		md.call.core.usageOf(md.call.caller.User).streams++
	}
}

// gone notes that one was closed.
func (md *media) gone() {
	k := md.call
	k.changeStreams(-1)
	if md.answered {
		return
	}
	u := k.core.usage[k.caller.User]
	u.pass(k.core.now)
	u.streams--
	u.resting[0]++
	k.core.dropUsage(k.caller.User)
}

// taken notes that the branch was answered: its streams are those of a call now, which are not limited.
func (md *media) taken() {
	if md == nil || md.answered {
		return
	}
	md.answered = true
	u := md.call.core.usage[md.call.caller.User]
	for range md.open() {
		u.streams--
	}
}

// changeStreams notes that the call has so many relay streams more, or less.
func (k *call) changeStreams(n int) {
	was := k.streams > 0
	k.streams += n
	if k.State == session.Ended {
		return // and in nobody's account
	}
	u := k.core.usage[k.caller.User]
	switch is := k.streams > 0; {
	case is && !was:
		u.relayed++
	case was && !is:
		u.relayed--
	}
}

// uncount takes a call that has just ended off its caller's account.
func (k *call) uncount() {
	u := k.core.usage[k.caller.User]
	u.made--
	if k.Answered.IsZero() {
		u.pending--
	}
	if k.streams > 0 {
		u.relayed--
	}
}

// left takes a call that is forgotten out of all accounts.
func (k *call) left() {
	k.core.leave(&k.part, k.caller.User)
	for _, d := range k.dialogs {
		k.core.leave(&d.part, d.callee.User)
	}
}

func (c *Core) leave(p *part, user string) {
	if p.call != nil {
		c.usage[user].remove(p)
		c.dropUsage(user)
	}
}

// callsOf lists the calls that a user takes part in, the oldest first.
func (c *Core) callsOf(user string) (calls []*call) {
	u := c.usage[user]
	if u == nil {
		return nil
	}
	for p := u.parts; p != nil; p = p.next {
		calls = append(calls, p.call)
	}
	slices.SortFunc(calls, bySerial)
	return slices.Compact(calls)
}

func bySerial(a, b *call) int { return cmp.Compare(a.serial, b.serial) }
