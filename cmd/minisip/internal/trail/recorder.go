package trail

import (
	"bytes"
	"hash/maphash"
	"slices"
	"time"

	"minisip/sipmsg"
)

// Recorder notes messages.
type Recorder struct {
	rings   [Rings]ring // of calls, and of all others
	courses map[Key]*Course
	seed    maphash.Seed
	noted   uint64
}

const (
	callRing = iota
	otherRing
	Rings // how many Search knows
)

// New makes a recorder whose texts lie in memory, three quarters of it for calls.
func New(memory []byte) *Recorder {
	most := len(memory) / 4 * 3
	return &Recorder{
		rings:   [...]ring{newRing(memory[:most]), newRing(memory[most:])},
		courses: map[Key]*Course{}, seed: maphash.MakeSeed(),
	}
}

// Key gives the key of a Call-ID.
func (r *Recorder) Key(callID []byte) Key { return Key(maphash.Bytes(r.seed, callID)) }

// Note keeps a message. Its text is copied.
func (r *Recorder) Note(m *Message) ID {
	sum := uint32(maphash.Bytes(r.seed, m.Text))
	course := r.courses[m.Key]
	which := otherRing
	if course != nil || belongsToCall(m.Method) {
		which = callRing
	}
	if before := r.entry(m.Before); before != nil && before.again {
		m.Again = true
	}
	n := r.rings[which].add(m, sum)
	id := ID(n<<1 | uint64(which))
	r.noted++
	if course != nil {
		course.add(m, id, sum)
		r.rings[which].slot(n).again = course.Steps[len(course.Steps)-1].Again()
	}
	return id
}

// belongsToCall lists the methods whose messages are kept with those of calls.
func belongsToCall(m sipmsg.Method) bool {
	switch m {
	case sipmsg.INVITE, sipmsg.ACK, sipmsg.BYE, sipmsg.CANCEL, sipmsg.PRACK, sipmsg.UPDATE, sipmsg.INFO:
		return true
	}
	return false
}

// HasSDP says whether a message carries a session description.
func HasSDP(text []byte) bool {
	return !bytes.HasSuffix(text, []byte("\r\n\r\n")) && bytes.Contains(text, []byte("\nv=0"))
}

// backfill bounds what a new course takes from before it began, in time and number: the
// INVITE that was challenged, and what followed.
const (
	backfillTime  = 32 * time.Second
	backfillSteps = 24
	usualSteps    = 20 // a call that is challenged, rings, is answered and ends has 17
)

// Begin opens the course of a call, with what has been noted of its Call-ID lately. Calls
// of one Call-ID share a course.
func (r *Recorder) Begin(now time.Time, k Key) *Course {
	if c := r.courses[k]; c != nil {
		c.used++
		return c
	}
	c := r.Lately(now, k)
	c.used = 1
	r.courses[k] = c
	return c
}

// Lately makes a course of what has been noted of a Call-ID lately.
func (r *Recorder) Lately(now time.Time, k Key) *Course {
	usual := new(struct { // one piece of memory for most calls
		Course
		steps [usualSteps]Step
		peers [2]Peer
	})
	c := &usual.Course
	c.Begin, c.Steps, c.Peers = now, usual.steps[:0], usual.peers[:0]
	var found [backfillSteps]uint64
	have := 0
	ring := &r.rings[callRing]
	ring.chain(k, func(n uint64, e *entry) bool {
		if now.Sub(ring.time(e)) > backfillTime {
			return false
		}
		found[have] = n
		have++
		return have < len(found)
	})
	for _, n := range slices.Backward(found[:have]) {
		e := ring.slot(n)
		if len(c.Steps) == 0 {
			c.Begin = ring.time(e)
		}
		m := ring.message(e)
		c.add(&m, ID(n<<1|callRing), e.sum)
	}
	return c
}

// Course gives the open course of a Call-ID, or nil.
func (r *Recorder) Course(k Key) *Course { return r.courses[k] }

// End closes the course of a call; it stays as it is.
func (r *Recorder) End(k Key) {
	c := r.courses[k]
	if c == nil {
		return
	}
	if c.used--; c.used == 0 {
		delete(r.courses, k)
		c.Steps = slices.Clip(c.Steps)
	}
}

// entry finds a message, or nil where it is no longer kept.
func (r *Recorder) entry(id ID) *entry {
	if id == 0 {
		return nil
	}
	return r.rings[id&1].get(uint64(id >> 1))
}

// Kept is a message that is still kept.
type Kept struct {
	Message // Text is a copy
	ID      ID
	Size    int // of the datagram; the Text of a long one is cut
}

// Get gives a message, or nil where it is no longer kept.
func (r *Recorder) Get(id ID) *Kept {
	e := r.entry(id)
	if e == nil {
		return nil
	}
	return r.kept(id, e)
}

func (r *Recorder) kept(id ID, e *entry) *Kept {
	k := &Kept{Message: r.rings[id&1].message(e), ID: id, Size: int(e.size)}
	k.Text = bytes.Clone(k.Text)
	return k
}

// Text gives the text of a message that is still kept, valid until the next is noted.
func (r *Recorder) Text(id ID) []byte {
	if e := r.entry(id); e != nil {
		return r.rings[id&1].textOf(e)
	}
	return nil
}

// Has says whether the text of a message is still kept.
func (r *Recorder) Has(id ID) bool { return r.entry(id) != nil }

// Search looks through messages, the newest first, for those that match. It begins below the
// place that an earlier search of the same ring gave, 0 for the newest, looks at no more than
// limit, and gives where to go on; 0 where it is through. What match is given is valid
// during the call only.
func (r *Recorder) Search(which int, from uint64, limit int, match func(m *Message) bool) (found []*Kept, next uint64) {
	ring := &r.rings[which]
	if from == 0 || from > ring.next {
		from = ring.next
	}
	n := from - 1
	for ; n >= ring.oldest() && limit > 0; n-- {
		limit--
		e := ring.get(n)
		if e == nil {
			return found, 0
		}
		m := ring.message(e)
		if match(&m) {
			found = append(found, r.kept(ID(n<<1|uint64(which)), e))
		}
	}
	if n < ring.oldest() {
		return found, 0
	}
	return found, n + 1
}

// Noted counts all messages since the start.
func (r *Recorder) Noted() uint64 { return r.noted }
