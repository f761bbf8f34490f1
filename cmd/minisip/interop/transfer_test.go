//go:build interop

package interop

import (
	"strings"
	"testing"
	"time"
)

// TestBlindTransfer: a talks to b and sends him to c with REFER; then b and c hear each other, and
// a is rid of them.
func TestBlindTransfer(t *testing.T) {
	newNetwork(t)
	accounts, file := accountsOf("001", "002", "003")
	s := startServer(t, file)
	a := startBaresip(t, netns("a"), accounts["001"], 440)
	b := startBaresip(t, netns("b"), accounts["002"], 880)
	c := startBaresip(t, netns("a"), accounts["003"], 1320)
	for _, p := range []*baresip{a, b, c} {
		p.registered(t)
	}
	call(t, a, b, b.user)
	both(t, a, b.hz, b, a.hz, time.Second)

	b.old = b.newest()
	a.do(t, "transfer", "sip:"+c.user+"@"+serverIP)
	c.ringing(t)
	c.answer(t)
	b.connected(t)
	c.connected(t)
	t.Logf("the call of %s ends: %s", a.user, a.closed(t))
	both(t, b, c.hz, c, b.hz, 2*time.Second)
	c.hangup(t)
	c.closed(t)
	s.logsEnd(t, a.user, b.user, 0)
	s.logsEnd(t, b.user, c.user, 0)
	s.freesPorts(t)
}

// TestAttendedTransfer: a talks to b, holds him, talks to c, and connects the two: b calls c
// with Replaces, and c takes that call for the one that it had with a.
func TestAttendedTransfer(t *testing.T) {
	newNetwork(t)
	accounts, file := accountsOf("001", "002", "003")
	s := startServer(t, file)
	a := startLinphone(t, netns("a"), accounts["001"], 440)
	b := startLinphone(t, netns("b"), accounts["002"], 880)
	c := startLinphone(t, netns("a"), accounts["003"], 1320)
	for _, p := range []*linphone{a, b, c} {
		p.registered(t)
	}
	// linphonec writes its recordings when a call is over; what arrives at the device is known at once.
	toA, toB := startCapture(t, netns("a")), startCapture(t, netns("b"))
	for _, callee := range []*linphone{b, c} {
		call(t, a, callee, callee.user)
		if callee == b {
			both(t, toA, b.hz, toB, a.hz, time.Second)
			a.do(t, "pause")
			a.says(t, 5*time.Second, "is now paused")
		}
	}
	a.do(t, "transfer 1 --to-call 2")
	both(t, toA, b.hz, toB, c.hz, 2*time.Second)
	eventually(t, 5*time.Second, "both calls of the one who connected them end", func() bool {
		return strings.Count(a.output.String(), " ended (") >= 2
	})
	b.hangup(t)
	s.logsEnd(t, a.user, b.user, 0)
	s.logsEnd(t, a.user, c.user, 0)
	s.logsEnd(t, b.user, c.user, 0)
	s.freesPorts(t)
}
