package rtprelay

import (
	"net/netip"
	"testing"
	"time"
)

// RTCP is heard at the address that a leg has, at the one before, and not at those before that.
func TestRTCPOfLegThatMoved(t *testing.T) {
	r := newRelay(t, 2, -1)
	s := mustOpen(t, r)
	a, b := newPhone(t, hostA), newPhone(t, hostB)
	s.Expect(Caller, Peer{RTP: a.addr, RTCP: a.addr})
	s.Expect(Callee, Peer{RTP: b.addr, RTCP: b.addr})
	for n, step := range []struct{ to, before netip.Addr }{
		{server, server}, {home2, server}, {server, home2}, {home2, server}, {hostX, home2},
	} {
		if at, err := s.MoveTo(Caller, step.to); at != step.to || err != nil {
			t.Fatalf("step %d: moved to %v, %v", n, at, err)
		}
		for _, at := range []netip.Addr{step.to, step.before} {
			report := senderReportOf(uint64(n) << 16)
			if _, err := a.conn.WriteToUDPAddrPort(report, netip.AddrPortFrom(at, s.Port(Caller)+1)); err != nil {
				t.Fatal(err)
			}
			b.hears(report, s.Port(Callee)+1)
		}
	}
	if other, err := listen(server, s.Port(Caller)+1); err != nil {
		t.Errorf("the first address is still held: %v", err)
	} else {
		other.Close()
	}
}

// A panic while RTCP passes ends its stream, and the RTCP of all others goes on.
func TestCrashOfRTCP(t *testing.T) {
	told := make(chan any, 10)
	r, err := New(Config{Low: testLow, High: testLow + 7, Rest: -1, Crashed: func(reason any, _ []byte) { told <- reason }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	bad, good := mustOpen(t, r), mustOpen(t, r)
	a, b := newPhone(t, hostA), newPhone(t, hostB)
	for _, s := range []*Stream{bad, good} {
		s.Expect(Caller, Peer{RTP: a.addr, RTCP: a.addr, Signal: hostA})
		s.Expect(Callee, Peer{RTP: b.addr, RTCP: b.addr, Signal: hostB})
	}
	bad.Tap(func(time.Time, netip.AddrPort, netip.AddrPort, []byte) { panic("a bug") })
	report := senderReportOf(7 << 16)
	a.send(bad.Port(Caller)+1, report)
	select {
	case reason := <-told:
		if reason != "a bug" || r.InUse() != 2 {
			t.Errorf("told %v; %d pairs are in use, want those of the other stream", reason, r.InUse())
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nobody was told")
	}
	a.send(good.Port(Caller)+1, report)
	b.hears(report, good.Port(Callee)+1)
}

// Who floods one RTCP port does not keep those of other streams from being heard.
func TestFloodOfRTCP(t *testing.T) {
	r := newRelay(t, 4, -1)
	flooded, s := mustOpen(t, r), mustOpen(t, r)
	a, b, x := newPhone(t, hostA), newPhone(t, hostB), newPhone(t, hostX)
	s.Expect(Caller, Peer{RTP: a.addr, RTCP: a.addr, Signal: hostA})
	s.Expect(Callee, Peer{RTP: b.addr, RTCP: b.addr, Signal: hostB})
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-end:
				return
			default:
				x.conn.WriteToUDPAddrPort([]byte("flood"), netip.AddrPortFrom(server, flooded.Port(Caller)+1))
			}
		}
	}()
	for n := range uint64(20) {
		a.send(s.Port(Caller)+1, senderReportOf(n<<16))
		b.hears(senderReportOf(n<<16), s.Port(Callee)+1)
	}
	close(end)
	<-ended
}
