//go:build linux

package main

import "time"

// steps are pieces of work that are played step by step at a rate. What a step sends is repeated until
// the piece is at another one.
type steps struct {
	*agent
	result result
	work   []piece
	begin  time.Time
	given  int // pieces that have begun
	rate   int
}

// piece is where one piece of work is.
type piece struct {
	step, tries int
	sent        []byte // what is repeated
}

// The steps of a registration, and the first two of a call.
const (
	toChallenge = iota + 1
	toAccept
	over
)

func newSteps(a *agent, n, rate int) steps {
	return steps{agent: a, work: make([]piece, n), rate: rate, result: result{repeated: map[string]int{}, why: map[string]int{}}}
}

// due gives the numbers of the pieces that are to begin now.
func (s *steps) due(now time.Time, begin func(work int)) {
	if s.begin.IsZero() {
		s.begin = now
	}
	for due := int(now.Sub(s.begin).Seconds() * float64(s.rate)); s.given < len(s.work) && s.given <= due; s.given++ {
		begin(s.given)
	}
}

// advance sends the request of the next step.
func (s *steps) advance(now time.Time, work, step int, request []byte) {
	s.work[work] = piece{step: step, sent: request}
	s.again(now, work)
}

// again sends the latest request.
func (s *steps) again(now time.Time, work int) {
	w := &s.work[work]
	w.tries++
	s.send(work%s.users, w.sent)
	wait, _ := pause(w.tries)
	s.timers.set(now.Add(wait), work, w.step)
}

// end ends a piece; why is empty where it was done.
func (s *steps) end(work int, why string) {
	s.work[work] = piece{step: over}
	if why == "" {
		s.result.done++
		return
	}
	s.result.failed++
	s.result.why[why]++
}

// ended says whether all pieces have.
func (s *steps) ended() bool { return s.result.done+s.result.failed == len(s.work) }
