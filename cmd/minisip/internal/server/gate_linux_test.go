//go:build linux && (amd64 || arm64)

package server

import (
	"net"
	"sync"
	"testing"
	"time"
)

// TestGate: all that comes is looked at, whether ticking has not begun, goes on or has ended, time and again.
func TestGate(t *testing.T) {
	conn, socket := listenUDP(t, "127.0.0.1"), listenUDP(t, "127.0.0.1")
	to := socket.LocalAddr().(*net.UDPAddr).AddrPort()
	var s transport
	if err := s.open(socket); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	type look struct {
		found   int
		ticking bool
	}
	looks, in := make(chan look, 100), new(inbox)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer s.end()
	wait.Go(func() {
		s.gate.each(func() int {
			l := look{ticking: s.gate.pace.ticking}
			for n := received; n == received; {
				n = in.receive(uintptr(s.fd))
				l.found += n
			}
			looks <- l
			return l.found
		})
	})
	next := func() look {
		select {
		case l := <-looks:
			return l
		case <-time.After(patience):
			t.Fatal("nobody looks")
			panic("unreachable")
		}
	}
	next() // the first, before anything comes
	for range 5 {
		for gathers := false; !gathers; {
			for range 2 * few {
				sendTo(t, conn, to, "x")
			}
			for found := 0; found < 2*few; {
				l := next()
				found += l.found
				gathers = l.ticking && l.found >= few
			}
		}
		if l := next(); l != (look{0, true}) {
			t.Fatalf("after the last %+v, want an empty look, which ends the ticking", l)
		}
	}
}

// TestGateRefused: where the kernel has no memory, or no watch left, to wake for a socket, it is looked at in ticks until it has.
func TestGateRefused(t *testing.T) {
	var s transport
	if err := s.open(listenUDP(t, "127.0.0.1")); err != nil {
		t.Fatal(err)
	}
	defer s.close()
	g := s.gate
	for g.opens(time.Now()) {
		g.looked(1)
	}
	g.socket = -1 // which is refused, too
	g.looked(0)
	if !g.pace.ticking || g.pace.tick == 0 {
		t.Fatalf("nothing wakes it any more: %+v", g.pace)
	}
	g.socket = s.fd
	if g.looked(0); g.pace.ticking {
		t.Error("it goes on ticking")
	}
}
