package proxy

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
)

// request is a good MESSAGE; the tables change it.
const request = "MESSAGE sip:002@minisip.example SIP/2.0\r\n" +
	"Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK-1\r\n" +
	"Max-Forwards: 70\r\n" +
	"From: <sip:001@minisip.example>;tag=a\r\n" +
	"To: <sip:002@minisip.example>\r\n" +
	"Call-ID: c@001\r\n" +
	"CSeq: 1 MESSAGE\r\n" +
	"Content-Type: text/plain\r\n" +
	"Content-Length: 2\r\n\r\nhi"

// change replaces text in the request, which has to be there.
func change(t *testing.T, pairs ...string) string {
	t.Helper()
	m := request
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(m, pairs[i]) {
			t.Fatalf("the request has no %q", pairs[i])
		}
		m = strings.ReplaceAll(m, pairs[i], pairs[i+1])
	}
	return m
}

var stranger = netip.MustParseAddrPort("198.51.100.7:5060")

// firstLines are the start lines of what the core sent for one datagram.
func firstLines(w *world, datagram string) string {
	w.events = nil
	w.deliver(stranger, []byte(datagram))
	var lines []string
	for _, e := range w.events {
		if e.from != "" {
			lines = append(lines, firstLine(e.text))
		}
	}
	return strings.Join(lines, "; ")
}

func TestBadDatagrams(t *testing.T) {
	const challenged = "SIP/2.0 407 Proxy Authentication Required"
	bad := func(field string) string { return "SIP/2.0 400 Bad Request: " + field }
	tests := []struct {
		name, datagram, want string
		malformed            bool // counted so
	}{
		{"the request as it is", request, challenged, false},
		{"nothing", "", "", true},
		{"a keepalive", "\r\n\r\n", "", true},
		{"a null byte", "\x00", "", true},
		{"HTTP", "GET / HTTP/1.1\r\nHost: minisip.example\r\n\r\n", "", true},
		{"RTP", "\x80\x00\x12\x34\x00\x00\x00\xa0\x01\x02\x03\x04", "", true},
		{"cut in the start line", request[:20], "", true},
		{"cut in From", request[:strings.Index(request, "tag=a")], "", true},
		{"cut before the empty line", request[:strings.Index(request, "\r\n\r\n")], bad("empty line"), true},
		{"cut in the body", request[:len(request)-1], bad("body"), true},
		{"bytes behind the body", request + "more", challenged, false},
		{"a length of letters", change(t, "Length: 2", "Length: two"), bad("Content-Length"), true},
		{"a negative length", change(t, "Length: 2", "Length: -2"), bad("Content-Length"), true},
		{"a huge length", change(t, "Length: 2", "Length: 99999999999999999999"), bad("body"), true},
		{"no length", change(t, "Content-Length: 2\r\n", ""), challenged, false},
		{"another version", change(t, "example SIP/2.0", "example SIP/7.0"), "SIP/2.0 505 Version Not Supported", true},
		{"no version", change(t, "example SIP/2.0", "example"), "", true},
		{"a bad Request-URI", change(t, "sip:002@minisip.example SIP", "sip:002@[::1 SIP"), bad("Request-URI"), true},
		{"a space in the Request-URI", change(t, "sip:002@minisip.example SIP", "sip:002@mini sip SIP"), bad("Request-URI"), true},
		{"another method in CSeq", change(t, "1 MESSAGE", "1 INVITE"), bad("CSeq"), true},
		{"a CSeq too large", change(t, "1 MESSAGE", "2147483648 MESSAGE"), bad("CSeq"), true},
		{"two Call-IDs", change(t, "Call-ID: c@001\r\n", "Call-ID: c@001\r\ni: d@001\r\n"), bad("Call-ID"), true},
		{"two CSeqs", change(t, "CSeq: 1 MESSAGE\r\n", "CSeq: 1 MESSAGE\r\nCSeq: 2 MESSAGE\r\n"), bad("CSeq"), true},
		{"two Froms", change(t, "CSeq: 1", "From: <sip:002@minisip.example>;tag=b\r\nCSeq: 1"), bad("From"), true},
		{"Max-Forwards too large", change(t, "Forwards: 70", "Forwards: 256"), bad("Max-Forwards"), true},
		{"Max-Forwards of letters", change(t, "Forwards: 70", "Forwards: many"), bad("Max-Forwards"), true},
		{"a bad To", change(t, "<sip:002@minisip.example>", "<sip:002@minisip.example"), bad("To"), true},
		{"no To", change(t, "To: <sip:002@minisip.example>\r\n", ""), bad("To"), true},
		{"no Via", change(t, "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK-1\r\n", ""), "", true},
		{"a bad Via", change(t, "SIP/2.0/UDP 198.51.100.7:5060", "SIP/2.0/UDP ,"), "", true},
		{"an ACK in pieces", change(t, "MESSAGE", "ACK", "Length: 2", "Length: 3"), "", true},
		{"a stray ACK", change(t, "MESSAGE", "ACK"), "", false},
		{"a response in pieces", "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 203.0.113.1\r\n\r\n", "", true},
		{"a stray response", change(t, "MESSAGE sip:002@minisip.example SIP/2.0", "SIP/2.0 200 OK"), "", false},
		{"an impossible status", change(t, "MESSAGE sip:002@minisip.example SIP/2.0", "SIP/2.0 99 Low"), "", true},
		{"64 KB that are no SIP", strings.Repeat("x", 65507), "", true},
		{"64 KB of one line", change(t, "Max-Forwards: 70", "Max-Forwards: 70\r\nX: "+strings.Repeat("x", 65000)), "", true},
		{"64 KB of headers", change(t, "Max-Forwards: 70\r\n", "Max-Forwards: 70\r\n"+strings.Repeat("X: y\r\n", 10000)), "", true},
		{"64 KB of body", change(t, "Length: 2\r\n\r\nhi", "Length: 64000\r\n\r\n"+strings.Repeat("x", 64000)), challenged, false},
	}
	for _, silent := range []bool{false, true} {
		for _, tt := range tests {
			w := newWorld(t)
			w.users["001"] = "secret"
			w.cfg.Silent = silent
			c := w.start()
			if got := firstLines(w, tt.datagram); got != tt.want {
				t.Errorf("%s, silent %v: got %q, want %q", tt.name, silent, got, tt.want)
			}
			if got := c.Counters().Dropped[Malformed] == 1; got != tt.malformed {
				t.Errorf("%s, silent %v: counted as malformed %v, want %v", tt.name, silent, got, tt.malformed)
			}
			w.finish()
		}
	}
}

// In silent mode nothing that a stranger sends is answered, good or bad.
func TestSilenceTowardsStrangers(t *testing.T) {
	for _, from := range []string{"<sip:777@minisip.example>;tag=a", "<sip:minisip.example>;tag=a", "<tel:+4930123>;tag=a", "<sip:001%00@minisip.example>;tag=a"} {
		for _, datagram := range []string{
			request, strings.ReplaceAll(request, "Length: 2", "Length: 3"), strings.ReplaceAll(request, "example SIP/2.0", "example SIP/3.0"),
			strings.ReplaceAll(request, "MESSAGE", "OPTIONS"), strings.ReplaceAll(request, "MESSAGE sip:002@", "MESSAGE tn3270:"),
			strings.ReplaceAll(request, "MESSAGE", "CANCEL"), strings.ReplaceAll(request, "Forwards: 70", "Forwards: 0"),
			strings.ReplaceAll(request, "To: <sip:002@minisip.example>", "To: <sip:002@minisip.example>;tag=b"),
			strings.ReplaceAll(request, "From: <", "From: <<"),
		} {
			w := newWorld(t)
			w.users["001"], w.users["002"] = "secret", "secret"
			datagram = strings.ReplaceAll(datagram, "<sip:001@minisip.example>;tag=a", from)
			if got := firstLines(w, datagram); got != "" {
				t.Errorf("from %s: %s got %q", from, firstLine(datagram), got)
			}
			if n := w.core.Counters().Dropped[UnknownUser]; n != 1 {
				t.Errorf("from %s: %s: %d counted as unknown users", from, firstLine(datagram), n)
			}
		}
	}
}

// The log names a silenced source once a minute, and not more than 1024 sources.
func TestHushedLog(t *testing.T) {
	w := newWorld(t)
	w.users["001"] = "secret"
	lines := func(n int) int {
		w.events = nil
		for i := range n {
			src := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 5060)
			w.deliver(src, bytes.ReplaceAll([]byte(request), []byte("sip:001@"), []byte("sip:x@")))
		}
		return len(w.events)
	}
	for _, step := range []struct {
		after string
		n     int
		want  int
	}{{"0s", 1, 1}, {"1s", 1, 0}, {"1s", 3, 2}, {"57s", 3, 0}, {"1s", 3, 3}, {"1s", 2000, 1021}, {"59s", 2000, 1024}} {
		w.advance(duration(t, step.after))
		if got := lines(step.n); got != step.want {
			t.Errorf("%s later %d sources give %d lines, want %d", step.after, step.n, got, step.want)
		}
	}
}
