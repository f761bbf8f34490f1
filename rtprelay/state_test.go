package rtprelay

import (
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
)

// TestReopen: another relay goes on where one has ended: on the same ports, with the first packet
// from either side, refusing strangers, and counting on.
func TestReopen(t *testing.T) {
	before := newRelay(t, 4, -1)
	mustOpen(t, before).Close() // so that the ports are not the first ones
	s := mustOpen(t, before)
	a, ac, b, bc := newPhone(t, hostA), newPhone(t, hostA), newPhone(t, hostB), newPhone(t, hostB)
	s.Expect(Caller, Peer{RTP: a.addr, RTCP: ac.addr, Clocks: map[uint8]uint32{96: 16000}})
	s.Expect(Callee, Peer{RTP: b.addr, RTCP: bc.addr})
	for i := range uint16(3) {
		a.send(s.Port(Caller), rtpPacket(100+2*i, "of a")) // every other one is lost
		b.hears(rtpPacket(100+2*i, "of a"), s.Port(Callee))
		b.send(s.Port(Callee), rtpPacket(i, "of b"))
		a.hears(rtpPacket(i, "of b"), s.Port(Caller))
	}
	st, ports := s.State(), [2]uint16{s.Port(Caller), s.Port(Callee)}
	before.Close()

	after := newRelay(t, 4, -1)
	s, err := after.Reopen(LegConfig{server, hostA}, LegConfig{server, hostB}, st)
	if err != nil {
		t.Fatal(err)
	}
	if got := [2]uint16{s.Port(Caller), s.Port(Callee)}; got != ports || after.InUse() != 2 {
		t.Errorf("ports %v, %d pairs in use, want %v and 2", got, after.InUse(), ports)
	}
	// Nothing has come from a yet.
	x := newPhone(t, hostX)
	x.send(s.Port(Callee), rtpPacket(4, "of a stranger"))
	b.send(s.Port(Callee), rtpPacket(3, "of b"))
	a.hears(rtpPacket(3, "of b"), s.Port(Caller))
	a.send(s.Port(Caller), rtpPacket(110, "of a"))
	b.hears(rtpPacket(110, "of a"), s.Port(Callee))
	bc.send(s.Port(Callee)+1, []byte("\x80\xc9\x00\x01BBBB"))
	ac.hears([]byte("\x80\xc9\x00\x01BBBB"), s.Port(Caller)+1)
	fromA, fromB := s.Stats().From[Caller], s.Stats().From[Callee]
	if fromA.Packets != 4 || fromA.Lost != 2 || fromB.Packets != 4 || fromB.Lost != 0 || fromB.Strangers != 1 {
		t.Errorf("from a %d packets, %d lost; from b %d, %d, %d of strangers",
			fromA.Packets, fromA.Lost, fromB.Packets, fromB.Lost, fromB.Strangers)
	}
	if first := st.Legs[Caller].First; first.IsZero() || fromA.First.Sub(first).Abs() > 1000 {
		t.Errorf("the first packet came at %v, now at %v", first, fromA.First)
	}
	if rate := s.clock(Caller, 96); rate != 16000 {
		t.Errorf("payload type 96 has a clock of %d Hz", rate)
	}

	// No port is given twice, to whomever.
	if _, err := after.Reopen(LegConfig{server, hostA}, LegConfig{server, hostB}, st); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("the same ports again: %v", err)
	}
	if other := mustOpen(t, after); after.InUse() != 4 || other.Port(Caller) == ports[0] || other.Port(Callee) == ports[0] {
		t.Errorf("another stream got port %d", other.Port(Caller))
	}
	s.Close()
	if after.InUse() != 2 {
		t.Errorf("%d pairs in use after the end", after.InUse())
	}
}

// TestReopenHeld: where a port is held by another program, nothing is opened and nothing leaks.
func TestReopenHeld(t *testing.T) {
	before := newRelay(t, 2, -1)
	st := mustOpen(t, before).State()
	after := newRelay(t, 2, -1)
	if _, err := after.Reopen(LegConfig{server, hostA}, LegConfig{server, hostB}, st); err == nil {
		t.Fatal("opened twice")
	}
	before.Close()
	if after.InUse() != 0 {
		t.Errorf("%d pairs in use", after.InUse())
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(server, st.Legs[Callee].Port)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := after.Reopen(LegConfig{server, hostA}, LegConfig{server, hostB}, st); err == nil || after.InUse() != 0 {
		t.Errorf("the callee's alone: %v, %d pairs in use", err, after.InUse())
	}
	conn.Close()
	st.Legs[Callee].RTCP.Source = netip.AddrPortFrom(hostB, 4001)
	s, err := after.Reopen(LegConfig{server, hostA}, LegConfig{server, hostB}, st)
	if err != nil {
		t.Fatalf("when they are free: %v", err)
	}
	// Who was heard, if only by RTCP, counts as heard when the process began.
	if s.LastMedia(Callee).IsZero() || !s.LastMedia(Caller).IsZero() {
		t.Errorf("heard last: %v and %v", s.LastMedia(Caller), s.LastMedia(Callee))
	}
}

// TestState: what a latch knows is all kept, and what it does not keep is what a newcomer must wait for.
func TestState(t *testing.T) {
	r := newRelay(t, 2, -1)
	s := mustOpen(t, r)
	a := newPhone(t, hostA)
	s.Expect(Caller, Peer{RTP: a.addr, Mux: true})
	s.Expect(Callee, Peer{RTP: a.addr})
	s.SetICE(Caller, ICE{"ours", "secret", "theirs"})
	a.send(s.Port(Caller), rtpPacket(7, "x"))
	for s.LastMedia(Caller).IsZero() {
		runtime.Gosched()
	}
	st := s.State()
	s.Close()
	st.Legs[Caller].RTP.Proven, st.Legs[Caller].RTP.Nominated, st.Legs[Caller].RTP.Priority = true, true, 7
	var again latch
	again.restore(r.now(), st.Legs[Caller].RTP)
	if got := again.state(); got != st.Legs[Caller].RTP || again.heard == 0 {
		t.Errorf("kept %+v, then %+v", st.Legs[Caller].RTP, got)
	}
	if l := st.Legs[Caller]; l.RTP.Source != a.addr || !l.Mux || l.RTP.Seq != 7 || !l.RTP.RTP || l.ICE.Pwd != "secret" {
		t.Errorf("kept %+v", l)
	}
}

func TestPoolClaim(t *testing.T) {
	p := newPool(10000, 10009, 0)
	p.take(0)
	p.put(10000, 0) // the ring has turned
	for _, tc := range []struct {
		port uint16
		ok   bool
	}{{10004, true}, {10004, false}, {10000, true}, {9998, false}, {10003, false}} {
		if got := p.claim(tc.port); got != tc.ok {
			t.Errorf("claim %d: %v", tc.port, got)
		}
	}
	p.put(10004, 0)
	for _, want := range []uint16{10002, 10006, 10008, 10004} {
		if got, ok := p.take(0); got != want || !ok {
			t.Errorf("took %d, %v, want %d", got, ok, want)
		}
	}
}
