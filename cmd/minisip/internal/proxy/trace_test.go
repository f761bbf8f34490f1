package proxy

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// watcher collects what a trace is shown: start lines, and media.
type watcher struct {
	Trace
	lines []string
	texts []string
	over  int
}

func trace(t *testing.T, s *script, what string, media bool) *watcher {
	t.Helper()
	w := &watcher{}
	w.Trace = Trace{What: what, Media: media, Over: func() { w.over++ }}
	w.Show = func(_ time.Time, from, to netip.AddrPort, b []byte) {
		first, _, _ := strings.Cut(string(b), "\r\n")
		w.lines, w.texts = append(w.lines, first), append(w.texts, string(b))
	}
	if err := s.core.Trace(&w.Trace); err != nil {
		t.Fatal(err)
	}
	return w
}

// A trace that begins in the middle of a call has the call's messages so far, secrets
// masked, then what passes, until the call is gone.
func TestTraceOfACall(t *testing.T) {
	for _, what := range []string{"1", "call-1@001"} {
		s := stage(t, 1, nil)
		s.do("001: INVITE 002 auth", "002a: 200 OK", "001: ACK", "media")
		w := trace(t, s, what, true)
		want := []string{
			"INVITE sip:002@minisip.example SIP/2.0", "SIP/2.0 100 Trying", "INVITE sip:002@192.0.2.1:5060 SIP/2.0",
			"SIP/2.0 200 OK", "SIP/2.0 200 OK", "ACK sip:002@192.0.2.1:5060 SIP/2.0", "ACK sip:002@192.0.2.1:5060 SIP/2.0",
		}
		if !slices.Equal(w.lines, want) {
			t.Errorf("%s: of the past is shown\n%s", what, strings.Join(w.lines, "\n"))
		}
		if all := strings.Join(w.texts, ""); !strings.Contains(all, "m=audio 10002") || !strings.Contains(all, `response="********"`) {
			t.Errorf("%s: shown\n%s", what, all)
		}
		w.lines = nil
		s.do("media", "wait 1s", "001: BYE", "002a: 200 OK")
		want = []string{
			"media of stream 1 from the caller", "media of stream 1 from the callee",
			"BYE sip:002@192.0.2.1:5060 SIP/2.0", "BYE sip:002@192.0.2.1:5060 SIP/2.0", "SIP/2.0 200 OK", "SIP/2.0 200 OK",
		}
		if !slices.Equal(w.lines, want) || w.over != 0 {
			t.Errorf("%s: then\n%s", what, strings.Join(w.lines, "\n"))
		}
		s.do("wait 6s")
		if w.over != 1 {
			t.Errorf("%s: told %d times that the call is gone", what, w.over)
		}
		s.core.Untrace(&w.Trace)
		s.finish()
	}
}

// A trace of a user has all that is from and to the user, and the media of calls that begin
// later; nothing of others, and nothing once it has ended.
func TestTraceOfAUser(t *testing.T) {
	s := &script{newWorld(t)}
	s.do("user 003", "phone 001 at 198.51.100.7:5060", "phone 002a at 192.0.2.1:5060 user 002", "registered 001 002a")
	w := trace(t, s, "001", true)
	quiet := trace(t, s, "001", false)
	other := trace(t, s, "003", true)
	s.do("001: INVITE 002 auth", "002a: 180 Ringing", "media", "002a: 200 OK", "001: ACK", "media")
	want := []string{
		"INVITE sip:002@minisip.example SIP/2.0", "SIP/2.0 100 Trying", "INVITE sip:002@192.0.2.1:5060 SIP/2.0",
		"SIP/2.0 180 Ringing", "SIP/2.0 180 Ringing", "media of stream 1 from the caller", "media of stream 1 from the callee",
		"SIP/2.0 200 OK", "SIP/2.0 200 OK", "ACK sip:002@192.0.2.1:5060 SIP/2.0", "ACK sip:002@192.0.2.1:5060 SIP/2.0",
		"media of stream 1 from the caller", "media of stream 1 from the callee",
	}
	if !slices.Equal(w.lines, want) {
		t.Errorf("shown\n%s", strings.Join(w.lines, "\n"))
	}
	want = slices.DeleteFunc(want, func(line string) bool { return strings.HasPrefix(line, "media") })
	if !slices.Equal(quiet.lines, want) {
		t.Errorf("without media\n%s", strings.Join(quiet.lines, "\n"))
	}
	n := len(w.lines)
	s.core.Untrace(&w.Trace)
	s.do("media", "001: BYE", "002a: 200 OK", "wait 6s")
	if len(w.lines) != n || w.over+quiet.over != 0 || len(other.lines) != 0 {
		t.Errorf("after the end %d lines, told %d times that it is over, of another user %d lines", len(w.lines)-n, w.over+quiet.over, len(other.lines))
	}
	s.core.Untrace(&quiet.Trace)
	s.core.Untrace(&other.Trace)
	s.finish()
}

func TestTraceRefuses(t *testing.T) {
	s := stage(t, 1, nil)
	for _, what := range []string{"", "004", "1", "call-1@001"} {
		if err := s.core.Trace(&Trace{What: what}); !errors.Is(err, ErrNothingToTrace) {
			t.Errorf("%q: %v", what, err)
		}
	}
	var all [maxTraces]Trace
	for i := range all {
		all[i].What = "001"
		if err := s.core.Trace(&all[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.core.Trace(&Trace{What: "001"}); err == nil || !strings.Contains(err.Error(), "8 traces") {
		t.Errorf("one too many: %v", err)
	}
	s.core.Untrace(&all[3])
	if err := s.core.Trace(&all[3]); err != nil {
		t.Errorf("when one has ended: %v", err)
	}
	s.finish()
}
