package nat

import (
	"fmt"
	"strings"
	"testing"

	"minisip/sipmsg"
)

// invite gives an INVITE with a body; headers are whole lines.
func invite(t testing.TB, body string, headers ...string) *sipmsg.Message {
	t.Helper()
	raw := "INVITE sip:002@example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa\r\n" +
		"From: <sip:001@example.com>;tag=1\r\nTo: <sip:002@example.com>\r\n" +
		"Call-ID: 1\r\nCSeq: 1 INVITE\r\n"
	for _, h := range headers {
		raw += h + "\r\n"
	}
	raw += fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	m := new(sipmsg.Message)
	if err := m.Parse([]byte(raw)); err != nil {
		t.Fatalf("%v in\n%s", err, raw)
	}
	return m
}

// lines makes one line of text, parted by '|', a body with CRLF.
func lines(s string) string { return strings.ReplaceAll(s, "|", "\r\n") }

// The session description is "SDP" here; it is replaced by "longer SDP".
func TestFindAndReplace(t *testing.T) {
	const mixed = "Content-Type: multipart/mixed;boundary=b1"
	for _, tt := range []struct {
		name, header string
		in, out      string // out "": nothing is found
	}{
		{"alone", "Content-Type: application/sdp", "SDP", "longer SDP"},
		{"in capitals, with a parameter", "c: Application/SDP ; charset=utf-8", "SDP", "longer SDP"},
		{"another type", "Content-Type: text/plain", "SDP", ""},
		{"no type", "X: y", "SDP", ""},
		{"empty", "Content-Type: application/sdp", "", ""},
		{"identity", "Content-Type: application/sdp|Content-Encoding: identity", "SDP", "longer SDP"},
		{"encoded", "Content-Type: application/sdp|Content-Encoding: gzip", "SDP", ""},
		{"white space around the slash", "Content-Type: application|\t/ sdp ;a=b", "SDP", "longer SDP"},
		{"one part", mixed, "--b1|Content-Type: application/sdp||SDP|--b1--|",
			"--b1|Content-Type: application/sdp||longer SDP|--b1--|"},
		{"second part, preamble, epilogue", mixed,
			"pre|--b1|Content-Type: application/isup;version=x||\x01\x00--b1|--b1x|--b1 |c: application/sdp|X: y||SDP|--b1--|--b1|epi",
			"pre|--b1|Content-Type: application/isup;version=x||\x01\x00--b1|--b1x|--b1 |c: application/sdp|X: y||longer SDP|--b1--|--b1|epi"},
		{"the first of two", mixed,
			"--b1|Content-Type: application/sdp||SDP|--b1|Content-Type: application/sdp||two|--b1--|",
			"--b1|Content-Type: application/sdp||longer SDP|--b1|Content-Type: application/sdp||two|--b1--|"},
		{"an empty line belongs to the part", mixed, "--b1|Content-Type: application/sdp||SDP||--b1--|",
			"--b1|Content-Type: application/sdp||longer SDP|--b1--|"},
		{"white space around all", "Content-Type: multipart / mixed ; boundary = b1", "--b1|c: application / sdp||SDP|--b1--|",
			"--b1|c: application / sdp||longer SDP|--b1--|"},
		{"quoted boundary, folded", `Content-Type: multipart/mixed; x=y;| boundary="a b:c"`,
			"--a b:c|Content-Type:| application/sdp;| a=b||SDP|--a b:c--",
			"--a b:c|Content-Type:| application/sdp;| a=b||longer SDP|--a b:c--"},
		{"Content-Length of the part follows", mixed,
			"--b1|Content-Length: 5 |Content-Type: application/sdp||SDP|--b1--|",
			"--b1|Content-Length: 10 |Content-Type: application/sdp||longer SDP|--b1--|"},
		{"no closing boundary", mixed, "--b1|Content-Type: application/sdp||SDP",
			"--b1|Content-Type: application/sdp||longer SDP"},
		{"nested, with lengths", mixed,
			"--b1|Content-Type: multipart/alternative; boundary=b2|Content-Length: 9||--b2|l: 3|Content-Type: application/sdp||SDP|--b2--|--b1--|",
			"--b1|Content-Type: multipart/alternative; boundary=b2|Content-Length: 64||--b2|l: 10|Content-Type: application/sdp||longer SDP|--b2--|--b1--|"},
		{"nested behind another nest", mixed,
			"--b1|Content-Type: multipart/x; boundary=b2||--b2||text|--b2--|--b1|Content-Type: application/sdp||SDP|--b1--",
			"--b1|Content-Type: multipart/x; boundary=b2||--b2||text|--b2--|--b1|Content-Type: application/sdp||longer SDP|--b1--"},
		{"three deep", mixed,
			"--b1|c: multipart/x;boundary=b2||--b2|c: multipart/x;boundary=b3||--b3|c: application/sdp||SDP|--b3--|--b2--|--b1--",
			"--b1|c: multipart/x;boundary=b2||--b2|c: multipart/x;boundary=b3||--b3|c: application/sdp||longer SDP|--b3--|--b2--|--b1--"},
		{"four deep", mixed,
			"--b1|c: multipart/x;boundary=b2||--b2|c: multipart/x;boundary=b3||--b3|c: multipart/x;boundary=b4||--b4|c: application/sdp||SDP|--b4--|--b3--|--b2--|--b1--", ""},
		{"behind other parts, whose lengths stay", mixed,
			"--b1|Content-Length: 1||a|--b1|Content-Length: 1||b|--b1||c|--b1|Content-Length: 3|X: 5|c: application/sdp||SDP|--b1--|",
			"--b1|Content-Length: 1||a|--b1|Content-Length: 1||b|--b1||c|--b1|Content-Length: 10|X: 5|c: application/sdp||longer SDP|--b1--|"},
		{"a length that is none", mixed, "--b1|Content-Length: three|c: application/sdp||SDP|--b1--|",
			"--b1|Content-Length: three|c: application/sdp||longer SDP|--b1--|"},
		{"nested, with the outer length alone", mixed,
			"--b1|c: multipart/alternative; boundary=b2|l: 9||--b2|c: application/sdp||SDP|--b2--|--b1--|",
			"--b1|c: multipart/alternative; boundary=b2|l: 46||--b2|c: application/sdp||longer SDP|--b2--|--b1--|"},
		{"nested, with a boundary that begins like the one around", mixed,
			"--b1|c: multipart/x; boundary=b1x|l: 9||--b1x|c: text/plain||text|--b1x|c: application/sdp||SDP|--b1x--|--b1--|",
			"--b1|c: multipart/x; boundary=b1x|l: 78||--b1x|c: text/plain||text|--b1x|c: application/sdp||longer SDP|--b1x--|--b1--|"},
		{"line feeds alone", mixed, "--b1\nc: application/sdp\n\nSDP\n--b1--\n", "--b1\nc: application/sdp\n\nlonger SDP\n--b1--\n"},
		{"in capitals, and white space before colons", "Content-Type: MULTIPART/MIXED;boundary=b1",
			"--b1|CONTENT-TYPE : APPLICATION/SDP|CONTENT-TRANSFER-ENCODING: 7BIT|CONTENT-ENCODING: Identity|CONTENT-LENGTH: 3||SDP|--b1--|",
			"--b1|CONTENT-TYPE : APPLICATION/SDP|CONTENT-TRANSFER-ENCODING: 7BIT|CONTENT-ENCODING: Identity|CONTENT-LENGTH: 10||longer SDP|--b1--|"},
		{"encoded parts are passed over, whatever else they say", mixed,
			"--b1|c: application/sdp|Content-Encoding: gzip|Content-Transfer-Encoding: 8bit||1|--b1|c: application/sdp|Content-Transfer-Encoding: base64|e: identity||2|" +
				"--b1|c: application/sdp|e: gzip|Content-Disposition: session||3|--b1|c: application/sdp|Content-Disposition: Early-Session ;handling=optional||4|--b1|c: application/sdp||SDP|--b1--|",
			"--b1|c: application/sdp|Content-Encoding: gzip|Content-Transfer-Encoding: 8bit||1|--b1|c: application/sdp|Content-Transfer-Encoding: base64|e: identity||2|" +
				"--b1|c: application/sdp|e: gzip|Content-Disposition: session||3|--b1|c: application/sdp|Content-Disposition: Early-Session ;handling=optional||4|--b1|c: application/sdp||longer SDP|--b1--|"},
		{"a preamble that looks like a part", mixed, "c: application/sdp||pre|--b1|c: application/sdp||SDP|--b1--|",
			"c: application/sdp||pre|--b1|c: application/sdp||longer SDP|--b1--|"},
		{"an epilogue that looks like a part", mixed, "--b1|c: text/plain||text|--b1--|--b1|c: application/sdp||SDP|--b1--|", ""},
		{"a part that looks like a preamble", mixed, "c: application/sdp||SDP", ""},
		{"a boundary without its dashes, and dashes without it", mixed,
			"--b1|c: text/plain||b1|c: application/sdp||SDP|-- |c: application/sdp||SDP|--b1--|", ""},
		{"a boundary beyond the 70 characters of RFC 2046", mixed + strings.Repeat("x", 70),
			"--b1" + strings.Repeat("x", 70) + "|c: application/sdp||SDP", "--b1" + strings.Repeat("x", 70) + "|c: application/sdp||longer SDP"},
		{"a boundary in another type", "Content-Type: text/plain;boundary=b1", "--b1|c: application/sdp||SDP|--b1--|", ""},
		{"base64", mixed, "--b1|Content-Type: application/sdp|Content-Transfer-Encoding: base64||U0RQ|--b1--|", ""},
		{"binary", mixed, "--b1|Content-Type: application/sdp|Content-Transfer-Encoding: binary||SDP|--b1--|",
			"--b1|Content-Type: application/sdp|Content-Transfer-Encoding: binary||longer SDP|--b1--|"},
		{"early session", mixed,
			"--b1|Content-Type: application/sdp|Content-Disposition: early-session;handling=optional||one|--b1|Content-Type: application/sdp|Content-Disposition: session||SDP|--b1--|",
			"--b1|Content-Type: application/sdp|Content-Disposition: early-session;handling=optional||one|--b1|Content-Type: application/sdp|Content-Disposition: session||longer SDP|--b1--|"},
		{"no such part", mixed, "--b1|Content-Type: text/plain||SDP|--b1--|", ""},
		{"no boundary", "Content-Type: multipart/mixed", "--|Content-Type: application/sdp||SDP|----|", ""},
		{"no empty line, so no content", mixed, "--b1|Content-Type: application/sdp|--b1--|", ""},
		{"an empty line that belongs to the boundary", mixed, "--b1|Content-Type: application/sdp||--b1--|", ""},
		{"cut short", mixed, "--b1|Content-Type: application/sdp", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := invite(t, lines(tt.in), lines(tt.header))
			before := string(m.AppendTo(nil))
			p, ok := FindSDP(m)
			if ok != (tt.out != "") {
				t.Fatalf("found: %v", ok)
			}
			if !ok {
				return
			}
			if got := strings.TrimSuffix(string(p.SDP()), "\r\n"); got != "SDP" {
				t.Fatalf("SDP is %q", got)
			}
			ReplaceSDP(m, p, []byte("longer SDP"), nil)
			head, _, _ := strings.Cut(before, "Content-Length: ")
			out := lines(tt.out)
			want := fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(out), out)
			if strings.Contains(head, "\r\n\r\n") {
				t.Fatal("Content-Length is not the last field of the message")
			}
			if got := string(m.AppendTo(nil)); got != want {
				t.Errorf("\ngot\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// The whole way of one body, as the proxy takes it, allocates nothing.
func TestReplaceAllocatesNothing(t *testing.T) {
	in, _, legs := readPhone(t, "baresip.txt")
	m := invite(t, "--b\r\nContent-Type: application/sdp\r\nContent-Length: 1\r\n\r\n"+in+"\r\n--b--\r\n",
		"Content-Type: multipart/mixed;boundary=b")
	l := parseLegs(t, legs)
	var s SDP
	var sdp, scratch, out []byte
	n := testing.AllocsPerRun(100, func() {
		m.ResetEdits()
		p, ok := FindSDP(m)
		if !ok || s.Parse(p.SDP()) != nil {
			t.Fatal("no SDP")
		}
		sdp = s.AppendRewritten(sdp[:0], l)
		scratch = ReplaceSDP(m, p, sdp, scratch)
		out = m.AppendTo(out[:0])
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
