package server

import (
	"net/netip"
	"syscall"
	"testing"
	"time"
)

// TestTOS: what the kernel says that datagrams carry when they arrive.
func TestTOS(t *testing.T) {
	for _, test := range []struct {
		listen, ip string
		tos, want  int
	}{
		{"127.0.0.1:0", "127.0.0.1", 0x60, 0x60},
		{"0.0.0.0:0", "127.0.0.1", 0x60, 0x60},
		{"[::1]:0", "::1", 0x60, 0x60},
		{"[::]:0", "::1", 0x88, 0x88},
		{"127.0.0.1:0", "127.0.0.1", -1, 0},
	} {
		cfg := testConfig(t, test.listen)
		cfg.TOS = test.tos
		r := serve(t, cfg)
		p := newPhone(t, test.ip, "001", netip.AddrPortFrom(netip.MustParseAddr(test.ip), r.Addresses()[0].Port()))
		raw, err := p.conn.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		level, ask, is := syscall.IPPROTO_IP, syscall.IP_RECVTOS, syscall.IP_TOS
		if p.at.Addr().Is6() {
			level, ask, is = syscall.IPPROTO_IPV6, syscall.IPV6_RECVTCLASS, syscall.IPV6_TCLASS
		}
		raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), level, ask, 1) })
		if err != nil {
			t.Fatal(err)
		}
		p.send(p.text(request{method: "OPTIONS", uri: "sip:" + p.server.String(), callID: "tos", cseq: 1}))
		b, oob := make([]byte, 2000), make([]byte, 200)
		p.conn.SetReadDeadline(time.Now().Add(patience))
		_, n, _, _, err := p.conn.ReadMsgUDPAddrPort(b, oob)
		if err != nil {
			t.Fatal(err)
		}
		messages, err := syscall.ParseSocketControlMessage(oob[:n])
		if err != nil || len(messages) != 1 || int(messages[0].Header.Type) != is {
			t.Fatalf("%s: control messages %v, %v", test.listen, messages, err)
		}
		if got := int(messages[0].Data[0]); got != test.want {
			t.Errorf("%s with TOS %#x: %#x arrives, want %#x", test.listen, test.tos, got, test.want)
		}
	}
}

// TestTOSInherited: a socket of an earlier process sends as this one was told to, also where that is like anything.
func TestTOSInherited(t *testing.T) {
	at := netip.MustParseAddrPort("127.0.0.1:20298")
	for _, tos := range []int{0x88, -1} {
		fd := bound(t, at)
		if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_TOS, 0x60); err != nil {
			t.Fatal(err)
		}
		s, err := listen(at, tos, map[netip.AddrPort]int{at: fd})
		if err != nil {
			t.Fatal(err)
		}
		fd, _ = s.descriptor()
		if got, err := syscall.GetsockoptInt(fd, syscall.IPPROTO_IP, syscall.IP_TOS); err != nil || got != max(tos, 0) {
			t.Errorf("told %#x: marks %#x, %v", tos, got, err)
		}
		s.close()
	}
}
