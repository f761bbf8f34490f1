package clockstep

import (
	"testing"
	"time"
)

func TestStep(t *testing.T) {
	now := time.Now()
	for _, d := range []time.Duration{0, time.Second, time.Hour, -time.Hour, -50 * 365 * 24 * time.Hour} {
		later := Step(now, d).Add(time.Minute)
		if got := later.Sub(now); got != time.Minute {
			t.Errorf("stepped by %v: %v have passed, want 1m0s", d, got)
		}
		if got := later.UnixNano() - now.UnixNano(); got != int64(d+time.Minute) {
			t.Errorf("stepped by %v: on the wall %v", d, time.Duration(got))
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a time without a monotonic reading is stepped")
		}
	}()
	Step(now.Round(0), time.Hour)
}
