package rtprelay

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests' phones live on loopback; each address of 127.0.0.0/8 stands for
// another host.
var (
	server = netip.MustParseAddr("127.0.0.1")
	hostA  = netip.MustParseAddr("127.0.0.2")
	hostB  = netip.MustParseAddr("127.0.0.3")
	hostX  = netip.MustParseAddr("127.0.0.66")
)

// testLow is where the ports of the tests begin. They lie below the ephemeral
// ones, above those of other packages' tests, and elsewhere for each process, so that two test runs can go on at once.
var testLow = uint16(21500 + os.Getpid()%19*500)

func newRelay(t testing.TB, pairs int, rest time.Duration) *Relay {
	t.Helper()
	low := testLow
	r, err := New(Config{Low: low, High: low + uint16(2*pairs) - 1, Rest: rest})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func mustOpen(t testing.TB, r *Relay) *Stream {
	t.Helper()
	s, err := r.Open(LegConfig{server, hostA}, LegConfig{server, hostB})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A phoneSocket is one UDP socket of a phone.
type phoneSocket struct {
	t    testing.TB
	conn *net.UDPConn
	addr netip.AddrPort
}

func newPhone(t testing.TB, host netip.Addr) phoneSocket {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	addr := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return phoneSocket{t, conn, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())}
}

func (p phoneSocket) send(port uint16, b []byte) {
	p.t.Helper()
	if _, err := p.conn.WriteToUDPAddrPort(b, netip.AddrPortFrom(server, port)); err != nil {
		p.t.Fatal(err)
	}
}

// hears waits for b and checks which relay port it comes from.
func (p phoneSocket) hears(b []byte, port uint16) {
	p.t.Helper()
	p.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	got := make([]byte, 65536)
	n, from, err := p.conn.ReadFromUDPAddrPort(got)
	if err != nil {
		p.t.Fatalf("heard nothing: %v", err)
	}
	if !bytes.Equal(got[:n], b) || from.Port() != port {
		p.t.Fatalf("heard %x from port %d, want %x from %d", got[:min(n, 32)], from.Port(), b[:min(len(b), 32)], port)
	}
}

// heardNothing checks that nothing has come. What would have made it come was
// followed by something that came already, so there is nothing to wait for.
func (p phoneSocket) heardNothing() {
	p.t.Helper()
	p.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	b := make([]byte, 2048)
	if n, from, err := p.conn.ReadFromUDPAddrPort(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		p.t.Fatalf("heard %x from %v, %v, want nothing", b[:n], from, err)
	}
}

func rtpPacket(seq uint16, text string) []byte {
	b := append([]byte{0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, text...)
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], uint32(seq)*160)
	return b
}

func TestRelayBothWays(t *testing.T) {
	s := mustOpen(t, newRelay(t, 2, -1))
	a, ac := newPhone(t, hostA), newPhone(t, hostA)
	b, bc := newPhone(t, hostB), newPhone(t, hostB)
	pa, pb := s.Port(Caller), s.Port(Callee)
	if pa%2 != 0 || pb%2 != 0 || pa == pb {
		t.Fatalf("ports %d and %d: RTP takes even ones", pa, pb)
	}
	s.Expect(Caller, Peer{RTP: a.addr, RTCP: ac.addr, Signal: hostA})
	if !s.LastMedia(Caller).IsZero() || !s.LastMedia(Callee).IsZero() {
		t.Error("media before there was any")
	}
	// The answer is not here yet, but who signals from hostB is known.
	b.send(pb, rtpPacket(1, "early media"))
	a.hears(rtpPacket(1, "early media"), pa)
	a.send(pa, rtpPacket(1, "hello"))
	b.hears(rtpPacket(1, "hello"), pb)

	s.Expect(Callee, Peer{RTP: b.addr, RTCP: bc.addr, Signal: hostB})
	report := senderReportOf(7 << 16)
	ac.send(pa+1, report)
	bc.hears(report, pb+1)
	bc.send(pb+1, receiverReportOf(7, 0))
	ac.hears(receiverReportOf(7, 0), pa+1)
	for _, other := range [][]byte{{}, {22, 0xfe, 0xfd}, make([]byte, maxPacket)} {
		a.send(pa, other)
		b.hears(other, pb)
	}
	st := s.Stats()
	if f := st.From[Caller]; f.Packets != 1 || f.RTCP != 1 || f.Other != 3 || f.Source != a.addr || f.RTCPSource != ac.addr || f.RTT != 0 {
		t.Errorf("from the caller: %+v", f)
	}
	if f := st.From[Callee]; f.Packets != 1 || f.RTCP != 1 || f.RTT <= 0 || f.Target != b.addr || f.RTCPTarget != bc.addr {
		t.Errorf("from the callee: %+v", f)
	}
	for _, side := range []Side{Caller, Callee} {
		if last := s.LastMedia(side); last != st.From[side].Heard || time.Since(last) > time.Minute {
			t.Errorf("last media from side %d %v, want %v", side, last, st.From[side].Heard)
		}
	}
}

func TestRelayStrangers(t *testing.T) {
	s := mustOpen(t, newRelay(t, 2, -1))
	a, b, x := newPhone(t, hostA), newPhone(t, hostB), newPhone(t, hostX)
	pa, pb := s.Port(Caller), s.Port(Callee)
	spray := func() {
		for _, port := range []uint16{pa, pa + 1, pb, pb + 1} {
			x.send(port, rtpPacket(1, "spray"))
		}
	}
	spray()
	s.Expect(Caller, Peer{RTP: a.addr, Signal: hostA})
	s.Expect(Callee, Peer{RTP: netip.MustParseAddrPort("10.0.0.9:4000"), Signal: hostB})
	spray()
	b.send(pb, rtpPacket(1, "b"))
	a.hears(rtpPacket(1, "b"), pa)
	a.send(pa, rtpPacket(1, "a"))
	b.hears(rtpPacket(1, "a"), pb)
	spray()
	b.send(pb, rtpPacket(2, "b"))
	a.hears(rtpPacket(2, "b"), pa)
	a.send(pa, rtpPacket(2, "a"))
	b.hears(rtpPacket(2, "a"), pb)
	a.heardNothing()
	b.heardNothing()
	x.heardNothing()
	for side, f := range s.Stats().From {
		// Those at the RTP port came before what has passed since; those at the
		// RTCP port may not have been read yet.
		if f.Strangers < 3 || f.Stranger != x.addr || f.Packets != 2 {
			t.Errorf("side %d: %d strangers, the newest %v, %d packets", side, f.Strangers, f.Stranger, f.Packets)
		}
	}
}

// A phone that is silent until it hears something is talked to at the address
// of its SDP, but only if it signals from there.
func TestRelaySpeaksFirst(t *testing.T) {
	for _, tc := range []struct {
		name   string
		signal netip.Addr
		want   bool
	}{{"signals from where it wants media", hostB, true}, {"signals from elsewhere", hostX, false}} {
		t.Run(tc.name, func(t *testing.T) {
			s := mustOpen(t, newRelay(t, 2, -1))
			a, b, echo := newPhone(t, hostA), newPhone(t, hostB), newPhone(t, hostX)
			s.Expect(Caller, Peer{RTP: a.addr, Signal: hostA})
			s.Expect(Callee, Peer{RTP: b.addr, Signal: tc.signal})
			a.send(s.Port(Caller), rtpPacket(1, "anyone?"))
			if tc.want {
				b.hears(rtpPacket(1, "anyone?"), s.Port(Callee))
				return
			}
			for s.LastMedia(Caller).IsZero() { // until it has passed the relay
				runtime.Gosched()
			}
			if f := s.Stats().From[Caller]; f.Unaddressed != 1 || f.Undelivered != 0 || f.Packets != 1 {
				t.Errorf("%d packets, %d unaddressed, %d undelivered, want 1, 1 and 0", f.Packets, f.Unaddressed, f.Undelivered)
			}
			echo.send(s.Port(Callee), rtpPacket(1, "me"))
			a.hears(rtpPacket(1, "me"), s.Port(Caller))
			b.heardNothing()
		})
	}
}

// What the system does not send on is counted, and why: here that nothing leaves the machine from an address of loopback.
func TestRelayUndelivered(t *testing.T) {
	s := mustOpen(t, newRelay(t, 2, -1))
	a, away := newPhone(t, hostA), netip.MustParseAddrPort("192.0.2.9:4000")
	s.Expect(Caller, Peer{RTP: a.addr, Signal: hostA})
	s.Expect(Callee, Peer{RTP: away, Signal: away.Addr()})
	a.send(s.Port(Caller), rtpPacket(1, "hello?"))
	for s.LastMedia(Caller).IsZero() { // until it has passed the relay
		runtime.Gosched()
	}
	if f := s.Stats().From[Caller]; f.Packets != 1 || f.Undelivered != 1 || f.SendError == nil {
		t.Errorf("%d packets, %d undelivered: %v", f.Packets, f.Undelivered, f.SendError)
	}
}

func TestRelayMux(t *testing.T) {
	s := mustOpen(t, newRelay(t, 2, -1))
	a, b, bc := newPhone(t, hostA), newPhone(t, hostB), newPhone(t, hostB)
	pa, pb := s.Port(Caller), s.Port(Callee)
	s.Expect(Caller, Peer{RTP: a.addr, Signal: hostA, Mux: true})
	s.Expect(Callee, Peer{RTP: b.addr, RTCP: bc.addr, Signal: hostB, Mux: true})
	report := senderReportOf(1)
	a.send(pa, report)
	b.hears(report, pb)
	// What still comes to the RTCP port reaches a phone that multiplexes on
	// the one port it has.
	bc.send(pb+1, report)
	a.hears(report, pa)
}

// A phone that offered to multiplex and was answered without (RFC 5761 5.1.1) has two
// ports, and so has the other. What it puts on the one all the same comes to the right one.
func TestRelayMuxRefused(t *testing.T) {
	s := mustOpen(t, newRelay(t, 2, -1))
	a, ac := newPhone(t, hostA), newPhone(t, hostA)
	b, bc := newPhone(t, hostB), newPhone(t, hostB)
	pa, pb := s.Port(Caller), s.Port(Callee)
	report := senderReportOf(1)
	s.Expect(Caller, Peer{RTP: a.addr, RTCP: ac.addr, Signal: hostA, Mux: true})
	a.send(pa, report) // the other's RTCP port is not known yet, nor any
	b.send(pb, rtpPacket(1, "b"))
	a.hears(rtpPacket(1, "b"), pa)
	a.send(pa, report)
	b.hears(report, pb)
	s.Expect(Callee, Peer{RTP: b.addr, RTCP: bc.addr, Signal: hostB})
	bc.send(pb+1, report)
	ac.hears(report, pa+1)
	a.send(pa, report)
	bc.hears(report, pb+1)
}

func TestRelayIPv6ToIPv4(t *testing.T) {
	r := newRelay(t, 2, -1)
	six := netip.IPv6Loopback()
	s, err := r.Open(LegConfig{netip.IPv6Unspecified(), six}, LegConfig{netip.IPv6Unspecified(), hostB})
	if err != nil {
		t.Fatal(err)
	}
	a, b := newPhone(t, six), newPhone(t, hostB)
	s.Expect(Caller, Peer{RTP: a.addr, Signal: six})
	s.Expect(Callee, Peer{RTP: b.addr, Signal: hostB})
	if _, err := a.conn.WriteToUDPAddrPort(rtpPacket(1, "six"), netip.AddrPortFrom(six, s.Port(Caller))); err != nil {
		t.Fatal(err)
	}
	b.hears(rtpPacket(1, "six"), s.Port(Callee))
	b.send(s.Port(Callee), rtpPacket(1, "four"))
	a.hears(rtpPacket(1, "four"), s.Port(Caller))
}

func TestRelayTooLarge(t *testing.T) {
	s := mustOpen(t, newRelay(t, 2, -1))
	a, b, x := newPhone(t, hostA), newPhone(t, hostB), newPhone(t, hostX)
	s.Expect(Caller, Peer{Signal: hostA})
	s.Expect(Callee, Peer{RTP: b.addr, Signal: hostB})
	x.send(s.Port(Caller), make([]byte, maxPacket+1)) // a stranger's
	a.send(s.Port(Caller), make([]byte, maxPacket+1))
	a.send(s.Port(Caller), rtpPacket(1, "a"))
	b.hears(rtpPacket(1, "a"), s.Port(Callee))
	if f := s.Stats().From[Caller]; f.Oversize != 1 || f.Packets != 1 || f.Strangers != 1 || f.Stranger != x.addr {
		t.Errorf("%d too large, %d packets, %d strangers', of %s, want 1 each", f.Oversize, f.Packets, f.Strangers, f.Stranger)
	}
}

// Packets that queue up while nobody reads are all relayed: a poller that
// tells of readiness once must not leave any behind.
func TestRelayBursts(t *testing.T) {
	s := mustOpen(t, newRelay(t, 2, -1))
	a, b := newPhone(t, hostA), newPhone(t, hostB)
	s.Expect(Callee, Peer{RTP: b.addr, Signal: hostB})
	n := uint16(0)
	for burst := range 60 {
		s.mu.Lock() // nobody reads
		first := n
		for range burst%7 + 1 {
			n++
			a.send(s.Port(Caller), rtpPacket(n, "x"))
		}
		s.mu.Unlock()
		for i := first + 1; i <= n; i++ {
			b.hears(rtpPacket(i, "x"), s.Port(Callee))
		}
	}
	if f := s.Stats().From[Caller]; f.Packets != uint64(n) || f.Lost != 0 || f.OutOfOrder != 0 {
		t.Errorf("%d packets, %d lost, %d out of order, want %d, 0, 0", f.Packets, f.Lost, f.OutOfOrder, n)
	}
}

func TestTrafficClass(t *testing.T) {
	for _, tc := range []struct{ tos, want int }{{0, 0xb8}, {0x88, 0x88}, {-1, 0}} {
		r, err := New(Config{Low: testLow, High: testLow + 3, TOS: tc.tos})
		if err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, r)
		for _, e := range []*endpoint{&s.legs[Caller].rtp, &s.legs[Callee].rtcp} {
			raw, err := e.socket.conn.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			raw.Control(func(fd uintptr) {
				if got, err := syscall.GetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_TOS); err != nil || got != tc.want {
					t.Errorf("TOS %#x gives %#x, %v, want %#x", tc.tos, got, err, tc.want)
				}
			})
		}
		r.Close()
	}
}

func TestNewRefuses(t *testing.T) {
	for _, cfg := range []Config{
		{Low: 10000, High: 10002},
		{Low: 20000, High: 10000},
		{Low: 0, High: 4},
		{Low: 10000},
		{TOS: 256},
	} {
		if r, err := New(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
			r.Close()
		}
	}
}

func TestOpenErrors(t *testing.T) {
	r := newRelay(t, 4, -1)
	for name, tc := range map[string][2]LegConfig{
		"no address":      {{}, {Local: server}},
		"not ours":        {{Local: netip.MustParseAddr("192.0.2.1")}, {Local: server}},
		"callee not ours": {{Local: server}, {Local: netip.MustParseAddr("192.0.2.1")}},
		"no interface":    {{Local: server}, {Local: netip.MustParseAddr("fe80::1%nosuch0")}},
	} {
		if _, err := r.Open(tc[0], tc[1]); err == nil || errors.Is(err, ErrNoPorts) {
			t.Errorf("%s: error %v", name, err)
		}
		if r.Free() != 4 || r.InUse() != 0 {
			t.Errorf("%s: %d free, %d in use afterwards", name, r.Free(), r.InUse())
		}
	}
	r.Close()
	if _, err := r.Open(LegConfig{Local: server}, LegConfig{Local: server}); !errors.Is(err, net.ErrClosed) {
		t.Errorf("open after close: %v", err)
	}
}

// A range that is used up gives ErrNoPorts and nothing else, and is whole
// again when the streams are closed.
func TestExhaustion(t *testing.T) {
	r := newRelay(t, 5, -1) // two streams and one pair to spare
	for round := range 3 {
		s1, s2 := mustOpen(t, r), mustOpen(t, r)
		for range 3 {
			if _, err := r.Open(LegConfig{Local: server}, LegConfig{Local: server}); !errors.Is(err, ErrNoPorts) {
				t.Fatalf("round %d: error %v, want ErrNoPorts", round, err)
			}
		}
		if r.Free() != 1 || r.InUse() != 4 {
			t.Fatalf("round %d: %d free, %d in use", round, r.Free(), r.InUse())
		}
		s1.Close()
		s1.Close()
		s2.Close()
		if r.Free() != 5 || r.InUse() != 0 {
			t.Fatalf("round %d: %d free, %d in use after closing", round, r.Free(), r.InUse())
		}
	}
}

func TestRestIsKept(t *testing.T) {
	r := newRelay(t, 2, time.Hour)
	mustOpen(t, r).Close()
	if _, err := r.Open(LegConfig{Local: server}, LegConfig{Local: server}); !errors.Is(err, ErrNoPorts) {
		t.Fatalf("ports at rest: error %v, want ErrNoPorts", err)
	}
	if r.Free() != 2 || r.Ready() != 0 {
		t.Errorf("%d pairs are not in use, %d ready, want 2 and none", r.Free(), r.Ready())
	}
}

// Ports that another program holds are passed over, RTP's and RTCP's alike.
func TestHeldPorts(t *testing.T) {
	r := newRelay(t, 6, -1)
	low := r.ports.queue[0].port
	for _, port := range []uint16{low, low + 3, low + 8} {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(server, port)))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	s := mustOpen(t, r)
	if a, b := s.Port(Caller), s.Port(Callee); a != low+4 || b != low+6 {
		t.Errorf("ports %d and %d, want %d and %d", a, b, low+4, low+6)
	}
	s.Close()
	if r.Free() != 6 {
		t.Errorf("%d pairs free, want 6", r.Free())
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	d, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(d)
}

// Nothing leaks: ports, descriptors, goroutines.
func TestOpenCloseLeavesNothing(t *testing.T) {
	r := newRelay(t, 8, -1)
	mustOpen(t, r).Close()
	fds, goroutines := descriptors(t), runtime.NumGoroutine()
	for range 1000 {
		mustOpen(t, r).Close()
	}
	if got := descriptors(t); got != fds {
		t.Errorf("%d descriptors, %d before", got, fds)
	}
	if r.Free() != 8 || len(r.streams) != 0 {
		t.Errorf("%d pairs free, %d streams kept", r.Free(), len(r.streams))
	}
	// Close has waited for the sockets, not for the last instructions of
	// their goroutines.
	for i := 0; runtime.NumGoroutine() > goroutines && i < 1e6; i++ {
		runtime.Gosched()
	}
	if got := runtime.NumGoroutine(); got > goroutines {
		t.Errorf("%d goroutines, %d before", got, goroutines)
	}
}

// Closing while packets pass neither stops nor sends into a socket of
// somebody else's.
func TestCloseUnderTraffic(t *testing.T) {
	r := newRelay(t, 4, -1)
	a := newPhone(t, hostA)
	bystander := newPhone(t, hostX)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	low := r.ports.queue[0].port
	wg.Go(func() {
		for i := uint16(0); ; i++ {
			select {
			case <-stop:
				return
			default:
				a.send(low+2*(i%4), rtpPacket(i, "x"))
			}
		}
	})
	for range 200 {
		s := mustOpen(t, r)
		s.Expect(Callee, Peer{RTP: netip.AddrPortFrom(hostB, 9), Signal: hostB})
		s.Expect(Caller, Peer{RTP: a.addr, Signal: hostA})
		wg.Go(func() { s.Stats(); s.LastMedia(Caller) })
		s.Close()
		s.Expect(Caller, Peer{RTP: bystander.addr, Signal: hostX})
		s.Stats()
	}
	close(stop)
	wg.Wait()
	bystander.heardNothing()
}

func TestNoAllocationPerPacket(t *testing.T) {
	s := mustOpen(t, newRelay(t, 2, -1))
	a, b := newPhone(t, hostA), newPhone(t, hostB)
	s.Expect(Caller, Peer{RTP: a.addr, Signal: hostA, Clocks: map[uint8]uint32{96: 48000}})
	s.Expect(Callee, Peer{RTP: b.addr, Signal: hostB})
	buf := make([]byte, 2048)
	p, to := rtpPacket(0, "a packet of audio"), netip.AddrPortFrom(server, s.Port(Caller))
	x, report := newPhone(t, hostX), senderReportOf(1)
	b.conn.SetReadDeadline(time.Now().Add(time.Minute))
	n := uint16(0)
	got := testing.AllocsPerRun(500, func() {
		n++
		binary.BigEndian.PutUint16(p[2:], n)
		p[1] = byte(n%2) * 96 // the payload type changes
		x.conn.WriteToUDPAddrPort(p, to)
		a.conn.WriteToUDPAddrPort(report, to)
		a.conn.WriteToUDPAddrPort(p, to)
		for range 2 {
			if _, _, err := b.conn.ReadFromUDPAddrPort(buf); err != nil {
				t.Error(err)
			}
		}
	})
	if got != 0 {
		t.Errorf("%v allocations for three packets", got)
	}
}

// One packet in, one packet out, over loopback. The phones' own system calls
// are about half of it.
func BenchmarkRelay(b *testing.B) {
	b.ReportAllocs()
	r := newRelay(b, 64, -1)
	b.RunParallel(func(pb *testing.PB) {
		s := mustOpen(b, r)
		defer s.Close()
		from, to := newPhone(b, hostA), newPhone(b, hostB)
		s.Expect(Callee, Peer{RTP: to.addr, Signal: hostB})
		p, port := rtpPacket(0, string(make([]byte, 160))), netip.AddrPortFrom(server, s.Port(Caller))
		buf := make([]byte, 2048)
		for n := uint16(0); pb.Next(); n++ {
			binary.BigEndian.PutUint16(p[2:], n)
			from.conn.WriteToUDPAddrPort(p, port)
			if _, _, err := to.conn.ReadFromUDPAddrPort(buf); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

// The same through 1,000 streams in turn, in bursts of 25: what a packet costs where neither a
// stream nor its goroutines are in the core's cache.
func BenchmarkRelayOfMany(b *testing.B) {
	const burst = 25
	b.ReportAllocs()
	r := newRelay(b, 2000, -1)
	from, to := newPhone(b, hostA), newPhone(b, hostB)
	var ports [1000]netip.AddrPort
	for i := range ports {
		s := mustOpen(b, r)
		s.Expect(Callee, Peer{RTP: to.addr, Signal: hostB})
		ports[i] = netip.AddrPortFrom(server, s.Port(Caller))
	}
	p, buf := rtpPacket(0, string(make([]byte, 160))), make([]byte, 2048)
	b.ResetTimer()
	for n := 0; n < b.N; n += burst {
		binary.BigEndian.PutUint16(p[2:], uint16(n/len(ports)))
		for i := range burst {
			from.conn.WriteToUDPAddrPort(p, ports[(n+i)%len(ports)])
		}
		for range burst {
			if _, _, err := to.conn.ReadFromUDPAddrPort(buf); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// The same path without system calls: latch, header, statistics.
func BenchmarkReceive(b *testing.B) {
	b.ReportAllocs()
	s := mustOpen(b, newRelay(b, 2, -1))
	defer s.Close()
	from := netip.AddrPortFrom(hostA, 4000)
	s.Expect(Callee, Peer{RTP: netip.AddrPortFrom(hostB, 4000), Signal: hostB})
	p := &packet{from: from, data: rtpPacket(0, string(make([]byte, 160)))}
	for n := range b.N {
		p.now = time.Duration(n) * 20 * ms
		binary.BigEndian.PutUint16(p.data[2:], uint16(n))
		s.mu.Lock()
		if s.legs[Caller].rtp.receive(p) == nil {
			b.Fatal("dropped")
		}
		s.mu.Unlock()
	}
}

// The same for 4,000 streams in turn, as in a busy relay: what it costs that their state is no
// longer in the core's cache. The streams have no sockets.
func BenchmarkReceiveOfMany(b *testing.B) {
	b.ReportAllocs()
	r, from := newRelay(b, 2, -1), netip.AddrPortFrom(hostA, 4000)
	var all [4000]*Stream
	for i := range all {
		s := newStream(r)
		s.Expect(Caller, Peer{RTP: from, Signal: hostA})
		s.Expect(Callee, Peer{RTP: netip.AddrPortFrom(hostB, 4000), Signal: hostB})
		all[i] = s
	}
	p := &packet{from: from, data: rtpPacket(0, string(make([]byte, 160)))}
	b.ResetTimer()
	for n := range b.N {
		p.now = time.Duration(n) * 5 * time.Microsecond
		binary.BigEndian.PutUint16(p.data[2:], uint16(n/len(all)))
		s := all[n%len(all)]
		s.mu.Lock()
		if s.legs[Caller].rtp.receive(p) == nil {
			b.Fatal("dropped")
		}
		s.mu.Unlock()
	}
}

// Four sockets opened and closed, as each call pays for.
func BenchmarkOpenClose(b *testing.B) {
	b.ReportAllocs()
	r := newRelay(b, 8, -1)
	for b.Loop() {
		mustOpen(b, r).Close()
	}
}

func ExampleStream() {
	r, err := New(Config{Low: 20900, High: 20999})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	phone := netip.MustParseAddr("127.0.0.1")
	leg := LegConfig{Local: phone, Signal: phone}
	s, err := r.Open(leg, leg)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Port(Caller), s.Port(Callee), r.InUse())
	s.Close()
	fmt.Println(r.InUse())
	// Output:
	// 20900 20902 2
	// 0
}
