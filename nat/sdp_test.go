package nat

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// show writes what the relay needs to know of a stream on one line.
func show(st *Stream) string {
	s := fmt.Sprintf("%s %d/%d %s [%s] addr=%v rtcp=%v", st.Media, st.Port, st.NumPorts, st.Proto, st.Formats, st.Addr, st.RTCP)
	s += " " + [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}[st.Direction]
	for _, f := range []struct {
		on   bool
		name string
	}{{st.Mux, "mux"}, {st.Hold, "hold"}, {st.Relayable, "relayable"}} {
		if f.on {
			s += " " + f.name
		}
	}
	return s
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		name string
		sdp  string // lines parted by '|'
		want string // streams parted by '|'
	}{
		{"no stream", "v=0|c=IN IP4 192.0.2.1", ""},
		{"session address", "v=0|c=IN IP4 192.0.2.1|m=audio 4000 RTP/AVP 0 8",
			"audio 4000/1 RTP/AVP [0 8] addr=192.0.2.1 rtcp=192.0.2.1:4001 sendrecv relayable"},
		{"own address wins", "v=0|c=IN IP4 192.0.2.1|m=audio 4000 RTP/AVP 0|c=IN IP4 192.0.2.2",
			"audio 4000/1 RTP/AVP [0] addr=192.0.2.2 rtcp=192.0.2.2:4001 sendrecv relayable"},
		{"of several addresses the first", "v=0|c=IN IP4 192.0.2.1|c=IN IP4 192.0.2.8|m=audio 4000 RTP/AVP 0|m=video 4002 RTP/AVP 31|c=IN IP4 192.0.2.2|c=IN IP4 192.0.2.9",
			"audio 4000/1 RTP/AVP [0] addr=192.0.2.1 rtcp=192.0.2.1:4001 sendrecv relayable|" +
				"video 4002/1 RTP/AVP [31] addr=192.0.2.2 rtcp=192.0.2.2:4003 sendrecv relayable"},
		{"no address", "v=0|m=audio 4000 RTP/AVP 0",
			"audio 4000/1 RTP/AVP [0] addr=invalid IP rtcp=invalid AddrPort sendrecv relayable"},
		{"host name", "v=0|c=IN IP4 a.example.com|m=audio 4000 RTP/AVP 0",
			"audio 4000/1 RTP/AVP [0] addr=invalid IP rtcp=invalid AddrPort sendrecv relayable"},
		{"IPv6", "v=0|c=IN IP6 2001:db8::1|m=audio 4000 RTP/AVP 0",
			"audio 4000/1 RTP/AVP [0] addr=2001:db8::1 rtcp=[2001:db8::1]:4001 sendrecv relayable"},
		{"rtcp port", "v=0|c=IN IP4 192.0.2.1|m=audio 4000 RTP/AVP 0|a=rtcp:4009",
			"audio 4000/1 RTP/AVP [0] addr=192.0.2.1 rtcp=192.0.2.1:4009 sendrecv relayable"},
		{"rtcp port and address", "v=0|c=IN IP4 192.0.2.1|m=audio 4000 RTP/AVP 0|a=rtcp:4009 IN IP4 192.0.2.7",
			"audio 4000/1 RTP/AVP [0] addr=192.0.2.1 rtcp=192.0.2.7:4009 sendrecv relayable"},
		{"mux", "v=0|c=IN IP4 192.0.2.1|m=audio 4000 RTP/AVP 0|a=rtcp-mux",
			"audio 4000/1 RTP/AVP [0] addr=192.0.2.1 rtcp=192.0.2.1:4001 sendrecv mux relayable"},
		{"direction of the session and its own", "v=0|c=IN IP4 192.0.2.1|a=sendonly|m=audio 4000 RTP/AVP 0|m=video 4002 RTP/AVP 31|a=recvonly",
			"audio 4000/1 RTP/AVP [0] addr=192.0.2.1 rtcp=192.0.2.1:4001 sendonly hold relayable|" +
				"video 4002/1 RTP/AVP [31] addr=192.0.2.1 rtcp=192.0.2.1:4003 recvonly relayable"},
		{"sendrecv of its own", "v=0|c=IN IP4 192.0.2.1|a=inactive|m=audio 4000 RTP/AVP 0|a=sendrecv",
			"audio 4000/1 RTP/AVP [0] addr=192.0.2.1 rtcp=192.0.2.1:4001 sendrecv relayable"},
		{"inactive", "v=0|c=IN IP4 192.0.2.1|m=audio 4000 RTP/AVP 0|a=inactive",
			"audio 4000/1 RTP/AVP [0] addr=192.0.2.1 rtcp=192.0.2.1:4001 inactive hold relayable"},
		{"hold by 0.0.0.0", "v=0|c=IN IP4 0.0.0.0|m=audio 4000 RTP/AVP 0",
			"audio 4000/1 RTP/AVP [0] addr=0.0.0.0 rtcp=0.0.0.0:4001 sendrecv hold relayable"},
		{"hold by ::", "v=0|c=IN IP6 ::|m=audio 4000 RTP/AVP 0",
			"audio 4000/1 RTP/AVP [0] addr=:: rtcp=[::]:4001 sendrecv hold relayable"},
		{"no hold while no candidate is known", "v=0|c=IN IP4 0.0.0.0|a=ice-options:trickle|m=audio 9 RTP/AVP 0|a=ice-ufrag:8hhY|a=ice-pwd:asd88fgpdd777uzjYhagZg",
			"audio 9/1 RTP/AVP [0] addr=0.0.0.0 rtcp=0.0.0.0:10 sendrecv relayable"},
		{"hold at the same port without ICE", "v=0|c=IN IP4 0.0.0.0|m=audio 9 RTP/AVP 0",
			"audio 9/1 RTP/AVP [0] addr=0.0.0.0 rtcp=0.0.0.0:10 sendrecv hold relayable"},
		{"hold with candidates", "v=0|c=IN IP4 0.0.0.0|a=ice-options:trickle|m=audio 4000 RTP/AVP 0|a=ice-ufrag:8hhY|a=ice-pwd:asd88fgpdd777uzjYhagZg",
			"audio 4000/1 RTP/AVP [0] addr=0.0.0.0 rtcp=0.0.0.0:4001 sendrecv hold relayable"},
		{"refused", "v=0|c=IN IP4 0.0.0.0|m=audio 0 RTP/AVP 0|a=rtcp:4001 IN IP4 192.0.2.1|a=inactive",
			"audio 0/1 RTP/AVP [0] addr=0.0.0.0 rtcp=invalid AddrPort inactive"},
		{"number of ports", "v=0|c=IN IP4 192.0.2.1|m=video 4000/2 RTP/AVP 31",
			"video 4000/2 RTP/AVP [31] addr=192.0.2.1 rtcp=192.0.2.1:4001 sendrecv relayable"},
		{"the last port, and one of it", "v=0|c=IN IP4 192.0.2.1|m=audio 65535/1 RTP/AVP 0|a=rtcp:65535",
			"audio 65535/1 RTP/AVP [0] addr=192.0.2.1 rtcp=192.0.2.1:65535 sendrecv relayable"},
		{"of the session there is no RTCP", "v=0|c=IN IP4 192.0.2.1|a=rtcp-mux|a=rtcp:4009|m=audio 4000 RTP/AVP 0",
			"audio 4000/1 RTP/AVP [0] addr=192.0.2.1 rtcp=192.0.2.1:4001 sendrecv relayable"},
		{"small letters, tabs, spaces behind", "v=0|c=in ip4 192.0.2.1|m=audio\t4000 RTP/AVP 0|a=rtcp:4009 in ip6 2001:db8::1|a=rtcp-mux |a=recvonly ",
			"audio 4000/1 RTP/AVP [0] addr=192.0.2.1 rtcp=[2001:db8::1]:4009 recvonly mux relayable"},
		{"what is no line of SDP", "v=0|c=IN IP4 192.0.2.1|m=audio 4000 RTP/AVP 0|m|a:inactive|m video 4002 RTP/AVP 31",
			"audio 4000/1 RTP/AVP [0] addr=192.0.2.1 rtcp=192.0.2.1:4001 sendrecv relayable"},
		{"multicast", "v=0|c=IN IP4 233.252.0.1/127|m=audio 4000 RTP/AVP 0",
			"audio 4000/1 RTP/AVP [0] addr=233.252.0.1 rtcp=233.252.0.1:4001 sendrecv"},
		{"not the Internet", "v=0|c=TN RFC2543 +1-201-406-4090|m=audio 4000 RTP/AVP 0",
			"audio 4000/1 RTP/AVP [0] addr=invalid IP rtcp=invalid AddrPort sendrecv"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s SDP
			if err := s.Parse([]byte(strings.ReplaceAll(tt.sdp, "|", "\r\n") + "\r\n")); err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range s.Streams {
				got = append(got, show(&s.Streams[i]))
			}
			if g := strings.Join(got, "|"); g != tt.want {
				t.Errorf("\ngot  %s\nwant %s", g, tt.want)
			}
		})
	}
}

func TestRelayable(t *testing.T) {
	for m, want := range map[string]bool{
		"audio 4000 RTP/AVP 0":                  true,
		"video 4000 RTP/AVPF 96":                true,
		"audio 4000 RTP/SAVP 0":                 true,
		"audio 4000 rtp/savpf 0":                true,
		"audio 4000 UDP/TLS/RTP/SAVP 0":         true,
		"audio 4000 UDP/TLS/RTP/SAVPF 0":        true,
		"image 4000 udptl t38":                  true,
		"image 4000 UDPTL t38":                  true,
		"image 4000 UDP/TLS/UDPTL t38":          true,
		"video 4000 udp 31":                     true,
		"application 4000 RTP/AVP 100":          true, // far end camera control (RFC 4573)
		"application 4000 UDP wb":               false,
		"application 4000 UDP/BFCP *":           false,
		"application 4000 UDP/DTLS/SCTP webrtc": false,
		"message 4000 TCP/MSRP *":               false,
		"image 4000 TCP t38":                    false,
		"audio 4000 TCP/RTP/AVP 0":              false,
		"audio 4000 RTP/AVP/TCP 0":              false,
		"audio 0 RTP/AVP 0":                     false,
	} {
		var s SDP
		if err := s.Parse([]byte("v=0\r\nc=IN IP4 192.0.2.1\r\nm=" + m + "\r\n")); err != nil {
			t.Fatal(err)
		}
		if got := s.Streams[0].Relayable; got != want {
			t.Errorf("m=%s: %v, want %v", m, got, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ sdp, want string }{
		{"", "line 1: does not begin with v="},
		{"m=audio 4000 RTP/AVP 0\r\n", "line 1: does not begin with v="},
		{"v=0\r\nm=audio 65536 RTP/AVP 0", "line 2: m= with a bad port"},
		{"v=0\r\nm=audio -1 RTP/AVP 0", "line 2: m= with a bad port"},
		{"v=0\r\nm=audio $ RTP/AVP 0", "line 2: m= with a bad port"},
		{"v=0\r\nm=audio 4000: RTP/AVP 0", "line 2: m= with a bad port"},
		{"v=0\r\nm=audio 4000/ RTP/AVP 0", "line 2: m= with a bad port"},
		{"v=0\r\nm=audio 4000/0 RTP/AVP 0", "line 2: m= with a bad port"},
		{"v=0\r\nm=audio /2 RTP/AVP 0", "line 2: m= with a bad port"},
		{"v=0\r\nm=audio 4000\r\n", "line 2: m= without media, port and protocol"},
		{"v=0\r\nm=\r\n", "line 2: m= without media, port and protocol"},
		{"v=0\r\nc=\r\n", "line 2: c= without a network type"},
		{"v=0\r\nc=IN\r\n", "line 2: c= without IP4 or IP6 and an address"},
		{"v=0\r\nc=IN IP4 \r\n", "line 2: c= without IP4 or IP6 and an address"},
		{"v=0\r\nc=IN IP5 192.0.2.1\r\n", "line 2: c= without IP4 or IP6 and an address"},
		{"v=0\nm=audio 1 RTP/AVP 0\na=rtcp\n", "line 3: a=rtcp with a bad port"},
		{"v=0\nm=audio 1 RTP/AVP 0\na=rtcp:x\n", "line 3: a=rtcp with a bad port"},
		{"v=0\nm=audio 1 RTP/AVP 0\na=rtcp:7/\n", "line 3: a=rtcp with a bad port"},
		{"v=0\nm=audio 1 RTP/AVP 0\na=rtcp:7 IN IP4\n", "line 3: a=rtcp with a bad address"},
		{"v=0\rc=IN IP4 10.0.0.1\rm=audio 1 RTP/AVP 0\r", "line 1: a carriage return inside a line"},
		{"v=0\r\nc=IN IP4 192.0.2.1\r\ns=-\rc=IN IP4 10.0.0.1\r\nm=audio 1 RTP/AVP 0\r\n", "line 3: a carriage return inside a line"},
		{"v=0\n" + strings.Repeat("m=audio 1 RTP/AVP 0\n", MaxStreams+1), "line 18: more than 16 media streams"},
		{"v=0\n" + strings.Repeat("\n", MaxLines), "line 2049: too many lines"},
	} {
		var s SDP
		err := s.Parse([]byte(tt.sdp))
		if !errors.Is(err, ErrSDP) {
			t.Errorf("%.40q: %v is no ErrSDP", tt.sdp, err)
			continue
		}
		if want := "bad session description: " + tt.want; err.Error() != want {
			t.Errorf("%.40q: %q, want %q", tt.sdp, err, want)
		}
		s.Cut(1)
		out := s.AppendRewritten(nil, []Leg{{Addr: netip.MustParseAddr("203.0.113.5"), Port: 10000}})
		if string(out) != tt.sdp || len(s.Streams) > 0 {
			t.Errorf("%.40q was refused, but became %q", tt.sdp, out)
		}
	}
}

// At the caps, nothing is refused.
func TestParseAtCaps(t *testing.T) {
	for _, sdp := range []string{
		"v=0\n" + strings.Repeat("m=audio 1 RTP/AVP 0\n", MaxStreams),
		"v=0\n" + strings.Repeat("\n", MaxLines-1),
		"v=0\r\r\nm=audio 1 RTP/AVP 0\r", // carriage returns too many, but inside no line
	} {
		if err := new(SDP).Parse([]byte(sdp)); err != nil {
			t.Error(err)
		}
	}
}

// An SDP that is used again remembers nothing.
func TestParseAgain(t *testing.T) {
	var s SDP
	for range 2 {
		if err := s.Parse([]byte("v=0\nc=IN IP4 192.0.2.1\na=sendonly\nm=audio 4000 RTP/AVP 0\na=rtcp-mux\na=ice-lite\n")); err != nil {
			t.Fatal(err)
		}
		if err := s.Parse([]byte("v=0\nm=video 5000 RTP/AVP 31\n")); err != nil {
			t.Fatal(err)
		}
		const want = "video 5000/1 RTP/AVP [31] addr=invalid IP rtcp=invalid AddrPort sendrecv relayable"
		if len(s.Streams) != 1 || show(&s.Streams[0]) != want {
			t.Errorf("%d streams, first %s", len(s.Streams), show(&s.Streams[0]))
		}
	}
}

func TestPayloadName(t *testing.T) {
	var s SDP
	err := s.Parse([]byte("v=0\r\nm=audio 4000 RTP/AVP 0 8 96 101\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:8 x-PCMA/16000\r\n" +
		"a=rtpmap:96 second/8000\r\na=rtpmap:x nothing/8000\r\n" +
		"m=video 4002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		stream int
		pt     uint8
		want   string
	}{
		{0, 96, "opus/48000/2"}, // of two lines the first
		{1, 96, "H264/90000"},   // each stream has its own
		{0, 0, "PCMU/8000"},     // static
		{0, 8, "x-PCMA/16000"},
		{0, 101, ""},
		{0, 255, ""},
	} {
		if got := s.Streams[tt.stream].PayloadName(tt.pt); got != tt.want {
			t.Errorf("stream %d type %d: %q, want %q", tt.stream, tt.pt, got, tt.want)
		}
	}
}

// Of several lines about one payload type the first counts, one that says nothing included.
func TestEncodings(t *testing.T) {
	var s SDP
	err := s.Parse([]byte("v=0\nm=audio 4000 RTP/AVP 96 97 98\na=rtpmap:97 \na=rtpmap:8 x/1\na=rtpmap:127 b/1\na=rtpmap:96 a/1\n" +
		"a=rtpmap:97 c/1\na=rtpmap:128 d/1\na=rtpmap:96 e/1\na=rtpmap: f/1\na=rtpmap:95 g/1\nm=video 1 RTP/AVP 98\na=rtpmap:98 h/1\n"))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range s.Streams[0].Encodings() {
		want, known := map[int]string{96: "a/1", 97: "", 127: "b/1"}[i+FirstDynamic]
		if string(name) != want || (name != nil) != known {
			t.Errorf("type %d: %q, want %q", i+FirstDynamic, name, want)
		}
	}
}

// parseIP agrees with netip on what is a literal.
func TestParseIP(t *testing.T) {
	for _, s := range []string{
		"192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "2001:db8::1",
		"", ".", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.1.1.1", "1.2.3.04", "1.2.3.0004", "00.0.0.0", "1.2.3./",
		"1.2.3.4 ", "a.b.c.d", "example.com", ":", "[::1]", "::g", "1.2.3.4:5060",
	} {
		want, err := netip.ParseAddr(s)
		if got, ok := parseIP([]byte(s)); ok != (err == nil) || got != want {
			t.Errorf("%q: %v %v, want %v %v", s, got, ok, want, err)
		}
	}
	for in, want := range map[string]string{"::ffff:192.0.2.1": "192.0.2.1", "fe80::1%eth0": "fe80::1"} {
		if got, ok := parseIP([]byte(in)); !ok || got.String() != want {
			t.Errorf("%q: %v %v, want %s", in, got, ok, want)
		}
	}
}
