//go:build interop

package interop

import (
	"strings"
	"testing"
	"time"
)

// TestCancel: the caller gives up while the callee rings.
func TestCancel(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	a, b := s.twoPhones(t)
	a.dial(t, b.user)
	b.ringing(t)
	a.sees(t, 5*time.Second, "CALL_RINGING")
	a.hangup(t)
	t.Logf("the callee stops ringing: %s", b.closed(t))
	eventually(t, 5*time.Second, "the caller gets 487", func() bool {
		return strings.Contains(a.output.String(), "SIP/2.0 487 ")
	})
	s.logsEnd(t, a.user, b.user, 0)
}

// TestRefused: calls that cannot be, and what the caller is told.
func TestRefused(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	a := startBaresip(t, netns("a"), s.accounts["001"], 440)
	a.registered(t)
	t.Run("not registered", func(t *testing.T) {
		a.dial(t, "002")
		a.closedWith(t, "480")
	})
	t.Run("unknown user", func(t *testing.T) {
		a.dial(t, "555")
		a.closedWith(t, "404")
	})
	b := startBaresip(t, netns("b"), s.accounts["002"], 880)
	b.registered(t)
	t.Run("refused as busy", func(t *testing.T) {
		before := len(s.ends("001", "002"))
		a.dial(t, "002")
		b.ringing(t)
		b.hangup(t)
		a.closedWith(t, "486")
		s.logsEnd(t, "001", "002", before)
	})
	t.Run("and after all that a call works", func(t *testing.T) {
		talk(t, a, b, a, b.user, time.Second)
	})
}

// TestWrongPassword: a wrong password registers nobody, calls nobody, and harms nobody.
func TestWrongPassword(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	wrong := s.accounts["001"]
	wrong.password += "x"
	a := startBaresip(t, netns("a"), wrong, 440)
	b := startBaresip(t, netns("b"), s.accounts["002"], 880)
	b.registered(t)
	if why := a.sees(t, 10*time.Second, "REGISTER_FAIL").Param; !strings.HasPrefix(why, "401") {
		t.Errorf("registering with a wrong password ends with %q, want 401", why)
	}
	a.dial(t, b.user)
	a.closedWith(t, "407")
	s.asks(t, `(?s)^Call r1: 001 calls 002, ended: .*\nerror: Challenged .*: the phone has a wrong password, or a wrong authentication name\.\n  Type the password of 001 into the phone again`, "call", "r1")
	b.dial(t, a.user)
	b.closedWith(t, "480")
	s.asks(t, `(?m)^r2 +ended +002 +001 .* No phone of 001 is registered\.$`, "calls", "ended")
	if !s.running() {
		t.Fatalf("minisip ended: %v", s.err)
	}
}

// TestSilent: who is not in the user file gets no answer at all.
func TestSilent(t *testing.T) {
	newNetwork(t)
	startServer(t, "")
	p := startBaresip(t, netns("a"), account{serverIP, "777", "guess"}, 440)
	eventually(t, 10*time.Second, "the phone sends its REGISTER four times", func() bool {
		return strings.Count(p.output.String(), "REGISTER sip:") >= 4
	})
	if strings.Contains(p.output.String(), "SIP/2.0 4") {
		t.Errorf("a user who is not in the user file got an answer")
	}
}
