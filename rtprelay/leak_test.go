//go:build !race

package rtprelay

import (
	"errors"
	"runtime"
	"testing"
)

// 100,000 streams through ten port pairs, as many at once as fit and one more now and then:
// in the end the pool is full, and neither descriptors nor goroutines are left.
func TestNothingLeaks(t *testing.T) {
	streams, pairs := 100_000, 10
	if testing.Short() {
		streams = 5_000
	}
	r := newRelay(t, pairs, -1)
	mustOpen(t, r).Close()
	files, routines := descriptors(t), runtime.NumGoroutine()
	for n := 0; n < streams; {
		var open []*Stream
		for range 1 + n%(pairs/2) {
			open = append(open, mustOpen(t, r))
			n++
		}
		if len(open) == pairs/2 {
			if s, err := r.Open(LegConfig{server, hostA}, LegConfig{server, hostB}); !errors.Is(err, ErrNoPorts) {
				t.Fatalf("one stream too many: %v, %v", s, err)
			}
		}
		for _, s := range open {
			s.Close()
		}
	}
	if r.Free() != pairs || r.InUse() != 0 {
		t.Errorf("%d port pairs are free of %d", r.Free(), pairs)
	}
	if got := descriptors(t); got != files {
		t.Errorf("%d descriptors, %d after the first stream", got, files)
	}
	for runtime.NumGoroutine() > routines { // those of the last stream are on their way out
		runtime.Gosched()
	}
}
