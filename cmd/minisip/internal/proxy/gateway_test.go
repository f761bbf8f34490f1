package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// gatewayOf registers users 200 and on behind one address and port, and 001 elsewhere.
func gatewayOf(w *world, users int) (*script, *phone) {
	for i := range users {
		w.users[fmt.Sprint(200+i)] = "secret"
	}
	s := &script{w}
	s.do("phone 001 at 198.51.100.7:5060", "phone gateway at 192.0.2.1:5060 claims 10.0.0.4:5060", "registered 001")
	gateway := s.phone("gateway")
	gateway.password = "secret"
	for i := range users {
		gateway.user = fmt.Sprint(200 + i)
		s.register(gateway)
	}
	return s, gateway
}

// TestGateway: of a hundred users behind one address and port, the last is as well known there as the first: what
// they send inside a subscription goes on without a challenge.
func TestGateway(t *testing.T) {
	const users = 100
	s, gateway := gatewayOf(newWorld(t), users)
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

// A gateway whose users did not answer pings any more is back: each user can be called as soon as he is heard, and all
// of them after a few datagrams of whatever kind.
func TestGatewayIsBack(t *testing.T) {
	const users = 1000
	w := newWorld(t)
	w.cfg.Keepalive = 25 * time.Second
	s, gateway := gatewayOf(w, users)
	for answered := 0; answered < users; {
		w.events = nil
		w.advance(time.Second)
		for _, e := range w.events {
			if strings.HasPrefix(e.text, "OPTIONS ") {
				gateway.last = readText([]byte(e.text))
				s.do("gateway: 200 OK")
				answered++
			}
		}
	}
	w.advance(101 * time.Second) // one ping that was not waited for, and three silent ones
	if n := s.core.suspended; n != users {
		t.Fatalf("%d users of %d are out of routing", n, users)
	}
	gateway.user = fmt.Sprint(200 + users - 1)
	s.do("gateway: OPTIONS sip:minisip.example", "001: INVITE "+gateway.user+" auth")
	if got := s.answerTo001(); got != "SIP/2.0 100 Trying" {
		t.Errorf("a call to the user who was heard: %s", got)
	}
	for range users / 64 {
		s.send(gateway, []byte("\r\n\r\n"))
	}
	if n := s.core.suspended; n != 0 {
		t.Errorf("%d users are still out of routing", n)
	}
}
