package logrot

import (
	"os"
	"path/filepath"
	"testing"
	"time"
	"unsafe"
)

// stepped is t by a clock that has been set forward by d since: the reading of the monotonic clock, which package
// time keeps to itself, stays. Seconds lie above 30 bits of nanoseconds.
func stepped(t *testing.T, at time.Time, d time.Duration) time.Time {
	t.Helper()
	was := at
	*(*uint64)(unsafe.Pointer(&at)) += uint64(d/time.Second) << 30
	if at.Sub(was) != 0 || at.Round(0).Sub(was.Round(0)) != d {
		t.Fatalf("%v is not %v stepped by %v", at, was, d)
	}
	return at
}

// TestClockSet: whatever is done to the clock, no record is removed before its time, and a day still ends.
func TestClockSet(t *testing.T) {
	const day, years = 24 * time.Hour, 20_000 * 24 * time.Hour
	now := time.Now()
	y, m, d := now.Date()
	noon := time.Date(y, m, d, 12, 0, 0, 0, time.Local).Sub(now).Truncate(time.Second)
	for _, tt := range []struct {
		name  string
		steps []time.Duration // what the clock is off by when a record is written, a second after the one before
		later time.Duration   // of the last, by all clocks
		files int             // rotated ones
	}{
		{"right", []time.Duration{noon, noon}, 0, 0},
		{"the day ends", []time.Duration{noon, noon}, day, 1},
		{"set forward by an hour", []time.Duration{noon, noon + time.Hour, noon + time.Hour}, 0, 0},
		{"set back by an hour", []time.Duration{noon, noon - time.Hour, noon - time.Hour}, 0, 0},
		{"of 1970 at first", []time.Duration{noon - years, noon - years, noon, noon}, 0, 0},
		{"of 1970 at first, and the day ends", []time.Duration{noon - years, noon - years, noon, noon}, day, 1},
		{"of 1970 for a moment", []time.Duration{noon, noon - years, noon}, 0, 0},
		{"of another year for a moment", []time.Duration{noon, noon + years, noon}, 0, 0},
	} {
		dir := t.TempDir()
		f := &file{path: filepath.Join(dir, "log"), report: &reporter{w: os.Stderr}, rotated: func() {}}
		s := &sweeper{path: f.path, days: 7}
		f.rotated = func() {
			if err := s.sweep(f.seen); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
		for i, step := range tt.steps {
			at := now.Add(time.Duration(i) * time.Second)
			if i == len(tt.steps)-1 {
				at = at.Add(tt.later)
			}
			at = stepped(t, at, step)
			if !f.write(&batch{day: dayOf(at), data: []byte("a record\n")}, at) {
				t.Fatalf("%s: cannot be written", tt.name)
			}
		}
		f.shut()
		all, err := s.list()
		if err != nil || len(all) != tt.files {
			t.Errorf("%s: rotated files %v, %v", tt.name, all, err)
		}
		if b, _ := os.ReadFile(f.path); tt.files == 0 && len(b) != len(tt.steps)*len("a record\n") {
			t.Errorf("%s: there is\n%s", tt.name, b)
		}
	}
}
