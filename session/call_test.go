package session

import (
	"strings"
	"testing"
	"time"
)

// Events of a call in order; a capital letter is one that is news. The state is what
// remains.
func TestCallStates(t *testing.T) {
	for _, x := range []struct {
		events string
		state  CallState
		why    string
	}{
		{"", Inviting, ""},
		{"RING", Ringing, ""},
		{"RING ring", Ringing, ""},
		{"ANSWER", Up, ""},
		{"RING ANSWER", Up, ""},
		{"RING ANSWER answer", Up, ""}, // a 2xx again, or of another fork
		{"ANSWER ring", Up, ""},        // a 180 of a branch that lost
		{"END", Ended, "end"},          // refused
		{"RING END", Ended, "end"},     // cancelled
		{"RING ANSWER END", Ended, "end"},
		{"ANSWER END end", Ended, "end"}, // BYE from both sides
		{"END ring", Ended, "end"},
		{"END answer", Ended, "end"}, // a 200 that crossed the CANCEL
		{"ANSWER ENDING END", Ended, "bye"},
		{"ANSWER ENDING answer ring", Ending, "bye"},
	} {
		var c Call
		c.Begin(noon)
		at := make(map[string]time.Time) // of what was news
		for i, name := range strings.Fields(x.events) {
			now := noon.Add(time.Duration(i+1) * time.Second)
			var news bool
			switch strings.ToLower(name) {
			case "ring":
				news = c.Ring(now)
			case "answer":
				news = c.Answer(now)
			case "ending": // the proxy has sent or passed a BYE
				news = c.State == Up
				c.State, c.Why = Ending, "bye"
			case "end":
				news = c.End(now, "end")
			}
			if want := name == strings.ToUpper(name); news != want {
				t.Errorf("%q: %s: news %v", x.events, name, news)
			}
			if news {
				at[name] = now
			}
		}
		if c.State != x.state || c.Why != x.why {
			t.Errorf("%q: %s, %q; want %s, %q", x.events, c.State, c.Why, x.state, x.why)
		}
		if c.Created != noon || c.Rang != at["RING"] || c.Answered != at["ANSWER"] || c.EndedAt != at["END"] {
			t.Errorf("%q: created %v, rang %v, answered %v, ended %v; want %v",
				x.events, c.Created, c.Rang, c.Answered, c.EndedAt, at)
		}
	}
}

// The states stand in the order of a call, which the code compares them by.
func TestCallStateOrder(t *testing.T) {
	states := []CallState{Inviting, Ringing, Up, Ending, Ended}
	names := []string{"inviting", "ringing", "up", "ending", "ended"}
	for i, s := range states {
		if int(s) != i || s.String() != names[i] {
			t.Errorf("state %d is %d, %q; want %q", i, s, s, names[i])
		}
	}
}

func TestSilent(t *testing.T) {
	at := func(s int) time.Time { return noon.Add(time.Duration(s) * time.Second) }
	const never = -1
	for _, x := range []struct {
		name       string
		sip, media int // when something came last, seconds; media may be never
		ask        int
		limit      time.Duration
		over       bool
		next       int
	}{
		{"just answered, no media yet", 0, never, 0, 30 * time.Second, false, 30},
		{"a second to go", 0, never, 29, 30 * time.Second, false, 30},
		{"no media at all", 0, never, 30, 30 * time.Second, true, 30},
		{"asked late", 0, never, 95, 30 * time.Second, true, 30},
		{"media flow", 0, 600, 600, 30 * time.Second, false, 630},
		{"media stopped a while ago", 0, 600, 629, 30 * time.Second, false, 630},
		{"media stopped", 0, 600, 630, 30 * time.Second, true, 630},
		{"a re-INVITE after the media", 610, 600, 630, 30 * time.Second, false, 640},
		{"neither", 610, 600, 640, 30 * time.Second, true, 640},
		{"SIP and media at once", 600, 600, 630, 30 * time.Second, true, 630},
		{"on hold", 0, never, 3600, 2 * time.Hour, false, 7200},
		{"on hold too long", 0, never, 7200, 2 * time.Hour, true, 7200},
	} {
		var c Call
		c.Begin(noon)
		c.Answer(noon)
		c.Touch(at(x.sip))
		var media time.Time
		if x.media != never {
			media = at(x.media)
		}
		over, next := c.Silent(at(x.ask), media, x.limit)
		if over != x.over || !next.Equal(at(x.next)) {
			t.Errorf("%s: over %v, next %v; want %v, %v", x.name, over, next.Sub(noon), x.over, at(x.next).Sub(noon))
		}
	}
}

// Every SIP event counts as a sign of life, also one that is no news.
func TestSignsOfLife(t *testing.T) {
	later := noon.Add(20 * time.Second)
	for name, event := range map[string]func(*Call){
		"begin":  func(c *Call) { c.Begin(later) },
		"ring":   func(c *Call) { c.Ring(later) },
		"answer": func(c *Call) { c.Answer(later) },
		"touch":  func(c *Call) { c.Touch(later) },
	} {
		var c Call
		c.Begin(noon)
		c.Answer(noon)
		event(&c)
		if over, next := c.Silent(noon.Add(40*time.Second), time.Time{}, 30*time.Second); over || !next.Equal(noon.Add(50*time.Second)) {
			t.Errorf("%s: over %v, next %v", name, over, next.Sub(noon))
		}
	}
}

func TestRoles(t *testing.T) {
	for _, r := range []Role{Caller, Callee} {
		if r.Other() == r || r.Other().Other() != r || r.String() == r.Other().String() {
			t.Errorf("%s, other %s", r, r.Other())
		}
	}
	if Caller.String() != "caller" || Callee.String() != "callee" {
		t.Errorf("%s, %s", Caller, Callee)
	}
}
