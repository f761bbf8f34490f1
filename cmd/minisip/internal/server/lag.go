package server

import (
	"sync/atomic"
	"time"

	"minisip/cmd/minisip/internal/proxy"
)

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
