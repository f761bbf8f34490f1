package proxy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// invites sends n INVITEs of 001 to 002 and counts those that were not refused with 503.
func (s *script) invites(n int, sdp string) (taken int) {
	for range n {
		s.do("001: INVITE 002 auth " + sdp)
		if word(s.answerTo001(), 1) != "503" {
			taken++
		} else if s.phone("001").answer["INVITE"].get("Retry-After") == "" {
			s.t.Error("503 without Retry-After")
		}
	}
	return taken
}

// said tells whether a line of the log since the last call has the words.
func (w *world) said(words string) bool {
	return slices.ContainsFunc(w.logged(), func(line string) bool { return strings.Contains(line, words) })
}

// One user's unanswered calls hold a limited number of relay streams: here three phones ring.
func TestStreamsOfTheUnanswered(t *testing.T) {
	s := stage(t, 3, func(c *Config) { c.MaxPending = 1000 })
	if n := s.invites(100, ""); n != 86 {
		t.Errorf("%d calls were taken, want 86: 85 of three streams, and one with the last", n)
	}
	if s.relay.open != maxStreams {
		t.Errorf("%d streams open, want %d", s.relay.open, maxStreams)
	}
	if !s.said("INVITE from 001: 256 relay streams for unanswered calls already") {
		t.Error("the log does not say why")
	}
	s.do("002a: 200 OK to INVITE") // an answered call's do not count
	if n := s.core.usage["001"].streams; n >= maxStreams {
		t.Errorf("%d streams of unanswered calls after an answer", n)
	}
	if n := s.invites(3, ""); n != 1 {
		t.Errorf("%d more calls were taken, want 1", n)
	}
	s.finish()
}

// Streams are counted one by one: an INVITE can ask for many.
func TestStreamsOfOneCall(t *testing.T) {
	s := stage(t, 7, func(c *Config) { c.MaxPending = 1000 })
	body := []string{"Content-Type: application/sdp", "--", "v=0", "o=- 1 1 IN IP4 198.51.100.7", "s=-", "c=IN IP4 198.51.100.7", "t=0 0"}
	for i := range 15 {
		body = append(body, fmt.Sprintf("m=audio %d RTP/AVP 0", 4000+2*i))
	}
	for range 3 {
		if err := s.run("001: INVITE 002 auth", body); err != nil {
			t.Fatal(err)
		}
	}
	if s.relay.open > maxStreams {
		t.Errorf("%d streams open, want at most %d", s.relay.open, maxStreams)
	}
	if !s.said(errCrowded.Error()) {
		t.Error("the log does not say why")
	}
	s.finish()
}

// Answered calls whose media we relay are not limited; a tenth of the table is for one
// user's others.
func TestCallsWithoutMedia(t *testing.T) {
	for _, tt := range []struct {
		sdp  string
		want int
	}{{"", 40}, {"none", 10}} {
		s := stage(t, 1, func(c *Config) { c.MaxPending, c.MaxCalls = 5, 100 })
		taken := 0
		for range 40 {
			if s.invites(1, tt.sdp) == 1 {
				taken++
				s.do("002a: 200 OK to INVITE "+tt.sdp, "001: ACK")
			}
		}
		if taken != tt.want {
			t.Errorf("SDP %q: %d calls were taken, want %d", tt.sdp, taken, tt.want)
		}
		if refused := s.said("INVITE from 001: 10 calls without relayed media already"); refused != (tt.want < 40) {
			t.Errorf("SDP %q: the log names the reason: %v", tt.sdp, refused)
		}
		s.finish()
	}
}

// What is no longer there counts no more.
func TestUsageIsGivenBack(t *testing.T) {
	s := stage(t, 2, nil)
	for _, lines := range [][]string{
		{"002a: 486 Busy Here to INVITE", "002b: 486 Busy Here to INVITE", "001: ACK"},
		{"001: CANCEL", "001: ACK"},
		{"002a: 200 OK to INVITE", "001: ACK", "001: BYE", "002a: 200 OK to BYE"},
		{"002a: 200 OK to INVITE", "001: ACK", "wait 5s", "001: BYE", "002a: 200 OK to BYE"},
		{"002a: 180 Ringing to INVITE", "001: CANCEL", "002a: 487 Request Terminated to INVITE", "001: ACK"},
	} {
		s.do("001: INVITE 002 auth")
		s.do(lines...)
		if u := s.core.usage["001"]; u.made != 0 || u.relayed != 0 || u.pending != 0 {
			t.Errorf("%q: when the call has ended, its caller's account is %+v", lines, u)
		}
		s.do("wait 40s")
		if n := len(s.core.usage); n != 0 {
			t.Errorf("%q: %d accounts are left: %+v", lines, n, s.core.usage["001"])
		}
	}
	s.finish()
}

// Calls move in the order in which they were made, and only those that the user takes part in.
func TestCallsOfOneUser(t *testing.T) {
	s := stage(t, 1, func(c *Config) { c.MaxPending = 1000 })
	for range 20 {
		s.do("001: INVITE 002 auth", "002a: 180 Ringing to INVITE")
	}
	for _, tt := range []struct {
		user string
		want int
	}{{"001", 20}, {"002", 20}, {"003", 0}} {
		calls := s.core.callsOf(tt.user)
		if len(calls) != tt.want {
			t.Errorf("%s has %d calls, want %d", tt.user, len(calls), tt.want)
		}
		for i, k := range calls {
			if k.serial != int64(i+1) {
				t.Errorf("%s: call %d is at place %d", tt.user, k.serial, i+1)
			}
		}
	}
	s.finish()
}
