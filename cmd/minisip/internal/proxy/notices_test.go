package proxy

import (
	"strings"
	"testing"
)

// Polls and renewals without end by somebody who does not answer bring no more NOTIFYs than a user may have under way; answered
// ones do not count.
func TestNoticesAreFew(t *testing.T) {
	s := stage(t, 1, nil)
	for _, tt := range []struct {
		name   string
		fields []string
	}{
		{"001", []string{"Event: reg", "Expires: 0"}},
		{"002a", []string{"Event: reg"}},
	} {
		user := s.phone(tt.name).user
		ask := func(line string) string {
			if err := s.run(tt.name+": "+line+" auth", tt.fields); err != nil {
				t.Fatal(err)
			}
			return s.phone(tt.name).answer["SUBSCRIBE"].status()
		}
		line := "SUBSCRIBE " + user
		for i := range maxNotices {
			if got := ask(line); got != "200" {
				t.Fatalf("%s, number %d: %s", tt.name, i, got)
			}
			if tt.name == "002a" {
				line = "SUBSCRIBE" // inside the dialog
			}
		}
		if got := ask(line); got != "503" || s.core.notices[user] != maxNotices {
			t.Errorf("%s, one too many: %s, %d NOTIFYs are under way", tt.name, got, s.core.notices[user])
		}
		s.do(tt.name + ": 200 OK to NOTIFY")
		if got := ask(line); got != "200" {
			t.Errorf("%s, after an answer: %s", tt.name, got)
		}
	}
	s.finish()
}

// Who dials a list again and again has one under way, or one a second in the log.
func TestListsAreFew(t *testing.T) {
	s := stage(t, 1, nil)
	s.events = nil
	for range 10 {
		s.dial(998)
	}
	if n := s.core.notices["001\x00998"]; n != 1 {
		t.Errorf("%d NOTIFYs are under way, want 1", n)
	}
	s.do("001: 100 Trying to NOTIFY") // which is none yet
	if n := s.core.notices["001\x00998"]; n != 1 {
		t.Errorf("after a 100 %d NOTIFYs are under way, want 1", n)
	}
	s.do("001: 200 OK to NOTIFY")
	s.dial(998)
	if n := s.core.notices["001\x00998"]; n != 1 {
		t.Errorf("after an answer %d NOTIFYs are under way, want 1", n)
	}
	for code, head := range map[int]string{997: "calls: ", 999: "registered users: "} {
		s.events = nil
		for range 10 {
			s.dial(code)
		}
		s.do("wait 1s")
		s.dial(code)
		lists := 0
		for _, e := range s.events {
			if strings.HasPrefix(e.text, "log: "+head) {
				lists++
			}
		}
		if lists != 2 {
			t.Errorf("%d: %d lists, want 2", code, lists)
		}
	}
	s.finish()
}
