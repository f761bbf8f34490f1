//go:build interop

package interop

import (
	"crypto/md5"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMarks: what minisip sends to a phone is marked on the wire, SIP as CS3 and RTP as EF.
func TestMarks(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	a, b := s.twoPhones(t)
	c := startCaptureTo(t, netns("srv"), natB)
	talk(t, a, b, a, b.user, time.Second)
	for _, f := range []struct{ what, filter, mark string }{
		{"SIP", "src host " + serverIP + " and src port 5060", "0x60"},
		{"RTP", "src host " + serverIP + " and src portrange 10000-20000", "0xb8"},
	} {
		within(3*time.Second, func() bool { return c.count(t, f.filter) >= 3 }) // tcpdump writes a little later
		all, other := c.count(t, f.filter), c.count(t, f.filter+" and ip[1] != "+f.mark)
		t.Logf("of %d datagrams with %s %d have another TOS than %s", all, f.what, other, f.mark)
		if all < 3 || other > 0 {
			t.Errorf("%s is not marked", f.what)
		}
	}
}

// TestFragments: an INVITE and its answer too large for the path's MTU of 1,500 bytes pass in IP fragments, through both
// NATs, and the log says so.
func TestFragments(t *testing.T) {
	newNetwork(t)
	accounts, file := accountsOf("001", "002", "003")
	s := startServer(t, file)
	a, b := newSocket(t, netns("a"), accounts["001"]), newSocket(t, netns("b"), accounts["002"])
	a.authorized(t, "REGISTER", "sip:"+serverIP, "")
	b.authorized(t, "REGISTER", "sip:"+serverIP, "")
	toServer, toB := startCaptureTo(t, netns("srv"), serverIP), startCapture(t, netns("b"))
	a.ask(t, "INVITE", "sip:002@"+serverIP, paddedSDP(90))
	invite := b.expect(t, "INVITE ")
	b.answer(t, invite, "486 Busy Here", strings.Repeat("busy\r\n", 1000))
	busy := a.expect(t, "SIP/2.0 486 ")
	if n := strings.Count(invite, "a=x-padding:"); n != 90 {
		t.Errorf("%d of 90 lines arrived", n)
	}
	if n := strings.Count(busy, "busy\r\n"); n != 1000 {
		t.Errorf("%d of 1000 lines of the answer arrived", n)
	}
	for what, c := range map[string]*capture{"to the server": toServer, "to the phone": toB} {
		const fragment = "ip[6:2] & 0x3fff != 0"
		if !within(3*time.Second, func() bool { return c.count(t, fragment) >= 5 }) {
			t.Errorf("what went %s was not in fragments", what)
		}
		t.Logf("%d IP fragments %s", c.count(t, fragment), what)
	}
	eventually(t, time.Second, "the log says that the INVITE is large", func() bool {
		return regexp.MustCompile(`INVITE of \d{4} bytes to ` + natB).MatchString(s.log())
	})
}

// TestNarrowPath: on the way to the phone is a link of 1,400 bytes, and a firewall keeps the word of it from minisip. An INVITE that
// fits all links but that one comes through in fragments of the router's.
func TestNarrowPath(t *testing.T) {
	newNetwork(t)
	command(t, "ip", "-n", netns("isp"), "link", "set", "natb", "mtu", "1400")
	shell(t, "isp", "printf %s '"+dumb+"' | nft -f -")
	accounts, file := accountsOf("001", "002", "003")
	startServer(t, file)
	a, b := newSocket(t, netns("a"), accounts["001"]), newSocket(t, netns("b"), accounts["002"])
	a.authorized(t, "REGISTER", "sip:"+serverIP, "")
	b.authorized(t, "REGISTER", "sip:"+serverIP, "")
	toServer := startCaptureTo(t, netns("srv"), natB)
	a.ask(t, "INVITE", "sip:002@"+serverIP, paddedSDP(14))
	invite := b.expect(t, "INVITE ")
	if n := len(invite); n <= 1400-28 || n > 1500-28 {
		t.Fatalf("the INVITE has %d bytes, which is no test", n)
	}
	b.answer(t, invite, "486 Busy Here", "")
	a.expect(t, "SIP/2.0 486 ")
	if n := toServer.count(t, "ip[6] & 0x40 != 0 and src host "+serverIP); n > 0 {
		t.Errorf("%d datagrams of minisip's forbid fragments", n)
	}
}

// paddedSDP is an offer with so many lines of 62 bytes more than it needs.
func paddedSDP(lines int) string {
	return "v=0\r\no=- 1 1 IN IP4 192.168.1.2\r\ns=-\r\nc=IN IP4 192.168.1.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n" +
		strings.Repeat("a=x-padding:0123456789abcdef0123456789abcdef0123456789abcdef\r\n", lines)
}

// dumb is a router that tells nobody of what it could not pass on.
const dumb = `
table ip dumb {
	chain out {
		type filter hook output priority filter
		icmp type destination-unreachable drop
	}
}
`

// count is how many of the captured packets a filter takes.
func (c *capture) count(t *testing.T, filter string) int {
	t.Helper()
	out := command(t, "tcpdump", "-n", "-r", c.file, filter)
	n := 0
	for line := range strings.Lines(out) {
		if strings.Contains(line, " IP ") {
			n++
		}
	}
	return n
}

// socket is a phone that is no more than a UDP socket in a namespace.
type socket struct {
	account
	conn *net.UDPConn
	cseq int
	last string // what it asked
}

// newSocket opens a socket in a namespace. It stays there, whoever uses it.
func newSocket(t *testing.T, ns string, a account) *socket {
	t.Helper()
	p := &socket{account: a}
	if err := inNamespace(filepath.Join("/run/netns", ns), p.open); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.conn.Close() })
	return p
}

func (p *socket) open() error {
	server, err := net.ResolveUDPAddr("udp4", p.server+":5060")
	if err == nil {
		p.conn, err = net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(phoneIP)}, server)
	}
	return err
}

// inNamespace runs f in another network namespace. The thread comes back: with it would end
// the processes that it has started.
func inNamespace(path string, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer home.Close()
	there, err := os.Open(path)
	if err != nil {
		return err
	}
	defer there.Close()
	if err := setns(there); err != nil {
		return err
	}
	err = f()
	return errors.Join(err, setns(home))
}

func setns(f *os.File) error {
	const cloneNewNet = 0x40000000
	number, ok := map[string]uintptr{"amd64": 308, "arm64": 268}[runtime.GOARCH]
	if !ok {
		return errors.New("the number of setns(2) is known for amd64 and arm64 alone")
	}
	if _, _, errno := syscall.RawSyscall(number, f.Fd(), cloneNewNet, 0); errno != 0 {
		return fmt.Errorf("setns %s: %w", f.Name(), errno)
	}
	return nil
}

// request sends a request, the next one of its dialog with the server.
func (p *socket) request(t *testing.T, method, uri, more, body string) {
	t.Helper()
	p.cseq++
	to := uri
	if method == "REGISTER" {
		to = "sip:" + p.user + "@" + p.server
	}
	p.last = fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=z9hG4bK%s%d\r\nMax-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=%s\r\nTo: <%s>\r\n"+
		"Call-ID: %s@%s\r\nCSeq: %d %s\r\nContact: <sip:%s@%s>\r\n%sContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s",
		method, uri, p.conn.LocalAddr(), p.user, p.cseq, p.user, p.server, p.user, to,
		p.user, phoneIP, p.cseq, method, p.user, p.conn.LocalAddr(), more, len(body), body)
	if _, err := p.conn.Write([]byte(p.last)); err != nil {
		t.Fatal(err)
	}
}

// ask sends a request, and once more with credentials.
func (p *socket) ask(t *testing.T, method, uri, body string) {
	t.Helper()
	p.request(t, method, uri, "", body)
	challenge := p.expect(t, "SIP/2.0 40")
	m := regexp.MustCompile(`(?m)^(WWW|Proxy)-Authenticate: Digest realm="([^"]*)", nonce="([^"]*)"`).FindStringSubmatch(challenge)
	if m == nil {
		t.Fatalf("no challenge in\n%s", challenge)
	}
	field := map[string]string{"WWW": "Authorization", "Proxy": "Proxy-Authorization"}[m[1]]
	hash := func(s ...string) string { return fmt.Sprintf("%x", md5.Sum([]byte(strings.Join(s, ":")))) }
	response := hash(hash(p.user, m[2], p.password), m[3], "00000001", "c", "auth", hash(method, uri))
	p.request(t, method, uri, fmt.Sprintf(`%s: Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"`+"\r\n",
		field, p.user, m[2], m[3], uri, response), body)
}

// authorized is ask for what is to be answered with 200.
func (p *socket) authorized(t *testing.T, method, uri, body string) {
	t.Helper()
	p.ask(t, method, uri, body)
	p.expect(t, "SIP/2.0 200 ")
}

// expect waits for a datagram that begins with start; others are passed over.
func (p *socket) expect(t *testing.T, start string) string {
	t.Helper()
	b := make([]byte, 65536)
	p.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	for {
		n, err := p.conn.Read(b)
		if err != nil {
			t.Fatalf("%s waits for %s...: %v", p.user, start, err)
		}
		if m := string(b[:n]); strings.HasPrefix(m, start) {
			return m
		}
	}
}

// answer answers a request.
func (p *socket) answer(t *testing.T, request, status, body string) {
	t.Helper()
	b := "SIP/2.0 " + status + "\r\n"
	head, _, _ := strings.Cut(request, "\r\n\r\n")
	for _, line := range strings.Split(head, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "To":
			b += line + ";tag=" + p.user + "\r\n"
		case "Via", "From", "Call-ID", "CSeq", "Record-Route":
			b += line + "\r\n"
		}
	}
	b += fmt.Sprintf("Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	if _, err := p.conn.Write([]byte(b)); err != nil {
		t.Fatal(err)
	}
}
