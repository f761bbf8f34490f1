package proxy

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/guard"
)

// The limits of bans change while minisip runs: who is trusted then is free at once, and without a limit all are.
func TestBanLimitsChange(t *testing.T) {
	trusted := netip.MustParsePrefix("198.51.100.0/24")
	for name, limits := range map[string]guard.Limits{
		"off":     {},
		"trusted": {Count: 2, Within: time.Minute, For: time.Hour, Trust: []netip.Prefix{trusted}},
	} {
		s := &script{newWorld(t)}
		s.cfg.Bans = guard.Limits{Count: 2, Within: time.Minute, For: time.Hour}
		s.do("phone 666 at 198.51.100.7:5060 user 001 password guess", "666: REGISTER")
		guess := func(n int) {
			for i := range n {
				if err := s.run("666: REGISTER auth", []string{fmt.Sprintf("Call-ID: guess-%d", i)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		guess(2)
		answered := func() bool {
			s.events = nil
			s.do("666: REGISTER")
			return slices.ContainsFunc(s.events, func(e event) bool { return e.from == "minisip" })
		}
		if answered() {
			t.Errorf("%s: a banned source is answered", name)
		}
		next := s.cfg
		next.Bans = limits
		s.core.Reconfigure(s.now, s.cfg, next)
		if !answered() {
			t.Errorf("%s: not answered after the change", name)
		}
		guess(3)
		if !answered() {
			t.Errorf("%s: banned again", name)
		}
	}
}

// From a banned address a name that has not failed there gets one password tried, if that is his own or of somebody who has not
// failed either; then it has failed too.
func TestBanOneTryAName(t *testing.T) {
	s := &script{newWorld(t)}
	s.cfg.Bans = guard.Limits{Count: 2, Within: time.Minute, For: time.Hour}
	s.do("user 007", "user 008", "user 009", "phone 666 at 198.51.100.7:5060 user 001 password guess", "666: REGISTER")
	p := s.phone("666")
	// asks sends a REGISTER as somebody with credentials of 001, and says whether it was answered.
	asks := func(as, auth, id string) bool {
		t.Helper()
		s.events = nil
		if err := s.run("666: REGISTER"+auth, []string{"Call-ID: " + id, "From: <sip:" + as + "@minisip.example>;tag=1", "To: <sip:" + as + "@minisip.example>"}); err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(s.events, func(e event) bool { return e.from == "minisip" })
	}
	asks("001", " auth", "a")
	asks("001", " auth", "b") // and banned
	for i, tt := range []struct {
		as, auth, user string
		want           bool
	}{
		{"001", "", "001", false}, {"001", " auth", "001", false},
		{"007", "", "007", true}, {"007", "", "007", true}, {"007", " auth", "007", true}, {"007", "", "007", false}, {"007", " auth", "007", false},
		{"008", "", "008", true}, {"008", " auth", "001", false}, {"008", "", "008", false},
		{"009", " auth", "009", true}, {"009", " auth", "009", false},
	} {
		p.user = tt.user
		if got := asks(tt.as, tt.auth, fmt.Sprint("then", i)); got != tt.want {
			t.Errorf("step %d, as %s%s: answered %v", i, tt.as, tt.auth, got)
		}
	}
}

// A user who gets no answer for what others at his address have asked for is named in the log, with the way out, however
// many lines those took; and the operator can have him answered.
func TestGuessedBesideIsSaid(t *testing.T) {
	s := &script{newWorld(t)}
	s.cfg.Bans = guard.Limits{Count: 10, Within: time.Minute, For: time.Hour}
	s.do("phone 666 at 198.51.100.7:6000 user 001")
	// asks sends a REGISTER as somebody, and says whether it was answered.
	asks := func(as string) bool {
		t.Helper()
		s.events = slices.DeleteFunc(s.events, func(e event) bool { return e.from == "minisip" })
		if err := s.run("666: REGISTER", []string{"From: <sip:" + as + "@minisip.example>;tag=1", "To: <sip:" + as + "@minisip.example>"}); err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(s.events, func(e event) bool { return e.from == "minisip" })
	}
	for _, name := range []string{"777", "778", "779", "001"} {
		if asks(name) {
			t.Errorf("%s got an answer", name)
		}
	}
	want := "REGISTER from 198.51.100.7:6000 as 001 gets no answer: users who do not exist were asked for from there (minisip ban del 198.51.100.7)"
	if log := s.logged(); len(log) != 2 || log[1] != want {
		t.Errorf("logged %q, want the last to be %q", log, want)
	}
	if !s.core.Bans().Lift(s.now, netip.MustParseAddr("198.51.100.7")) {
		t.Error("there was nothing to lift")
	}
	if !asks("001") {
		t.Error("001 gets no answer afterwards")
	}
	s.finish()
}
