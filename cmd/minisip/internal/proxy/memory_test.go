package proxy

import (
	"crypto/md5"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"minisip/digest"
	"minisip/sipmsg"
)

// answering is an Output behind which phones register with digest and answer their pings.
type answering struct {
	unheard
	t    *testing.T
	core *Core
	now  time.Time
	last string
	tell func(to netip.AddrPort, datagram string) // a ping
}

func (a *answering) Send(_, to netip.AddrPort, b []byte) bool {
	if b[0] == 'O' {
		a.tell(to, string(b))
		return true
	}
	a.last = string(b)
	return true
}

func (a *answering) give(src netip.AddrPort, datagram string) {
	m := new(sipmsg.Message)
	err := m.Parse([]byte(datagram))
	a.core.Receive(a.now, ours4, src, m, err)
}

// register is what the n-th softphone behind a NAT sends, without and then with credentials.
func (a *answering) register(n int) {
	user := fmt.Sprint(100000 + n)
	src := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(n >> 16), byte(n >> 8)}), uint16(1024+n%256))
	request := func(cseq int, credentials string) string {
		return strings.ReplaceAll(fmt.Sprintf(`REGISTER sip:sip.example.com SIP/2.0
Via: SIP/2.0/UDP 192.168.1.5:5060;branch=z9hG4bK%x-%d;rport
Max-Forwards: 70
From: <sip:%s@sip.example.com>;tag=%x
To: <sip:%s@sip.example.com>
Call-ID: %016x-%08x@192.168.1.5
CSeq: %d REGISTER
Contact: <sip:%s@192.168.1.5:5060;transport=udp;rinstance=%016x>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-%012x>"
User-Agent: Linphone/5.2.4 (belle-sip/5.3)
Supported: replaces, outbound, gruu, path
%sContent-Length: 0

`, n*7919, cseq, user, n*31, user, n*7919, n, cseq, user, n*104729, n, credentials), "\n", "\r\n")
	}
	a.give(src, request(1, ""))
	nonce := paramOf(readText([]byte(a.last)).get("WWW-Authenticate"), "nonce")
	h := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
	response := h(strings.Join([]string{h(user + ":" + testRealm + ":secret"), nonce, "00000001", "c0ffee", "auth", h("REGISTER:sip:sip.example.com")}, ":"))
	a.give(src, request(2, fmt.Sprintf("Authorization: Digest username=%q, realm=%q, nonce=%q, uri=\"sip:sip.example.com\", response=%q, algorithm=MD5, cnonce=\"c0ffee\", qop=auth, nc=00000001\n",
		user, testRealm, nonce, response)))
	if !strings.HasPrefix(a.last, "SIP/2.0 200 ") {
		a.t.Fatalf("%s cannot register: %s", user, a.last)
	}
}

// until lets time pass.
func (a *answering) until(end time.Time) {
	for next := a.core.Deadline(); !next.IsZero() && !next.After(end); next = a.core.Deadline() {
		a.now = next
		a.core.Tick(next)
	}
	a.now = end
}

// A registration costs 0.7 KB at most, all counted: the nonce used, the binding in all its indexes,
// its place on the wheel of pings, what is known of its source. The phone has answered a ping, and its
// REGISTER's transaction is over. (Its line of the user file costs 60 bytes more.)
func TestMemoryPerUser(t *testing.T) {
	const warm, phones = 600, 24_400 // an eighth of 200,000, so maps are as full as with those
	a := &answering{t: t, now: epoch}
	before := uint64(0)
	var accounts []digest.Account
	for n := range warm + phones {
		accounts = append(accounts, digest.Account{Name: fmt.Sprint(100000 + n), Password: "secret"})
	}
	users, err := digest.ParseUsers("users.conf", nil, testRealm)
	if err != nil {
		t.Fatal(err)
	}
	if err := users.Add(accounts); err != nil {
		t.Fatal(err)
	}
	a.tell = func(to netip.AddrPort, ping string) {
		m := &text{first: "SIP/2.0 200 OK"}
		for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
			m.add(name, readText([]byte(ping)).get(name))
		}
		a.give(to, string(m.bytes()))
	}
	cfg := Config{Realm: testRealm, Keepalive: 5 * time.Minute, Features: all}
	a.core = New(cfg, a, &fakeRelay{}, users, digest.NewServer(digest.Config{Realm: testRealm}), [32]byte{1})
	for n := range warm + phones {
		if n == warm {
			a.until(a.now.Add(time.Minute))
			before = live()
		}
		a.register(n)
		if n%100 == 0 {
			a.until(a.now.Add(time.Second / 2)) // else transactions would be most of it
		}
	}
	a.until(a.now.Add(5 * time.Minute))
	each := int(live()-before) / phones
	t.Logf("%d bytes a user", each)
	if each > 700 {
		t.Errorf("%d bytes a user, want 700 at most", each)
	}
	if n := a.core.pingers.count; n != warm+phones {
		t.Errorf("%d pingers for %d phones", n, warm+phones)
	}
	runtime.KeepAlive(accounts)
}

// live is the live heap in bytes.
func live() uint64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
