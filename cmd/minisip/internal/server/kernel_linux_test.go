//go:build linux && (amd64 || arm64)

package server

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKernelDrops: what comes while not even a reader has time is counted too, and said. What a socket had lost in an
// earlier process, that one has said.
func TestKernelDrops(t *testing.T) {
	cfg := testConfig(t, "127.0.0.1:0")
	log := new(record)
	cfg.Log = log.line
	s, err := Listen(cfg) // and nobody reads
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	conn := listenUDP(t, "127.0.0.1")
	large := strings.Repeat("x", 60000)
	for range 4 * receiveBuffer / len(large) {
		sendTo(t, conn, s.Addresses()[0], large)
	}
	s.beatHealth(time.Now())
	h := s.Health()
	if h.Lost == 0 || h.Faults["datagrams are dropped by the system"] != h.Lost {
		t.Errorf("health says %+v", h)
	}
	if !log.holds("datagrams are dropped by the system", "net.core.rmem_max", "UdpInCsumErrors") {
		t.Error("the log does not say what can be done")
	}
	s.beatHealth(time.Now())
	if again := s.Health().Lost; again != h.Lost {
		t.Errorf("%d, and a second time %d", h.Lost, again)
	}

	fd, err := syscall.Dup(s.sockets[0].fd)
	if err != nil {
		t.Fatal(err)
	}
	cfg = testConfig(t, s.Addresses()[0].String())
	cfg.Sockets = map[netip.AddrPort]int{s.Addresses()[0]: fd}
	next, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer next.close()
	next.beatHealth(time.Now())
	if h := next.Health(); h.Lost != 0 || len(h.Faults) != 0 {
		t.Errorf("the next process counts %d, and says %v", h.Lost, h.Faults)
	}
}
