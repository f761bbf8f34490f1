package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/guard"
)

// attacked is a script in which somebody without a binding has got 198.51.100.7 banned, ten failures within a minute, by
// asking for so many names that do not exist and then guessing at the password of 001. 666 is he, with a challenge from before.
func attacked(t *testing.T, unknown int) *script {
	s := &script{newWorld(t)}
	s.cfg.Bans = guard.Limits{Count: 10, Within: time.Minute, For: time.Hour}
	s.do("phone 002 at 198.51.100.7:5060", "phone 666 at 198.51.100.7:6666 user 001 password guess", "registered 002", "666: REGISTER")
	for i := range 10 {
		as := "001"
		if i < unknown {
			as = fmt.Sprint("77", i)
		}
		s.tries("666", as)
	}
	if len(s.core.bans.List(s.now)) != 1 {
		t.Fatal("the address is not banned")
	}
	return s
}

// tries lets a phone send a REGISTER with its credentials, as itself or somebody else, and gives the status of the answer, "" for none.
func (s *script) tries(name, as string) string {
	s.t.Helper()
	p := s.phone(name)
	delete(p.answer, "REGISTER")
	user := p.user
	p.user = as
	if err := s.run(name+": REGISTER auth", []string{fmt.Sprint("Call-ID: ", len(s.events), "@", as)}); err != nil {
		s.t.Fatal(err)
	}
	p.user = user
	if a := p.answer["REGISTER"]; a != nil {
		return a.status()
	}
	return ""
}

// Who has failed at a banned address hears nothing but that his password is right, and has ten tries a minute for that, right
// or wrong.
func TestTenTriesAMinute(t *testing.T) {
	for wrong, want := range map[int]string{9: "200", 10: ""} {
		s := attacked(t, 0)
		for i := range wrong {
			if got := s.tries("666", "001"); got != "" {
				t.Errorf("try %d was answered: %s", i, got)
			}
		}
		s.phone("666").password = "secret-001"
		if got := s.tries("666", "001"); got != want {
			t.Errorf("the right password after %d wrong ones got %q, want %q", wrong, got, want)
		}
		s.do("wait 7s")
		if got := s.tries("666", "001"); got != "200" {
			t.Errorf("the right password, when there is a try again, got %q", got)
		}
		s.finish()
	}
}

// Tries for names that do not exist use up none: there is nothing to be right.
func TestUnknownNamesUseUpNoTries(t *testing.T) {
	s := attacked(t, 0)
	for range 20 {
		s.tries("666", "999")
	}
	s.phone("666").password = "secret-001"
	if got := s.tries("666", "001"); got != "200" {
		t.Errorf("the right password got %q", got)
	}
	s.finish()
}

// A phone that is registered from a banned address, and has not failed, is served at another port as well when all tries
// are used up, also where names are guessed at.
func TestOtherPortWithoutTries(t *testing.T) {
	s := attacked(t, 3)
	for range 20 {
		s.tries("666", "001")
	}
	s.do("002 moves to 198.51.100.7:5070", "002: REGISTER")
	if got := s.tries("002", "002"); got != "200" {
		t.Errorf("the phone got %q", got)
	}
	s.finish()
}

// Where names are guessed at and nobody is banned, a phone that is registered from there has its password judged whatever
// nonce it comes with: if that is wrong, it is not told that only the nonce was.
func TestWrongPasswordBesideAGuesser(t *testing.T) {
	s := &script{newWorld(t)}
	s.cfg.Bans = guard.Limits{Count: 100, Within: time.Minute, For: time.Hour}
	s.do("phone 002 at 198.51.100.7:5060", "registered 002", "002 moves to 198.51.100.7:5070")
	p := s.phone("002")
	p.password, p.nonce = "wrong", noneOfOurs
	s.tries("002", "002") // and so he has failed
	for i := range 3 {
		s.tries("002", fmt.Sprint("77", i))
	}
	p.nonce = noneOfOurs
	got := s.tries("002", "002")
	if got != "401" || strings.Contains(p.answer["REGISTER"].get("WWW-Authenticate"), "stale") {
		t.Errorf("the answer to a wrong password: %q, %v", got, p.answer["REGISTER"])
	}
	s.finish()
}
