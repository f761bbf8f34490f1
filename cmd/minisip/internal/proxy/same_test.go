package proxy

import (
	"strings"
	"testing"
)

// Of calls under one Call-ID and tag there are few, so that no request takes long to find its own among them.
func TestSameCallsAreFew(t *testing.T) {
	s := stage(t, 1, func(c *Config) { c.MaxPending = 1000 })
	same := []string{"From: <sip:001@minisip.example>;tag=x", "Call-ID: same"}
	for range maxSame + 1 {
		if err := s.run("001: INVITE 002 auth", same); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.answerTo001(); got != "SIP/2.0 482 Loop Detected" || s.core.sampler.calls != maxSame {
		t.Errorf("the last one got %s; %d calls are known, want %d", got, s.core.sampler.calls, maxSame)
	}
	s.do("001: ACK", "001: INVITE 002 auth")
	if got := s.answerTo001(); got != "SIP/2.0 100 Trying" {
		t.Errorf("another call got %s", got)
	}
	s.finish()
}

// In what names a call to take over or join few values and tags are looked up.
func TestTagsAreFew(t *testing.T) {
	for n, want := range map[int]string{2: "100", maxTags: "100", maxTags + 1: "403", 1000: "403"} {
		for _, field := range []string{"Replaces", "Join"} {
			for _, named := range []string{"none" + strings.Repeat(";=t", n), strings.Repeat(",", n-1), strings.Repeat("none, ", n-1) + "none"} {
				s := stage(t, 1, nil)
				if err := s.run("001: INVITE 002 auth", []string{field + ": " + named}); err != nil {
					t.Fatal(err)
				}
				if got := word(s.answerTo001(), 1); got != want {
					t.Errorf("%s: %.40q, %d of them, got %s, want %s", field, named, n, got, want)
				}
				s.finish()
			}
		}
	}
}
