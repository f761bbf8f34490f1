package state

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestAway: how long nobody was there, whatever was done to the clock on the wall.
func TestAway(t *testing.T) {
	const s = int64(time.Second)
	const y = leastWall + 1000*s // a clock that is right
	for _, tt := range []struct {
		name      string
		then, now moment
		want      time.Duration
	}{
		{"a restart", moment{wall: 100 * s, boot: 10 * s, bootID: "a"}, moment{wall: 103 * s, boot: 13 * s, bootID: "a"}, 3 * time.Second},
		{"the clock was set forward by a day", moment{wall: 100 * s, boot: 10 * s, bootID: "a"}, moment{wall: 86503 * s, boot: 13 * s, bootID: "a"}, 3 * time.Second},
		{"the clock was set back", moment{wall: 100 * s, boot: 10 * s, bootID: "a"}, moment{wall: 5 * s, boot: 13 * s, bootID: "a"}, 3 * time.Second},
		{"the machine was booted", moment{wall: y, boot: 10 * s, bootID: "a"}, moment{wall: y + 60*s, boot: 2 * s, bootID: "b"}, time.Minute},
		{"booted, and the clock set back", moment{wall: y + 100*s, boot: 10 * s, bootID: "a"}, moment{wall: y, boot: 2 * s, bootID: "b"}, 0},
		{"booted, and the clock not right yet", moment{wall: y, boot: 10 * s, bootID: "a"}, moment{wall: 5 * s, boot: 2 * s, bootID: "b"}, 0},
		{"booted, and the clock not right before", moment{wall: 100 * s, boot: 10 * s, bootID: "a"}, moment{wall: y, boot: 2 * s, bootID: "b"}, 0},
		{"no boot is known", moment{wall: y}, moment{wall: y + 60*s}, time.Minute},
	} {
		if got := away(tt.then, tt.now); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestStep: what was done to the clock on the wall while nobody was there.
func TestStep(t *testing.T) {
	const s = int64(time.Second)
	for _, tt := range []struct {
		name      string
		then, now moment
		want      time.Duration
	}{
		{"nothing", moment{wall: 100 * s, boot: 10 * s, bootID: "a"}, moment{wall: 103 * s, boot: 13 * s, bootID: "a"}, 0},
		{"it was made to run slower", moment{wall: 100 * s, boot: 10 * s, bootID: "a"}, moment{wall: 3699 * s, boot: 3610 * s, bootID: "a"}, 0},
		{"forward by an hour", moment{wall: 100 * s, boot: 10 * s, bootID: "a"}, moment{wall: 3703 * s, boot: 13 * s, bootID: "a"}, time.Hour},
		{"back by an hour", moment{wall: 5000 * s, boot: 10 * s, bootID: "a"}, moment{wall: 1403 * s, boot: 13 * s, bootID: "a"}, -time.Hour},
		{"the machine was booted", moment{wall: 100 * s, boot: 10 * s, bootID: "a"}, moment{wall: 5000 * s, boot: 13 * s, bootID: "b"}, 0},
	} {
		if got := step(tt.then, tt.now); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestEpoch: a time that was kept as a distance from the epoch is, for the next process, as long ago as it is.
func TestEpoch(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	begun := s.Epoch()
	s.Renew()
	s.all(nil)
	s.Close()
	s, _ = open(t, dir)
	if off := s.Epoch().Sub(begun).Abs(); off > time.Minute {
		t.Errorf("the epoch has moved by %v", off)
	}
	if s.moment().since < 0 {
		t.Errorf("it is %v since the epoch", s.moment().since)
	}
	s.Close()
	hour := moment{since: time.Hour, wall: time.Now().UnixNano(), boot: sinceBoot(), bootID: bootID()}
	file := appendFrame([]byte(magic), stamped, func(b []byte) []byte { return appendMoment(b, hour) })
	if err := os.WriteFile(s.path(99), file, 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ = open(t, dir)
	if off := (s.moment().since - time.Hour).Abs(); off > time.Minute {
		t.Errorf("what was written an hour after the epoch was so %v before", off)
	}
}

// TestGoOn: how long nobody was there goes by the clock that was not set, and that the other one was is said.
func TestGoOn(t *testing.T) {
	for _, tt := range []struct {
		set  time.Duration // how far the clock on the wall was set meanwhile
		said string
	}{
		{0, ""},
		{time.Second, ""}, // it was made to run faster
		{time.Hour, "state: the clock was set forward by 1h0m0s while nobody was here: what is kept goes by the time that really passed"},
		{-time.Hour, "state: the clock was set back by 1h0m0s while nobody was here: what is kept goes by the time that really passed"},
	} {
		said := new(log)
		began := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
		w := &writer{Store: &Store{report: said.line, epoch: began}}
		then := moment{since: time.Hour, wall: began.UnixNano(), boot: int64(time.Minute), bootID: "this"}
		now := moment{wall: began.Add(10*time.Second + tt.set).UnixNano(), boot: int64(time.Minute + 10*time.Second), bootID: "this"}
		w.goOn(then, now)
		if got := began.Sub(w.epoch); got != time.Hour+10*time.Second {
			t.Errorf("set by %v: it is %v since the epoch", tt.set, got)
		}
		if got := strings.Join(said.all(), "|"); got != tt.said {
			t.Errorf("set by %v: said %q", tt.set, got)
		}
	}
}
