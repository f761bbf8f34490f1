package rtprelay

import (
	"net/netip"
	"syscall"
	"testing"
)

// TestInheritedMark: a socket of an earlier process sends as this one was told to, whatever that one was.
func TestInheritedMark(t *testing.T) {
	for _, tos := range []int{0x20, -1} {
		port := newRelay(t, 2, -1).ports.queue[0].port
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
		if err == nil {
			err = syscall.Bind(fd, &syscall.SockaddrInet4{Port: int(port), Addr: server.As4()})
		}
		if err == nil {
			err = syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_TOS, defaultTOS)
		}
		if err != nil {
			t.Fatal(err)
		}
		sockets := map[netip.AddrPort]int{netip.AddrPortFrom(server, port): fd}
		r, err := New(Config{Low: port, High: port + 3, Rest: -1, TOS: tos, Sockets: sockets})
		if err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, r)
		fd, _ = s.legs[Caller].rtp.socket.descriptor()
		if got, err := syscall.GetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_TOS); err != nil || got != max(tos, 0) || len(sockets) > 0 {
			t.Errorf("told %#x: marks %#x, %v; %d sockets not taken", tos, got, err, len(sockets))
		}
		r.Close()
	}
}
