package proxy

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"minisip/dialcmd"
)

// logged lists the log's lines since the last call; one that goes over several lines is one.
func (w *world) logged() (lines []string) {
	for _, e := range w.events {
		if line, ok := strings.CutPrefix(e.text, "log: "); ok && e.from == "" {
			lines = append(lines, line)
		}
	}
	w.events = nil
	return lines
}

// sentTo gives the datagrams that a phone got since the last call.
func (w *world) sentTo(name string) (got []*text) {
	for _, e := range w.events {
		if e.to == name {
			got = append(got, readText([]byte(e.text)))
		}
	}
	w.events = nil
	return got
}

// dial lets 001 dial a code and gives the start line of the answer.
func (s *script) dial(code int) string {
	s.t.Helper()
	s.do(fmt.Sprintf("001: INVITE %d auth", code), "001: ACK")
	return s.answerTo001()
}

// The reason phrase that the phone shows, the one word that changes, and the line that
// says who did it; from whatever state, and in either of two orders.
func TestDialCodes(t *testing.T) {
	want := map[int]struct {
		phrase string
		word   func(*Features) *bool // nil: nothing changes
		on     bool
		also   string // begins a second line of the log
	}{
		985: {"silent OFF", func(f *Features) *bool { return &f.Silent }, false, ""},
		986: {"silent ON", func(f *Features) *bool { return &f.Silent }, true, ""},
		987: {"duplicate OFF", func(f *Features) *bool { return &f.Duplicate }, false, ""},
		988: {"duplicate ON", func(f *Features) *bool { return &f.Duplicate }, true, ""},
		989: {"log brief", func(f *Features) *bool { return &f.Debug }, false, ""},
		990: {"log debug", func(f *Features) *bool { return &f.Debug }, true, ""},
		991: {"Via OFF", func(f *Features) *bool { return &f.Via }, false, ""},
		992: {"Via ON", func(f *Features) *bool { return &f.Via }, true, ""},
		993: {"SDP OFF", func(f *Features) *bool { return &f.SDP }, false, ""},
		994: {"SDP ON", func(f *Features) *bool { return &f.SDP }, true, ""},
		995: {"Contact OFF", func(f *Features) *bool { return &f.Contact }, false, ""},
		996: {"Contact ON", func(f *Features) *bool { return &f.Contact }, true, ""},
		997: {"calls logged", nil, false, "calls: 0; dropped since the start: nothing"},
		998: {"users sent", nil, false, ""},
		999: {"users logged", nil, false, "registered users: 2, bindings: 2; dropped since the start: nothing"},
	}
	for code := range want {
		cmd, _ := dialcmd.Lookup(strconv.Itoa(code))
		for _, before := range []Features{{}, all, {true, true, true, true, true, true}} {
			s := stage(t, 1, func(c *Config) { c.Features = before })
			s.events = nil
			answer := s.dial(cmd.Code)
			tt, after := want[cmd.Code], before
			if tt.word != nil {
				*tt.word(&after) = tt.on
			}
			if answer != "SIP/2.0 404 "+tt.phrase {
				t.Errorf("%d: answered %s, want 404 %s", cmd.Code, answer, tt.phrase)
			}
			if got := s.core.Features(); got != after {
				t.Errorf("%d: %+v became %+v, want %+v", cmd.Code, before, got, after)
			}
			log := s.logged()
			if line := fmt.Sprintf("%s: %d dialled by 001", tt.phrase, cmd.Code); !slices.Contains(log, line) {
				t.Errorf("%d: the log lacks %q:\n%s", cmd.Code, line, strings.Join(log, "\n"))
			}
			if tt.also != "" && !slices.Contains(log, tt.also) {
				t.Errorf("%d: the log lacks %q:\n%s", cmd.Code, tt.also, strings.Join(log, "\n"))
			}
			s.finish()
		}
	}
}

// Who may not dial a code is told so, the log is too, and nothing changes.
func TestDialRefused(t *testing.T) {
	for _, tt := range []struct {
		name, do string
		admins   []string
		want     string // answer to the phone
		log      string
	}{
		{"not an admin", "001: INVITE 985 auth", []string{"002", "01"}, "403 Forbidden",
			"985 dialled by 001 from 198.51.100.7:5060: refused, -dial-admins does not name 001"},
		{"an admin", "001: INVITE 985 auth", []string{"002", "001"}, "404 silent OFF", "silent OFF: 985 dialled by 001"},
		{"not registered", "003: INVITE 985 auth", nil, "403 Forbidden",
			"985 dialled by 003 from 192.0.2.33:5060: refused, 003 is not registered"},
		{"without credentials", "001: INVITE 985", nil, "407 Proxy Authentication Required", ""},
		{"with a wrong password", "004: INVITE 985 auth", nil, "407 Proxy Authentication Required",
			"INVITE from 192.0.2.44:5060 for 004 refused: wrong user or password"},
		{"not by INVITE", "001: MESSAGE 985 auth", nil, "404 Not Found", "MESSAGE from 001 to 985: 404 Not Found"},
		{"the number before", "001: INVITE 984 auth", nil, "404 Not Found", "INVITE from 001 to 984: 404 Not Found"},
		{"900", "001: INVITE 900 auth", nil, "404 Not Found", "INVITE from 001 to 900: 404 Not Found"},
		{"more digits", "001: INVITE 0985 auth", nil, "404 Not Found", "INVITE from 001 to 0985: 404 Not Found"},
		{"at another domain", "001: INVITE sip:985@example.org auth", nil, "404 Not Found", "INVITE from 001 to 985: 404 Not Found"},
	} {
		s := stage(t, 0, func(c *Config) { c.DialAdmins, c.Domains = tt.admins, []string{"minisip.example"} })
		s.users["003"], s.users["004"] = "secret-003", "secret-004"
		s.core = nil // the users stand from the start of the core
		s.do("phone 003 at 192.0.2.33:5060", "phone 004 at 192.0.2.44:5060 password wrong")
		s.register(s.phone("001"))
		for _, p := range []string{"003", "004"} {
			s.do(p + ": INVITE 001") // for the challenge
		}
		s.events = nil
		s.do(tt.do)
		name, method := tt.do[:3], word(tt.do, 1)
		if got := s.phone(name).answer[method].first; got != "SIP/2.0 "+tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		if log := strings.Join(s.logged(), "\n"); log != tt.log {
			t.Errorf("%s: logged %q, want %q", tt.name, log, tt.log)
		}
		if on := s.core.Features().Silent; on == (tt.want == "404 silent OFF") {
			t.Errorf("%s: silent is %v", tt.name, on)
		}
		s.finish()
	}
}

// A number from 900 to 984 is one like any other: a user may have it.
func TestNumbersBelowTheCodes(t *testing.T) {
	s := &script{newWorld(t)}
	s.do("phone 001 at 198.51.100.7:5060", "phone 984 at 192.0.2.1:5060", "registered 001 984", "001: INVITE 984 auth")
	if s.phone("984").got["INVITE"] == nil {
		t.Errorf("984 got no call; 001 was told %s", s.answerTo001())
	}
	s.finish()
}

// The whole list: one `user -> ip:port, expires in s` a line, to where the INVITE came
// from, as a request of its own, repeated until it is answered.
func TestNotify(t *testing.T) {
	s := &script{newWorld(t)}
	s.do("phone 001 at 198.51.100.7:40001 claims 192.168.1.10:5060", "phone 002 at [2001:db8::7]:5070", "registered 001 002", "wait 100s")
	s.events = nil
	s.dial(998)
	got := s.sentTo("001")
	i := slices.IndexFunc(got, func(m *text) bool { return strings.HasPrefix(m.first, "NOTIFY ") })
	if i < 0 {
		t.Fatal("no NOTIFY came")
	}
	m := got[i]
	if m.uri() != "sip:001@192.168.1.10:5060" {
		t.Errorf("NOTIFY to %s, want the phone's own Contact", m.uri())
	}
	for name, want := range map[string]string{
		"Event": "registered-users", "Content-Type": "text/plain", "Subscription-State": "terminated",
		"Max-Forwards": "70", "To": "<sip:001@minisip.example>", "CSeq": "1 NOTIFY",
	} {
		if m.get(name) != want {
			t.Errorf("%s: %q, want %q", name, m.get(name), want)
		}
	}
	if invite := s.phone("001").sent["INVITE"]; m.get("Call-ID") == invite.get("Call-ID") || m.get("Call-ID") == "" || tagOf(m.get("From")) == "" {
		t.Errorf("a request of its own has Call-ID %q and From %q", m.get("Call-ID"), m.get("From"))
	}
	if want := "001 -> 198.51.100.7:40001, expires in 3500\r\n002 -> [2001:db8::7]:5070, expires in 3500\r\n"; m.body != want {
		t.Errorf("it says\n%swant\n%s", m.body, want)
	}
	// Timer E: 0.5, 1, 2, 4, 4 ... s; each the same.
	var at []float64
	for range 20 {
		s.do("wait 500ms")
		for _, again := range s.sentTo("001") {
			if string(again.bytes()) != string(m.bytes()) {
				t.Errorf("a retransmission differs:\n%s", again.bytes())
			}
			at = append(at, s.now.Sub(epoch).Seconds()-100)
		}
	}
	if want := []float64{0.5, 1.5, 3.5, 7.5}; !slices.Equal(at, want) {
		t.Errorf("repeated after %v s, want %v", at, want)
	}
	s.do("001: 200 OK to NOTIFY", "wait 20s")
	if more := s.sentTo("001"); len(more) > 0 {
		t.Errorf("goes on after the answer: %s", more[0].first)
	}
	s.finish()
}

// A list that is too long for a datagram says how much is missing.
func TestNotifyIsBounded(t *testing.T) {
	s := &script{newWorld(t)}
	const users = 1500
	for i := range users {
		p := s.addPhone(fmt.Sprintf("%03d", i+1), netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i / 250), byte(i%250 + 1)}), 5060).String())
		s.users[p.user] = p.password
	}
	for _, p := range s.phones {
		s.register(p)
	}
	s.events = nil
	s.dial(998)
	for _, m := range s.sentTo("001") {
		if !strings.HasPrefix(m.first, "NOTIFY ") {
			continue
		}
		lines := strings.Split(strings.TrimSuffix(m.body, "\r\n"), "\r\n")
		if want := fmt.Sprintf("and %d more", users-maxListed); len(m.bytes()) > 65_000 || len(lines) != maxListed+1 || lines[maxListed] != want {
			t.Errorf("%d bytes, %d lines, the last %q, want %q", len(m.bytes()), len(lines), lines[len(lines)-1], want)
		}
	}
	s.dial(999)
	log := s.logged()
	if last := log[len(log)-1]; len(log) != 3+maxListed || last != "and 500 more" {
		t.Errorf("999: %d lines, the last %q", len(log), last)
	}
	s.finish()
}

// 997: both sides, the state, the start and the media of every call, the oldest first.
func TestCallsIntoTheLog(t *testing.T) {
	s := stage(t, 1, nil)
	s.do("at 61s", "001: INVITE 002 auth", "002a: 180 Ringing", "002a: 200 OK", "001: ACK", "media", "wait 5s")
	s.do("001: INVITE 002 auth", "002a: 180 Ringing")
	s.events = nil
	s.dial(997)
	want := []string{
		"calls logged: 997 dialled by 001",
		"calls: 2; dropped since the start: nothing",
		"call 1: 001 at 198.51.100.7:5060 -> 002 (002 at 192.0.2.1:5060): up, began 12:01:01, media relayed, last packet 5s ago",
		"call 2: 001 at 198.51.100.7:5060 -> 002 (002 at 192.0.2.1:5060): ringing, began 12:01:06, media relayed, no packet yet",
	}
	if got := s.logged(); !slices.Equal(got, want) {
		t.Errorf("logged\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	s.finish()
}

// 985: an unknown user gets his 401 and 407; 986: silence again.
func TestSilentEffect(t *testing.T) {
	s := stage(t, 0, nil)
	stranger := s.addPhone("009", "192.0.2.66:5060")
	ask := func() (got []string) {
		s.events = nil
		for _, do := range []string{"009: REGISTER", "009: INVITE 001"} {
			s.do(do)
		}
		for _, m := range s.sentTo(stranger.name) {
			got = append(got, m.status())
		}
		return got
	}
	for _, step := range []struct {
		code int
		want []string
	}{{986, nil}, {985, []string{"401", "407"}}, {986, nil}} {
		s.dial(step.code)
		if got := ask(); !slices.Equal(got, step.want) {
			t.Errorf("after %d: answers %v, want %v", step.code, got, step.want)
		}
	}
	s.finish()
}

// 987: a copy of a 2xx passes; 988: it does not, before a timer could have sent it.
func TestDuplicateEffect(t *testing.T) {
	for code, want := range map[int]int{987: 4, 988: 2} {
		s := stage(t, 1, nil)
		s.dial(code)
		s.do("001: INVITE 002 auth", "002a: 200 OK")
		s.events = nil
		s.do("002a: again 200", "wait 100ms", "002a: again 200", "wait 400ms", "002a: again 200")
		s.do("001: ACK")
		acks, answers := 0, 0
		for _, e := range s.events {
			if e.to == "001" && strings.HasPrefix(e.text, "SIP/2.0 200") {
				answers++
			}
		}
		s.events = nil
		s.do("001: again ACK", "wait 100ms", "001: again ACK", "wait 400ms", "001: again ACK")
		for _, m := range s.sentTo("002a") {
			if strings.HasPrefix(m.first, "ACK ") {
				acks++
			}
		}
		// Of three copies those that a timer cannot have sent are dropped with 988.
		if answers+1 != want || acks+1 != want {
			t.Errorf("after %d: %d of 4 answers and %d of 4 ACKs passed, want %d", code, answers+1, acks+1, want)
		}
		if dropped := s.core.Counters().Dropped[Copy]; dropped != uint64(2*(4-want)) {
			t.Errorf("after %d: %d counted as duplicate", code, dropped)
		}
		s.finish()
	}
}

// 990: whole messages before and after, what changed, and a dump of what is not SIP; 989:
// lines of events alone.
func TestDebugEffect(t *testing.T) {
	s := stage(t, 1, nil)
	s.phone("001").claims = netip.MustParseAddrPort("192.168.1.10:5060")
	s.do("wait 40s")
	s.dial(990)
	s.events = nil
	s.do("001: INVITE 002 auth")
	s.deliver(netip.MustParseAddrPort("192.0.2.99:9"), []byte("\x00\x01not SIP\x1b[2J"))
	s.deliver(netip.MustParseAddrPort("192.0.2.99:9"), []byte("MESSAGE sip:002@minisip.example SIP/2.0\r\nX: \x1b[2J\r\n[2026-01-31 12:00:00] forged\r\n\r\n"))
	log := strings.Join(s.logged(), "\n")
	for _, want := range []string{
		"received from 198.51.100.7:5060 at 203.0.113.1:5060, ",
		"\n    INVITE sip:002@minisip.example SIP/2.0\n",
		"sent to 192.0.2.1:5060 from 203.0.113.1:5060, ",
		"\n    INVITE sip:002@192.0.2.1:5060 SIP/2.0\n",
		"changed on the way:\n    - INVITE sip:002@minisip.example SIP/2.0\n",
		"\n    + INVITE sip:002@192.0.2.1:5060 SIP/2.0\n",
		"\n    - Contact: <sip:001@192.168.1.10:5060>\n",
		"\n    + Contact: <sip:001@198.51.100.7:5060>\n",
		"\n    - m=audio 4000 RTP/AVP 0 8 101\n    + m=audio 10002 RTP/AVP 0 8 101",
		"received from 192.0.2.99:9 at 203.0.113.1:5060, 13 bytes that are not SIP (",
		"\n    00000000  00 01 6e 6f 74 20 53 49  50 1b 5b 32 4a           |..not SIP.[2J|",
		"\n    X: \\x1b[2J\n    [2026-01-31 12:00:00] forged",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	s.dial(989)
	s.events = nil
	s.do("002a: 180 Ringing to INVITE")
	if got := s.logged(); !slices.Equal(got, []string{"call 1: 002 rings at 192.0.2.1:5060"}) {
		t.Errorf("after 989: logged\n%s", strings.Join(got, "\n"))
	}
	s.finish()
}

// 991, 993 and 995 leave Via, SDP and Contact of the next call alone; 992, 994 and 996
// repair them again. Calls that are up keep the relay that they have.
func TestRewritingEffect(t *testing.T) {
	s := &script{newWorld(t)}
	s.do("phone 001 at 198.51.100.7:40001 claims 192.168.1.10:5060", "phone 002 at 192.0.2.1:5060", "registered 001 002")
	invite := func() *text {
		if err := s.run("001: INVITE 002 auth", []string{"Via: SIP/2.0/UDP 192.168.1.10:5060;branch=" + s.phone("001").branch()}); err != nil {
			t.Fatal(err)
		}
		return s.phone("002").got["INVITE"]
	}
	for _, step := range []struct {
		code                int
		answered            string // where responses go: Via without rport
		via, contact, media string
	}{
		{992, "198.51.100.7:40001", ";received=198.51.100.7;rport=40001", "198.51.100.7:40001", "203.0.113.1"},
		{991, "198.51.100.7:5060", ";received=198.51.100.7", "198.51.100.7:40001", "203.0.113.1"},
		{995, "198.51.100.7:5060", ";received=198.51.100.7", "192.168.1.10:5060", "203.0.113.1"},
		{993, "198.51.100.7:5060", ";received=198.51.100.7", "192.168.1.10:5060", "192.168.1.10"},
		{996, "198.51.100.7:5060", ";received=198.51.100.7", "198.51.100.7:40001", "192.168.1.10"},
		{994, "198.51.100.7:5060", ";received=198.51.100.7", "198.51.100.7:40001", "203.0.113.1"},
		{992, "198.51.100.7:40001", ";received=198.51.100.7;rport=40001", "198.51.100.7:40001", "203.0.113.1"},
	} {
		s.dial(step.code)
		s.events = nil
		open := s.relay.open
		m := invite()
		vias := m.all("Via")
		if v := vias[len(vias)-1]; !strings.HasSuffix(v, step.via) || strings.Contains(v, "rport") != strings.Contains(step.via, "rport") {
			t.Errorf("after %d: Via %s, want ...%s", step.code, v, step.via)
		}
		if got := m.get("Contact"); got != "<sip:001@"+step.contact+">" {
			t.Errorf("after %d: Contact %s, want %s", step.code, got, step.contact)
		}
		if !strings.Contains(m.body, "c=IN IP4 "+step.media+"\r\n") {
			t.Errorf("after %d: SDP, want c= %s:\n%s", step.code, step.media, m.body)
		}
		if relayed := s.relay.open > open; relayed != (step.media == "203.0.113.1") {
			t.Errorf("after %d: a stream has opened: %v", step.code, relayed)
		}
		if e := slices.IndexFunc(s.events, func(e event) bool { return strings.HasPrefix(e.text, "SIP/2.0 100") }); s.events[e].addr.String() != step.answered {
			t.Errorf("after %d: answered at %s, want %s", step.code, s.events[e].addr, step.answered)
		}
		s.do("002: 486 Busy Here to INVITE")
	}

	s.do("001: INVITE 002 auth", "002: 200 OK to INVITE", "001: ACK")
	up := s.relay.streams[len(s.relay.streams)-1]
	s.dial(993)
	s.do("002: INVITE") // in the dialog
	if m := s.phone("001").got["INVITE"]; up.closed || !strings.Contains(m.body, "c=IN IP4 203.0.113.1\r\n") {
		t.Errorf("993 takes the relay from a call that is up:\n%s", m.body)
	}
	s.finish()
}

// What was dialled holds until the configuration is read with other words than before.
func TestDialledHoldsUntilOtherWords(t *testing.T) {
	s := stage(t, 1, nil)
	s.do("001: INVITE 991 auth", "001: ACK") // re_via off
	was := s.cfg
	s.core.Reconfigure(s.now, was, was)
	if s.core.Features().Via {
		t.Error("re_via is on again, though the words are what they were")
	}
	now := was
	now.Silent = false
	s.core.Reconfigure(s.now, was, now)
	if f := s.core.Features(); !f.Via || f.Silent {
		t.Errorf("with other words: %+v", f)
	}
	s.finish()
}
