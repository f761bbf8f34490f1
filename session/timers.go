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

// Timers is a queue of deadlines: a heap of four children a node, so that Set and Stop
// cost O(log n) and the earliest is at hand. The zero value is ready. Timers that are due
// at the same instant wake in an order that depends only on the calls before.
type Timers struct {
	heap    []*Timer
	running time.Time // while Run runs: its instant
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
	if !q.running.IsZero() && !at.After(q.running) {
		at = q.running.Add(1)
	}
	t.at = at
	if t.place == 0 {
		q.heap = append(q.heap, t)
		t.place = len(q.heap)
		q.up(t)
		return
	}
	q.up(t)
	q.down(t)
}

// Stop takes t out of the queue.
func (q *Timers) Stop(t *Timer) {
	if t.place == 0 {
		return
	}
	last := q.heap[len(q.heap)-1]
	q.heap[len(q.heap)-1] = nil
	q.heap = q.heap[:len(q.heap)-1]
	if last != t {
		last.place = t.place
		q.heap[last.place-1] = last
		q.up(last)
		q.down(last)
	}
	t.place = 0
}

// Run wakes the owners of all timers due at now, each once. They may set and stop any
// timer meanwhile: a stopped one does not wake, and one that is set to now or earlier counts
// as due one nanosecond later. So Run ends whatever the owners do, nobody's turn is
// skipped, and what else the caller has to do is not kept waiting.
func (q *Timers) Run(now time.Time) {
	q.running = now
	for len(q.heap) > 0 && !q.heap[0].at.After(now) {
		t := q.heap[0]
		q.Stop(t)
		t.owner.Expire(now)
	}
	q.running = time.Time{}
}

const children = 4

func (q *Timers) up(t *Timer) {
	for t.place > 1 {
		parent := q.heap[(t.place-2)/children]
		if !t.at.Before(parent.at) {
			return
		}
		q.swap(t, parent)
	}
}

func (q *Timers) down(t *Timer) {
	for {
		first := (t.place-1)*children + 1 // index of its first child
		if first >= len(q.heap) {
			return
		}
		least := q.heap[first]
		for _, c := range q.heap[first+1 : min(first+children, len(q.heap))] {
			if c.at.Before(least.at) {
				least = c
			}
		}
		if !least.at.Before(t.at) {
			return
		}
		q.swap(t, least)
	}
}

func (q *Timers) swap(a, b *Timer) {
	a.place, b.place = b.place, a.place
	q.heap[a.place-1], q.heap[b.place-1] = a, b
}
