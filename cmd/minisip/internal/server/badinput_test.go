package server

import (
	"math/rand/v2"
	"strings"
	"testing"

	"minisip/cmd/minisip/internal/proxy"
)

// good is an OPTIONS to minisip itself. What is wrong with a datagram is done to it. 192.0.2.9
// in Via is not where it comes from, as behind a NAT.
const good = "OPTIONS sip:127.0.0.1 SIP/2.0\r\n" +
	"Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKbad\r\n" +
	"Max-Forwards: 70\r\n" +
	"From: <sip:001@127.0.0.1>;tag=f\r\n" +
	"To: <sip:127.0.0.1>\r\n" +
	"Call-ID: bad\r\n" +
	"CSeq: 1 OPTIONS\r\n" +
	"Content-Length: 0\r\n\r\n"

const stray = "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK0123456789abcdef01234567\r\n" +
	"From: <sip:001@127.0.0.1>;tag=f\r\nTo: <sip:002@127.0.0.1>;tag=t\r\nCall-ID: bad\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"

// with puts another text in the place of old.
func with(old, text string) string {
	if !strings.Contains(good, old) {
		panic("no " + old)
	}
	return strings.Replace(good, old, text, 1)
}

// cut ends the datagram before text.
func cut(text string) string { return good[:strings.Index(good, text)] }

// largest is what a UDP datagram over IPv4 can carry.
const largest = 65535 - 20 - 8

func noise(n int, seed uint64) string {
	b := make([]byte, n)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for i := range b {
		b[i] = byte(rnd.Uint32())
	}
	return string(b)
}

// badDatagrams and what RFC 3261 asks for. No answer where it is not a request that names whom to answer.
var badDatagrams = []struct {
	name, datagram string
	answer         string // how the answer begins; "": none
	malformed      bool   // it is counted as such
}{
	{"good, to compare", good, "SIP/2.0 200 OK\r\n", false},

	{"empty", "", "", true},
	{"a keepalive of CRLFs", "\r\n\r\n", "", true},
	{"a keepalive of NULs", "\x00\x00\x00\x00", "", true},
	{"random bytes", noise(700, 1), "", true},
	{"64 KB of random bytes", noise(largest, 2), "", true},
	{"another protocol", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "", true},
	{"a STUN request", "\x00\x01\x00\x00\x21\x12\xa4\x42cookiecookie", "", true},

	{"cut in the request line", cut(" SIP/2.0"), "", true},
	{"cut after the request line", cut("Via"), "", true},
	{"cut before CSeq", cut("CSeq"), "", true},
	{"cut before Via's end", cut(";branch"), "", true},
	{"cut before the empty line", good[:len(good)-2], "SIP/2.0 400 Bad Request: empty line\r\n", true},
	{"no From", with("From: <sip:001@127.0.0.1>;tag=f\r\n", ""), "SIP/2.0 400 Bad Request: From\r\n", true},
	{"no Via", with("Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKbad\r\n", ""), "", true},

	// RFC 3261 18.3: "the element SHOULD generate a 400", and bytes beyond the body "MUST be discarded".
	{"Content-Length too large", with("Length: 0", "Length: 1"), "SIP/2.0 400 Bad Request: body\r\n", true},
	{"Content-Length beyond 64 bits", with("Length: 0", "Length: 99999999999999999999"), "SIP/2.0 400 ", true},
	{"Content-Length below zero", with("Length: 0", "Length: -1"), "SIP/2.0 400 Bad Request: Content-Length\r\n", true},
	{"Content-Length too small", good + "INVITE sip:002@127.0.0.1 SIP/2.0\r\n", "SIP/2.0 200 OK\r\n", false},
	{"Content-Length of a response too large", strings.Replace(stray, "Length: 0", "Length: 1", 1), "", true},

	{"two From", with("To:", "From: <sip:002@127.0.0.1>;tag=g\r\nTo:"), "SIP/2.0 400 Bad Request: From\r\n", true},
	{"two To", with("Call-ID", "t: <sip:002@127.0.0.1>\r\nCall-ID"), "SIP/2.0 400 Bad Request: To\r\n", true},
	{"two Call-ID", with("CSeq", "i: other\r\nCSeq"), "SIP/2.0 400 Bad Request: Call-ID\r\n", true},
	{"two CSeq", with("Content", "CSeq: 2 OPTIONS\r\nContent"), "SIP/2.0 400 Bad Request: CSeq\r\n", true},
	{"two Max-Forwards", with("From", "Max-Forwards: 1\r\nFrom"), "SIP/2.0 400 Bad Request: Max-Forwards\r\n", true},
	{"two Content-Length", with("Content", "l: 0\r\nContent"), "SIP/2.0 400 Bad Request: Content-Length\r\n", true},

	{"CSeq of another method", with("1 OPTIONS", "1 INVITE"), "SIP/2.0 400 Bad Request: CSeq\r\n", true},
	{"CSeq of 2**31", with("1 OPTIONS", "2147483648 OPTIONS"), "SIP/2.0 400 Bad Request: CSeq\r\n", true},
	{"CSeq over 32 bits", with("1 OPTIONS", "4294967296 OPTIONS"), "SIP/2.0 400 Bad Request: CSeq\r\n", true},
	{"Max-Forwards over 255", with("70", "256"), "SIP/2.0 400 Bad Request: Max-Forwards\r\n", true},
	{"another SIP version", with("SIP/2.0\r\n", "SIP/3.0\r\n"), "SIP/2.0 505 ", true},
	{"another scheme", with("sip:127.0.0.1 ", "http://127.0.0.1/ "), "SIP/2.0 416 ", false},
	{"no scheme", with("sip:127.0.0.1 ", "127.0.0.1 "), "SIP/2.0 400 Bad Request: Request-URI\r\n", true},
	{"a field without a name", with("CSeq", ": value\r\nCSeq"), "SIP/2.0 400 ", true},

	{"a broken ACK", strings.ReplaceAll(with("Length: 0", "Length: 9"), "OPTIONS", "ACK"), "", true},
	{"a stray ACK", strings.ReplaceAll(good, "OPTIONS", "ACK"), "", false},
	{"a stray response", stray, "", false},

	{"a header field of 60 KB", with("CSeq", "Subject: "+strings.Repeat("x", 60000)+"\r\nCSeq"), "", true},
	{"10000 header fields", with("CSeq", strings.Repeat("a: b\r\n", 10000)+"CSeq"), "", true},
	{"a body that fills the datagram", with("Length: 0", "Length: 65000") + strings.Repeat("x", 65000), "SIP/2.0 200 OK\r\n", false},
}

// TestBadDatagrams sends each from a known user; that minisip answers the next request shows
// that it went on, and that it had said nothing else before.
func TestBadDatagrams(t *testing.T) {
	for _, silent := range []bool{false, true} {
		cfg := testConfig(t, "127.0.0.1:0")
		cfg.Proxy.Silent = silent
		r := serve(t, cfg)
		p := newPhone(t, "127.0.0.1", "001", r.Addresses()[0])
		for _, test := range badDatagrams {
			before := r.counters().Dropped[proxy.Malformed]
			clear(p.seen)
			p.send(test.datagram)
			if silent && strings.Contains(test.answer, ": From\r\n") && !strings.Contains(test.datagram, "From:") {
				test.answer, test.malformed = "", false // nobody's: it counts as an unknown user
			}
			if test.answer != "" {
				m := p.expect("SIP/2.0 ")
				if !strings.HasPrefix(m, test.answer) {
					t.Errorf("silent %v, %s: got\n%swant %q", silent, test.name, m, test.answer)
				}
			}
			p.alive()
			if counted := r.counters().Dropped[proxy.Malformed] - before; counted > 1 || counted == 1 != test.malformed {
				t.Errorf("silent %v, %s: counted %d times as malformed, want %v", silent, test.name, counted, test.malformed)
			}
		}
		if r.log.holds("internal error") {
			t.Error("the core panicked")
		}
	}
}

// TestSilent: who is not in the user file gets no answer to anything, be it well made or not.
func TestSilent(t *testing.T) {
	cfg := testConfig(t, "127.0.0.1:0")
	cfg.Proxy.Silent = true
	cfg.Proxy.AddUser = func(name string) string { return "minisip user add " + name }
	r := serve(t, cfg)
	p := newPhone(t, "127.0.0.1", "001", r.Addresses()[0])
	stranger := newPhone(t, "127.0.0.1", "scanner", p.server)
	stranger.conn = p.conn // so that p gets to see what the stranger would
	uri := "sip:" + p.server.String()
	var sent uint64
	for i, r := range []request{
		{method: "REGISTER", uri: uri, to: stranger.aor()},
		{method: "OPTIONS", uri: uri},
		{method: "OPTIONS", uri: "sip:100@" + p.server.String()},
		{method: "INVITE", uri: "sip:001@" + p.server.String()},
		{method: "CANCEL", uri: "sip:001@" + p.server.String()},
		{method: "MESSAGE", uri: "sip:001@" + p.server.String(), lines: []string{"CSeq: 9 MESSAGE"}},
		{method: "OPTIONS", uri: "http://127.0.0.1/"},
	} {
		r.callID, r.cseq = "scan", i+1
		stranger.send(stranger.text(r))
		p.alive()
		sent++
	}
	if n := r.counters().Dropped[proxy.UnknownUser]; n != sent {
		t.Errorf("%d requests of unknown users counted, want %d", n, sent)
	}
	if !r.log.holds("silent:", "127.0.0.1", "minisip user add scanner") {
		t.Error("the log does not say who got no answer, and how to let him in")
	}
}
