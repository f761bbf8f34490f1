//go:build interop

package interop

import (
	"strings"
	"testing"
	"time"
)

// TestOneNAT: two phones behind the same NAT talk, both seen at the same address.
func TestOneNAT(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	a := startBaresip(t, netns("a"), s.accounts["001"], 440)
	b := startBaresip(t, netns("a"), s.accounts["002"], 880)
	a.registered(t)
	b.registered(t)
	talk(t, a, b, b, b.user, 2*time.Second)
	s.logsEnd(t, a.user, b.user, 0)
}

// TestNATForgets: a NAT that forgets a silent flow after 4 s keeps a phone's, because minisip
// pings the phone; so a call still reaches it.
func TestNATForgets(t *testing.T) {
	newNetwork(t)
	for _, ns := range []string{"nata", "natb"} {
		for _, key := range []string{"nf_conntrack_udp_timeout", "nf_conntrack_udp_timeout_stream"} {
			shell(t, ns, "echo 4 > /proc/sys/net/netfilter/"+key)
		}
	}
	s := startServer(t, "", "-keepalive", "2s")
	a, b := s.twoPhones(t)
	eventually(t, 20*time.Second, "the idle phone is pinged five times", func() bool {
		return strings.Count(b.output.String(), "OPTIONS sip:") >= 5
	})
	talk(t, a, b, a, b.user, time.Second)
	s.logsEnd(t, a.user, b.user, 0)
}

// TestPhonesVanish: both phones lose their power during a call; minisip ends it and frees its ports.
func TestPhonesVanish(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "", "-timeout", "3s")
	a, b := s.twoPhones(t)
	call(t, a, b, b.user)
	both(t, a, b.hz, b, a.hz, time.Second)
	a.cmd.Process.Kill()
	b.cmd.Process.Kill()
	eventually(t, 15*time.Second, "the log says that the call has ended", func() bool {
		return len(s.ends(a.user, b.user)) > 0
	})
	s.logsEnd(t, a.user, b.user, 0)
	s.freesPorts(t)
}
