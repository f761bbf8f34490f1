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

// asker sends REGISTER requests of one user from one socket.
type asker struct {
	t      *testing.T
	conn   *net.UDPConn
	server netip.AddrPort
	user   string
	cseq   int
}

func newAsker(t *testing.T, server netip.AddrPort, user string) *asker {
	return &asker{t: t, conn: listenUDP(t, "127.0.0.1:0"), server: server, user: user}
}

// ask sends a REGISTER, with one more header line if not empty, and gives the response.
func (a *asker) ask(header string) string {
	a.t.Helper()
	a.cseq++
	_, err := a.conn.WriteToUDPAddrPort(fmt.Appendf(nil, "REGISTER sip:%[1]s SIP/2.0\r\n"+
		"Via: SIP/2.0/UDP %[2]s;rport;branch=z9hG4bK%[4]d\r\nMax-Forwards: 70\r\n"+
		"From: <sip:%[3]s@%[1]s>;tag=t\r\nTo: <sip:%[3]s@%[1]s>\r\nCall-ID: %[2]s\r\nCSeq: %[4]d REGISTER\r\n"+
		"Contact: <sip:%[3]s@%[2]s>\r\n%[5]sContent-Length: 0\r\n\r\n",
		a.server, a.conn.LocalAddr(), a.user, a.cseq, header), a.server)
	if err != nil {
		a.t.Fatal(err)
	}
	a.conn.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 65536)
	n, _, err := a.conn.ReadFromUDPAddrPort(b)
	if err != nil {
		a.t.Fatalf("REGISTER of %s: %v", a.user, err)
	}
	return string(b[:n])
}

// challenge is what a user without credentials gets.
func challenge(t *testing.T, server netip.AddrPort, user string) string {
	t.Helper()
	return newAsker(t, server, user).ask("")
}

// register registers a user as a phone does, answering one challenge, and gives the status
// line of the last response.
func register(t *testing.T, server netip.AddrPort, user, password string) string {
	t.Helper()
	a := newAsker(t, server, user)
	challenge := a.ask("")
	realm, nonce := quoted(challenge, "realm"), quoted(challenge, "nonce")
	hash := func(s ...string) string { return fmt.Sprintf("%x", md5.Sum([]byte(strings.Join(s, ":")))) }
	uri := "sip:" + server.String()
	response := hash(hash(user, realm, password), nonce, "00000001", "c", "auth", hash("REGISTER", uri))
	status, _, _ := strings.Cut(a.ask(fmt.Sprintf(
		`Authorization: Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s", qop=auth, nc=00000001, cnonce="c"`+"\r\n",
		user, realm, nonce, uri, response)), "\r\n")
	return status
}

// quoted gives the value of a parameter in quotes.
func quoted(s, name string) string {
	_, rest, _ := strings.Cut(s, name+`="`)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}
