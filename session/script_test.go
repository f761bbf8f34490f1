package session

import (
	"strings"
	"testing"
	"time"
)

// noon is when every test begins.
var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// after is the instant so many seconds past noon, written as in a script.
func after(t *testing.T, seconds string) time.Time {
	t.Helper()
	d, err := time.ParseDuration(seconds + "s")
	if err != nil {
		t.Fatal(err)
	}
	return noon.Add(d)
}

// actions writes an Action as scripts do: "pass+ack", or "-" for none.
func actions(a Action) string {
	var names []string
	for i, name := range []string{"send", "pass", "ack", "timeout", "expired", "done", "slow", "silent"} {
		if a.Has(1 << i) {
			names = append(names, name)
		}
	}
	if names == nil {
		return "-"
	}
	return strings.Join(names, "+")
}

// transaction is what Client and Server have in common.
type transaction interface {
	Tick(now time.Time) Action
	Deadline() time.Time
	State() State
}

// machine is a transaction as scripts see it.
type machine struct {
	transaction
	// event does what a script's event names; ok is false if there is no such event.
	event func(now time.Time, name string) (act Action, ok bool)
	// timer is the deadline that is called so in the present state; zero if none is.
	timer func(name string) time.Time
}

// play runs a script, one line an event: seconds since noon, event, actions, new state, and
// perhaps a remark behind '#'. An event that is one capital letter is that timer. It must fire
// then, not a nanosecond earlier, and no timer may have been due before a line: so a
// script is the whole schedule. It ends when nothing more is going to happen.
func play(t *testing.T, m machine, script string) {
	t.Helper()
	for line := range strings.Lines(script) {
		text, _, _ := strings.Cut(line, "#")
		f := strings.Fields(text)
		if len(f) == 0 {
			continue
		}
		if len(f) != 4 {
			t.Fatalf("not a line of a script: %q", line)
		}
		now := after(t, f[0])
		if d := m.Deadline(); !d.IsZero() && d.Before(now) {
			t.Fatalf("%q: a timer was due before, at %v", line, d.Sub(noon))
		}
		act := m.step(t, now, f[1], line)
		if got, want := actions(act)+" "+m.State().String(), f[2]+" "+f[3]; got != want {
			t.Fatalf("%q: got %s", line, got)
		}
	}
	if d := m.Deadline(); !d.IsZero() {
		t.Errorf("the script is over, but a timer is due at %v", d.Sub(noon))
	}
	if act := m.Tick(noon.Add(24 * time.Hour)); act != 0 {
		t.Errorf("the script is over, but a day later: %s", actions(act))
	}
}

func (m machine) step(t *testing.T, now time.Time, name, line string) Action {
	t.Helper()
	if len(name) > 1 {
		act, ok := m.event(now, name)
		if !ok {
			t.Fatalf("%q: no such event", line)
		}
		return act
	}
	if at := m.timer(name); !at.Equal(now) || !m.Deadline().Equal(now) {
		t.Fatalf("%q: timer %s is due at %v, the next deadline is %v",
			line, name, at.Sub(noon), m.Deadline().Sub(noon))
	}
	was := m.State()
	if act := m.Tick(now.Add(-1)); act != 0 || m.State() != was {
		t.Fatalf("%q: a nanosecond early: %s %s", line, actions(act), m.State())
	}
	return m.Tick(now)
}

// edges are the arrows of a state diagram.
type edges map[State][]State

func (e edges) allow(from, to State) bool {
	if from == to {
		return true
	}
	for _, s := range e[from] {
		if s == to {
			return true
		}
	}
	return false
}
