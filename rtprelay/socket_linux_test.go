//go:build linux && (amd64 || arm64) && !portable && !race

package rtprelay

import (
	"net/netip"
	"runtime"
	"syscall"
	"testing"
)

// Memory of a call with audio: heap and stacks, once packets have passed
// through all four of its sockets.
func TestMemoryPerStream(t *testing.T) {
	const streams = 100
	r := newRelay(t, 2*streams, -1)
	a, b := newPhone(t, hostA), newPhone(t, hostB)
	use := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	before := use()
	for range streams {
		s := mustOpen(t, r)
		s.Expect(Caller, Peer{RTP: a.addr, RTCP: a.addr, Signal: hostA})
		s.Expect(Callee, Peer{RTP: b.addr, RTCP: b.addr, Signal: hostB})
		for i := range uint16(2) {
			a.send(s.Port(Caller)+i, rtpPacket(i, "x"))
			b.hears(rtpPacket(i, "x"), s.Port(Callee)+i)
			b.send(s.Port(Callee)+i, rtpPacket(i, "x"))
			a.hears(rtpPacket(i, "x"), s.Port(Caller)+i)
		}
	}
	per := (use() - before) / streams
	t.Logf("%d bytes a stream", per)
	if per > 15<<10 {
		t.Errorf("%d bytes a stream, want 15 KB or less", per)
	}
}

// TestRoutersMayFragment: Linux is told not to set DF in what leaves, IPv4 on a socket for both included.
func TestRoutersMayFragment(t *testing.T) {
	r := newRelay(t, 2, -1)
	s, err := r.Open(LegConfig{server, hostA}, LegConfig{netip.IPv6Unspecified(), hostB})
	if err != nil {
		t.Fatal(err)
	}
	for side := range s.legs {
		fd, _ := s.legs[side].rtp.socket.descriptor()
		got, err := syscall.GetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_MTU_DISCOVER)
		if err != nil || got != syscall.IP_PMTUDISC_DONT {
			t.Errorf("leg %d: IP_MTU_DISCOVER is %d, %v", side, got, err)
		}
	}
}
