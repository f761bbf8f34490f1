package rtprelay

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// home2 is another address of the relay's host.
var home2 = netip.MustParseAddr("127.0.0.4")

// A leg that has moved sends from the new address and hears at both, until it moves again or the stream ends.
func TestMoveTo(t *testing.T) {
	r := newRelay(t, 2, -1)
	s := mustOpen(t, r)
	a, b := newPhone(t, hostA), newPhone(t, hostB)
	s.Expect(Caller, Peer{RTP: a.addr})
	s.Expect(Callee, Peer{RTP: b.addr})
	seq := uint16(0)
	talk := func(to, from netip.Addr) {
		t.Helper()
		seq++
		if _, err := a.conn.WriteToUDPAddrPort(rtpPacket(seq, "of a"), netip.AddrPortFrom(to, s.Port(Caller))); err != nil {
			t.Fatal(err)
		}
		b.hears(rtpPacket(seq, "of a"), s.Port(Callee))
		b.send(s.Port(Callee), rtpPacket(seq, "of b"))
		a.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		got := make([]byte, 100)
		_, at, err := a.conn.ReadFromUDPAddrPort(got)
		if want := netip.AddrPortFrom(from, s.Port(Caller)); err != nil || netip.AddrPortFrom(at.Addr().Unmap(), at.Port()) != want {
			t.Fatalf("heard from %v, %v; want %v", at, err, want)
		}
	}
	move := func(to netip.Addr) {
		t.Helper()
		if at, err := s.MoveTo(Caller, to); at != to || err != nil {
			t.Fatalf("moved to %v, %v, want %v", at, err, to)
		}
	}
	talk(server, server)
	move(home2)
	talk(server, home2)
	talk(home2, home2)
	move(home2)
	talk(home2, home2)
	move(server)
	talk(home2, server)
	talk(server, server)
	if at := s.State().Legs[Caller].Local; at != server {
		t.Errorf("the leg is said to be at %v", at)
	}

	// A third address: the one before last is given up.
	move(home2)
	move(hostX)
	talk(home2, hostX)
	if other, err := listen(server, s.Port(Caller)); err != nil {
		t.Errorf("the first address is still held: %v", err)
	} else {
		other.Close()
	}
	s.Close()
	for _, at := range []netip.Addr{home2, hostX} {
		if other, err := listen(at, s.Port(Caller)+1); err != nil {
			t.Errorf("%v is held after the end: %v", at, err)
		} else {
			other.Close()
		}
	}
}

// Where the new address cannot be had, all stays as it was.
func TestMoveToHeld(t *testing.T) {
	s := mustOpen(t, newRelay(t, 2, -1))
	held, err := listen(home2, s.Port(Callee)+1)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if at, err := s.MoveTo(Callee, home2); at != server || err == nil {
		t.Errorf("moved to %v, %v", at, err)
	}
	if rtp, err := listen(home2, s.Port(Callee)); err != nil {
		t.Errorf("its port for RTP is held: %v", err)
	} else {
		rtp.Close()
	}
}

// A stream that goes on in another process is where it was, wherever its side is said to reach us.
func TestReopenWhereItWas(t *testing.T) {
	before := newRelay(t, 2, -1)
	s := mustOpen(t, before)
	st := s.State()
	before.Close()
	again, err := newRelay(t, 2, -1).Reopen(LegConfig{home2, hostA}, LegConfig{server, hostB}, st)
	if err != nil {
		t.Fatal(err)
	}
	if at := again.State().Legs[Caller].Local; at != server {
		t.Errorf("the leg is at %v, and its phone knows %v", at, server)
	}
}

func listen(at netip.Addr, port uint16) (*net.UDPConn, error) {
	return net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, port)))
}
