package server

import (
	"crypto/md5"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

// patience is how long a phone waits for what must come. Nothing is ever awaited in vain.
const patience = 10 * time.Second

// phone is a tiny SIP phone on a real socket. It shares nothing with the code under test.
type phone struct {
	t              *testing.T
	conn           *net.UDPConn
	at, server     netip.AddrPort // its own address, and minisip's
	user, password string
	nc             int
	seen           map[string]bool // datagrams that came already
}

// newPhone makes a phone on a port of its own at ip.
func newPhone(t *testing.T, ip, user string, server netip.AddrPort) *phone {
	t.Helper()
	conn := listenUDP(t, ip)
	return &phone{
		t: t, conn: conn, at: localAddr(conn), server: server,
		user: user, password: "secret-" + user, seen: map[string]bool{},
	}
}

func listenUDP(t *testing.T, ip string) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func localAddr(conn *net.UDPConn) netip.AddrPort {
	at := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// send sends one datagram to minisip.
func (p *phone) send(datagram string) {
	p.t.Helper()
	sendTo(p.t, p.conn, p.server, datagram)
}

func sendTo(t *testing.T, conn *net.UDPConn, to netip.AddrPort, datagram string) {
	t.Helper()
	if _, err := conn.WriteToUDPAddrPort([]byte(datagram), to); err != nil {
		t.Fatal(err)
	}
}

// next gives the next datagram that is no repetition, and where it came from.
func (p *phone) next() (string, netip.AddrPort) {
	p.t.Helper()
	for {
		datagram, from := receive(p.t, p.conn)
		if !p.seen[datagram] {
			p.seen[datagram] = true
			return datagram, from
		}
	}
}

// expect is next for a message that must begin with start and come from minisip's address.
func (p *phone) expect(start string) string {
	p.t.Helper()
	m, from := p.next()
	if !strings.HasPrefix(m, start) {
		p.t.Fatalf("%s expected %s..., got\n%s", p.user, start, m)
	}
	if from != p.server {
		p.t.Errorf("%s... came from %s, the phone knows %s", start, from, p.server)
	}
	return m
}

func receive(t *testing.T, conn *net.UDPConn) (string, netip.AddrPort) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 65536)
	n, from, err := conn.ReadFromUDPAddrPort(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("nothing came to %s", conn.LocalAddr())
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n]), netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
}

// request is what a phone says; empty fields have defaults.
type request struct {
	method, uri, to, callID, branch string
	cseq                            int
	lines                           []string // more header fields
	body                            string   // SDP
}

// text writes a request as p sends it.
func (p *phone) text(r request) string {
	if r.to == "" {
		r.to = "<" + r.uri + ">"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\n", r.method, r.uri)
	fmt.Fprintf(&b, "Via: SIP/2.0/UDP %s;rport;branch=z9hG4bK%s%s%d%s\r\n", p.at, p.user, r.callID, r.cseq, r.branch)
	fmt.Fprintf(&b, "Max-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=%s\r\nTo: %s\r\n", p.user, p.server, p.user, r.to)
	fmt.Fprintf(&b, "Call-ID: %s\r\nCSeq: %d %s\r\n", r.callID, r.cseq, r.method)
	fmt.Fprintf(&b, "Contact: <%s>\r\n", p.contact())
	for _, line := range r.lines {
		b.WriteString(line + "\r\n")
	}
	if r.body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(r.body), r.body)
	return b.String()
}

func (p *phone) contact() string { return fmt.Sprintf("sip:%s@%s", p.user, p.at) }

// authorized sends r without and then with credentials, and gives r as it was sent last.
func (p *phone) authorized(r request) request {
	p.t.Helper()
	p.send(p.text(r))
	challenge, field, header := p.expect("SIP/2.0 40"), "WWW-Authenticate", "Authorization"
	if r.method != "REGISTER" {
		field, header = "Proxy-Authenticate", "Proxy-Authorization"
	}
	if r.method == "INVITE" {
		p.send(p.text(request{method: "ACK", uri: r.uri, to: get(challenge, "To"), callID: r.callID, cseq: r.cseq}))
	}
	r.cseq++
	r.lines = append(r.lines, header+": "+p.credentials(get(challenge, field), r.method, r.uri))
	p.send(p.text(r))
	return r
}

// credentials answers a challenge: RFC 7616 with MD5 and qop=auth.
func (p *phone) credentials(challenge, method, uri string) string {
	p.nc++
	realm, nonce, nc := quoted(challenge, "realm"), quoted(challenge, "nonce"), fmt.Sprintf("%08x", p.nc)
	hash := func(s ...string) string { return fmt.Sprintf("%x", md5.Sum([]byte(strings.Join(s, ":")))) }
	response := hash(hash(p.user, realm, p.password), nonce, nc, "cnonce", "auth", hash(method, uri))
	return fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s", algorithm=MD5, qop=auth, nc=%s, cnonce="cnonce"`,
		p.user, realm, nonce, uri, response, nc)
}

// register registers the phone and gives the 200.
func (p *phone) register() string {
	p.t.Helper()
	p.authorized(request{method: "REGISTER", uri: "sip:" + p.server.String(), to: p.aor(), callID: "reg-" + p.user, cseq: 1})
	return p.expect("SIP/2.0 200 ")
}

func (p *phone) aor() string { return fmt.Sprintf("<sip:%s@%s>", p.user, p.server) }

// alive asks minisip itself for its OPTIONS. All that it had to say to this phone before comes
// before the answer, so that nothing is awaited in vain.
func (p *phone) alive() {
	p.t.Helper()
	p.nc++
	p.send(p.text(request{method: "OPTIONS", uri: "sip:" + p.server.String(), callID: fmt.Sprintf("alive-%d", p.nc), cseq: 1}))
	p.expect("SIP/2.0 200 ")
}

// respond answers a request that came, with more header lines and an SDP body.
func (p *phone) respond(req, status, body string) {
	p.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %s\r\n", status)
	for _, name := range []string{"Via", "Record-Route", "From", "To", "Call-ID", "CSeq"} {
		for _, value := range all(req, name) {
			if name == "To" && !strings.Contains(value, ";tag=") {
				value += ";tag=" + p.user
			}
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	fmt.Fprintf(&b, "Contact: <%s>\r\n", p.contact())
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	p.send(b.String())
}

// all gives the values of all fields of a name, one a line.
func all(message, name string) (values []string) {
	head, _, _ := strings.Cut(message, "\r\n\r\n")
	for _, line := range strings.Split(head, "\r\n")[1:] {
		if n, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(n, name) {
			values = append(values, strings.TrimSpace(v))
		}
	}
	return values
}

// get gives the first value of a field, or "".
func get(message, name string) string {
	if values := all(message, name); len(values) > 0 {
		return values[0]
	}
	return ""
}

// quoted gives the value of a parameter in quotes.
func quoted(s, name string) string {
	_, rest, _ := strings.Cut(s, name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}

// uriOf gives what stands between < and >.
func uriOf(s string) string {
	_, rest, _ := strings.Cut(s, "<")
	uri, _, _ := strings.Cut(rest, ">")
	return uri
}
