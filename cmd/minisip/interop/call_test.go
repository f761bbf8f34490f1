//go:build interop

package interop

import (
	"strings"
	"testing"
	"time"
)

// TestCall: two phones behind two NATs talk; either may call, either may hang up.
func TestCall(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	a, b := s.twoPhones(t)
	for _, c := range []struct {
		name                  string
		caller, callee, ender *baresip
	}{
		{"a calls, a hangs up", a, b, a},
		{"a calls, b hangs up", a, b, b},
		{"b calls, b hangs up", b, a, b},
		{"b calls, a hangs up", b, a, a},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(s.ends(c.caller.user, c.callee.user))
			talk(t, c.caller, c.callee, c.ender, c.callee.user, 4*time.Second)
			s.logsEnd(t, c.caller.user, c.callee.user, before)
		})
	}
	s.freesPorts(t)
}

// TestTwoPhonesOneUser: both ring, one answers and talks, the other one stops ringing.
func TestTwoPhonesOneUser(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	a := startBaresip(t, netns("a"), s.accounts["001"], 440)
	b := startBaresip(t, netns("b"), s.accounts["002"], 880)
	other := startBaresip(t, netns("a"), s.accounts["002"], 1320)
	for _, p := range []*baresip{a, b, other} {
		p.registered(t)
	}
	for _, c := range []struct{ answers, cancelled *baresip }{{b, other}, {other, b}} {
		before := len(s.ends(a.user, b.user))
		a.dial(t, b.user)
		b.ringing(t)
		other.ringing(t)
		c.answers.answer(t)
		a.connected(t)
		c.answers.connected(t)
		t.Logf("the other phone stops ringing: %s", c.cancelled.closed(t))
		begin := time.Now()
		both(t, a, c.answers.hz, c.answers, a.hz, 2*time.Second)
		lasted := time.Since(begin)
		a.hangup(t)
		a.closed(t)
		c.answers.closed(t)
		measure(t, "caller", a, c.answers, lasted)
		measure(t, "callee", c.answers, a, lasted)
		s.logsEnd(t, a.user, b.user, before)
	}
	s.freesPorts(t)
}

// TestLinphone: phones of two makers call each other.
func TestLinphone(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	a := startBaresip(t, netns("a"), s.accounts["001"], 440)
	b := startLinphone(t, netns("b"), s.accounts["002"], 880)
	a.registered(t)
	b.registered(t)
	for _, c := range []struct {
		name           string
		caller, callee phone
		to             string
	}{
		{"baresip calls linphonec", a, b, b.user},
		{"linphonec calls baresip", b, a, a.user},
		{"baresip calls linphonec by the GRUU that it got", a, b, b.gruu(t)},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := len(s.ends(a.user, b.user))
			talk(t, c.caller, c.callee, c.caller, c.to, 4*time.Second)
			s.logsEnd(t, a.user, b.user, before)
		})
	}
	if !b.wrote("\nContact: <" + b.gruu(t) + ">") {
		t.Error("linphonec does not give its GRUU out as its Contact")
	}
}

// TestReinvite: each phone sends an offer within the call, and nothing is lost of what they hear.
func TestReinvite(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	a, b := s.twoPhones(t)
	call(t, a, b, b.user)
	begin := time.Now()
	both(t, a, b.hz, b, a.hz, time.Second)
	for i, p := range []*baresip{a, b, a} {
		p.do(t, "reinvite", "")
		eventually(t, 5*time.Second, "the new offer is answered", func() bool {
			return strings.Count(a.output.String()+b.output.String(), "got re-INVITE (SDP Offer)") == i+1
		})
		both(t, a, b.hz, b, a.hz, time.Second)
	}
	lasted := time.Since(begin)
	a.hangup(t)
	a.closed(t)
	b.closed(t)
	measure(t, "caller", a, b, lasted)
	measure(t, "callee", b, a, lasted)
	s.logsEnd(t, a.user, b.user, 0)
}

// TestHold: each side holds the call and takes it back; then both are heard again; without ICE and
// with it. baresip 1.0 itself stays deaf after a hold, so what counts here is what arrives at its
// network device.
func TestHold(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	for i, with := range [][]setup{nil, {withICE}} {
		a, b := s.twoPhones(t, with...)
		toA, toB := startCapture(t, netns("a")), startCapture(t, netns("b"))
		call(t, a, b, b.user)
		both(t, a, b.hz, b, a.hz, time.Second)
		if with != nil {
			chosen(t, a, b)
		}
		for _, c := range []struct{ holder, held *baresip }{{a, b}, {b, a}} {
			before := len(c.held.output.String())
			c.holder.do(t, "hold", "")
			eventually(t, 5*time.Second, "the held phone is told", func() bool {
				return strings.Contains(c.held.output.String()[before:], "\na=sendonly\r\n")
			})
			c.holder.do(t, "resume", "")
			both(t, toA, b.hz, toB, a.hz, time.Second)
		}
		a.hangup(t)
		a.closed(t)
		b.closed(t)
		s.logsEnd(t, a.user, b.user, i)
		a.stop()
		b.stop()
	}
}

// both waits until each of two ears has heard its tone for a further d.
func both(t *testing.T, a ear, hzA float64, b ear, hzB float64, d time.Duration) {
	t.Helper()
	beforeA, beforeB := hears(a, hzA).tone, hears(b, hzB).tone
	eventually(t, d+5*time.Second, "both hear each other", func() bool {
		return hears(a, hzA).tone >= beforeA+d && hears(b, hzB).tone >= beforeB+d
	})
}
