package session

import "time"

// Expirer is told that its Timer ran out.
type Expirer interface {
	Expire(now time.Time)
}

// Timer is one entry of a Timers queue; embed it in what it wakes.
type Timer struct {
	at    time.Time
	place int // in the heap, counted from 1; 0: not queued
	owner Expirer
}

// Own names whom the timer wakes; it comes before the first Set.
func (t *Timer) Own(e Expirer) { t.owner = e }

// At is when the timer runs out; zero when it is not set.
func (t *Timer) At() time.Time {
	if t.place == 0 {
		return time.Time{}
	}
	return t.at
}

// slot is one place of the heap. The deadline stands in it, so that comparing touches no
// timer: those lie all over the memory.
type slot struct {
	at    time.Time
	timer *Timer
}

// Timers is a queue of deadlines: a heap of four children a node, so that Set and Stop
// cost O(log n) and the earliest is at hand. The zero value is ready. Timers that are due
// at the same instant wake in an order that depends only on the calls before.
type Timers struct {
	heap    []slot
	running time.Time // while Run runs: its instant; else before all others
}

// Len is the number of timers set.
func (q *Timers) Len() int { return len(q.heap) }

// Next is the earliest deadline, zero if there is none.
func (q *Timers) Next() time.Time {
	if len(q.heap) == 0 {
		return time.Time{}
	}
	return q.heap[0].at
}

// Set moves t to the deadline at; the zero time stops it. What an owner sets while Run
// runs, to its instant or before, waits for the next Run: see there.
func (q *Timers) Set(t *Timer, at time.Time) {
	if at.IsZero() {
		q.Stop(t)
		return
	}
	if !at.After(q.running) {
		at = q.running.Add(1)
	}
	t.at = at
	if t.place == 0 {
		q.heap = append(q.heap, slot{})
		t.place = len(q.heap)
	}
	q.settle(slot{at, t}, t.place-1)
}

// grain is how late what can wait may come: see Later.
const grain = 100 * time.Millisecond

// Later moves a deadline that can wait a little to the end of its tenth of a second. All that ends in that tenth, such as
// transactions that are only to be forgotten, then wakes its owner together: to wake up costs more than they do.
func Later(at time.Time) time.Time {
	if over := time.Duration(at.Nanosecond()) % grain; over > 0 {
		return at.Add(grain - over)
	}
	return at
}

// Stop takes t out of the queue.
func (q *Timers) Stop(t *Timer) {
	if t.place == 0 {
		return
	}
	end := len(q.heap) - 1
	last := q.heap[end]
	q.heap[end] = slot{}
	q.heap = q.heap[:end]
	if last.timer != t {
		q.settle(last, t.place-1)
	}
	t.place = 0
}

// Run wakes the owners of all timers due at now, each once. They may set and stop any
// timer meanwhile: a stopped one does not wake, and one that is set to now or earlier counts
// as due one nanosecond later. So Run ends whatever the owners do, and nobody's turn is
// skipped. Of more than a hundred the rest wait for the next Run, Next being in the past: five thousand calls that
// end together do not keep waiting what else the caller has to do.
func (q *Timers) Run(now time.Time) {
	q.running = now
	for n := 0; n < atOnce && len(q.heap) > 0 && !q.heap[0].at.After(now); n++ {
		t := q.heap[0].timer
		q.Stop(t)
		t.owner.Expire(now)
	}
	q.running = time.Time{}
}

// atOnce is how many timers one Run wakes at most.
const atOnce = 100

const children = 4

// settle puts s into the hole at i, or where it belongs above or below.
func (q *Timers) settle(s slot, i int) {
	for i > 0 {
		parent := (i - 1) / children
		if !s.at.Before(q.heap[parent].at) {
			break
		}
		q.put(q.heap[parent], i)
		i = parent
	}
	for {
		least := q.least(i)
		if least < 0 || !q.heap[least].at.Before(s.at) {
			break
		}
		q.put(q.heap[least], i)
		i = least
	}
	q.put(s, i)
}

// least is the earliest child of i, or -1.
func (q *Timers) least(i int) int {
	first := i*children + 1
	if first >= len(q.heap) {
		return -1
	}
	least := first
	for c := first + 1; c < min(first+children, len(q.heap)); c++ {
		if q.heap[c].at.Before(q.heap[least].at) {
			least = c
		}
	}
	return least
}

func (q *Timers) put(s slot, i int) {
	q.heap[i] = s
	s.timer.place = i + 1
}
