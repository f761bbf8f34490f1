package server

import (
	"net/netip"
	"testing"
	"time"
)

// TestQueueGivesBack: what found no room takes up none, neither of bytes nor of its source's share; when all have left, there is as
// much room as at first.
func TestQueueGivesBack(t *testing.T) {
	src := netip.MustParseAddrPort("198.51.100.7:5060")
	q := newQueue(64, 1000)
	for round := range 3 {
		in := 0
		for range 100 {
			if q.put(&packet{buf: make([]byte, 300)}, true, src) {
				in++
			}
		}
		if in != 3 {
			t.Errorf("round %d: %d of 300 bytes have room in 1000, want 3", round, in)
		}
		for range in {
			q.leave(<-q.packets)
		}
	}
	if n := q.bytes.Load(); n != 0 {
		t.Errorf("an empty queue holds %d bytes", n)
	}
}

// TestDropsCountedOnce: what was dropped is told once, however often the loop looks.
func TestDropsCountedOnce(t *testing.T) {
	r := idle(t)
	now := time.Now()
	for n := range 3 {
		r.health.dropped.Add(uint64(n % 2 * 5)) // 5 in all
		r.beatHealth(now)
		if got, want := r.Health().Faults["datagrams are dropped"], uint64(min(n, 1)*5); got != want {
			t.Errorf("look %d: %d, want %d", n, got, want)
		}
	}
}

// TestOverloadInSilence: an overload is over also where nothing comes any more that could tell.
func TestOverloadInSilence(t *testing.T) {
	r := idle(t)
	now := time.Now()
	for range 10 {
		r.waited(now, time.Second, true)
		now = now.Add(100 * time.Millisecond)
	}
	if !r.Health().Overload {
		t.Fatal("no overload")
	}
	r.beatHealth(now)
	if !r.Health().Overload {
		t.Error("it is over at once")
	}
	if r.beatHealth(now.Add(10 * time.Second)); r.Health().Overload {
		t.Error("it is not over")
	}
}

// TestStopEnds: whatever goes on to come, a socket that is stopped is looked at no more; what waits in it is the next process's.
func TestStopEnds(t *testing.T) {
	s, err := listen(netip.MustParseAddrPort("127.0.0.1:0"), 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	conn := listenUDP(t, "127.0.0.1")
	for range 100 {
		sendTo(t, conn, s.local, "x")
	}
	taken := 0
	s.each(func([]byte, netip.AddrPort, netip.AddrPort) {
		if taken++; taken == 1 {
			s.stop()
		}
	})
	if taken > 8 {
		t.Errorf("%d of 100 datagrams were taken from a socket that was stopped", taken)
	}
}

// idle is a server that does not run.
func idle(t *testing.T) *Server {
	t.Helper()
	s, err := Listen(testConfig(t, "127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}
