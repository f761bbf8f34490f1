package proxy

import (
	"slices"
	"strconv"
	"time"

	"minisip/cmd/minisip/internal/trail"
)

// Calls that have ended are remembered in two ways. Those that have just ended are whole: a
// repeated BYE still belongs into their ladder. After openFor nothing is added any more, and each is
// a record of some hundred bytes in the ledger, whose memory is not the garbage collector's. Calls that
// we refused have a list of their own, since anybody can make them.
const (
	openFor    = 40 * time.Second // longer than any transaction
	maxOpen    = 500
	maxRefused = 200
)

// past remembers ended calls.
type past struct {
	open     []*pastCall // the newest, in the order of their ends
	ledger   ledger      // all others
	refused  []*pastCall
	refusals int64
}

// add remembers a call, and enters into the ledger what has been open for long enough.
func (l *past) add(p *pastCall) {
	l.open = append(l.open, p)
	for len(l.open) > maxOpen || p.Record.End.Sub(l.open[0].Record.End) >= openFor {
		first := l.open[0]
		l.open[0] = nil
		l.open = l.open[1:]
		l.ledger.put(first)
	}
}

// addRefused remembers a call that we refused, and gives it its number. A phone that tries again with the same Call-ID is one
// entry; of too many the oldest goes.
func (l *past) addRefused(p *pastCall) {
	if i := slices.IndexFunc(l.refused, func(o *pastCall) bool { return o.key == p.key }); i >= 0 {
		p.ID = l.refused[i].ID
		l.refused = slices.Delete(l.refused, i, i+1)
	} else {
		l.refusals++
		p.ID = "r" + strconv.FormatInt(l.refusals, 10)
	}
	if len(l.refused) == maxRefused {
		l.refused = slices.Delete(l.refused, 0, 1)
	}
	l.refused = append(l.refused, p)
}

// find gives a call by its number, or nil.
func (l *past) find(id string) *pastCall {
	for _, list := range [][]*pastCall{l.open, l.refused} {
		for _, p := range list {
			if p.ID == id {
				return p
			}
		}
	}
	return l.ledger.find(id)
}

// of gives the number of the newest call of a Call-ID, or "".
func (l *past) of(key trail.Key) string {
	for i := len(l.open) - 1; i >= 0; i-- {
		if l.open[i].key == key {
			return l.open[i].ID
		}
	}
	if id := l.ledger.of(key); id != "" {
		return id
	}
	for _, p := range l.refused {
		if p.key == key {
			return p.ID
		}
	}
	return ""
}

// pastPart is how many past calls one part of the list holds, and those that are not in the ledger.
const pastPart = 1000

// PastCalls gives a part of those that have ended, the oldest first, and with the last part those that
// we refused. It goes on where an earlier call said, 0 is the beginning; and says where to go on, 0
// where it is through.
func (c *Core) PastCalls(from uint64) (keys []CallKey, next uint64) {
	l := &c.past
	keys, next = l.ledger.list(from)
	if next != 0 {
		return keys, next
	}
	for _, list := range [][]*pastCall{l.open, l.refused} {
		for _, p := range list {
			keys = append(keys, p.callKey())
		}
	}
	return keys, 0
}

func (p *pastCall) callKey() CallKey {
	r := p.Record
	return CallKey{ID: p.ID, From: r.From, FromAddr: r.FromAddr, To: r.To, ToAddr: r.ToAddr, Begin: r.Begin}
}
