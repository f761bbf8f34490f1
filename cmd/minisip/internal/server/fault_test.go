package server

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// A fault is said once, counted, and its end is said.
func TestFaults(t *testing.T) {
	var f faults
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	said := []string{f.note(now, "datagrams cannot be sent", "to 192.0.2.1:5060: network is unreachable", 1)}
	for range 10 {
		now = now.Add(29 * time.Second)
		said = append(said, f.note(now, "datagrams cannot be sent", "to 192.0.2.2:5060: network is unreachable", 2))
		said = append(said, f.over(now)...)
	}
	if n := f.now()["datagrams cannot be sent"]; n != 21 {
		t.Errorf("counted %d, want 21", n)
	}
	now = now.Add(quietFor)
	said = append(said, f.over(now)...)
	said = append(said, f.note(now, "datagrams cannot be sent", "to 192.0.2.1:5060: network is unreachable", 1))
	said = slices.DeleteFunc(said, func(line string) bool { return line == "" })
	begin := "datagrams cannot be sent: to 192.0.2.1:5060: network is unreachable (the log will say when that is over)"
	want := []string{begin, "over: datagrams cannot be sent: 21 times in 4m50s", begin}
	if !slices.Equal(said, want) {
		t.Errorf("said %q\nwant %q", said, want)
	}
	for i := range 2 * maxFaults {
		f.note(now, fmt.Sprint(i), "", 1)
	}
	if n := len(f.now()); n != maxFaults {
		t.Errorf("%d faults kept, want %d", n, maxFaults)
	}
}

// TestHeld: an event loop that is held again and again is not told of each time, but when it becomes much worse; so is one
// that did not turn at all.
func TestHeld(t *testing.T) {
	var said record
	s := &Server{cfg: Config{Log: said.line, Now: time.Now, Every: 10 * time.Second}}
	for range 100 {
		s.held(60*time.Millisecond, "timers")
	}
	s.held(499*time.Millisecond, "a datagram")
	s.held(700*time.Millisecond, "a datagram")
	s.held(time.Second, "timers")
	now := time.Now()
	s.beaten = now
	for _, after := range []time.Duration{10 * time.Second, 10900 * time.Millisecond, 55 * time.Second, 10 * time.Second} {
		now = now.Add(after)
		s.beatLate(now)
	}
	want := []string{
		"the event loop was held for over 50ms: 60ms by timers (the log will say when that is over)",
		"the event loop was held for over 500ms: 700ms by a datagram (the log will say when that is over)",
		"the event loop was held for over 5s: 45s by a signal that stopped minisip, or a machine that had no time for it (the log will say when that is over)",
	}
	if !slices.Equal(said.lines, want) {
		t.Errorf("logged %q\nwant %q", said.lines, want)
	}
}
