package proxy

import (
	"fmt"
	"testing"
)

// TestGateway: of a hundred users behind one address and port, the last is as well known there as the first: what
// they send inside a subscription goes on without a challenge.
func TestGateway(t *testing.T) {
	const users = 100
	w := newWorld(t)
	for i := range users {
		w.users[fmt.Sprint(200+i)] = "secret"
	}
	s := &script{w}
	s.do("phone 001 at 198.51.100.7:5060", "phone gateway at 192.0.2.1:5060", "registered 001")
	gateway := s.phone("gateway")
	gateway.password = "secret"
	for i := range users {
		gateway.user = fmt.Sprint(200 + i)
		s.register(gateway)
	}
	for i := range users {
		delete(s.phone("001").got, "NOTIFY")
		s.send(gateway, fmt.Appendf(nil, "NOTIFY sip:001@198.51.100.7:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-n%d;rport\r\n"+
			"Max-Forwards: 70\r\nFrom: <sip:%d@minisip.example>;tag=a\r\nTo: <sip:001@minisip.example>;tag=b\r\nCall-ID: %d\r\n"+
			"CSeq: 1 NOTIFY\r\nEvent: dialog\r\nSubscription-State: active\r\nContent-Length: 0\r\n\r\n", i, 200+i, i))
		if s.phone("001").got["NOTIFY"] == nil {
			t.Errorf("user %d of %d: the NOTIFY does not arrive", i+1, users)
		}
		s.do("001: 200 OK to NOTIFY")
	}
	s.finish()
}
