package nat

import (
	"strings"
	"testing"
)

// RFC 8839 4.2.1: ICE takes ufrag, password and candidates, or the promise of some.
func TestParseICE(t *testing.T) {
	const (
		ufrag     = "a=ice-ufrag:8hhY|"
		pwd       = "a=ice-pwd:asd88fgpdd777uzjYhagZg|"
		candidate = "a=candidate:1 1 UDP 2130706431 10.0.0.1 4000 typ host|"
		audio     = "m=audio 4000 RTP/AVP 0|"
	)
	for _, tt := range []struct {
		name, sdp string
		want      string // ufrags of the streams
	}{
		{"in the stream", audio + ufrag + pwd + candidate, "8hhY"},
		{"of the session", ufrag + pwd + audio + candidate, "8hhY"},
		{"one of each", ufrag + audio + pwd + candidate, "8hhY"},
		{"the stream's wins", "a=ice-ufrag:session|" + pwd + audio + ufrag + candidate, "8hhY"},
		{"each stream for itself", audio + ufrag + pwd + candidate + "m=video 4002 RTP/AVP 96|a=ice-ufrag:other|" + pwd + candidate, "8hhY other"},
		{"only one of two", audio + "m=video 4002 RTP/AVP 96|" + ufrag + pwd + candidate, "- 8hhY"},
		{"not those of the stream before", audio + ufrag + pwd + candidate + "m=video 4002 RTP/AVP 96|" + candidate, "8hhY -"},
		{"one stream without candidates", ufrag + pwd + audio + candidate + "m=video 4002 RTP/AVP 96|", "8hhY -"},
		{"refused", ufrag + pwd + "m=audio 0 RTP/AVP 0|" + candidate, "-"},
		{"candidates alone", audio + candidate, "-"},
		{"no password", audio + ufrag + candidate, "-"},
		{"no ufrag", audio + pwd + candidate, "-"},
		{"no candidates", audio + ufrag + pwd, "-"},
		{"candidates of the session are none", candidate + ufrag + pwd + audio, "-"},
		{"no candidates yet", "a=ice-options:ice2 trickle|" + audio + ufrag + pwd, "8hhY"},
		{"no candidates yet, said in the stream", audio + "a=ice-options:trickle ice2|" + ufrag + pwd, "8hhY"},
		{"a mismatch", audio + "a=ice-mismatch|", "-"},
		{"spaces", audio + "a=ice-ufrag: 8hhY |" + pwd + candidate, "8hhY"},
		{"ufrag too short", audio + "a=ice-ufrag:8hh|" + pwd + candidate, "-"},
		{"password too short", audio + ufrag + "a=ice-pwd:asd88fgpdd777uzjYhagZ|" + candidate, "-"},
		{"all kinds of characters", audio + "a=ice-ufrag:azAZ09+/|" + pwd + candidate, "azAZ09+/"},
		{"the longest", audio + "a=ice-ufrag:" + strings.Repeat("x", 256) + "|" + pwd + candidate, strings.Repeat("x", 256)},
		{"ufrag too long", audio + "a=ice-ufrag:" + strings.Repeat("x", 257) + "|" + pwd + candidate, "-"},
		{"characters that are not allowed", audio + "a=ice-ufrag:8h:hY|" + pwd + candidate, "-"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s SDP
			if err := s.Parse([]byte(lines("v=0|c=IN IP4 10.0.0.1|" + tt.sdp))); err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range s.Streams {
				st := &s.Streams[i]
				if st.ICE() != (len(st.Ufrag) > 0 && len(st.Pwd) > 0) {
					t.Errorf("stream %d: ICE %v with %q and %q", i, st.ICE(), st.Ufrag, st.Pwd)
				}
				got = append(got, string(st.Ufrag))
				if !st.ICE() {
					got[i] = "-"
				}
			}
			if g := strings.Join(got, " "); g != tt.want {
				t.Errorf("%s, want %s", g, tt.want)
			}
		})
	}
}

// What a phone sees of a leg that is an ICE-lite agent. In a list of legs, :ice gives one
// credentials, and :mux as well one component.
func TestRewriteICE(t *testing.T) {
	const ice, mux = "198.51.100.1:10000:ice", "198.51.100.1:10000:mux"
	for _, tt := range []struct {
		name, legs, diff string
	}{
		{"the leg's own lines in place of the phone's", ice, `
 v=0
 o=- 1 1 IN IP4 10.0.0.1
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
 t=0 0
-a=ice-ufrag:8hhY
-a=ice-pwd:asd88fgpdd777uzjYhagZg
-a=ice-options:trickle
+a=ice-lite
+a=ice-options:ice2
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
-a=candidate:1 1 UDP 2130706431 10.0.0.1 4000 typ host
-a=candidate:1 2 UDP 2130706430 10.0.0.1 4001 typ host
-a=candidate:2 1 UDP 1694498815 203.0.113.9 40001 typ srflx raddr 10.0.0.1 rport 4000
-a=remote-candidates:1 192.0.2.1 10000
 a=sendrecv
-a=end-of-candidates
+a=ice-ufrag:leg1
+a=ice-pwd:password1
+a=candidate:1 1 UDP 2130706431 198.51.100.1 10000 typ host
+a=candidate:1 2 UDP 2130706430 198.51.100.1 10001 typ host
`},
		{"a phone without ICE, for one with it", ice, `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
+a=ice-lite
+a=ice-options:ice2
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
+a=ice-ufrag:leg1
+a=ice-pwd:password1
+a=candidate:1 1 UDP 2130706431 198.51.100.1 10000 typ host
+a=candidate:1 2 UDP 2130706430 198.51.100.1 10001 typ host
`},
		{"multiplexed: one component", mux, `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
+a=ice-lite
+a=ice-options:ice2
-m=audio 4000 UDP/TLS/RTP/SAVPF 0
+m=audio 10000 UDP/TLS/RTP/SAVPF 0
 a=rtcp-mux
 a=fingerprint:sha-256 D2:FA
 a=setup:actpass
+a=ice-ufrag:leg1
+a=ice-pwd:password1
+a=candidate:1 1 UDP 2130706431 198.51.100.1 10000 typ host
`},
		{"fax has no RTCP; refused, left alone and without ICE: nothing is added",
			"- 198.51.100.1:10004:ice 198.51.100.1:10008:ice 198.51.100.1:10012 -", `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
+a=ice-lite
+a=ice-options:ice2
 m=audio 0 RTP/AVP 0
-m=image 4002 udptl t38
+m=image 10004 udptl t38
 a=T38FaxVersion:0
+a=ice-ufrag:leg2
+a=ice-pwd:password2
+a=candidate:1 1 UDP 2130706431 198.51.100.1 10004 typ host
 m=video 0 RTP/AVP 96
-m=video 4006 RTP/AVP 96
+m=video 10012 RTP/AVP 96
 m=application 4008 UDP/BFCP *
+c=IN IP4 10.0.0.1
`},
		{"IPv6", "[2001:db8::1]:10000:mux", `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP6 2001:db8::1
+a=ice-lite
+a=ice-options:ice2
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
+a=ice-ufrag:leg1
+a=ice-pwd:password1
+a=candidate:1 1 UDP 2130706431 2001:db8::1 10000 typ host
`},
		{"no candidate yet is no hold: the leg's address is one", mux, `
 v=0
 c=IN IP4 0.0.0.0
-a=ice-options:trickle
+a=ice-lite
+a=ice-options:ice2
-m=audio 9 UDP/TLS/RTP/SAVPF 0
-c=IN IP4 0.0.0.0
-a=rtcp:9 IN IP4 0.0.0.0
+m=audio 10000 UDP/TLS/RTP/SAVPF 0
+c=IN IP4 198.51.100.1
+a=rtcp:10000 IN IP4 198.51.100.1
-a=ice-ufrag:8hhY
-a=ice-pwd:asd88fgpdd777uzjYhagZg
 a=rtcp-mux
+a=ice-ufrag:leg1
+a=ice-pwd:password1
+a=candidate:1 1 UDP 2130706431 198.51.100.1 10000 typ host
`},
		{"the same with the session's address", "198.51.100.1:10000", `
 v=0
 c=IN IP4 0.0.0.0
-a=ice-options:trickle
-m=audio 9 UDP/TLS/RTP/SAVPF 0
+m=audio 10000 UDP/TLS/RTP/SAVPF 0
+c=IN IP4 198.51.100.1
-a=ice-ufrag:8hhY
-a=ice-pwd:asd88fgpdd777uzjYhagZg
`},
		{"no ICE for a stream that is switched off, or for one that we refuse", ice + " 198.51.100.1:0:ice", `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
 m=audio 0 RTP/AVP 0
-m=video 4002 RTP/AVP 96
+m=video 0 RTP/AVP 96
`},
		{"an empty line stays the last", ice, `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
+a=ice-lite
+a=ice-options:ice2
-m=audio 4000 UDPTL t38
+m=audio 10000 UDPTL t38
+a=ice-ufrag:leg1
+a=ice-pwd:password1
+a=candidate:1 1 UDP 2130706431 198.51.100.1 10000 typ host
 
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, out := readDiff(t, tt.diff[1:])
			checkRewrite(t, in, out, tt.legs)
		})
	}
}

func TestRewriteICELineEndings(t *testing.T) {
	const leg = "198.51.100.1:10000:mux"
	const lines = "a=ice-ufrag:leg1\na=ice-pwd:password1\na=candidate:1 1 UDP 2130706431 198.51.100.1 10000 typ host\n"
	const head, lite = "v=0\nc=IN IP4 198.51.100.1\n", "a=ice-lite\na=ice-options:ice2\n"
	for _, tt := range []struct{ in, out string }{
		{"v=0\nc=IN IP4 10.0.0.1\nm=audio 4000 RTP/AVP 0\na=ice-lite", head + lite + "m=audio 10000 RTP/AVP 0\n" + lines},
		{"v=0\nc=IN IP4 10.0.0.1\nm=audio 4000 RTP/AVP 0", head + lite + "m=audio 10000 RTP/AVP 0\n" + lines},
		{"v=0\nm=audio 4000 RTP/AVP 0", "v=0\n" + lite + "m=audio 10000 RTP/AVP 0\nc=IN IP4 198.51.100.1\n" + lines},
		{"v=0\nm=audio 4000 RTP/AVP 0\ni=x", "v=0\n" + lite + "m=audio 10000 RTP/AVP 0\ni=x\nc=IN IP4 198.51.100.1\n" + lines},
	} {
		checkRewrite(t, tt.in, tt.out, leg)
	}
}
