package rtprelay

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"
)

// What a tap is shown: what came, what went on, and strangers too; nothing before and after.
func TestTap(t *testing.T) {
	s := mustOpen(t, newRelay(t, 2, -1))
	a, b, x := newPhone(t, hostA), newPhone(t, hostB), newPhone(t, hostX)
	s.Expect(Caller, Peer{RTP: a.addr, Signal: hostA})
	s.Expect(Callee, Peer{RTP: b.addr, Signal: hostB})
	pa, pb := s.Port(Caller), s.Port(Callee)
	cross := func(n uint16) {
		a.send(pa, rtpPacket(n, "a"))
		b.hears(rtpPacket(n, "a"), pb)
	}
	var shown []string
	cross(1)
	s.Tap(func(_ time.Time, from, to netip.AddrPort, p []byte) {
		shown = append(shown, fmt.Sprintf("%s > %s %d", from, to, p[3]))
	})
	x.send(pa, rtpPacket(9, "x"))
	cross(2)
	b.send(pb, rtpPacket(3, "b"))
	a.hears(rtpPacket(3, "b"), pa)
	s.Tap(nil)
	cross(4)
	legA, legB := netip.AddrPortFrom(server, pa), netip.AddrPortFrom(server, pb)
	want := []string{
		fmt.Sprintf("%s > %s 9", x.addr, legA),
		fmt.Sprintf("%s > %s 2", a.addr, legA),
		fmt.Sprintf("%s > %s 2", legB, b.addr),
		fmt.Sprintf("%s > %s 3", b.addr, legB),
		fmt.Sprintf("%s > %s 3", legA, a.addr),
	}
	if !slices.Equal(shown, want) {
		t.Errorf("shown\n%v\nwant\n%v", shown, want)
	}
}

// A tap is shown no more than so many packets of strangers, who could fill a recording; and the phones' as before.
func TestTapOfStrangers(t *testing.T) {
	s := mustOpen(t, newRelay(t, 2, -1))
	a, b, x := newPhone(t, hostA), newPhone(t, hostB), newPhone(t, hostX)
	s.Expect(Caller, Peer{RTP: a.addr, Signal: hostA})
	s.Expect(Callee, Peer{RTP: b.addr, Signal: hostB})
	pa, pb := s.Port(Caller), s.Port(Callee)
	came := func(n uint64) { // so many strangers
		s.mu.Lock()
		s.legs[Caller].flow.strangers += n
		s.mu.Unlock()
	}
	var shown []byte
	cross := func(n uint16) {
		x.send(pa, rtpPacket(100+n, "x"))
		a.send(pa, rtpPacket(n, "a"))
		b.hears(rtpPacket(n, "a"), pb)
	}
	came(2 * strangersShown) // before
	s.Tap(func(_ time.Time, _, _ netip.AddrPort, p []byte) { shown = append(shown, p[3]) })
	cross(1)
	came(strangersShown - 2)
	cross(2)
	cross(3)
	s.Tap(nil)
	if want := []byte{101, 1, 1, 102, 2, 2, 3, 3}; !slices.Equal(shown, want) {
		t.Errorf("shown %d, want %d", shown, want)
	}
}

// What a leg says itself is shown as well: the answer to a check, and a handshake that has waited for it.
func TestTapOfICE(t *testing.T) {
	s := iceStream(t)
	a, b := newPhone(t, hostA), newPhone(t, hostB)
	s.Expect(Callee, Peer{RTP: b.addr, Signal: hostB})
	pa, pb := s.Port(Caller), s.Port(Callee)
	var shown []string
	s.Tap(func(_ time.Time, from, to netip.AddrPort, p []byte) {
		shown = append(shown, fmt.Sprintf("%s > %s %x", from, to, p[:2]))
	})
	hello := []byte{22, 0xfe, 0xff, 1}
	b.send(pb, hello)
	for s.Stats().From[Callee].Other == 0 {
		runtime.Gosched()
	}
	c := check{username: "ours:them", password: ownPassword}.bytes()
	a.send(pa, c)
	a.receiveSTUN(c, ownPassword)
	a.hears(hello, pa)
	s.Tap(nil)
	legA, legB := netip.AddrPortFrom(server, pa), netip.AddrPortFrom(server, pb)
	want := []string{
		fmt.Sprintf("%s > %s 16fe", b.addr, legB),
		fmt.Sprintf("%s > %s 0001", a.addr, legA),
		fmt.Sprintf("%s > %s 0101", legA, a.addr),
		fmt.Sprintf("%s > %s 16fe", legA, a.addr),
	}
	if !slices.Equal(shown, want) {
		t.Errorf("shown\n%v\nwant\n%v", shown, want)
	}
}
