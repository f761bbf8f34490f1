package proxy

import (
	"strconv"
	"time"

	"minisip/cmd/minisip/internal/pack"
	"minisip/cmd/minisip/internal/trail"
)

// How many calls the ledger holds: the newest however old they are, and beyond them those of the last
// hours, as far as its memory goes.
const (
	ledgerKeeps = 2000
	ledgerMost  = 20_000
	ledgerAge   = 6 * time.Hour

	// LedgerSize is the memory that so many usual calls need.
	LedgerSize = 16 << 20

	leastLedger = 64 << 10
)

// ledger keeps ended calls as records end to end in one piece of memory, over and over again, the
// oldest first to go.
type ledger struct {
	memory  []byte
	pos     uint64  // where the next record begins; modulo len(memory) in memory
	entries []entry // of the records, the oldest first; there is no pointer in it
	gone    uint64  // entries that were forgotten
	epoch   time.Time
	record  []byte // of the call that is being entered

	// The number of the newest entry, counted from the start.
	byID  map[int64]uint64
	byKey map[trail.Key]uint64
}

// entry says where a call's record is.
type entry struct {
	key  trail.Key
	id   int64
	end  time.Duration // since epoch
	pos  uint64
	size uint32
	head uint32 // of which so many bytes are what a list shows
}

// epochOf is what times of records are counted from: when the first of them began.
func (l *ledger) epochOf(p *pastCall) time.Time {
	if l.epoch.IsZero() {
		l.epoch = justBefore(p.Record.Begin)
	}
	return l.epoch
}

// put enters a call. One that is larger than all memory is none that phones could make.
func (l *ledger) put(p *pastCall) {
	if l.byID == nil {
		l.byID, l.byKey = map[int64]uint64{}, map[trail.Key]uint64{}
		if len(l.memory) < leastLedger {
			l.memory = make([]byte, leastLedger)
		}
	}
	l.record = p.appendKey(l.record[:0], l.epochOf(p))
	head := len(l.record)
	l.record = p.appendRest(l.record)
	size, needs := uint64(len(l.memory)), uint64(len(l.record))
	if needs > size {
		return
	}
	if at := l.pos % size; at+needs > size {
		l.pos += size - at // no record wraps
	}
	n := entry{key: p.key, id: p.Record.Call, end: p.Record.End.Sub(l.epoch), pos: l.pos, size: uint32(needs), head: uint32(head)}
	l.pos += needs
	for len(l.entries) > 0 && l.outlived(&l.entries[0], n.end) {
		l.forget()
	}
	copy(l.memory[n.pos%size:], l.record)
	number := l.gone + uint64(len(l.entries))
	l.entries = append(l.entries, n)
	l.byID[n.id], l.byKey[n.key] = number, number
}

// outlived says whether the oldest entry has to go when one of a time is added.
func (l *ledger) outlived(oldest *entry, now time.Duration) bool {
	n := len(l.entries)
	return l.pos-oldest.pos > uint64(len(l.memory)) || n >= ledgerMost || n >= ledgerKeeps && now-oldest.end > ledgerAge
}

// forget takes the oldest out.
func (l *ledger) forget() {
	n := &l.entries[0]
	if l.byID[n.id] == l.gone {
		delete(l.byID, n.id)
	}
	if l.byKey[n.key] == l.gone {
		delete(l.byKey, n.key)
	}
	l.entries = l.entries[1:]
	l.gone++
}

// read gives the first bytes of what was entered, as a copy.
func (l *ledger) read(n *entry, bytes uint32) pack.Reader {
	at := n.pos % uint64(len(l.memory))
	return pack.NewReader(string(l.memory[at : at+uint64(bytes)]))
}

// find gives a call by its number, or nil.
func (l *ledger) find(id string) *pastCall {
	serial, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return nil
	}
	number, has := l.byID[serial]
	if !has {
		return nil
	}
	n := &l.entries[number-l.gone]
	r := l.read(n, n.size)
	return readPast(&r, l.epoch)
}

// of gives the number of the newest call of a Call-ID, or "".
func (l *ledger) of(key trail.Key) string {
	number, has := l.byKey[key]
	if !has {
		return ""
	}
	return strconv.FormatInt(l.entries[number-l.gone].id, 10)
}

// list gives a part of the calls, the oldest first: from the entry of a number, and the number to go on at,
// 0 where it is through.
func (l *ledger) list(from uint64) (keys []CallKey, next uint64) {
	first := int(max(from, l.gone) - l.gone)
	last := min(first+pastPart, len(l.entries))
	for i := min(first, last); i < last; i++ {
		r := l.read(&l.entries[i], l.entries[i].head)
		keys = append(keys, readCallKey(&r, l.epoch))
	}
	if last < len(l.entries) {
		return keys, l.gone + uint64(last)
	}
	return keys, 0
}
