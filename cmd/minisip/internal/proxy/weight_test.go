package proxy

import (
	"fmt"
	"strings"
	"testing"
)

// Long messages of one user to phones that are silent keep no more memory than as many ordinary ones as he may have under
// way, however many phones each goes to; others find room, and all of it is given back.
func TestLongMessagesAreFew(t *testing.T) {
	s := crowd(t, 3, func(c *Config) { c.MaxTransactions = 3000 })
	for i := range 5 {
		if err := s.run("u1: REGISTER auth", []string{fmt.Sprintf("Contact: <sip:u1-%d@192.0.2.2>", i)}); err != nil {
			t.Fatal(err)
		}
	}
	long := []string{"--", strings.Repeat("x", 50_000)}
	kept := func() (n int) {
		for _, tx := range s.core.servers {
			n += len(tx.last)
			if tx.ctx != nil && tx.ctx.req != nil {
				n += len(tx.ctx.req.Bytes())
			}
		}
		for _, tx := range s.core.clients {
			n += len(tx.sent)
		}
		return n
	}
	for range 50 {
		if err := s.run("u0: MESSAGE u1 auth", long); err != nil {
			t.Fatal(err)
		}
	}
	if a := s.phone("u0").answer["MESSAGE"]; a == nil || a.status() != "503" {
		t.Errorf("50 MESSAGEs were taken, want 503 for the last")
	}
	if n, most := kept(), s.cfg.MaxTransactions/9*ordinaryDatagram+7*51_000; n < most/2 || n > most {
		t.Errorf("%d bytes are kept, want at most %d and not much less", n, most)
	}
	s.do("u2: INVITE u0 auth")
	if got := s.answered("u2", "INVITE"); got != "100" {
		t.Errorf("the call of another user got %s", got)
	}
	s.finish()
}

// A long response weighs as well, for as long as it is kept, whatever came before it.
func TestLongResponsesWeigh(t *testing.T) {
	s := stage(t, 1, nil)
	s.do("001: MESSAGE 002 auth")
	if err := s.run("002a: 200 OK", []string{"--", strings.Repeat("x", 50_000)}); err != nil {
		t.Fatal(err)
	}
	if want := 50_000 / ordinaryDatagram; s.core.weight != want || s.core.usage["001"].open != 1+want {
		t.Errorf("it weighs %d, and %d in its user's account, want %d", s.core.weight, s.core.usage["001"].open-1, want)
	}
	s.finish()
}

// Answers to short requests can be long: beyond their share of memory they are given, but not remembered.
func TestLongAnswersAreFew(t *testing.T) {
	s := crowd(t, 2, func(c *Config) { c.MaxTransactions = 4000 })
	for i := range 8 {
		contact := fmt.Sprintf("Contact: <sip:%d@192.0.2.1>;x=%s", i, strings.Repeat("x", 1900))
		if err := s.run("u0: REGISTER auth", []string{contact}); err != nil {
			t.Fatal(err)
		}
	}
	for range 200 {
		if err := s.run("u0: REGISTER auth", []string{"Contact:"}); err != nil {
			t.Fatal(err)
		}
		if got := s.answered("u0", "REGISTER"); got != "200" {
			t.Fatalf("a REGISTER got %s", got)
		}
	}
	if n := s.core.answers.size; n > 1<<20 {
		t.Errorf("the answers take %d bytes, want at most %d", n, 1<<20)
	}
	s.finish()
}
