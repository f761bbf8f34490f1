package nat

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A rewrite is written as one listing: lines that begin with ' ' stay, '-' go, '+' come.
// That gives what goes in and what comes out, both with CRLF.
func readDiff(t testing.TB, listing string) (in, out string) {
	t.Helper()
	for line := range strings.Lines(listing) {
		text := strings.TrimSuffix(line[1:], "\n") + "\r\n"
		switch line[0] {
		case ' ':
			in += text
			out += text
		case '-':
			in += text
		case '+':
			out += text
		default:
			t.Fatalf("line %q", line)
		}
	}
	return in, out
}

// parseLegs reads "addr:port[/rtcp] -", where - is no leg. One that ends
// in :ice or :mux, and is the first, has the credentials leg1 and password1; one of port 0 refuses.
func parseLegs(t testing.TB, s string) (legs []Leg) {
	t.Helper()
	for f := range strings.FieldsSeq(s) {
		if f == "-" {
			legs = append(legs, Leg{})
			continue
		}
		f, mux := strings.CutSuffix(f, ":mux")
		f, ice := strings.CutSuffix(f, ":ice")
		rtp, rtcp, _ := strings.Cut(f, "/")
		a, err := netip.ParseAddrPort(rtp)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := parseUint([]byte(rtcp), 65535)
		l := Leg{Addr: a.Addr(), Port: a.Port(), RTCPPort: uint16(n), Mux: mux, Refused: a.Port() == 0}
		if ice || mux {
			number := string(rune('1' + len(legs)))
			l.Ufrag, l.Pwd = "leg"+number, "password"+number
		}
		legs = append(legs, l)
	}
	return legs
}

func checkRewrite(t *testing.T, in, out, legs string) {
	t.Helper()
	var s SDP
	if err := s.Parse([]byte(in)); err != nil {
		t.Fatal(err)
	}
	if got := string(s.AppendRewritten(nil, parseLegs(t, legs))); got != out {
		t.Errorf("got\n%s\nwant\n%s", got, out)
	}
}

// The descriptions of real phones, in testdata.
func TestRewritePhones(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			in, out, legs := readPhone(t, filepath.Base(file))
			checkRewrite(t, in, out, legs)
		})
	}
}

// readPhone reads one file of testdata: a comment, the legs, and the listing.
func readPhone(t testing.TB, file string) (in, out, legs string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "\nlegs ")
	legs, listing, _ := strings.Cut(rest, "\n")
	in, out = readDiff(t, listing)
	return in, out, legs
}

func TestRewriteRules(t *testing.T) {
	const one = "198.51.100.1:10000"
	for _, tt := range []struct {
		name, legs, diff string
	}{
		{"no leg changes nothing", "", `
 v=0
 o=- 1 1 IN IP4 10.0.0.1
 c=IN IP4 10.0.0.1
 a=group:BUNDLE 0
 m=audio 4000 RTP/AVP 0
 a=candidate:1 1 UDP 1 10.0.0.1 4000 typ host
`},
		{"a zero leg changes nothing", "- -", `
 v=0
 c=IN IP4 10.0.0.1
 m=audio 4000 RTP/AVP 0
 a=ice-lite
`},
		{"session c= and o=", one, `
 v=0
 o=- 1 1 IN IP4 10.0.0.1
 s=c=IN IP4 10.0.0.1
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
 t=0 0
-m=audio 4000 RTP/AVP 0 8
+m=audio 10000 RTP/AVP 0 8
`},
		{"media c=, and a session c= that nobody needs", one, `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
-m=audio 4000 RTP/AVP 0
-c=IN IP4 10.0.0.2
+m=audio 10000 RTP/AVP 0
+c=IN IP4 198.51.100.1
`},
		{"no c= at all", one, `
 v=0
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
+c=IN IP4 198.51.100.1
 a=sendrecv
`},
		{"no c= at all, and a stream left alone", one + " -", `
 v=0
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
+c=IN IP4 198.51.100.1
 m=message 4002 TCP/MSRP *
`},
		{"no c= of the session: that of one stream is not for others", "- " + one, `
 v=0
 m=message 4002 TCP/MSRP *
 c=IN IP4 10.0.0.3
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
+c=IN IP4 198.51.100.1
`},
		{"a stream left alone keeps the session's old address", one + " -", `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
 m=message 4002 TCP/MSRP *
 i=text
+c=IN IP4 10.0.0.1
 b=AS:64
 a=path:msrp://10.0.0.1:4002/s;tcp
`},
		{"and is given none when it is refused", one + " -", `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
 m=message 0 TCP/MSRP *
`},
		{"a stream left alone with a c= of its own", "- " + one, `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
 m=application 5000 UDP/BFCP *
 c=IN IP4 10.0.0.3
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
`},
		{"legs of two addresses", one + " 198.51.100.2:10004", `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
-m=video 4002 RTP/AVP 96
+m=video 10004 RTP/AVP 96
+c=IN IP4 198.51.100.2
`},
		{"a host name", one, `
 v=0
-c=IN IP4 phone.example.com
+c=IN IP4 198.51.100.1
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
`},
		{"a host name for a stream left alone", one + " -", `
 v=0
-c=IN IP4 phone.example.com
+c=IN IP4 198.51.100.1
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
 m=message 4002 TCP/MSRP *
+c=IN IP4 phone.example.com
`},
		{"hold at session level", one, `
 v=0
 c=IN IP4 0.0.0.0
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
`},
		{"hold at session level, for a stream left alone too", one + " -", `
 v=0
 c=IN IP4 0.0.0.0
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
 m=message 4002 TCP/MSRP *
`},
		{"hold at media level", one + " 198.51.100.1:10004", `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
 c=IN IP4 0.0.0.0
-a=rtcp:4001 IN IP4 0.0.0.0
+a=rtcp:10001 IN IP4 0.0.0.0
-m=video 4002 RTP/AVP 96
+m=video 10004 RTP/AVP 96
`},
		{"a browser that knows no address for RTCP yet", one, `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
-a=rtcp:9 IN IP4 0.0.0.0
+a=rtcp:10001 IN IP4 198.51.100.1
`},
		{"hold, IPv6", "[2001:db8::1]:10000", `
 v=0
 c=IN IP6 ::
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
`},
		{"hold, from IPv4 to IPv6", "[2001:db8::1]:10000", `
 v=0
-c=IN IP4 0.0.0.0
+c=IN IP6 ::
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
`},
		{"from IPv4 to IPv6", "[2001:db8::1]:10000", `
 v=0
 o=- 1 1 IN IP4 10.0.0.1
-c=IN IP4 10.0.0.1
+c=IN IP6 2001:db8::1
-m=audio 4000 RTP/AVP 0
-a=rtcp:4001 IN IP4 10.0.0.1
+m=audio 10000 RTP/AVP 0
+a=rtcp:10001 IN IP6 2001:db8::1
`},
		{"from IPv6 to IPv4", one, `
 v=0
 o=- 1 1 IN IP6 2001:db8::7
-m=audio 4000 RTP/AVP 0
-c=IN IP6 2001:db8::7
-a=rtcp:4001 IN IP6 2001:db8::7
+m=audio 10000 RTP/AVP 0
+c=IN IP4 198.51.100.1
+a=rtcp:10001 IN IP4 198.51.100.1
`},
		{"a leg in mapped form", "[::ffff:198.51.100.1]:10000", `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
`},
		{"port 0 stays 0", one + " 198.51.100.1:10004", `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
 m=video 0 RTP/AVP 96
 a=rtcp:4003
`},
		{"number of ports", one, `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
-m=video 49170/2 RTP/AVP 31
+m=video 10000/2 RTP/AVP 31
`},
		{"a=rtcp without address, leg with its own RTCP port", one + "/20001", `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
-m=audio 4000 RTP/AVP 0
-a=rtcp:4007
+m=audio 10000 RTP/AVP 0
+a=rtcp:20001
`},
		{"a=rtcp of port 0 stays", one, `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
 a=rtcp:0
`},
		{"a=rtcp on the port of RTP", one, `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
-m=audio 4000 RTP/AVP 0
+m=audio 10000 RTP/AVP 0
 a=rtcp-mux
-a=rtcp:4000
+a=rtcp:10000
`},
		{"multicast is left alone, at session level too", "198.51.100.1:10000 198.51.100.1:10004 198.51.100.1:10008", `
 v=0
 c=IN IP4 233.252.0.1/127
 m=audio 4000 RTP/AVP 0
 m=video 4002 RTP/AVP 31
 c=IN IP4 233.252.0.2/127/3
 a=rtcp:4003 IN IP4 233.252.0.2
-m=video 4004 RTP/AVP 31
-c=IN IP4 10.0.0.1
+m=video 10008 RTP/AVP 31
+c=IN IP4 198.51.100.1
`},
		{"a second c= of the session", one, `
 v=0
 c=IN IP4 233.252.0.1/127
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
-m=audio 4000 RTP/AVP 0
-c=IN IP4 10.0.0.1
-c=IN IP4 10.0.0.2
+m=audio 10000 RTP/AVP 0
+c=IN IP4 198.51.100.1
+c=IN IP4 198.51.100.1
`},
		{"another network is left alone", one, `
 v=0
 c=TN RFC2543 +1-201-406-4090
 m=audio 4000 RTP/AVP 0
`},
		{"every ICE and BUNDLE line goes, what looks alike stays", one, `
 v=0
-c=IN IP4 10.0.0.1
-a=group:BUNDLE audio video
-a=ice-lite
-a=ice-options:ice2 trickle
-a=ice-pacing:50
-a=ice-ufrag:abcd
-a=ice-pwd:0123456789012345678901
+c=IN IP4 198.51.100.1
 a=group:FID 1 2
 a=iced:tea
-m=audio 4000 RTP/AVP 0
-a=candidate:1 1 UDP 1 10.0.0.1 4000 typ host
-a=remote-candidates:1 10.0.0.9 4000
-a=end-of-candidates
-a=ice-mismatch
-a=bundle-only
+m=audio 10000 RTP/AVP 0
 a=candidates
 a=fmtp:0 a=candidate:1
 k=prompt
 nonsense
 
 a=setup:passive
`},
		{"refused: port 0, and no address but ours", one + " 198.51.100.1:0", `
 v=0
-m=audio 4000 RTP/AVP 0
-c=IN IP4 10.0.0.1
+m=audio 10000 RTP/AVP 0
+c=IN IP4 198.51.100.1
-m=video 4002 RTP/AVP 96
-c=IN IP4 10.0.0.2
-a=rtcp:4009 IN IP4 10.0.0.3
-a=candidate:1 1 UDP 1 10.0.0.1 4002 typ host
+m=video 0 RTP/AVP 96
+c=IN IP4 198.51.100.1
+a=rtcp:4009 IN IP4 198.51.100.1
`},
		{"all refused", "198.51.100.1:0", `
 v=0
-c=IN IP4 10.0.0.1
+c=IN IP4 198.51.100.1
-m=audio 4000 RTP/AVP 0
+m=audio 0 RTP/AVP 0
`},
		{"tabs and spaces around what changes", one, `
 v=0
-c=IN  IP4  10.0.0.1 
+c=IN  IP4 198.51.100.1 
-m=audio  4000  RTP/AVP  0
+m=audio  10000  RTP/AVP  0
`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, out := readDiff(t, tt.diff[1:])
			checkRewrite(t, in, out, tt.legs)
		})
	}
}

// What is cut goes with all its lines; what is not there cannot be cut.
func TestCut(t *testing.T) {
	const body = "v=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 96\r\nc=IN IP4 10.0.0.2\r\na=ice-ufrag:abcd\r\n"
	for n, want := range []string{
		body[:strings.Index(body, "m=audio")],
		"v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 10000 RTP/AVP 0\r\n",
		"v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 10000 RTP/AVP 0\r\nm=video 10002 RTP/AVP 96\r\nc=IN IP4 198.51.100.1\r\n",
		"v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 10000 RTP/AVP 0\r\nm=video 10002 RTP/AVP 96\r\nc=IN IP4 198.51.100.1\r\n",
	} {
		var s SDP
		if err := s.Parse([]byte(body)); err != nil {
			t.Fatal(err)
		}
		s.Cut(n)
		if got := string(s.AppendRewritten(nil, parseLegs(t, "198.51.100.1:10000 198.51.100.1:10002"))); got != want || len(s.Streams) != min(n, 2) {
			t.Errorf("Cut(%d): %d streams\n%s\nwant\n%s", n, len(s.Streams), got, want)
		}
	}
}

// Whatever ends the lines goes on ending them, and a last line without an end stays so.
func TestRewriteLineEndings(t *testing.T) {
	const leg = "198.51.100.1:10000"
	for _, tt := range []struct{ in, out string }{
		{"v=0\nc=IN IP4 10.0.0.1\nm=audio 4000 RTP/AVP 0\na=ice-lite\n",
			"v=0\nc=IN IP4 198.51.100.1\nm=audio 10000 RTP/AVP 0\n"},
		{"v=0\nm=audio 4000 RTP/AVP 0\na=sendrecv",
			"v=0\nm=audio 10000 RTP/AVP 0\nc=IN IP4 198.51.100.1\na=sendrecv"},
		{"v=0\r\nm=audio 4000 RTP/AVP 0",
			"v=0\r\nm=audio 10000 RTP/AVP 0\r\nc=IN IP4 198.51.100.1"},
		{"v=0\r\nm=audio 4000 RTP/AVP 0\r\na=rtcp:4001\n\n",
			"v=0\r\nm=audio 10000 RTP/AVP 0\r\nc=IN IP4 198.51.100.1\r\na=rtcp:10001\n\n"},
		{"v=0\r\nc=IN IP4 10.0.0.1\nm=audio 4000 RTP/AVP 0\r\r\n",
			"v=0\r\nc=IN IP4 198.51.100.1\nm=audio 10000 RTP/AVP 0\r\r\n"},
	} {
		checkRewrite(t, tt.in, tt.out, leg)
	}
}
