package proxy

import (
	"slices"
	"strings"
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

// What the phones' SDP says of the sound, and what came of it, is why it is not heard.
func TestFindingsOfSound(t *testing.T) {
	sdp := func(port, formats string, more ...string) []string {
		return append([]string{"Content-Type: application/sdp", "--", "v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0",
			"m=audio " + port + " RTP/AVP " + formats}, more...)
	}
	const both, caller, nobody = "media", "media from the caller", "wait 0s"
	opus96, opus107 := "a=rtpmap:96 opus/48000/2", "a=rtpmap:107 opus/48000/2"
	for _, tt := range []struct {
		name          string
		offer, answer []string
		heard         string
		came          [2][]uint8
		undelivered   uint64
		code          string // "": none
	}{
		{"all well", sdp("4000", "0 8"), sdp("4002", "0"), both, [2][]uint8{{0}, {0}}, 0, ""},
		{"the callee only listens", sdp("4000", "0"), sdp("4002", "0", "a=recvonly"), caller, [2][]uint8{{0}}, 0, "only-listens"},
		{"inactive", sdp("4000", "0"), sdp("4002", "0", "a=inactive"), caller, [2][]uint8{{0}}, 0, "only-listens"},
		{"an announcement", sdp("4000", "0", "a=sendonly"), sdp("4002", "0", "a=recvonly"), caller, [2][]uint8{{0}}, 0, "no-sound-wanted"},
		{"both are still", sdp("4000", "0", "a=inactive"), sdp("4002", "0", "a=inactive"), nobody, [2][]uint8{}, 0, "no-sound-wanted"},
		{"sound refused", sdp("4000", "0"), sdp("0", "0"), nobody, [2][]uint8{}, 0, "sound-refused"},
		{"a codec not offered", sdp("4000", "0 8"), sdp("4002", "0"), both, [2][]uint8{{0}, {18}}, 0, "foreign-codec"},
		{"a codec not answered", sdp("4000", "0 8"), sdp("4002", "0"), both, [2][]uint8{{8}, {0}}, 0, "foreign-codec"},
		{"a dynamic type not offered", sdp("4000", "0 96", opus96), sdp("4002", "0"), both, [2][]uint8{{0}, {97}}, 0, "foreign-codec"},
		{"the same by another number", sdp("4000", "96", opus96), sdp("4002", "107", opus107), both, [2][]uint8{{96}, {107}}, 0, ""},
		{"keys beside a codec", sdp("4000", "0"), sdp("4002", "0"), both, [2][]uint8{{0}, {0, 101}}, 0, ""},
		{"comfort noise alone", sdp("4000", "0"), sdp("4002", "0"), both, [2][]uint8{{0}, {13}}, 0, "no-voice"},
		{"our own firewall", sdp("4000", "0"), sdp("4002", "0"), both, [2][]uint8{{0}, {0}}, 600, "undelivered"},
	} {
		s := stage(t, 1, nil)
		for _, step := range []struct {
			line   string
			detail []string
		}{{"001: INVITE 002 auth", tt.offer}, {"002a: 200 OK", tt.answer}, {"001: ACK", nil}, {tt.heard, nil}, {"wait 12s", nil}, {tt.heard, nil}} {
			if err := s.run(step.line, step.detail); err != nil {
				t.Fatal(err)
			}
		}
		s.relay.streams[0].types, s.relay.streams[0].undelivered = tt.came, tt.undelivered
		v := s.core.Call(s.now.Add(time.Second), "1", true)
		if tt.code == "" && len(v.Findings) == 0 {
			continue
		}
		if len(v.Findings) == 0 || v.Findings[0].Code != tt.code {
			t.Errorf("%s: found %+v, want %q", tt.name, v.Findings, tt.code)
		}
		if tt.undelivered > 0 && !strings.HasSuffix(v.Findings[0].Text, "this server's own firewall refuses them.") {
			t.Errorf("%s: %s", tt.name, v.Findings[0].Text)
		}
	}
}

// A call is judged by the sound that was agreed, whatever stands in front of it: the same sound with keys, or a picture.
func TestFindingsOfTheAgreedSound(t *testing.T) {
	head := []string{"Content-Type: application/sdp", "--", "v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0"}
	sdp := func(lines ...string) []string { return slices.Concat(head, lines) }
	for _, tt := range []struct {
		name          string
		offer, answer []string
	}{
		{"keys refused", sdp("m=audio 4000 RTP/SAVP 0", "m=audio 4100 RTP/AVP 0"), sdp("m=audio 0 RTP/SAVP 0", "m=audio 4102 RTP/AVP 0")},
		{"keys taken", sdp("m=audio 4000 RTP/SAVP 0", "m=audio 4100 RTP/AVP 0"), sdp("m=audio 4102 RTP/SAVP 0", "m=audio 0 RTP/AVP 0")},
		{"a picture that is only seen", sdp("m=video 4100 RTP/AVP 34", "m=audio 4000 RTP/AVP 0"),
			sdp("m=video 4200 RTP/AVP 34", "a=recvonly", "m=audio 4102 RTP/AVP 0")},
	} {
		s := stage(t, 1, nil)
		for _, step := range []struct {
			line   string
			detail []string
		}{{"001: INVITE 002 auth", tt.offer}, {"002a: 200 OK", tt.answer}, {"001: ACK", nil}, {"media from the caller", nil},
			{"wait 12s", nil}, {"media from the caller", nil}} {
			if err := s.run(step.line, step.detail); err != nil {
				t.Fatal(err)
			}
		}
		v := s.core.Call(s.now.Add(time.Second), "1", true)
		if len(v.Findings) != 1 || v.Findings[0].Code != "one-way" || !strings.Contains(v.Findings[0].Text, "wanted at 192.0.2.9:4102,") {
			t.Errorf("%s: found %+v", tt.name, v.Findings)
		}
		s.do("002a: BYE", "001: 200 OK to BYE")
		s.finish()
	}
}
