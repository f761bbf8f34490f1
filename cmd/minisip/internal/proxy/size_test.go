package proxy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"minisip/sipmsg"
)

// message lets 001 send a MESSAGE with a body of so many bytes inside its dialog, and gives the
// status of the answer.
func (s *script) message(body int) string {
	s.t.Helper()
	p := s.phone("001")
	m := p.request("MESSAGE", &wish{hasBody: true, body: strings.Repeat("x", body)})
	p.answer["MESSAGE"] = nil
	s.transmit(p, m)
	if got := s.phone("002a").got["MESSAGE"]; p.answer["MESSAGE"] == nil && len(got.body) == body {
		s.do("002a: 200 OK to MESSAGE")
	}
	return p.answer["MESSAGE"].status()
}

// What is larger than 1,300 bytes goes out as it is, and the log says so once for each address.
func TestLargeMessages(t *testing.T) {
	s := stage(t, 1, nil)
	s.do("001: INVITE 002 auth", "002a: 200 OK", "001: ACK")
	said := func() (n int) {
		for _, e := range s.events {
			if strings.Contains(e.text, "MESSAGE of ") && strings.Contains(e.text, " bytes to 192.0.2.1:5060: over 1300 ") {
				n++
			}
		}
		return n
	}
	for _, step := range []struct{ body, want int }{{100, 0}, {1300, 1}, {1300, 1}, {20000, 1}} {
		if got := s.message(step.body); got != "200" {
			t.Errorf("a body of %d bytes: %s", step.body, got)
		}
		if got := said(); got != step.want {
			t.Errorf("after a body of %d bytes the log has it %d times, want %d", step.body, got, step.want)
		}
	}
	s.finish()
}

// A message that came in one datagram and does not fit into one any more, with our Via: 513.
func TestMessageTooLarge(t *testing.T) {
	for _, tt := range []struct {
		room int // that the datagram leaves
		want string
	}{{1000, "200"}, {0, "513"}} {
		s := stage(t, 1, nil)
		s.do("001: INVITE 002 auth", "002a: 200 OK", "001: ACK")
		p := s.phone("001")
		head := len(p.request("MESSAGE", &wish{hasBody: true, body: strings.Repeat("x", 60000)}).bytes()) - 60000
		if got := s.message(65507 - head - tt.room); got != tt.want {
			t.Errorf("with room for %d bytes: %s, want %s", tt.room, got, tt.want)
		}
		s.finish()
	}
}

// An INVITE that is more than we read, with our own fields in it: 513, and nobody rings, since it could be
// neither cancelled nor acknowledged. What is no INVITE needs neither.
func TestInviteMoreThanWeRead(t *testing.T) {
	for _, tt := range []struct {
		name, field string
		times       int
		method      string
		want        string
	}{
		{"few fields", "Subject", sipmsg.MaxHeaders - 40, "INVITE", ""},
		{"many fields", "Subject", sipmsg.MaxHeaders - 11, "INVITE", "513"},
		{"some Vias", "Via", sipmsg.MaxVia - 2, "INVITE", ""},
		{"many Vias", "Via", sipmsg.MaxVia - 1, "INVITE", "513"},
		{"many Vias", "Via", sipmsg.MaxVia - 1, "MESSAGE", ""},
	} {
		s := stage(t, 1, nil)
		s.lawless = true
		p, w := s.phone("001"), &wish{target: "002"}
		w.auth = p
		for range tt.times {
			w.fields = append(w.fields, []string{"+" + tt.field, "SIP/2.0/UDP 192.0.2.9"})
		}
		p.answer[tt.method] = nil
		s.transmit(p, p.request(tt.method, w))
		got := ""
		if a := p.answer[tt.method]; a != nil && a.status() >= "200" {
			got = a.status()
		}
		if rang := s.phone("002a").got[tt.method] != nil; got != tt.want || rang != (tt.want == "") {
			t.Errorf("%s %s: %q, rang %v", tt.method, tt.name, got, rang)
		}
		if tt.want != "" && s.relay.open > 0 {
			t.Errorf("%s: %d streams stay open", tt.name, s.relay.open)
		}
		s.finish()
	}
}

func TestFitsUDP(t *testing.T) {
	for _, tt := range []struct {
		to   string
		n    int
		want bool
	}{
		{"192.0.2.1", 65507, true}, {"192.0.2.1", 65508, false},
		{"2001:db8::2", 65527, true}, {"2001:db8::2", 65528, false},
	} {
		if got := fitsUDP(netip.MustParseAddr(tt.to), tt.n); got != tt.want {
			t.Errorf("%d bytes to %s: %v", tt.n, tt.to, got)
		}
	}
}

// The addresses that are remembered are bounded; those beyond get no line.
func TestOversizedIsBounded(t *testing.T) {
	o, lines, day := loggedOnce{forGood: true}, 0, time.Unix(0, 0)
	for i := range 2 * maxNamed {
		day = day.Add(24 * time.Hour)
		if o.news(day, netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i))) {
			lines++
		}
	}
	if lines != maxNamed || len(o.named) != maxNamed {
		t.Errorf("%d lines, %d remembered, want %d", lines, len(o.named), maxNamed)
	}
}
