package server

import (
	"fmt"
	"time"
)

// Everything here goes by the monotonic clock, of which each time.Now has a reading. So nothing ends or
// lasts longer when somebody sets the clock on the wall; but what people are told are times on it, so the
// log says that it was set.

// now is the time by both clocks.
func (s *Server) now() time.Time { return s.cfg.Now() }

// wall notices when the clock on the wall is set. The loop owns it.
type wall struct{ looked time.Time }

// leastStep is what it must have been set by at least: a clock that is only made to run faster or slower
// moves by milliseconds between two looks.
const leastStep = 2 * time.Second

// step says by how much the clock was set forward since the last look; back, where it is less than 0.
func (w *wall) step(now time.Time) (by time.Duration) {
	if !w.looked.IsZero() {
		by = now.Round(0).Sub(w.looked.Round(0)) - now.Sub(w.looked) // Round takes the monotonic reading off
	}
	w.looked = now
	if by.Abs() < leastStep {
		return 0
	}
	return by.Round(time.Second)
}

// beatClock tells the log when the clock was set.
func (s *Server) beatClock(now time.Time) {
	by := s.wall.step(now)
	if by == 0 {
		return
	}
	s.health.clockSteps.Add(1)
	how := fmt.Sprintf("forward by %s, or the machine slept", by)
	if by < 0 {
		how = fmt.Sprintf("back by %s", -by)
	}
	s.fault("the clock was set", how+": registrations, calls and bans go on by the time that really passes", 1)
}
