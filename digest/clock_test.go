package digest

import (
	"testing"
	"time"
	"unsafe"
)

// stepped is t as the clock shows it that has meanwhile been set forward by d: its reading of the monotonic
// clock stays. Package time makes no such values for tests; the seconds lie above 30 bits of nanoseconds.
func stepped(t *testing.T, at time.Time, d time.Duration) time.Time {
	t.Helper()
	was := at
	*(*uint64)(unsafe.Pointer(&at)) += uint64(d/time.Second) << 30
	if at.Sub(was) != 0 || at.Round(0).Sub(was.Round(0)) != d {
		t.Fatalf("%v is not %v stepped by %v", at, was, d)
	}
	return at
}

var steps = []time.Duration{time.Hour, -time.Hour, 20 * 365 * 24 * time.Hour, -56 * 365 * 24 * time.Hour}

// TestClockStepped: when the clock on the wall is set, nonces go on as if nothing were: those that phones hold
// and those that are made from then on, for whoever verifies and for whoever only asks whose they are.
func TestClockStepped(t *testing.T) {
	for _, step := range steps {
		begin := time.Now()
		r := newRig(t, Config{NonceLife: time.Minute, Start: begin})
		checker := r.server.Checker()
		r.now = begin
		held := r.nonce()
		for _, at := range []time.Duration{1, 59} {
			r.now = stepped(t, begin.Add(at*time.Second), step)
			for what, nonce := range map[string]string{"held": held, "fresh": r.nonce()} {
				if !checker.Ours(r.now, r.origin, []byte(nonce)) {
					t.Errorf("stepped by %v: a %s nonce is taken for a stranger's", step, what)
				}
			}
		}
		p := newPhone()
		if got := r.verify(p, held); got != OK {
			t.Errorf("stepped by %v: a nonce of before: %v", step, got)
		}
		if got := r.verify(newPhone(), r.nonce()); got != OK {
			t.Errorf("stepped by %v: a fresh nonce: %v", step, got)
		}
		r.now = stepped(t, begin.Add(time.Minute), step)
		p.nc = "00000002"
		if got := r.verify(p, held); got != Stale {
			t.Errorf("stepped by %v: a nonce of before, when its life is over: %v", step, got)
		}
		r.now = begin.Add(61 * time.Second) // put right
		if got := r.verify(newPhone(), r.nonce()); got != OK {
			t.Errorf("stepped by %v and back: %v", step, got)
		}
	}
}

// TestReplayAfterSetBack: the clock was set back between two processes. What the first gave out stays stale, also
// when the clock comes by its time once more.
func TestReplayAfterSetBack(t *testing.T) {
	r := newRig(t, Config{Key: []byte("0123456789abcdef")})
	begin := r.now
	old := r.nonce()
	if got := r.verify(newPhone(), old); got != OK {
		t.Fatal(got)
	}
	next := newRig(t, Config{Key: []byte("0123456789abcdef")})
	next.server.nonces.maker = [2]byte{r.server.nonces.maker[0] + 1}
	next.now = begin.Add(-10 * time.Minute)
	if got := next.verify(newPhone(), next.nonce()); got != OK {
		t.Errorf("fresh: %v", got)
	}
	for _, at := range []time.Duration{-time.Minute, 0, time.Minute} {
		next.now = begin.Add(at)
		if got := next.verify(newPhone(), old); got != Stale {
			t.Errorf("what passed once, %v from when it was made: %v", at, got)
		}
	}
}
