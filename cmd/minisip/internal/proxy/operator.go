package proxy

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/cmd/minisip/internal/trail"
	"minisip/session"
	"minisip/sipmsg"
)

// What an operator can ask and do, by page, command line and metrics. Lists that may be long
// are given in parts, so that none holds the loop; to sort and search them is for who asks.

// Load is how many users are registered and how many calls are under way.
func (c *Core) Load() (users, calls int) {
	for k := range c.everyCall() {
		if k.State != session.Ended {
			calls++
		}
	}
	return c.where.Users(), calls
}

// Overview is the state of the server at a glance.
type Overview struct {
	Users, Bindings, Suspended int
	Calls, Ringing             int // not ended; of these, not answered
	Transactions               int // of servers and clients
	Features                   Features
	Counters                   Counters
	Histograms                 Histograms
	Noted                      uint64  // messages, in and out
	PacketsPerSecond           float64 // of media, in the last seconds
	LossPercent                float64
}

// Overview counts.
func (c *Core) Overview() (o Overview) {
	o = Overview{Users: c.where.Users(), Bindings: c.where.Len(), Suspended: c.suspended, Features: c.cfg.Features, Counters: c.count, Histograms: c.hist, Noted: c.trail.Noted()}
	o.Transactions = len(c.servers) + c.answers.len() + len(c.clients)
	o.PacketsPerSecond, o.LossPercent = c.sampler.rate()
	for i := range c.sampler.slots {
		for _, k := range c.sampler.slots[i] {
			switch {
			case k.State == session.Ended:
				continue
			case k.State < session.Up:
				o.Ringing++
			}
			o.Calls++
		}
	}
	return o
}

// CallKey is what calls are searched and sorted by.
type CallKey struct {
	ID, From, To     string
	FromAddr, ToAddr string
	Begin            time.Time
}

// CallSlots is in how many parts LiveCalls gives the calls.
const CallSlots = samplerSlots

// LiveCalls gives one part of the calls that have not ended.
func (c *Core) LiveCalls(slot int) (keys []CallKey) {
	for _, k := range c.sampler.slots[slot] {
		if k.State == session.Ended {
			continue
		}
		key := CallKey{ID: k.number, From: k.caller.User, FromAddr: k.caller.Addr.String(), To: k.dialled, Begin: k.Created}
		if len(k.dialogs) > 0 {
			key.ToAddr = k.dialogs[0].callee.Addr.String()
		}
		keys = append(keys, key)
	}
	return keys
}

// Call shows a call, live or past, whole with its ladder; nil where there is none.
func (c *Core) Call(now time.Time, id string, whole bool) *CallView {
	if k := c.liveCall(id); k != nil && k.State != session.Ended {
		return k.view(now, whole)
	}
	if p := c.past.find(id); p != nil {
		return p.view(c, whole)
	}
	return nil
}

// liveCall finds a call that has not been forgotten.
func (c *Core) liveCall(id string) *call {
	serial, err := strconv.ParseInt(id, 10, 64)
	if err != nil || serial <= 0 {
		return nil
	}
	for _, k := range *c.sampler.slot(serial) {
		if k.serial == serial {
			return k
		}
	}
	return nil
}

// changeLog remembers which calls changed last.
type changeLog struct {
	ids  [256]string
	next uint64
}

func (c *Core) changed(id string) {
	c.changes.ids[c.changes.next%uint64(len(c.changes.ids))] = id
	c.changes.next++
}

// ChangedSince lists the calls that have changed since it gave next, each once; more says
// that there were others.
func (c *Core) ChangedSince(since uint64) (ids []string, next uint64, more bool) {
	l := &c.changes
	if l.next-since > uint64(len(l.ids)) {
		since, more = l.next-uint64(len(l.ids)), true
	}
	for ; since < l.next; since++ {
		if id := l.ids[since%uint64(len(l.ids))]; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, l.next, more
}

// Set switches one word on or off, as who says; it reports whether there is such a word.
func (c *Core) Set(word string, on bool, who string) bool {
	f := c.cfg.Word(word)
	if f == nil {
		return false
	}
	*f = on
	state := "OFF"
	if on {
		state = "ON"
	}
	c.logf("%s %s: set by %s", word, state, who)
	return true
}

// HangUp ends a call as an operator wants it; it reports whether it was there to be ended.
func (c *Core) HangUp(now time.Time, id, who string) bool {
	k := c.liveCall(id)
	if k == nil || k.State == session.Ended {
		return false
	}
	c.hangUpCall(k, now, who)
	return true
}

// HangUpAll ends all calls: nobody will know them any more.
func (c *Core) HangUpAll(now time.Time, who string) {
	for _, k := range c.allCalls() {
		c.hangUpCall(k, now, who)
	}
}

func (c *Core) hangUpCall(k *call, now time.Time, who string) {
	c.now = now
	c.madeOf(nil, 0)
	why := "hung up by " + who
	k.ending = diagnosis.Operator
	if k.Answered.IsZero() {
		k.Why = why
		for _, tx := range c.servers {
			if ctx := tx.ctx; ctx != nil && ctx.call == k && ctx.initial && !ctx.done {
				ctx.cancelled, ctx.later = true, nil
				ctx.answer(now, 487, "")
				return
			}
		}
	}
	for _, d := range k.dialogs {
		if d.live() {
			c.hangUp(d, now)
		}
	}
	k.end(now, why)
}

// Message gives a message that is still kept, and the one that it was made of, if any.
func (c *Core) Message(id trail.ID) (m, before *trail.Kept) {
	if m = c.trail.Get(id); m != nil && m.Before != 0 {
		before = c.trail.Get(m.Before)
	}
	return m, before
}

// MessagesOf searches a part of the messages kept, the newest first, for those that a user
// sent or got: From or To names him. It goes on where an earlier search of this ring ended, 0
// is the newest; and says where to go on, 0 where it is through.
func (c *Core) MessagesOf(user string, ring int, from uint64) (found []*trail.Kept, next uint64) {
	m := new(sipmsg.Message)
	return c.trail.Search(ring, from, searchPart, func(n *trail.Message) bool {
		if !bytes.Contains(n.Text, []byte(user)) || m.Parse(n.Text) != nil {
			return false
		}
		return string(userPart(m.From().URI)) == user || string(userPart(m.To().URI)) == user
	})
}

// searchPart is how many messages one part of a search looks at.
const searchPart = 1000

// CallOf gives the call that a message belongs to, "" if none is remembered.
func (c *Core) CallOf(key trail.Key) string {
	if course := c.trail.Course(key); course != nil {
		return course.Call
	}
	return c.past.of(key)
}
