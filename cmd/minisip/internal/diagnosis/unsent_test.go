package diagnosis

import (
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestWhyUnsent: what keeps the system from sending is told apart by its error, and one that tells nothing more is given as it is.
func TestWhyUnsent(t *testing.T) {
	c, to := &Call{Ports: "10000-20000"}, &Party{Addr: netip.MustParseAddrPort("192.0.2.9:5060")}
	const route = "ip route get 192.0.2.9"
	for _, tt := range []struct {
		err       error
		why, next string
	}{
		{syscall.EPERM, "this server's own firewall refuses them", "nft list ruleset"},
		{syscall.EAGAIN, "this server's transmit queue is full", "tc -s qdisc"},
		{syscall.ENOBUFS, "this server's transmit queue is full", "tc -s qdisc"},
		{syscall.ENETUNREACH, "this server has no route there", route},
		{syscall.EHOSTUNREACH, "this server has no route there", route},
		{syscall.EADDRNOTAVAIL, "this server has no route there", route},
		{os.NewSyscallError("sendto", syscall.ENETUNREACH), "this server has no route there", route},
		{os.NewSyscallError("sendto", syscall.EINVAL), "the system says: sendto: invalid argument", route}, // a blackhole is one that refuses so
		{syscall.EACCES, "the system says: permission denied", route},
		{syscall.EMSGSIZE, "the system says: message too long", "dmesg"},
		{nil, "the system does not say why", "dmesg"},
	} {
		if why, next := c.whyUnsent(tt.err, to); why != tt.why || !strings.Contains(next, tt.next) {
			t.Errorf("%v: %q, %q", tt.err, why, next)
		}
	}
}
