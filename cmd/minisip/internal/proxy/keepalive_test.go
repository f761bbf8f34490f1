package proxy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/location"
)

// pings counts the OPTIONS sent to each phone since the last call.
func (w *world) pings() map[string]int {
	n := map[string]int{}
	for _, e := range w.events {
		if strings.HasPrefix(e.text, "OPTIONS ") && e.from == "minisip" {
			n[e.to]++
		}
	}
	w.events = nil
	return n
}

// Pings of phones that registered at the same moment spread evenly over the interval, and
// each goes on at its own pace.
func TestPingsAreSpread(t *testing.T) {
	const phones, interval = 1000, 25
	w := newWorld(t)
	w.cfg.Keepalive = interval * time.Second
	s := &script{w}
	for i := range phones {
		p := w.addPhone(fmt.Sprint(i), fmt.Sprintf("10.0.%d.%d:1024", i/250, i%250+1))
		p.claims = netip.MustParseAddrPort("192.168.0.2:5060")
		w.users[p.user] = p.password
	}
	for _, p := range w.phones {
		s.register(p)
	}
	all := map[string]int{}
	for second := range interval {
		w.advance(time.Second)
		pings := w.pings()
		for name, n := range pings {
			all[name] += n
		}
		if n := len(pings); n < phones/interval/2 || n > phones/interval*2 {
			t.Errorf("second %d: %d pings of %d in %d s", second, n, phones, interval)
		}
	}
	for _, p := range w.phones {
		if all[p.name] != 1 {
			t.Errorf("%s got %d pings in the first interval", p.name, all[p.name])
		}
	}
	w.advance(10 * interval * time.Second)
	for name, n := range w.pings() {
		if n != 10 {
			t.Errorf("%s got %d pings in ten intervals", name, n)
		}
	}
}

// A phone is taken out of routing after three silent pings, if it ever answered one.
func TestDeadPhones(t *testing.T) {
	tests := []struct {
		name     string
		claims   string
		answers  string // to its pings, in order: y, n
		heard    string // what comes from its address then
		routable bool
	}{
		{"answers", "10.0.0.4:5060", "yyyyy", "", true},
		{"never answered", "10.0.0.4:5060", "nnnnnnnn", "", true},
		{"two missed", "10.0.0.4:5060", "ynn", "", true},
		{"three missed", "10.0.0.4:5060", "ynnn", "", false},
		{"not in a row", "10.0.0.4:5060", "ynnynny", "", true},
		{"back by an answer", "10.0.0.4:5060", "ynnnny", "", true},
		{"back by a request", "10.0.0.4:5060", "ynnn", "002a: OPTIONS sip:minisip.example", true},
		{"back by a REGISTER", "10.0.0.4:5060", "ynnn", "002a: REGISTER auth", true},
		{"not by somebody else", "10.0.0.4:5060", "ynnn", "001: OPTIONS sip:minisip.example", false},
		{"not behind NAT, never pinged", "192.0.2.1:5060", "", "", true},
	}
	for _, tt := range tests {
		w := newWorld(t)
		w.cfg.Keepalive = 25 * time.Second
		s := &script{w}
		s.do("phone 001 at 198.51.100.7:5060", "phone 002a at 192.0.2.1:5060 user 002 claims "+tt.claims, "registered 001 002a")
		for _, a := range tt.answers {
			for w.events = nil; len(w.pings()) == 0; {
				w.advance(time.Second)
			}
			if a == 'y' {
				s.do("002a: 200 OK to OPTIONS")
			}
		}
		w.advance(24 * time.Second)
		if pings := w.pings()["002a"]; tt.answers == "" && pings != 0 {
			t.Errorf("%s: %d pings", tt.name, pings)
		}
		if tt.answers != "" {
			w.advance(time.Second) // the ping that notices the one before
		}
		if tt.heard != "" {
			s.do(tt.heard)
		}
		s.do("001: INVITE 002 auth")
		if got := s.answerTo001() == "SIP/2.0 100 Trying"; got != tt.routable {
			t.Errorf("%s: the caller got %s", tt.name, s.answerTo001())
		}
		w.finish()
	}
}

// A phone that has been given up stays so when another one of its user registers.
func TestDeadBesideAnother(t *testing.T) {
	w := newWorld(t)
	w.cfg.Keepalive = 25 * time.Second
	s := &script{w}
	s.do("phone 001 at 198.51.100.7:5060", "phone 002a at 192.0.2.1:5060 user 002 claims 10.0.0.4:5060", "phone 002b at 192.0.2.2:5060 user 002",
		"registered 001 002a 002b", "wait 25s", "002a: 200 OK to OPTIONS", "wait 100s", "002b: REGISTER auth")
	w.events = nil
	s.do("001: INVITE 002 auth")
	rings := map[string]bool{}
	for _, e := range w.events {
		if strings.HasPrefix(e.text, "INVITE ") && e.from == "minisip" {
			rings[e.to] = true
		}
	}
	if rings["002a"] || !rings["002b"] {
		t.Errorf("the call rings at %v, want 002b alone", rings)
	}
	w.finish()
}

// A phone that answers no pings any more, but of which other things are heard, is not silent.
func TestNotDeadWhileHeard(t *testing.T) {
	w := newWorld(t)
	w.cfg.Keepalive = 25 * time.Second
	s := &script{w}
	s.do("phone 001 at 198.51.100.7:5060", "phone 002 at 192.0.2.1:5060 claims 10.0.0.4:5060", "registered 001 002", "wait 25s", "002: 200 OK to OPTIONS")
	for range 10 {
		s.do("wait 40s")
		s.send(s.phone("002"), []byte("\r\n\r\n"))
	}
	if s.said("has not answered") {
		t.Error("it was taken out of routing")
	}
	if n := s.core.missed; n != 0 {
		t.Errorf("%d bindings have missed pings after it was heard", n)
	}
	s.do("wait 101s")
	if !s.said("has not answered") || s.core.missed != 1 {
		t.Errorf("silent, it was not taken out of routing; %d have missed pings", s.core.missed)
	}
	w.finish()
}

// What a proxy answers for a phone is no answer of the phone.
func TestPingsAnsweredByAProxy(t *testing.T) {
	for answer, dead := range map[string]bool{"200 OK": false, "404 Not Found": false, "100 Trying": true, "408 Request Timeout": true, "430 Flow Failed": true} {
		w := newWorld(t)
		w.cfg.Keepalive = 25 * time.Second
		s := &script{w}
		s.do("phone edge at 192.0.2.50:5060 user 002", "edge: REGISTER")
		if err := s.run("edge: REGISTER auth", []string{"Contact: <sip:002@10.0.0.4>", "Path: <sip:192.0.2.50;lr>"}); err != nil {
			t.Fatal(err)
		}
		s.do("wait 25s", "edge: 200 OK to OPTIONS")
		for range 4 {
			s.do("wait 25s", "edge: "+answer+" to OPTIONS")
		}
		if s.said("has not answered") != dead {
			t.Errorf("%s: dead %v, want %v", answer, !dead, dead)
		}
		w.finish()
	}
}

// Where a datagram comes from tells that a phone is there, but not which one of those behind a proxy.
func TestDeadBehindAProxy(t *testing.T) {
	for _, tt := range []struct {
		name, path, heard string
		back              bool
	}{
		{"a gateway's other user", "", "001: OPTIONS sip:minisip.example", true},
		{"another user", "<sip:192.0.2.50;lr>", "001: OPTIONS sip:minisip.example", false},
		{"another user's answer to a ping", "<sip:192.0.2.50;lr>", "001: 200 OK to OPTIONS", false},
		{"another phone of the user", "<sip:192.0.2.50;lr>", "edge: REGISTER auth", false},
		{"the user", "<sip:192.0.2.50;lr>", "edge: OPTIONS sip:minisip.example", true},
	} {
		w := newWorld(t)
		w.cfg.Keepalive = 25 * time.Second
		s := &script{w}
		s.do("phone 001 at 192.0.2.50:5060 claims 10.0.0.4:5060", "phone edge at 192.0.2.50:5060 user 002", "registered 001", "wait 25s")
		edge := s.phone("edge")
		edge.nonce, edge.nc = s.phone("001").nonce, 1 // what comes to their address is for 001
		u := location.Update{AOR: "002", CallID: "dead", CSeq: 1, NAT: true, Local: ours4, Source: edge.addr,
			Contacts: []location.Contact{{URI: "sip:002@10.0.0.5", Expires: time.Hour, Q: 1000}}}
		if tt.path != "" {
			u.Path = []string{tt.path}
		}
		bindings, err := s.core.where.Register(s.now, &u)
		if err != nil {
			t.Fatal(err)
		}
		bindings[0].Ping = location.Ping{Answered: true, Misses: deadAfter, Suspended: true}
		s.core.missed, s.core.suspended = 1, 1
		s.do("wait 1s", tt.heard)
		if n := len(s.core.where.Bindings(s.now, "002")); strings.Contains(tt.heard, "REGISTER") && n != 2 {
			t.Fatalf("%s: %d bindings", tt.name, n)
		}
		if back := !bindings[0].Ping.Suspended; back != tt.back {
			t.Errorf("%s: back in routing: %v", tt.name, back)
		}
	}
}

// The answer to a ping that the next one has followed says nothing: neither how far the phone is, nor that it answers.
func TestLateAnswerToAPing(t *testing.T) {
	w := newWorld(t)
	w.cfg.Keepalive = 25 * time.Second
	s := &script{w}
	s.do("phone 002 at 192.0.2.1:5060 claims 10.0.0.4:5060", "registered 002", "wait 25s")
	p := s.phone("002")
	late := p.response("200", "OK", &wish{to: "OPTIONS"})
	s.do("wait 25s")
	s.send(p, late.bytes())
	if ping := s.core.where.Bindings(s.now, "002")[0].Ping; ping.Answered || ping.RTT != 0 {
		t.Errorf("%+v", ping)
	}
	s.do("wait 1s", "002: 200 OK to OPTIONS")
	if ping := s.core.where.Bindings(s.now, "002")[0].Ping; !ping.Answered || ping.RTT == 0 {
		t.Errorf("in time: %+v", ping)
	}
	w.finish()
}

// Pings end with the registration.
func TestPingsEnd(t *testing.T) {
	w := newWorld(t)
	w.cfg.Keepalive = 25 * time.Second
	s := &script{w}
	s.do("phone 002 at 192.0.2.1:5060 claims 10.0.0.4:5060", "registered 002", "wait 1h")
	if n := w.pings()["002"]; n != 144 {
		t.Errorf("%d pings in an hour, want 144", n)
	}
	s.do("wait 1h")
	if n := len(w.pings()); n != 0 {
		t.Errorf("%d pings after the registration ran out", n)
	}
	w.finish()
}

// Over a restart, whenever it comes, no way to a phone is left without a ping for much longer than the interval: neither
// is a turn begun anew, nor is one lost while nobody was there.
func TestPingsGoOnOverRestart(t *testing.T) {
	const phones, interval, away = 100, 25 * time.Second, 8 * time.Second
	w := newWorld(t)
	w.keeps()
	w.cfg.Keepalive = interval
	s := &script{w}
	for i := range phones {
		p := w.addPhone(fmt.Sprint(i), fmt.Sprintf("10.0.0.%d:1024", i+1))
		p.claims = netip.MustParseAddrPort("192.168.0.2:5060")
		w.users[p.user] = p.password
	}
	for _, p := range w.phones {
		s.register(p)
	}
	w.advance(interval)
	last := map[string]time.Time{}
	for _, p := range w.phones {
		last[p.name] = w.now
	}
	w.events = nil
	watch := func(d time.Duration) {
		for end := w.now.Add(d); w.now.Before(end); {
			w.advance(100 * time.Millisecond)
			for name, n := range w.pings() {
				if gap := w.now.Sub(last[name]); n > 0 && gap > interval+away+time.Second {
					t.Errorf("%s was not pinged for %v", name, gap)
				}
				last[name] = w.now
			}
		}
	}
	watch(interval + 10*time.Second)
	for _, up := range []time.Duration{10 * time.Second, 7 * time.Second, 20 * time.Second, 3 * time.Minute} {
		w.now = w.now.Add(away)
		w.restart()
		watch(up)
	}
	for _, p := range w.phones {
		if gap := w.now.Sub(last[p.name]); gap > interval+time.Second {
			t.Errorf("%s was not pinged for %v in the end", p.name, gap)
		}
	}
}

// A loop that is late, as every real one is, leaves nobody out: with one phone behind NAT the hand has a whole turn to go,
// and has not slept when that took a little longer. When it has slept, one ping is enough.
func TestPingsOfALateLoop(t *testing.T) {
	const interval = 25 * time.Second
	for phones := 1; phones <= 3; phones++ {
		w := newWorld(t)
		w.cfg.Keepalive = interval
		s := &script{w}
		all := "registered"
		for i := range phones {
			s.do(fmt.Sprintf("phone 00%d at 192.0.2.%d:5060 claims 10.0.0.4:5060", i+1, i+1))
			all += fmt.Sprintf(" 00%d", i+1)
		}
		s.do(all)
		w.events = nil
		late := time.Duration(0)
		for end := w.now.Add(10 * interval); w.core.Deadline().Before(end); late = (late + 3*time.Millisecond) % (40 * time.Millisecond) {
			w.now = w.core.Deadline().Add(late)
			w.core.Tick(w.now)
		}
		pings := w.pings()
		for _, p := range w.phones {
			if n := pings[p.name]; n < 9 || n > 10 {
				t.Errorf("%s, one of %d phones, got %d pings in ten intervals", p.name, phones, n)
			}
		}
		w.now = w.now.Add(10 * interval)
		w.core.Tick(w.now)
		w.advance(interval)
		pings = w.pings()
		for _, p := range w.phones {
			if n := pings[p.name]; n < 1 || n > 2 {
				t.Errorf("%s, one of %d phones, got %d pings in an interval after a sleep", p.name, phones, n)
			}
		}
	}
}

// A side of a call that has moved behind a NAT is pinged where it is now, once an interval however often it moves, for as
