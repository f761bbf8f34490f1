package server

import (
	"syscall"
	"testing"
)

// TestRoutersMayFragment: Linux is told not to set DF in what leaves, IPv4 on a socket for both included.
func TestRoutersMayFragment(t *testing.T) {
	for _, listen := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::]:0"} {
		s, err := Listen(testConfig(t, listen))
		if err != nil {
			t.Fatal(err)
		}
		fd, _ := s.sockets[0].descriptor()
		got, err := syscall.GetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_MTU_DISCOVER)
		if err != nil || got != syscall.IP_PMTUDISC_DONT {
			t.Errorf("%s: IP_MTU_DISCOVER is %d, %v", listen, got, err)
		}
		s.close()
	}
}
