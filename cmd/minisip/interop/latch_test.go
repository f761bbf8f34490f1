//go:build interop

package interop

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// soon is how fast sound must be back after its way has changed, and a little for the phones.
const soon = 2500*time.Millisecond + 500*time.Millisecond

// back waits until both phones have heard each other for a further half second, and wants that
// to begin soon.
func back(t *testing.T, a, b *baresip, what string) {
	t.Helper()
	const proof = 500 * time.Millisecond
	begin := time.Now()
	both(t, a, b.hz, b, a.hz, proof)
	took := max(time.Since(begin)-proof, 0)
	if t.Logf("%s: both hear each other again after %v", what, took.Round(10*time.Millisecond)); took > soon {
		t.Errorf("%s: no sound for %v", what, took)
	}
}

// reinvite lets a phone send an offer within the call, which the other one gets.
func reinvite(t *testing.T, from, to *baresip) {
	t.Helper()
	before := strings.Count(to.output.String(), gotOffer)
	from.do(t, "reinvite", "")
	eventually(t, 5*time.Second, "the other phone gets the re-INVITE", func() bool {
		return strings.Count(to.output.String(), gotOffer) > before
	})
}

// chosen waits until a phone has said what ICE has chosen. Both have another offer to make for that
// (RFC 8839 4.4); the two meet, and one is made again.
func chosen(t *testing.T, a, b *baresip) {
	t.Helper()
	eventually(t, 10*time.Second, "one has said what ICE has chosen", func() bool {
		return strings.Contains(a.output.String()+b.output.String(), gotOffer)
	})
}

// gotOffer is what baresip writes then.
const gotOffer = "got re-INVITE (SDP Offer)"

// forget lets a NAT lose all its flows, so that each gets another port.
func forget(t *testing.T, nat string) {
	t.Helper()
	need(t, "conntrack", "conntrack")
	command(t, "ip", "netns", "exec", netns(nat), "conntrack", "-F")
}

// TestSoundComesBack: NATs that rebind, a phone that gets into another network, one that says
// nothing for a while, without ICE and with it.
func TestSoundComesBack(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	for _, c := range []struct {
		name string
		with []setup
	}{{"plain", nil}, {"ICE", []setup{withICE}}} {
		t.Run(c.name, func(t *testing.T) {
			a, b := s.twoPhones(t, c.with...)
			call(t, a, b, b.user)
			back(t, a, b, "answered")
			if c.with != nil {
				chosen(t, a, b)
			}
			forget(t, "nata")
			back(t, a, b, "the caller's NAT has rebound")
			reinvite(t, a, b) // so that its SIP has a way again, too
			forget(t, "natb")
			back(t, a, b, "the callee's NAT has rebound")
			reinvite(t, b, a)
			becomes(t, natA, elsewhere)
			reinvite(t, a, b)
			back(t, a, b, "the caller is in another network")

			b.cmd.Process.Signal(syscall.SIGSTOP)
			eventually(t, 10*time.Second, "the caller hears nothing for 3 s", silence(a, b.hz, 3*time.Second))
			b.cmd.Process.Signal(syscall.SIGCONT)
			back(t, a, b, "the callee has said nothing for 3 s")
			before := len(s.ends(a.user, b.user))
			a.hangup(t)
			a.closed(t)
			b.closed(t)
			s.logsEnd(t, a.user, b.user, before)
			a.stop()
			b.stop()
			becomes(t, elsewhere, natA)
		})
	}
	s.freesPorts(t)
}

// elsewhere is another address that NAT A can have.
const elsewhere = "203.0.113.3"

// becomes gives NAT A another address; for the server, the phone is in another network.
func becomes(t *testing.T, old, now string) {
	t.Helper()
	nat := netns("nata")
	command(t, "ip", "-n", nat, "addr", "del", old+"/24", "dev", "wan")
	command(t, "ip", "-n", nat, "addr", "add", now+"/24", "dev", "wan")
	command(t, "ip", "-n", nat, "route", "add", "default", "via", gateways["nata"])
	forget(t, "nata")
}

// silence says whether an ear has heard no more of its tone for d.
func silence(p ear, hz float64, d time.Duration) func() bool {
	last, since := hears(p, hz).tone, time.Now()
	return func() bool {
		if now := hears(p, hz).tone; now != last {
			last, since = now, time.Now()
		}
		return time.Since(since) >= d
	}
}

// TestSpokenTo: a phone that says nothing until it hears something is talked to, since it signals
// from the address in its SDP. It gives back what it hears.
func TestSpokenTo(t *testing.T) {
	need(t, "sipp", "sip-tester")
	newNetwork(t)
	accounts, file := accountsOf("001", "002")
	s := startServer(t, file, "-keepalive", "0")
	public := []string{"-i", publicIP, "-mi", publicIP, "-rtp_echo"}
	runSIPp(t, netns("pub"), "register.xml", "SEQUENTIAL\n"+login("002")+"\n", 1, public...)
	startSIPp(t, netns("pub"), "callee.xml", "", 1, append(public, "-aa")...)
	a := startBaresip(t, netns("a"), accounts["001"], 440)
	a.registered(t)
	a.dial(t, "002")
	a.connected(t)
	eventually(t, 8*time.Second, "the caller hears itself for 2 s", func() bool { return hears(a, a.hz).tone >= 2*time.Second })
	a.hangup(t)
	a.closed(t)
	s.logsEnd(t, "001", "002", 0)
}

// spray sends RTP, RTCP and STUN to the ports that calls get, from ever new ports, and never ends.
const spray = `
while :; do
	for p in {10000..10019}; do
		printf '\x80\x00\x00\x01\x00\x00\x00\xa0\x00\x00\x00\x01sprayed.sprayed.' >/dev/udp/` + serverIP + `/$p
		printf '\x80\xc9\x00\x01\x00\x00\x00\x01' >/dev/udp/` + serverIP + `/$p
		printf '\x00\x01\x00\x08\x21\x12\xa4\x42abcdefghijkl\x00\x06\x00\x03a:b\x00' >/dev/udp/` + serverIP + `/$p
	done
	sleep 0.05
done 2>/dev/null`

// TestSprayed: a stranger who sprays the ports before, during and after learning hears nothing,
// not so much as a refusal, and the phones hear each other alone; without ICE and with it.
func TestSprayed(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "", "-cdr", "cdr.jsonl")
	stranger := startCaptureTo(t, netns("pub"), publicIP)
	start(t, netns("pub"), t.TempDir(), "spray", "bash", "-c", spray)
	for i, with := range [][]setup{nil, {withICE}} {
		a, b := s.twoPhones(t, with...)
		talk(t, a, b, b, b.user, 2*time.Second)
		s.logsEnd(t, a.user, b.user, i)
		a.stop()
		b.stop()
	}
	d, err := stranger.datagrams()
	if err != nil || len(d) > 0 {
		t.Errorf("the stranger was sent %d packets, %v", len(d), err)
	}
	refused := uint64(0)
	for _, r := range s.records(t, 2) {
		if len(r.Media) != 2 {
			t.Fatalf("record %+v", r)
		}
		for _, m := range r.Media {
			if refused += m.Strangers; m.Strangers == 0 {
				t.Errorf("nothing was sprayed: %+v", r)
			}
		}
	}
	t.Logf("%d of the stranger's packets were refused, 0 came back to him", refused)
}
