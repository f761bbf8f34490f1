package proxy

import (
	"slices"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/cmd/minisip/internal/trail"
	"minisip/sipmsg"
)

// flood lets newer messages take the place of all that are kept.
func (s *script) flood() {
	s.t.Helper()
	for i := range 64 {
		s.core.trail.Note(&trail.Message{Key: trail.Key(i), At: s.now, Method: sipmsg.INVITE, Text: make([]byte, 16<<10)})
	}
	if v := s.core.Call(s.now, "1", true); slices.ContainsFunc(v.Steps, func(s StepView) bool { return s.Message != "" }) {
		s.t.Fatal("a message is still kept")
	}
}

// What the phones wanted of the media is known as long as the call, however many messages came since:
// from the offer in the INVITE, and from the one in the answer.
func TestFindingsOutliveMessages(t *testing.T) {
	sdp := func(at, profile string) []string {
		return []string{"Content-Type: application/sdp", "--", "v=0", "o=- 1 1 IN IP4 " + at, "s=-", "c=IN IP4 " + at, "t=0 0", "m=audio 4000 " + profile + " 0"}
	}
	for _, tt := range []struct {
		code           string
		config         func(*Config)
		caller, callee []string // their SDP
		offerless      bool
	}{
		{"srtp-one-side", nil, sdp("198.51.100.7", "RTP/SAVP"), sdp("192.0.2.1", "RTP/AVP"), false},
		{"srtp-one-side", nil, sdp("198.51.100.7", "RTP/AVP"), sdp("192.0.2.1", "RTP/SAVP"), true},
		{"media-private", func(c *Config) { c.SDP = false }, sdp("198.51.100.7", "RTP/AVP"), sdp("10.1.2.3", "RTP/AVP"), false},
	} {
		s := stage(t, 1, tt.config)
		invite, ack := tt.caller, []string(nil)
		if tt.offerless {
			invite, ack = nil, tt.caller
		}
		words := "001: INVITE 002 auth"
		if tt.offerless {
			words += " none"
		}
		for _, step := range []struct {
			line   string
			detail []string
		}{{words, invite}, {"002a: 200 OK", tt.callee}, {"001: ACK", ack}, {"wait 4s", nil}} {
			if err := s.run(step.line, step.detail); err != nil {
				t.Fatal(err)
			}
		}
		check := func(when string) {
			t.Helper()
			v := s.core.Call(s.now.Add(time.Second), "1", true)
			if !slices.ContainsFunc(v.Findings, func(f diagnosis.Finding) bool { return f.Code == tt.code }) {
				t.Errorf("%s, %s: found %+v", tt.code, when, v.Findings)
			}
		}
		check("at first")
		s.flood()
		check("without the messages")
		s.do("002a: BYE", "001: 200 OK to BYE")
		check("ended")
	}
}
