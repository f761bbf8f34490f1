package rtprelay

import (
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unsafe"
)

// Streams that relay at the same time wait for no lock of each other's: the mutex profile
// knows of no waiting in this package. And no line of a core's cache holds state of two
// streams, since each is an object of its own, larger than a line.
func TestStreamsShareNothing(t *testing.T) {
	if unsafe.Sizeof(Stream{}) < 512 {
		t.Errorf("a stream has %d bytes: two of them could share a line", unsafe.Sizeof(Stream{}))
	}
	defer runtime.SetMutexProfileFraction(runtime.SetMutexProfileFraction(1))
	const streams, packets = 8, 300
	r := newRelay(t, 2*streams, -1)
	before := waits()
	var wg sync.WaitGroup
	for range streams {
		s, a, b := mustOpen(t, r), newPhone(t, hostA), newPhone(t, hostB)
		s.Expect(Callee, Peer{RTP: b.addr, Signal: hostB})
		to := netip.AddrPortFrom(server, s.Port(Caller))
		wg.Go(func() {
			for n := range uint16(packets) {
				a.conn.WriteToUDPAddrPort(rtpPacket(n, "x"), to)
				b.hears(rtpPacket(n, "x"), s.Port(Callee))
			}
		})
	}
	wg.Wait()
	if n := waits() - before; n != 0 {
		t.Errorf("goroutines of streams have waited %d times for a lock", n)
	}
}

// waits counts how often somebody has waited for a lock that a packet's way takes.
func waits() (n int64) {
	records := make([]runtime.BlockProfileRecord, 10_000)
	have, _ := runtime.MutexProfile(records)
	for _, r := range records[:have] {
		frames := runtime.CallersFrames(r.Stack())
		for more := true; more; {
			var f runtime.Frame
			if f, more = frames.Next(); strings.HasPrefix(f.Function, "minisip/rtprelay.(*endpoint)") {
				n += r.Count
				break
			}
		}
	}
	return n
}
