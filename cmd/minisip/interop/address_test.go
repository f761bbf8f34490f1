//go:build interop

package interop

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// otherIP is another address that the server can get.
const otherIP = "198.51.100.20"

// hasAddress gives the server's interface an address, with the way out that goes with it; loses takes one away, and the
// kernel that way with it.
func (s *server) hasAddress(t *testing.T, ip string) {
	t.Helper()
	command(t, "ip", "-n", s.ns, "addr", "add", ip+"/24", "dev", "eth0")
	command(t, "ip", "-n", s.ns, "route", "replace", "default", "via", gateways["srv"])
}

func (s *server) loses(t *testing.T, ip string) {
	t.Helper()
	command(t, "ip", "-n", s.ns, "addr", "del", ip+"/24", "dev", "eth0")
}

// says waits until the log has so many lines with a text.
func (s *server) says(t *testing.T, d time.Duration, times int, text string) {
	t.Helper()
	eventually(t, d, "the log says: "+text, func() bool { return strings.Count(s.log(), text) >= times })
	if n := strings.Count(s.log(), text); n != times {
		t.Errorf("the log says %d times %q, want %d", n, text, times)
	}
}

const (
	lostAddress  = "this machine has lost the address " + serverIP + ": "
	againAddress = "this machine has the address " + serverIP + " again"
	cannotSend   = "] datagrams cannot be sent: "
)

// TestAddressReturns: the server's interface loses its address in mid-call and gets it back, be it listening everywhere or
// at that address alone. Then the call has sound again, either side can hang up, and calls work, all in the same process.
func TestAddressReturns(t *testing.T) {
	for name, listen := range map[string][]string{"everywhere": nil, "at the address": {"-listen", serverIP + ":5060"}} {
		t.Run(name, func(t *testing.T) {
			newNetwork(t)
			s := startServer(t, "", append(listen, "-keepalive", "2s")...)
			a, b := s.twoPhones(t)
			call(t, a, b, b.user)
			both(t, a, b.hz, b, a.hz, time.Second)

			s.loses(t, serverIP)
			s.says(t, 5*time.Second, 1, cannotSend)
			s.says(t, 25*time.Second, 1, lostAddress)
			s.hasAddress(t, serverIP)
			begin := time.Now()
			both(t, a, b.hz, b, a.hz, time.Second)
			t.Logf("a second of sound %v after the address is back", time.Since(begin).Round(10*time.Millisecond))
			s.says(t, 25*time.Second, 1, againAddress)
			b.hangup(t)
			a.closed(t)
			b.closed(t)
			s.logsEnd(t, a.user, b.user, 0)
			talk(t, a, b, a, b.user, time.Second)
			talk(t, b, a, a, a.user, time.Second)

			s.says(t, 60*time.Second, 1, "] over: datagrams cannot be sent: ")
			t.Logf("logged: %s", regexp.MustCompile(`over: datagrams cannot be sent: \d+ times in .*`).FindString(s.log()))
			s.says(t, 0, 1, cannotSend)
			s.freesPorts(t)
			if n := strings.Count(s.log(), " started: "); n != 1 {
				t.Errorf("minisip was started %d times", n)
			}
		})
	}
}

// TestAddressChanges: the server's interface gets another address in the place of its own. The call that was up there ends in
// time and gives its ports back; phones that reach the new address register, call and hear each other, in the same process;
// and those that come back to the old one when that is there too talk to those at the new one.
func TestAddressChanges(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "", "-keepalive", "2s", "-timeout", "5s")
	a, b := s.twoPhones(t)
	call(t, a, b, b.user)
	both(t, a, b.hz, b, a.hz, time.Second)
	s.hasAddress(t, otherIP)
	s.loses(t, serverIP)
	if out := command(t, "ip", "-n", s.ns, "-4", "addr", "show", "dev", "eth0"); strings.Contains(out, serverIP) || !strings.Contains(out, otherIP) {
		// The second address of a network goes with the first.
		s.hasAddress(t, otherIP)
	}
	s.says(t, 20*time.Second, 1, lostAddress)
	eventually(t, 20*time.Second, "the call ends", func() bool { return len(s.ends(a.user, b.user)) > 0 })
	s.logsEnd(t, a.user, b.user, 0)
	s.freesPorts(t)
	a.stop()
	b.stop()

	// at lets both phones have another server address.
	at := func(ip string) {
		for user, account := range s.accounts {
			account.server = ip
			s.accounts[user] = account
		}
	}
	at(otherIP)
	a, b = s.twoPhones(t)
	talk(t, a, b, b, b.user, 2*time.Second)
	talk(t, b, a, a, a.user, 2*time.Second)
	s.hasAddress(t, serverIP)
	b.stop()
	at(serverIP)
	b = startBaresip(t, netns("b"), s.accounts["002"], 880)
	b.registered(t)
	talk(t, a, b, b, b.user, 2*time.Second)
	talk(t, b, a, b, a.user, 2*time.Second)
	s.says(t, 25*time.Second, 1, againAddress)
	s.freesPorts(t)
}
