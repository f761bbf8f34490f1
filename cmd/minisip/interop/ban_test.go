//go:build interop

package interop

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestBannedOffice: somebody in an office guesses the password of 002 all the time, a hundred times a second, and gets the
// office's address banned. The phone that is registered from there goes on; one that comes only now registers and calls;
// the guesser hears nothing.
func TestBannedOffice(t *testing.T) {
	newNetwork(t)
	accounts, file := accountsOf("001", "002", "003", "004", "005")
	s := startServer(t, file)
	a := startBaresip(t, netns("a"), accounts["001"], 440)
	b := startBaresip(t, netns("b"), accounts["004"], 880)
	a.registered(t)
	b.registered(t)

	other := newSocket(t, netns("a"), accounts["005"])
	other.authorized(t, "REGISTER", "sip:"+serverIP, "")
	guesser := newSocket(t, netns("a"), accounts["002"])
	stop := guesser.guesses()
	banned := natA + " is banned for 1h0m0s: 10 failures within 1m0s, the last: wrong password for 002"
	eventually(t, 10*time.Second, "the office is banned", func() bool { return strings.Contains(s.log(), banned) })
	guesser.hearsNothing(t)

	talk(t, a, b, a, b.user, time.Second)
	talk(t, b, a, b, a.user, time.Second)
	for range 10 {
		other.authorized(t, "REGISTER", "sip:"+serverIP, "") // it never repeats itself, so not one datagram was dropped
	}

	begin := time.Now()
	c := startBaresip(t, netns("a"), accounts["003"], 1320)
	c.sees(t, 40*time.Second, "REGISTER_OK")
	t.Logf("a phone that nobody knew there has registered after %v", time.Since(begin).Round(10*time.Millisecond))
	talk(t, c, b, c, b.user, time.Second)
	talk(t, b, c, b, c.user, time.Second)
	guesser.hearsNothing(t)

	sent := stop()
	t.Logf("%d guesses; %v datagrams were dropped unread", sent, s.metric(t, "minisip_banned_dropped_total"))
	if n := s.metric(t, "minisip_banned_dropped_total"); n == 0 {
		t.Error("no datagram was dropped unread")
	}
	if n := s.metric(t, "minisip_banned_sources"); n != 1 {
		t.Errorf("%v sources are banned, want 1", n)
	}
	// Whoever was guessed at waits as the guesser does, until an operator lifts the ban.
	victim := newSocket(t, netns("a"), accounts["002"])
	victim.request(t, "REGISTER", "sip:"+serverIP, "", "")
	victim.hearsNothing(t)
	s.asks(t, ``, "ban", "del", natA)
	victim.authorized(t, "REGISTER", "sip:"+serverIP, "")
}

// guesses tries passwords, each in an attempt of its own, with and without credentials, until stop is called; that gives
// how many datagrams there were.
func (p *socket) guesses() (stop func() int) {
	end, sent := make(chan struct{}), 0
	var running sync.WaitGroup
	running.Go(func() {
		for tick := time.NewTicker(10 * time.Millisecond); ; sent++ {
			select {
			case <-end:
				tick.Stop()
				return
			case <-tick.C:
			}
			guess := ""
			if sent%2 == 1 {
				guess = fmt.Sprintf(`Authorization: Digest username="%s", realm="mini_sip_proxy", nonce="x", uri="sip:%s", response="%032x"`+"\r\n", p.user, p.server, uint32(sent))
			}
			fmt.Fprintf(p.conn, "REGISTER sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;rport;branch=z9hG4bKg%[3]d\r\nMax-Forwards: 70\r\nFrom: <sip:%[4]s@%[1]s>;tag=g%[3]d\r\n"+
				"To: <sip:%[4]s@%[1]s>\r\nCall-ID: g%[3]d\r\nCSeq: 1 REGISTER\r\nContact: <sip:%[4]s@%[2]s>\r\n%[5]sContent-Length: 0\r\n\r\n",
				p.server, p.conn.LocalAddr(), sent, p.user, guess)
		}
	})
	return func() int { close(end); running.Wait(); return sent }
}

// hearsNothing reads away what came before, and then wants nothing to come for a second.
func (p *socket) hearsNothing(t *testing.T) {
	t.Helper()
	b := make([]byte, 4096)
	for d := 200 * time.Millisecond; d > 0; {
		p.conn.SetReadDeadline(time.Now().Add(d))
		if _, err := p.conn.Read(b); err != nil {
			d = 0
		}
	}
	p.conn.SetReadDeadline(time.Now().Add(time.Second))
	if n, err := p.conn.Read(b); err == nil {
		t.Errorf("%s is answered:\n%s", p.user, b[:n])
	}
}
