package server

import (
	"fmt"
	"sync/atomic"
	"time"

	"minisip/cmd/minisip/internal/proxy"
)

// slow is how long one event may hold the loop without being named in the log.
const slow = 50 * time.Millisecond

// held tells the log that the event loop could do nothing else for a time. On a machine without time for us any event takes
// long: what has begun is said once, and again where it becomes ten times as bad.
func (s *Server) held(d time.Duration, by string) {
	over := slow
	for d > 10*over {
		over *= 10
	}
	s.fault(fmt.Sprintf("the event loop was held for over %s", over), fmt.Sprintf("%s by %s", d.Round(time.Millisecond), by), 1)
}

// beatLate notices that the loop did not turn though no event held it: its beat is late. What is over by the time of the beat
// it cannot know.
func (s *Server) beatLate(now time.Time) {
	if late := now.Sub(s.beaten) - s.cfg.Every; late >= time.Second {
		s.held(late, "a signal that stopped minisip, or a machine that had no time for it")
	}
	s.beaten = now
}

// lags counts how long datagrams waited for the loop. The loop writes, anybody reads.
type lags struct {
	counts [len(lagBounds) + 1]atomic.Uint64
	sum    atomic.Int64 // nanoseconds
}

// lagBounds are those of the buckets.
var lagBounds = [...]time.Duration{
	100 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, time.Second,
}

func (l *lags) note(wait time.Duration) {
	i := 0
	for i < len(lagBounds) && wait > lagBounds[i] {
		i++
	}
	l.counts[i].Add(1)
	l.sum.Add(int64(wait))
}

// Lags gives how long datagrams have waited for the loop since the start, in seconds. It may be
// called from any goroutine.
func (s *Server) Lags() (h proxy.Histogram) {
	for i := range lagBounds {
		h.Bounds = append(h.Bounds, lagBounds[i].Seconds())
	}
	for i := range s.health.lags.counts {
		h.Counts[i] = s.health.lags.counts[i].Load()
	}
	h.Sum = time.Duration(s.health.lags.sum.Load()).Seconds()
	return h
}
