package proxy

import (
	"time"

	"minisip/cmd/minisip/internal/trail"
)

// How many calls are remembered: the newest however old they are, and beyond them those of the last
// hours, in short and as far as memory goes. Those that we refused have a list of their own, since
// anybody can make them.
const (
	pastWhole  = 2000
	maxPast    = 20_000
	pastAge    = 6 * time.Hour
	pastBytes  = 32 << 20
	maxRefused = 200
)

// What is left of an older call: how it began, and how it ended.
const (
	briefFirst   = 20
	briefLast    = 12
	briefSamples = 30
)

// past remembers ended calls, the newest last.
type past struct {
	calls, refused []*Past
	byID           map[string]*Past
	byKey          map[trail.Key]*Past // of one Call-ID the newest
	gone           uint64              // calls that were forgotten
	bytes          int                 // that the calls take, about
	refusals       int64
}

// add remembers a call, makes the one brief that is not among the newest any more, and forgets the oldest.
func (l *past) add(p *Past) {
	if l.byID == nil {
		l.byID, l.byKey = map[string]*Past{}, map[trail.Key]*Past{}
	}
	l.calls = append(l.calls, p)
	l.byID[p.ID], l.byKey[p.key] = p, p
	l.weigh(p)
	if i := len(l.calls) - 1 - pastWhole; i >= 0 {
		l.calls[i].shorten()
		l.weigh(l.calls[i])
	}
	for len(l.calls) > pastWhole && (len(l.calls) > maxPast || l.bytes > pastBytes || p.Record.End.Sub(l.calls[0].Record.End) > pastAge) {
		l.forget()
	}
}

// forget takes the oldest out.
func (l *past) forget() {
	p := l.calls[0]
	l.calls[0] = nil
	l.calls = l.calls[1:]
	l.gone++
	l.bytes -= p.weight
	delete(l.byID, p.ID)
	if l.byKey[p.key] == p {
		delete(l.byKey, p.key)
	}
}

// weigh notes what a call takes in memory.
func (l *past) weigh(p *Past) {
	const call, direction, step, sample, finding = 1024, 512, 32, 4, 256 // what they hold included
	n := call + len(p.Record.Media)*direction + len(p.Course.Steps)*step + len(p.Findings)*finding
	for i := range p.Tracks {
		n += p.Tracks[i].Len() * sample
	}
	l.bytes += n - p.weight
	p.weight = n
}

// shorten leaves out what tells least.
func (p *Past) shorten() {
	p.Course.Shorten(briefFirst, briefLast)
	for i := range p.Tracks {
		p.Tracks[i].Thin(briefSamples)
	}
}

// find gives a call by its number, or nil.
func (l *past) find(id string) *Past {
	if p := l.byID[id]; p != nil {
		return p
	}
	for _, p := range l.refused {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// of gives the newest call of a Call-ID, or nil.
func (l *past) of(key trail.Key) *Past {
	if p := l.byKey[key]; p != nil {
		return p
	}
	for _, p := range l.refused {
		if p.key == key {
			return p
		}
	}
	return nil
}

// pastPart is how many past calls one part of the list holds.
const pastPart = 2000

// PastCalls gives a part of those that have ended, the oldest first, and with the last part those that
// we refused. It goes on where an earlier call said, 0 is the beginning; and says where to go on, 0
// where it is through.
func (c *Core) PastCalls(from uint64) (keys []CallKey, next uint64) {
	l := &c.past
	first := int(max(from, l.gone) - l.gone)
	last := min(first+pastPart, len(l.calls))
	some := l.calls[min(first, last):last]
	keys = make([]CallKey, 0, len(some)+len(l.refused))
	for _, p := range some {
		keys = append(keys, p.callKey())
	}
	if last < len(l.calls) {
		return keys, l.gone + uint64(last)
	}
	for _, p := range l.refused {
		keys = append(keys, p.callKey())
	}
	return keys, 0
}

func (p *Past) callKey() CallKey {
	r := p.Record
	return CallKey{ID: p.ID, From: r.From, FromAddr: r.FromAddr, To: r.To, ToAddr: r.ToAddr, Begin: r.Begin}
}

// appendBounded appends p; of a full list the oldest goes.
func appendBounded(list []*Past, p *Past, most int) []*Past {
	if len(list) == most {
		copy(list, list[1:])
		list = list[:most-1]
	}
	return append(list, p)
}
