package proxy

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// A minute's drops are one line, none where there were none.
func TestDropsAreTold(t *testing.T) {
	s := stage(t, 0, nil)
	s.do("wait 40s")
	s.events = nil
	far := netip.MustParseAddrPort("192.0.2.99:9")
	for range 3 {
		s.deliver(far, []byte("not SIP"))
	}
	s.do("wait 10s")
	s.deliver(far, []byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 203.0.113.1;branch=z9hG4bK1\r\nFrom: <sip:1@a>;tag=1\r\nTo: <sip:2@a>\r\nCall-ID: 1\r\nCSeq: 1 BYE\r\n\r\n"))
	s.do("wait 5m")
	s.deliver(far, []byte("not SIP"))
	s.do("wait 59s")
	first := []string{"in the last minute dropped: 3 malformed, 1 stray"}
	if got := s.logged(); !slices.Equal(got, first) {
		t.Errorf("logged %q, want %q", got, first)
	}
	s.do("wait 1s")
	if got, want := s.logged(), []string{"in the last minute dropped: 1 malformed"}; !slices.Equal(got, want) {
		t.Errorf("logged %q, want %q", got, want)
	}
	n := s.core.Counters()
	if got, want := n.Drops(), "4 malformed, 1 stray"; got != want {
		t.Errorf("since the start %q, want %q", got, want)
	}
	for r := range reasons {
		if r.String() == "" {
			t.Errorf("reason %d has no name", r)
		}
	}
	s.do("wait 1h")
	if got := s.core.Deadline(); got.After(s.now.Add(48 * time.Hour)) {
		t.Errorf("a timer is left at %v", got)
	}
	s.finish()
}

// What silent hides is in the log once per source and minute, with the command that would
// add the user, where there is one.
func TestHushedLine(t *testing.T) {
	for _, tt := range []struct{ name, user, want string }{
		{"a name", "009", `silent: REGISTER from 192.0.2.66:5060 as "009" gets no answer: no such user (minisip user add 009)`},
		{"what a terminal would obey", "a%1b%5b2J", `silent: REGISTER from 192.0.2.66:5060 as "a_[2J" gets no answer: no such user`},
		{"too long", strings.Repeat("9", 100), `silent: REGISTER from 192.0.2.66:5060 as "` + strings.Repeat("9", 64) + `" gets no answer: no such user`},
		{"none", "", `silent: REGISTER from 192.0.2.66:5060 as "" gets no answer: no such user`},
	} {
		s := stage(t, 0, func(c *Config) {
			c.AddUser = func(name string) string {
				if strings.ContainsRune(name, '\x1b') {
					return ""
				}
				return "minisip user add " + name
			}
		})
		p := s.addPhone("009", "192.0.2.66:5060")
		s.events = nil
		uri := "<sip:" + tt.user + "@minisip.example>"
		if tt.user == "" {
			uri = "<sip:minisip.example>"
		}
		for i, wait := range []string{"0s", "1s", "58s", "2s"} {
			s.do("wait " + wait)
			before := len(s.events)
			m := p.outside("REGISTER", &wish{})
			m.set("To", uri)
			s.send(p, m.bytes())
			want := []string{tt.want}
			if i == 1 || i == 2 {
				want = nil
			}
			s.events = s.events[before:]
			if got := s.logged(); !slices.Equal(got, want) {
				t.Errorf("%s, try %d: logged %q, want %q", tt.name, i, got, want)
			}
		}
		s.finish()
	}
}

// What belongs to an ordinary call is no drop, the ACK of a challenge included.
func TestNothingIsDropped(t *testing.T) {
	s := stage(t, 1, nil)
	s.do("001: INVITE 002", "001: ACK", "001: INVITE 002 auth", "002a: 180 Ringing", "002a: 200 OK", "001: ACK", "001: BYE", "002a: 200 OK",
		"001: INVITE 404 auth", "001: ACK", "001: OPTIONS sip:minisip.example")
	if n := s.core.Counters(); n.Drops() != "nothing" {
		t.Errorf("dropped %s", n.Drops())
	}
	// Nor does the line ever come.
	s.events = nil
	s.do("wait 10m")
	if got := s.logged(); len(got) > 0 {
		t.Errorf("logged %q", got)
	}
	s.finish()
}
