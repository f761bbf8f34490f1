package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/guard"
)

// Who has a password of his own, and a binding, has no more tries at somebody else's than a stranger: not under his own
// name, not with his own credentials behind the others, and not four at a time.
func TestGuessesOfAUser(t *testing.T) {
	for name, request := range map[string]struct {
		as    string   // in From and To
		users []string // whose credentials it brings, in order: wrong ones, but his own
	}{
		"as himself":              {"001", []string{"002"}},
		"as the other":            {"002", []string{"002"}},
		"with his own behind":     {"001", []string{"002", "001"}},
		"with his own in between": {"001", []string{"002", "001", "002", "002"}},
		"four at a time":          {"002", []string{"002", "002", "002", "002"}},
	} {
		s := &script{newWorld(t)}
		s.cfg.Bans = guard.Limits{Count: 10, Within: time.Minute, For: time.Hour}
		s.do("user 002", "phone 001 at 198.51.100.7:5060", "registered 001")
		p := s.phone("001")
		// try says whether an answer tells right credentials from wrong ones, with those of the other user wrong or right.
		try := func(password string) string {
			delete(p.answer, "REGISTER")
			fields := [][]string{{"From", "<sip:" + request.as + "@minisip.example>;tag=1"}, {"To", "<sip:" + request.as + "@minisip.example>"}, {"Contact", ""}, {"Call-ID", "guess"}}
			m := p.request("REGISTER", &wish{auth: p, fields: fields})
			own := m.get("Authorization")
			m.set("Authorization", "")
			for _, user := range request.users {
				if user == "001" {
					m.add("Authorization", own)
					continue
				}
				p.user, p.password = user, password
				g := p.request("REGISTER", &wish{auth: p})
				m.add("Authorization", g.get("Authorization"))
				p.user, p.password = "001", "secret-001"
			}
			s.transmit(p, m)
			if a := p.answer["REGISTER"]; a != nil {
				return a.status()
			}
			return "nothing"
		}
		tried := 0
		for i := range 100 {
			if got := try(fmt.Sprint("guess", i)); got == "nothing" {
				break
			}
			tried += len(request.users) - strings.Count(strings.Join(request.users, " "), "001")
		}
		if tried > 30 {
			t.Errorf("%s: %d passwords were tried", name, tried)
		}
		if wrong := try("once more"); wrong != "nothing" {
			t.Errorf("%s: a wrong password gets %s after all", name, wrong)
		}
		s.do("001: REGISTER auth")
		if got := p.answer["REGISTER"]; got == nil || got.status() != "200" {
			t.Errorf("%s: he is not served any more himself", name)
		}
		s.finish()
	}
}

const noneOfOurs = "bm9uZS1vZi1vdXJzLW5vbmUtb2Ytb3Vy" // a nonce

// A ban is no weapon: while somebody forges the address of a phone and fails in its user's name, the phone comes back at another
// port. Who guesses there and can hear us has as many tries as anywhere.
func TestForgedGuesses(t *testing.T) {
	s := &script{newWorld(t)}
	s.cfg.Bans = guard.Limits{Count: 10, Within: time.Minute, For: time.Hour}
	s.do("phone 002 at 198.51.100.7:5060", "registered 002", "phone 666 at 198.51.100.7:6666 user 002 password guess")
	forger := s.phone("666")
	asks := func(p *phone, w *wish) string {
		delete(p.answer, "REGISTER")
		s.transmit(p, p.request("REGISTER", w))
		if a := p.answer["REGISTER"]; a != nil {
			return a.status()
		}
		return "nothing"
	}
	forge := func() {
		for i := range 40 {
			forger.nonce = noneOfOurs // what is sent to the phone's address he does not see
			s.transmit(forger, forger.request("REGISTER", &wish{auth: forger, fields: [][]string{{"Call-ID", fmt.Sprint("forged-", i)}}}))
		}
	}
	forge()
	if len(s.core.bans.List(s.now)) != 1 {
		t.Fatal("the address is not banned")
	}
	s.do("002 moves to 198.51.100.7:5070")
	p := s.phone("002")
	p.nonce = noneOfOurs
	if got := asks(p, &wish{auth: p}); got != "401" || !strings.Contains(p.answer["REGISTER"].get("WWW-Authenticate"), "stale=true") {
		t.Errorf("the phone with an old nonce got %s, want a challenge with stale", got)
	}
	if got := asks(p, &wish{}); got != "401" {
		t.Errorf("the phone at its new port got %s, want a challenge", got)
	}
	forge()
	if got := asks(p, &wish{auth: p}); got != "200" {
		t.Errorf("then with its password %s", got)
	}
	// Its success has ended the ban; now somebody behind the same address guesses, who gets the challenges too.
	heard := 0
	for i := range 100 {
		switch asks(forger, &wish{fields: [][]string{{"Call-ID", fmt.Sprint("ask-", i)}}}) {
		case "401":
		default:
			t.Fatal("no challenge for who may be the phone")
		}
		if asks(forger, &wish{auth: forger, fields: [][]string{{"Call-ID", fmt.Sprint("guess-", i)}}}) != "nothing" {
			heard++
		}
	}
	if heard > 20 {
		t.Errorf("%d guesses were looked at, want ten before the ban and ten in this minute", heard)
	}
	if got := asks(p, &wish{auth: p}); got != "200" {
		t.Errorf("the phone at the very address of its binding then got %s", got)
	}
	s.finish()
}

// Where somebody asks for names that do not exist, a phone that is in a call there is challenged as ever, though it has no
// binding. Nobody else is, whatever name he bears.
func TestCallerBesideAGuesser(t *testing.T) {
	s := &script{newWorld(t)}
	s.cfg.Silent, s.cfg.Bans = true, guard.Limits{Count: 10, Within: time.Minute, For: time.Hour}
	s.do("phone 009 at 198.51.100.99:5060", "phone 666 at 198.51.100.99:6666 user 009", "phone 002 at 192.0.2.2:5060", "registered 002",
		"009: INVITE 002", "009: ACK", "009: INVITE 002 auth", "002: 200 OK to INVITE", "009: ACK")
	for _, name := range []string{"777", "778", "779"} {
		if err := s.run("666: INVITE 002", []string{"From: <sip:" + name + "@minisip.example>;tag=1"}); err != nil {
			t.Fatal(err)
		}
	}
	s.do("666: INVITE 002")
	if a := s.phone("666").answer["INVITE"]; a != nil {
		t.Errorf("who guesses got %s", a.status())
	}
	delete(s.phone("009").answer, "INVITE")
	s.do("009: INVITE 002")
	if a := s.phone("009").answer["INVITE"]; a == nil || a.status() != "407" {
		t.Errorf("who is in a call got %v, want a challenge", a)
	}
	s.finish()
}
