package rtprelay

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestCrash: a panic while a packet passes ends its stream, which gives its ports back and is still asked and closed
// like any other; somebody is told where it was, once; all other streams go on.
func TestCrash(t *testing.T) {
	type report struct {
		reason any
		stack  string
	}
	told := make(chan report, 10)
	r, err := New(Config{Low: testLow, High: testLow + 7, Rest: -1, Crashed: func(reason any, stack []byte) { told <- report{reason, string(stack)} }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	bad, good := mustOpen(t, r), mustOpen(t, r)
	a, b := newPhone(t, hostA), newPhone(t, hostB)
	for _, s := range []*Stream{bad, good} {
		s.Expect(Caller, Peer{RTP: a.addr, Signal: hostA})
		s.Expect(Callee, Peer{RTP: b.addr, Signal: hostB})
	}
	bad.Tap(func(time.Time, netip.AddrPort, netip.AddrPort, []byte) { panic("a bug") })
	for n := range uint16(3) {
		a.send(bad.Port(Caller), rtpPacket(n, "x"))
	}
	select {
	case got := <-told:
		if got.reason != "a bug" || !strings.Contains(got.stack, "crash_test.go") {
			t.Errorf("told %v, at\n%s", got.reason, got.stack)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was told")
	}
	if r.InUse() != 2 {
		t.Errorf("%d pairs are in use, want those of the other stream", r.InUse())
	}
	bad.Tap(nil)
	bad.Expect(Caller, Peer{RTP: a.addr})
	bad.State()
	bad.Stats()
	if fds := bad.Descriptors(); len(fds) != 0 {
		t.Errorf("it still hands on descriptors: %v", fds)
	}
	bad.Close()
	a.send(good.Port(Caller), rtpPacket(7, "a"))
	b.hears(rtpPacket(7, "a"), good.Port(Callee))
	b.send(good.Port(Callee), rtpPacket(8, "b"))
	a.hears(rtpPacket(8, "b"), good.Port(Caller))
	if len(told) != 0 || r.InUse() != 2 {
		t.Errorf("told %d times more, %d pairs in use", len(told), r.InUse())
	}
}
