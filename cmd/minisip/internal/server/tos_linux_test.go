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
