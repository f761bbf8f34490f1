package rtprelay

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// TestManyHeldPorts: one call does not look through a range that other programs have taken; the next one goes on from there.
func TestManyHeldPorts(t *testing.T) {
	r := newRelay(t, maxHeld+3, -1)
	low := r.ports.queue[0].port
	for n := range uint16(maxHeld + 1) {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(server, low+2*n)))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	if _, err := r.Open(LegConfig{server, hostA}, LegConfig{server, hostB}); !errors.Is(err, ErrNoPorts) || r.InUse() != 0 {
		t.Errorf("%v, %d pairs in use", err, r.InUse())
	}
	mustOpen(t, r).Close()
}

// TestClosedTogether: the sockets of an ended stream are closed a little later, though no other stream ends.
func TestClosedTogether(t *testing.T) {
	r := newRelay(t, 4, 0)
	before := descriptors(t)
	s := mustOpen(t, r)
	s.Close()
	for late := time.Now().Add(10 * time.Second); descriptors(t) > before; runtime.Gosched() {
		if time.Now().After(late) {
			t.Fatalf("%d descriptors, %d before", descriptors(t), before)
		}
	}
}

// TestManyClosedTogether: where many streams end the sockets of the next ones wait longer, until there are too many.
func TestManyClosedTogether(t *testing.T) {
	r := newRelay(t, 200, 0)
	files := descriptors(t)
	end := func(n int) {
		for range n {
			mustOpen(t, r).Close()
		}
	}
	wait := func() time.Duration {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.closeIn
	}
	for _, x := range []struct {
		streams int
		want    time.Duration // that the next ones wait
	}{
		{1, closeSoon},
		{manyEnded, closeLate},
		{manyEnded - 1, closeSoon},
	} {
		end(x.streams)
		r.closeEnded()
		if got := wait(); got != x.want {
			t.Errorf("after %d the next wait %v, want %v", x.streams, got, x.want)
		}
	}
	end(mostEnded)
	for descriptors(t) > files { // without anybody's asking
		runtime.Gosched()
	}
}

// TestControlFromTheStart: RTCP goes to where the SDP wants it as soon as RTP has come from there, though its IP is not the
// one signalled from.
func TestControlFromTheStart(t *testing.T) {
	s := mustOpen(t, newRelay(t, 2, -1))
	a, gateway, control := newPhone(t, hostA), newPhone(t, hostX), newPhone(t, hostX)
	s.Expect(Caller, Peer{RTP: a.addr, RTCP: a.addr, Signal: hostA})
	s.Expect(Callee, Peer{RTP: gateway.addr, RTCP: control.addr, Signal: hostB})
	gateway.send(s.Port(Callee), rtpPacket(1, "x"))
	a.hears(rtpPacket(1, "x"), s.Port(Caller))
	report := []byte("\x80\xc9\x00\x01AAAA")
	a.send(s.Port(Caller)+1, report)
	control.hears(report, s.Port(Callee)+1)
}
