package proxy

import (
	"fmt"
	"testing"
	"time"
)

// crowd is a script with so many users who have one phone each: u0, u1 ...
func crowd(t *testing.T, users int, configure func(*Config)) *script {
	s := &script{newWorld(t)}
	configure(&s.cfg)
	for i := range users {
		s.do(fmt.Sprintf("phone u%d at 198.51.100.%d:5060", i, i+1))
	}
	for _, p := range s.phones {
		s.register(p)
	}
	s.do("wait 40s") // the REGISTERs' own transactions
	return s
}

// answered is the status that a phone has got for its latest request of a method.
func (s *script) answered(p, method string) string { return s.phone(p).answer[method].status() }

// Ten users whose calls ring without end leave ports to the eleventh; what is too much gets 503 and Retry-After.
func TestOthersFindPorts(t *testing.T) {
	s := crowd(t, 12, func(*Config) {})
	s.relay.capacity = 100
	for range 40 {
		for i := range 10 {
			s.do(fmt.Sprintf("u%d: INVITE u11 auth", i))
		}
	}
	if a := s.phone("u0").answer["INVITE"]; a.status() != "503" || a.get("Retry-After") == "" {
		t.Errorf("the 40th call got %s, Retry-After %q", a.first, a.get("Retry-After"))
	}
	if free := s.relay.Free(); free < 5 {
		t.Errorf("%d streams left, want 5 or more", free)
	}
	s.do("u10: INVITE u11 auth")
	if got := s.answered("u10", "INVITE"); got != "100" {
		t.Errorf("the call of another user got %s", got)
	}
	s.finish()
}

// One user whose calls are over as soon as they have begun has half of the ports at rest, and those of calls that one of
// ten phones has answered, which are not limited; when the rest is over he may have as many again.
func TestOthersFindRestedPorts(t *testing.T) {
	for name, lines := range map[string][]string{
		"cancelled": {"001: CANCEL", "001: ACK"},
		"rang":      {"002a: 180 Ringing to INVITE", "001: CANCEL", "002a: 487 Request Terminated to INVITE", "001: ACK"},
		"refused":   {"002a: 603 Decline to INVITE", "001: ACK"},
		"answered":  {"002a: 200 OK to INVITE", "001: ACK", "001: BYE", "002a: 200 OK to BYE"},
	} {
		s := stage(t, 10, nil)
		s.relay.capacity, s.relay.clock = 100, func() time.Time { return s.now }
		taken := 0
		for range 100 { // 8 s
			if s.invites(1, "") == 1 {
				s.do(lines...)
				taken++
			} else {
				s.do("001: ACK")
			}
			if free := s.relay.Free(); free < 40 {
				t.Fatalf("%s: %d streams are left to others", name, free)
			}
			s.do("wait 80ms")
		}
		if taken < 10 || taken > 50 {
			t.Errorf("%s: %d calls were taken", name, taken)
		}
		s.do("wait 40s")
		if n := len(s.core.usage); n != 0 {
			t.Errorf("%s: %d accounts are left: %+v", name, n, s.core.usage["001"])
		}
		s.finish()
	}
}

// A phone that does not say that it has stopped ringing holds ports when its call is forgotten; they count to the caller
// until it is given up.
func TestLosersCount(t *testing.T) {
	s := stage(t, 2, nil)
	s.do("001: INVITE 002 auth", "002b: 100 Trying to INVITE", "002a: 200 OK to INVITE", "001: ACK", "001: BYE", "002a: 200 OK to BYE", "wait 10s")
	if n := s.core.usage["001"].streams; n != 1 || s.relay.open != 1 || s.core.sampler.calls != 0 {
		t.Errorf("%d streams count, %d are open; %d calls are known", n, s.relay.open, s.core.sampler.calls)
	}
	s.do("wait 40s")
	if n := len(s.core.usage); n != 0 || s.relay.open != 0 {
		t.Errorf("%d streams are open, %d accounts are left", s.relay.open, n)
	}
	s.finish()
}

// A user who sends requests without end has a ninth of the transactions; calls of others go on, and so does
// the end of his own.
func TestOthersFindTransactions(t *testing.T) {
	s := crowd(t, 3, func(c *Config) { c.MaxTransactions = 900 })
	s.do("u0: INVITE u1 auth", "u1: 200 OK", "u0: ACK")
	for range 300 {
		s.do("u0: MESSAGE u1 auth")
	}
	if got := s.answered("u0", "MESSAGE"); got != "503" {
		t.Errorf("the 300th MESSAGE got %s", got)
	}
	if n := len(s.core.servers); n > 130 {
		t.Errorf("%d server transactions, want at most a ninth of 900 and a few", n)
	}
	s.do("u2: INVITE u1 auth")
	if got := s.answered("u2", "INVITE"); got != "100" {
		t.Errorf("the call of another user got %s", got)
	}
	s.do("u0: BYE", "u1: 200 OK to BYE")
	if got := s.answered("u0", "BYE"); got != "200" {
		t.Errorf("his own BYE got %s", got)
	}
	s.finish()
}

// REGISTERs without end leave the last quarter of the transactions to what is forwarded, and are answered all the same.
func TestRegistersLeaveRoom(t *testing.T) {
	s := crowd(t, 2, func(c *Config) { c.MaxTransactions = 100 })
	for range 200 {
		s.register(s.phone("u0"))
	}
	if n := len(s.core.servers) + s.core.answers.len(); n != 75 {
		t.Errorf("%d server transactions, want 75", n)
	}
	s.do("u0: INVITE u1 auth")
	if got := s.answered("u0", "INVITE"); got != "100" {
		t.Errorf("a call got %s", got)
	}
	s.now = s.now.Add(time.Second)
	s.finish()
}

// However many users there are who send requests without end, a sixteenth of the transactions is left to BYE.
func TestCallsCanEnd(t *testing.T) {
	s := crowd(t, 62, func(c *Config) { c.MaxTransactions = 320 })
	s.do("u0: INVITE u1 auth", "u1: 200 OK", "u0: ACK")
	for range 20 {
		for i := 2; i < 62; i++ {
			s.do(fmt.Sprintf("u%d: MESSAGE u1 auth", i))
		}
	}
	if free := s.core.freeTransactions(); free != 320/16 {
		t.Errorf("%d transactions are left, want %d", free, 320/16)
	}
	s.do("u0: BYE", "u1: 200 OK to BYE")
	if got := s.answered("u0", "BYE"); got != "200" {
		t.Errorf("the BYE got %s", got)
	}
	s.finish()
}
