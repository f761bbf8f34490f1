package main

import (
	"crypto/md5"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// asker is a user's phone at one socket. It sends requests outside dialogs.
type asker struct {
	t      *testing.T
	conn   *net.UDPConn
	server netip.AddrPort
	user   string
	cseq   int
	seen   map[string]bool // datagrams that came already
}

func newAsker(t *testing.T, server netip.AddrPort, user string) *asker {
	return &asker{t: t, conn: listenUDP(t, "127.0.0.1:0"), server: server, user: user, seen: map[string]bool{}}
}

// send sends a REGISTER, with one more header line if not empty.
func (a *asker) send(header string) { a.transmit("REGISTER", a.user, header) }

// transmit sends a request for a user.
func (a *asker) transmit(method, to, header string) {
	a.t.Helper()
	uri := a.uri(method, to)
	if method != "ACK" {
		a.cseq++
	}
	a.write(fmt.Sprintf("%[6]s %[7]s SIP/2.0\r\n"+
		"Via: SIP/2.0/UDP %[2]s;rport;branch=z9hG4bK%[4]d\r\nMax-Forwards: 70\r\n"+
		"From: <sip:%[3]s@%[1]s>;tag=t\r\nTo: <sip:%[8]s@%[1]s>\r\nCall-ID: %[2]s-%[9]s\r\nCSeq: %[4]d %[6]s\r\n"+
		"Contact: <sip:%[3]s@%[2]s>\r\n%[5]sContent-Length: 0\r\n\r\n",
		a.server, a.conn.LocalAddr(), a.user, a.cseq, header, method, uri, to, strings.TrimPrefix(method, "REGISTER")))
}

func (a *asker) uri(method, to string) string {
	if method == "REGISTER" {
		return "sip:" + a.server.String()
	}
	return "sip:" + to + "@" + a.server.String()
}

func (a *asker) write(datagram string) {
	a.t.Helper()
	if _, err := a.conn.WriteToUDPAddrPort([]byte(datagram), a.server); err != nil {
		a.t.Fatal(err)
	}
}

// receive gives the next datagram that is no repetition: on a busy machine, a response comes again before its ACK is there.
func (a *asker) receive() string {
	a.t.Helper()
	a.conn.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 65536)
	for {
		n, _, err := a.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			a.t.Fatalf("phone of %s: %v", a.user, err)
		}
		if datagram := string(b[:n]); !a.seen[datagram] {
			a.seen[datagram] = true
			return datagram
		}
	}
}

// ask sends a REGISTER, with one more header line if not empty, and gives the response.
func (a *asker) ask(header string) string {
	a.t.Helper()
	a.send(header)
	return a.receive()
}

// authorization answers a challenge.
func (a *asker) authorization(challenge, method, to, password string) string {
	return credentials(challenge, a.user, password, method, a.uri(method, to))
}

// credentials is the header line that answers a challenge, by RFC 7616 with MD5.
func credentials(challenge, user, password, method, uri string) string {
	realm, nonce := quoted(challenge, "realm"), quoted(challenge, "nonce")
	hash := func(s ...string) string { return fmt.Sprintf("%x", md5.Sum([]byte(strings.Join(s, ":")))) }
	response := hash(hash(user, realm, password), nonce, "00000001", "c", "auth", hash(method, uri))
	return fmt.Sprintf(`Authorization: Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s", qop=auth, nc=00000001, cnonce="c"`+"\r\n",
		user, realm, nonce, uri, response)
}

// register registers the user as a phone does, answering one challenge, and gives the
// status line of the last response.
func (a *asker) register(password string) string {
	a.t.Helper()
	return statusLine(a.ask(a.authorization(a.ask(""), "REGISTER", a.user, password)))
}

// invite calls a user as a phone does, and gives the first response with credentials.
func (a *asker) invite(to, password string) string {
	a.t.Helper()
	a.transmit("INVITE", to, "")
	challenge := a.receive()
	a.transmit("ACK", to, "")
	a.transmit("INVITE", to, a.authorization(challenge, "INVITE", to, password))
	return a.receive()
}

// dial calls a number that is answered at once, and gives the status line.
func (a *asker) dial(number, password string) string {
	a.t.Helper()
	answer := a.invite(number, password)
	a.transmit("ACK", number, "")
	return statusLine(answer)
}

// refuse answers the INVITE that comes: busy.
func (a *asker) refuse() {
	a.t.Helper()
	invite := a.receive()
	var b strings.Builder
	b.WriteString("SIP/2.0 486 Busy Here\r\n")
	for line := range strings.Lines(invite) {
		switch name, _, _ := strings.Cut(line, ":"); name {
		case "Via", "From", "Call-ID", "CSeq":
			b.WriteString(line)
		case "To":
			b.WriteString(strings.TrimSpace(line) + ";tag=u\r\n")
		}
	}
	a.write(b.String() + "Content-Length: 0\r\n\r\n")
}

// challenge is what a user without credentials gets.
func challenge(t *testing.T, server netip.AddrPort, user string) string {
	t.Helper()
	return newAsker(t, server, user).ask("")
}

// register registers a user from a phone of its own, and gives the status line of the last
// response.
func register(t *testing.T, server netip.AddrPort, user, password string) string {
	t.Helper()
	return newAsker(t, server, user).register(password)
}

func statusLine(response string) string {
	line, _, _ := strings.Cut(response, "\r\n")
	return line
}

// quoted gives the value of a parameter in quotes.
func quoted(s, name string) string {
	_, rest, _ := strings.Cut(s, name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}
