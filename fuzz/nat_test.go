package fuzz

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"minisip/nat"
	"minisip/sipmsg"
)

// dropped is what a rewritten session description must not hold any more.
var dropped = regexp.MustCompile(`^a=((candidate|remote-candidates|end-of-candidates|bundle-only|ice-[^:]*) *(:|$)|group *:[ \t]*BUNDLE([ \t]|$))`)

// changed is what may differ: everything else stays, byte for byte.
var changed = regexp.MustCompile(`^(m=|c=|a=rtcp *:)`)

// added is a line that a stream may get: with a leg's address, or with the session's as it was written.
var added = regexp.MustCompile(`^c=IN (?i:IP)`)

// FuzzSDP rewrites any session description with legs for some of its relayable streams.
func FuzzSDP(f *testing.F) {
	for _, sdp := range descriptions(f) {
		f.Add([]byte(sdp), uint16(0xffff), false)
		f.Add([]byte(strings.ReplaceAll(sdp, "\r", "")), uint16(2), true)
	}
	f.Add([]byte("v=0\nc=IN IP4 0.0.0.0\nm=audio 4000 RTP/AVP 0\ni=x\nm=message 4000 TCP/MSRP *"), uint16(1), true)
	f.Add([]byte("v=0\nc=IN IP4 a.example.com\nm=message 4 TCP/MSRP *\nm=audio 4000/2 udp 0\na=rtcp:4000 IN IP6 ::"), uint16(2), false)
	f.Add([]byte("v=0\nc=IN IP4 233.252.0.1/127\nc=IN IP4 10.0.0.1\nm=audio 4000 RTP/AVP 0\nc=TN x y\na=rtcp:0"), uint16(1), false)
	f.Fuzz(func(t *testing.T, body []byte, mask uint16, ipv6 bool) {
		var in, out nat.SDP
		if in.Parse(body) != nil {
			in.Cut(1)
			if out := in.AppendRewritten(nil, []nat.Leg{{Addr: netip.IPv6Unspecified(), Port: 1}}); !bytes.Equal(out, body) {
				t.Fatalf("%q was refused, but became %q", body, out)
			}
			return
		}
		for _, ice := range []bool{false, true} {
			rewrite(t, &in, &out, body, makeLegs(&in, mask, ipv6, ice), ice)
		}
	})
}

// rewrite checks all that holds for one rewriting.
func rewrite(t *testing.T, in, out *nat.SDP, body []byte, legs []nat.Leg, ice bool) {
	got := in.AppendRewritten([]byte("before"), legs)
	got, ok := bytes.CutPrefix(got, []byte("before"))
	if !ok {
		t.Fatal("what stood in dst is gone")
	}
	if !slices.ContainsFunc(legs, func(l nat.Leg) bool { return l.Port != 0 }) {
		if !bytes.Equal(got, body) {
			t.Fatalf("no leg, and yet\n%q\nbecame\n%q", body, got)
		}
		return
	}
	checkLines(t, body, withoutOwn(t, got, ice))
	if bytes.Count(got, []byte("\n")) >= nat.MaxLines {
		return // the lines that were added may break the cap
	}
	if err := out.Parse(got); err != nil {
		t.Fatalf("%q\nbecame\n%q\n%v", body, got, err)
	}
	checkStreams(t, in, out, legs)
	if again := out.AppendRewritten(nil, legs); !bytes.Equal(again, got) {
		t.Fatalf("rewritten again\n%q\nis\n%q", got, again)
	}
}

// own are the lines of ICE that a leg adds.
var own = regexp.MustCompile(`^a=(ice-lite|ice-options:ice2|ice-ufrag:legs|ice-pwd:password\+of/24\+letters\+0|candidate:1 [12] UDP 213070643[01] \S+ 10\d{3} typ host)\r?\n$`)

// withoutOwn takes out what ICE has added, which is where it may stand.
func withoutOwn(t *testing.T, sdp []byte, ice bool) (rest []byte) {
	session := true
	for line := range bytes.Lines(sdp) {
		session = session && !bytes.HasPrefix(line, []byte("m="))
		if !ice || !own.Match(line) {
			rest = append(rest, line...)
		} else if of := bytes.HasPrefix(line, []byte("a=ice-lite")) || bytes.HasPrefix(line, []byte("a=ice-options")); of != session {
			t.Fatalf("line %q is out of place in\n%q", line, sdp)
		}
	}
	return rest
}

// makeLegs gives a leg to each relayable stream whose bit is set.
func makeLegs(s *nat.SDP, mask uint16, ipv6, ice bool) []nat.Leg {
	addr := netip.MustParseAddr("198.51.100.1")
	if ipv6 {
		addr = netip.MustParseAddr("2001:db8::1")
	}
	legs := make([]nat.Leg, len(s.Streams))
	for i := range legs {
		if s.Streams[i].Relayable && mask>>i&1 != 0 {
			legs[i] = nat.Leg{Addr: addr, Port: uint16(10000 + 4*i)}
			if ice {
				legs[i].Ufrag, legs[i].Pwd, legs[i].Mux = "legs", "password+of/24+letters+0", s.Streams[i].Mux
			}
		}
	}
	return legs
}

// checkLines walks input and output side by side.
func checkLines(t *testing.T, in, out []byte) {
	t.Helper()
	rest := slices.Collect(bytes.Lines(out))
	next := func() (line []byte) {
		if len(rest) > 0 {
			line, rest = rest[0], rest[1:]
		}
		return line
	}
	for line := range bytes.Lines(in) {
		if dropped.Match(trimEnd(line)) {
			continue
		}
		got := next()
		// A c= that was added stands after m= or i=, in a stream that has no other.
		if added.Match(got) && !bytes.HasPrefix(line, []byte("c=")) {
			got = next()
		}
		// The last line may have got an ending, for the sake of what is added behind it.
		if !bytes.HasSuffix(line, []byte("\n")) && !bytes.Equal(got, line) {
			got = bytes.TrimSuffix(got, []byte("\n"))
			if !bytes.Equal(got, line) {
				got = bytes.TrimSuffix(got, []byte("\r"))
			}
		}
		if bytes.Equal(got, line) || changed.Match(line) && bytes.HasPrefix(got, line[:2]) {
			continue
		}
		t.Fatalf("line %q became %q in\n%q\nof\n%q", line, got, out, in)
	}
	for _, line := range rest {
		if !added.Match(line) {
			t.Fatalf("line %q came from nowhere in\n%q\nof\n%q", line, out, in)
		}
	}
	for line := range bytes.Lines(out) {
		if dropped.Match(trimEnd(line)) {
			t.Fatalf("line %q is still there", line)
		}
	}
}

func trimEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

// checkStreams compares what both descriptions mean.
func checkStreams(t *testing.T, in, out *nat.SDP, legs []nat.Leg) {
	t.Helper()
	if len(in.Streams) != len(out.Streams) {
		t.Fatalf("%d streams became %d", len(in.Streams), len(out.Streams))
	}
	for i := range in.Streams {
		a, b, leg := &in.Streams[i], &out.Streams[i], legs[i]
		if !bytes.Equal(a.Media, b.Media) || !bytes.Equal(a.Proto, b.Proto) || !bytes.Equal(a.Formats, b.Formats) ||
			a.NumPorts != b.NumPorts || a.Direction != b.Direction || a.Hold != b.Hold || a.Mux != b.Mux || a.Relayable != b.Relayable {
			t.Fatalf("stream %d: %+v became %+v", i, a, b)
		}
		switch {
		case leg.Port == 0 && a.Port == 0:
			if b.Port != 0 {
				t.Fatalf("stream %d: port 0 became %d", i, b.Port)
			}
		case leg.Port == 0:
			if b.Port != a.Port || b.Addr != a.Addr || b.RTCP != a.RTCP {
				t.Fatalf("stream %d, left alone: %v:%d %v became %v:%d %v", i, a.Addr, a.Port, a.RTCP, b.Addr, b.Port, b.RTCP)
			}
		default:
			want := leg.Addr
			if a.Addr.IsValid() && a.Addr.IsUnspecified() && !(a.ICE() && a.Port == 9) { // held
				want = netip.IPv4Unspecified()
				if leg.Addr.Is6() {
					want = netip.IPv6Unspecified()
				}
			}
			if b.Port != leg.Port || b.Addr != want {
				t.Fatalf("stream %d: %v:%d, not %v:%d", i, b.Addr, b.Port, want, leg.Port)
			}
			if p := b.RTCP.Port(); p != leg.Port && p != leg.Port+1 {
				t.Fatalf("stream %d: RTCP at %v", i, b.RTCP)
			}
		}
	}
}

// FuzzBody finds a session description in any body and puts another in its place.
func FuzzBody(f *testing.F) {
	const part = "--b\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n\r\n--b--\r\n"
	f.Add("application/sdp", []byte("v=0\r\n"))
	f.Add("multipart/mixed;boundary=b", []byte(part))
	f.Add("multipart/mixed; boundary=\"a\"", []byte("--a\r\nc: multipart/x;boundary=b\r\nl: 9\r\n\r\n"+part+"\r\n--a--"))
	f.Add("multipart/mixed;boundary=b", []byte("x\n--b\nContent-Disposition: session\nc:\n application/sdp\n\nv=0\n--b\n\ny"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		m := parseInvite(contentType, body)
		if m == nil {
			return
		}
		body = m.Body()
		p, ok := nat.FindSDP(m)
		if !ok {
			return
		}
		if old := p.SDP(); !bytes.Equal(old, body[p.Start:p.End]) {
			t.Fatalf("part %d-%d of %q is %q", p.Start, p.End, body, old)
		}
		const sdp = "v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\n"
		nat.ReplaceSDP(m, p, []byte(sdp), nil)
		again := new(sipmsg.Message)
		if err := again.Parse(m.AppendTo(nil)); err != nil {
			t.Fatal(err)
		}
		got := again.Body()
		q, ok := nat.FindSDP(again)
		if !ok || string(q.SDP()) != sdp {
			t.Fatalf("%q\nbecame\n%q", body, got)
		}
		if !bytes.Equal(noDigits(body[:p.Start]), noDigits(got[:q.Start])) || !bytes.Equal(body[p.End:], got[q.End:]) {
			t.Fatalf("outside the part\n%q\nbecame\n%q", body, got)
		}
		if !strings.Contains(strings.ToLower(string(body)), "length") && !regexp.MustCompile(`(?i)l\s*:`).Match(body) &&
			!bytes.Equal(body[:p.Start], got[:q.Start]) {
			t.Fatalf("without a Content-Length\n%q\nbecame\n%q", body, got)
		}
	})
}

// noDigits takes out the digits, which are all that may differ in front of the part.
func noDigits(b []byte) []byte {
	return slices.DeleteFunc(bytes.Clone(b), func(c byte) bool { return '0' <= c && c <= '9' })
}

func parseInvite(contentType string, body []byte) *sipmsg.Message {
	m := new(sipmsg.Message)
	raw := fmt.Sprintf("INVITE sip:a@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa\r\n"+
		"From: <sip:b@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"+
		"Content-Type: %s\r\nContent-Length: %d\r\n\r\n%s", contentType, len(body), body)
	if m.Parse([]byte(raw)) != nil {
		return nil
	}
	return m
}

// FuzzFixVia writes received and rport into any Via and reads them again.
func FuzzFixVia(f *testing.F) {
	f.Add("SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa;rport", true)
	f.Add(`SIP / 2.0 / UDP [::1] ;received=1;RPORT=7;x="a;rport=\";" ;branch=z9hG4bKb`, false)
	f.Fuzz(func(t *testing.T, via string, force bool) {
		old, err := sipmsg.ParseVia([]byte(via))
		if err != nil {
			return
		}
		m := new(sipmsg.Message)
		raw := "OPTIONS sip:a@example.com SIP/2.0\r\nVia: " + via + "\r\nFrom: <sip:b@example.com>;tag=1\r\n" +
			"To: <sip:a@example.com>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
		if m.Parse([]byte(raw)) != nil || string(m.ViaValue().Bytes) != via {
			return
		}
		src := netip.MustParseAddrPort("203.0.113.9:40123")
		nat.FixVia(m, src, force)
		again := new(sipmsg.Message)
		if err := again.Parse(m.AppendTo(nil)); err != nil {
			t.Fatalf("%q: %v", via, err)
		}
		v := again.Via()
		if (force || old.HasRPort) != v.HasRPort || v.HasRPort && v.RPort != src.Port() {
			t.Fatalf("%q became %q", via, again.ViaValue().Bytes)
		}
		at := v.Received
		if at == nil {
			at = v.Host
		}
		if ip, ok := nat.ParseAddr(at); !ok || ip.Unmap() != src.Addr() {
			t.Fatalf("%q became %q: the response goes to %s", via, again.ViaValue().Bytes, at)
		}
		if !bytes.Equal(old.Branch, v.Branch) || !bytes.Equal(old.Host, v.Host) || old.Port != v.Port || !bytes.Equal(old.Maddr, v.Maddr) {
			t.Fatalf("%q became %q", via, again.ViaValue().Bytes)
		}
	})
}

// FuzzContactURI puts another host and port into any SIP URI but a GRUU (RFC 5627).
func FuzzContactURI(f *testing.F) {
	f.Add("sip:001;x=y?:pw@10.0.0.1:5060;ob?a=b")
	f.Add("sips:[::1]")
	f.Add("tel:+81312345678")
	f.Add("sip:001@minisip.example;gr=urn:uuid:1")
	f.Fuzz(func(t *testing.T, uri string) {
		src := netip.MustParseAddrPort("[2001:db8::9]:5062")
		got := nat.AppendContactURI(nil, []byte(uri), src)
		a, err := sipmsg.ParseURI([]byte(uri))
		if _, gruu := a.Param("gr"); gruu || err != nil || !a.IsSIP() {
			if string(got) != uri {
				t.Fatalf("%q became %q", uri, got)
			}
			return
		}
		b, err := sipmsg.ParseURI(got)
		if err != nil {
			t.Fatalf("%q became %q: %v", uri, got, err)
		}
		if string(b.Host) != "2001:db8::9" || b.Port != 5062 {
			t.Fatalf("%q became %q", uri, got)
		}
		if !bytes.Equal(a.Scheme, b.Scheme) || !bytes.Equal(a.User, b.User) || !bytes.Equal(a.Password, b.Password) ||
			!bytes.Equal(a.Params, b.Params) || !bytes.Equal(a.Headers, b.Headers) {
			t.Fatalf("%q became %q", uri, got)
		}
	})
}

// descriptions gives the session descriptions of nat's own tests: what goes in.
func descriptions(f *testing.F) (sdps []string) {
	files, err := filepath.Glob("../nat/testdata/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var sdp strings.Builder
		for line := range strings.Lines(string(b)) {
			if line[0] == ' ' || line[0] == '-' {
				sdp.WriteString(strings.TrimSuffix(line[1:], "\n") + "\r\n")
			}
		}
		sdps = append(sdps, sdp.String())
	}
	return sdps
}
