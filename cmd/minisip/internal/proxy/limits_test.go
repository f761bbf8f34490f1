package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"minisip/digest"
	"minisip/session"
	"minisip/sipmsg"
)

func duration(t testing.TB, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// stage is a script with phones that have registered: 001, and 002a to 002z of user 002.
func stage(t testing.TB, callees int, configure func(*Config)) *script {
	s := &script{newWorld(t)}
	if configure != nil {
		configure(&s.cfg)
	}
	define := func(line string) {
		if err := s.definePhone(strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
	}
	define("001 at 198.51.100.7:5060")
	for i := range callees {
		define(fmt.Sprintf("002%c at 192.0.2.%d:5060 user 002", 'a'+i, i+1))
	}
	for _, p := range s.phones {
		s.register(p)
	}
	return s
}

// do carries out script lines.
func (s *script) do(lines ...string) {
	s.t.Helper()
	for _, line := range lines {
		if err := s.run(line, nil); err != nil {
			s.t.Fatalf("%s: %v", line, err)
		}
	}
}

// answerTo001 is the start line of the latest response that 001 got for its INVITE.
func (s *script) answerTo001() string { return s.phone("001").answer["INVITE"].first }

// TestBestResponse lets each phone answer in order with one of the statuses; a "-" never
// answers. Then the response of RFC 3261 16.7 step 6 has gone to the caller.
func TestBestResponse(t *testing.T) {
	tests := []struct{ answers, want string }{
		{"486", "486"},
		{"404 486", "404"},
		{"486 404", "404"},
		{"486 486", "486"},
		{"503 486", "486"},
		{"500 486", "486"},
		{"486 302", "302"},
		{"302 486", "302"},
		{"404 407", "407"}, // what tells the phone how to go on is better
		{"400 401", "401"},
		{"404 415", "415"},
		{"404 422", "422"}, // RFC 4028 6
		{"480 484", "484"},
		{"- 486", "486"}, // somebody who answered knows more
		{"408 486", "486"},
		{"408 503", "408"}, // the lowest class
		{"-", "408"},
		{"- -", "408"},
		{"503", "500"}, // a 503 is about that phone's server
		{"503 503", "500"},
		{"503 500", "500"},
		{"600 486", "600"}, // 6xx ends it
		{"486 603", "603"},
		{"486 200", "200"},
		{"486 404 480", "404"},
		{"401 407", "401"},
		{"699", "699"},
		{"399 499", "399"},
	}
	for _, tt := range tests {
		answers := strings.Fields(tt.answers)
		s := stage(t, len(answers), nil)
		s.do("001: INVITE 002 auth")
		for i, a := range answers {
			p := fmt.Sprintf("002%c", 'a'+i)
			if a == "-" || s.phone(p).got["CANCEL"] != nil {
				continue
			}
			s.do(p + ": " + a + " Answer to INVITE")
		}
		for _, p := range s.phones {
			if p.got["CANCEL"] != nil {
				s.do(p.name+": 200 OK to CANCEL", p.name+": 487 Request Terminated to INVITE")
			}
		}
		s.do("at 33s")
		if got := word(s.answerTo001(), 1); got != tt.want {
			t.Errorf("%s: the caller got %s, want %s", tt.answers, got, tt.want)
		}
		if tt.want >= "300" {
			s.do("001: ACK")
		} else {
			s.do("001: ACK", "001: BYE", "002b: 200 OK to BYE")
		}
		s.finish()
	}
}

// RFC 3261 16.7 step 7: the challenges of all branches go into the 401 or 407 chosen.
func TestChallengesAreGathered(t *testing.T) {
	s := stage(t, 3, nil)
	s.do("001: INVITE 002 auth")
	for p, lines := range map[string][]string{
		"002a: 401 Unauthorized to INVITE":                  {`WWW-Authenticate: Digest realm="a", nonce="1"`},
		"002b: 407 Proxy Authentication Required to INVITE": {`Proxy-Authenticate: Digest realm="b", nonce="2"`},
		"002c: 486 Busy Here to INVITE":                     nil,
	} {
		if err := s.run(p, lines); err != nil {
			t.Fatal(err)
		}
	}
	a := s.phone("001").answer["INVITE"]
	if www, proxy := a.all("WWW-Authenticate"), a.all("Proxy-Authenticate"); len(www) == 0 || len(proxy) == 0 {
		t.Errorf("the caller got %s with %q and %q", a.first, www, proxy)
	}
	s.do("001: ACK")
	s.finish()
}

// A user's unanswered calls are limited, answered ones are not; refused ones give room.
func TestPendingLimit(t *testing.T) {
	s := stage(t, 1, func(c *Config) { c.MaxPending = 3 })
	for i, step := range []struct {
		do   string
		want string
	}{
		{"", "100"}, {"", "100"}, {"", "100"}, {"", "503"},
		{"002a: 486 Busy Here to INVITE", "100"}, {"", "503"},
		{"002a: 200 OK to INVITE", "100"}, {"", "503"},
	} {
		if step.do != "" {
			s.do(step.do)
		}
		s.do("001: INVITE 002 auth")
		if got := word(s.answerTo001(), 1); got != step.want {
			t.Errorf("step %d: the caller got %s, want %s", i, got, step.want)
		}
		if step.want == "503" && s.phone("001").answer["INVITE"].get("Retry-After") == "" {
			t.Errorf("step %d: 503 without Retry-After", i)
		}
	}
	if n := s.core.usage["001"].pending; n != 3 {
		t.Errorf("%d calls pending, want 3", n)
	}
	s.finish()
}

// With its tables full the core refuses with 503 and goes on with what it has.
func TestTablesAreBounded(t *testing.T) {
	for _, configure := range []func(*Config){
		func(c *Config) { c.MaxCalls = 5 },
		func(c *Config) { c.MaxTransactions = 5 },
	} {
		s := stage(t, 1, func(c *Config) { c.MaxPending = 1000; configure(c) })
		if s.cfg.MaxTransactions > 0 {
			s.do("wait 40s") // the REGISTERs' own
		}
		for range 20 {
			s.do("001: INVITE 002 auth")
		}
		if got := s.answerTo001(); got != "SIP/2.0 503 Service Unavailable" {
			t.Errorf("the 20th call got %s", got)
		}
		if s.core.sampler.calls > 5 || s.relay.open > 5 {
			t.Errorf("%d calls and %d streams, want at most 5", s.core.sampler.calls, s.relay.open)
		}
		if n := s.core.Counters().Dropped[Overload]; n == 0 {
			t.Error("nothing counted as overload")
		}
		s.finish()
	}
}

// Calls under one Call-ID and tag count each: no spiral and no copy goes past the limit.
func TestSameCallAgainCounts(t *testing.T) {
	s := stage(t, 1, func(c *Config) { c.MaxPending = 1000; c.MaxCalls = 5 })
	for range 20 {
		if err := s.run("001: INVITE 002 auth", []string{"From: <sip:001@minisip.example>;tag=x", "Call-ID: same"}); err != nil {
			t.Fatal(err)
		}
	}
	if s.core.sampler.calls != 5 || s.relay.open != 5 {
		t.Errorf("%d calls with %d streams, want 5", s.core.sampler.calls, s.relay.open)
	}
	s.finish()
}

// What a stranger can make the core do for one datagram costs next to no memory.
func TestStrangersCostLittle(t *testing.T) {
	b := newBench(t)
	b.begin(0)
	for _, tt := range []struct {
		name     string
		datagram template
		most     float64
	}{
		{"a challenge", benchInvite, 0},
		{"its ACK", benchRefAck, 2},
		{"a stray response", benchRings, 0},
		{"a request inside no dialog", benchBye, 2},
	} {
		b.via = []byte("Via: SIP/2.0/UDP 203.0.113.1:5060;branch=z9hG4bK0123456789abcdef01234567\r\n")
		if n := testing.AllocsPerRun(100, func() { b.give(2, tt.datagram) }); n > tt.most {
			t.Errorf("%s: %v allocations, want at most %v", tt.name, n, tt.most)
		}
	}
	if left := b.core.answers.len() + len(b.core.servers) + len(b.core.clients) + len(b.core.calls); left != 2 {
		t.Errorf("%d entries in the tables, want those of the two REGISTERs", left)
	}
}

// SetUsers ends the registrations of those who are gone, and their pings.
func TestUsersGone(t *testing.T) {
	w := newWorld(t)
	w.cfg.Keepalive = 25 * time.Second
	s := &script{w}
	s.do("phone 001 at 198.51.100.7:5060 claims 10.0.0.1:5060", "phone 002 at 192.0.2.1:5060 claims 10.0.0.4:5060", "registered 001 002")
	users, err := digest.ParseUsers("users.conf", nil, testRealm)
	if err == nil {
		err = users.AddJSON([]byte(`{"001": "secret-001"}`))
	}
	if err != nil {
		t.Fatal(err)
	}
	w.core.SetUsers(users)
	w.events = nil
	s.do("wait 1m")
	if n := w.pings(); n["001"] == 0 || n["002"] != 0 {
		t.Errorf("pings %v, want some to 001 alone", n)
	}
	s.do("001: INVITE 002 auth")
	if got := s.answerTo001(); got != "SIP/2.0 404 Not Found" {
		t.Errorf("a call to the user who is gone got %s", got)
	}
	w.finish()
}

// Pings that wait for an answer leave room for calls.
func TestPingsTakeNoRoom(t *testing.T) {
	w := newWorld(t)
	w.cfg.Keepalive, w.cfg.MaxTransactions = 25*time.Second, 8
	s := &script{w}
	for i := range 9 {
		s.do(fmt.Sprintf("phone %d at 192.0.2.%d:5060 claims 10.0.0.4:5060", i, i+1))
	}
	for i := range 9 {
		s.do(fmt.Sprintf("registered %d", i), "wait 40s")
	}
	waiting := 0
	for _, p := range s.core.pingers.all {
		if p.waiting != 0 {
			waiting++
		}
	}
	if waiting < 8 || len(s.core.clients) > 0 {
		t.Fatalf("%d pings wait, want 8 or more; %d client transactions, want none", waiting, len(s.core.clients))
	}
	s.do("0: MESSAGE 1 auth", "0: MESSAGE 1 auth")
	if got := s.phone("1").got["MESSAGE"]; got == nil {
		t.Error("the MESSAGE was refused")
	}
	s.finish()
}

// A proxy behind us that forks without end makes no more dialogs than the cap allows, and
// what is beyond it is hung up without harm to the rest.
func TestDialogsAreBounded(t *testing.T) {
	s := stage(t, 1, nil)
	s.do("001: INVITE 002 auth")
	for i := range maxDialogs + 5 {
		if err := s.run("002a: 200 OK to INVITE", []string{fmt.Sprintf("To: <sip:002@minisip.example>;tag=t%d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.core.callsOf("001")[0].dialogs); n != maxDialogs {
		t.Errorf("%d dialogs, want %d", n, maxDialogs)
	}
	if s.relay.open != 1 {
		t.Errorf("%d streams open, want 1", s.relay.open)
	}
	if s.phone("002a").got["BYE"] == nil {
		t.Error("what is too much was not hung up")
	}
	s.finish()
}

// A call keeps little of what its sides say of themselves: a caller who says more is refused, a phone that answers so
// is hung up.
func TestSidesAreBounded(t *testing.T) {
	long := "<sip:10.0.0.9;lr;x=" + strings.Repeat("x", 5000) + ">"
	fields := []string{"+Record-Route: " + long, "+Record-Route: " + long}
	s := stage(t, 1, nil)
	if err := s.run("001: INVITE 002 auth", fields); err != nil {
		t.Fatal(err)
	}
	if got := s.answerTo001(); got != "SIP/2.0 513 Message Too Large" || s.core.sampler.calls != 0 {
		t.Errorf("the caller got %s; %d calls are known", got, s.core.sampler.calls)
	}
	s.do("001: ACK", "001: INVITE 002 auth")
	for _, answer := range []string{"180 Ringing", "200 OK"} {
		if err := s.run("002a: "+answer+" to INVITE", fields); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.core.callsOf("001")[0].dialogs); n != 0 {
		t.Errorf("%d dialogs, want none", n)
	}
	if s.phone("002a").got["BYE"] == nil {
		t.Error("the phone was not hung up")
	}
	s.finish()
}

// Who answers on hold holds his own dialog, not that of another phone.
func TestHoldIsOfOneDialog(t *testing.T) {
	s := stage(t, 2, nil)
	s.do("001: INVITE 002 auth", "002a: 200 OK to INVITE", "002b: 200 OK inactive to INVITE")
	for i, d := range s.core.callsOf("001")[0].dialogs {
		if held := i == 1; d.media.held[session.Callee] != held {
			t.Errorf("%s holds: %v", d.callee.Addr, d.media.held[session.Callee])
		}
	}
	s.finish()
}

// The Reason fields of a CANCEL go on as far as they fit into 512 bytes, each whole.
func TestReasonsAreBounded(t *testing.T) {
	reason := func(size int) string { return "SIP;text=" + strings.Repeat("x", size-len("SIP;text=")) }
	line := func(value string) string { return "Reason: " + value + "\r\n" }
	for _, tt := range []struct {
		fields []string
		want   string
	}{
		{nil, ""},
		{[]string{reason(512)}, line(reason(512))},
		{[]string{reason(513)}, ""},
		{[]string{reason(200), reason(400), reason(100)}, line(reason(200)) + line(reason(100))},
	} {
		text := "CANCEL sip:002@minisip.example SIP/2.0\r\n"
		for _, value := range tt.fields {
			text += line(value)
		}
		var m sipmsg.Message
		m.Parse([]byte(text + "\r\n"))
		if got := string(reasonFields(&m)); got != tt.want {
			t.Errorf("of %d fields: %d bytes, want %d", len(tt.fields), len(got), len(tt.want))
		}
	}
}
