package phone

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"

	"minisip/sipmsg"
)

// TestCancelUnanswered: the final response that came while nothing answered the CANCEL counts.
func TestCancelUnanswered(t *testing.T) {
	final := func(line string) chan *sipmsg.Message {
		m := new(sipmsg.Message)
		if err := m.Parse([]byte("SIP/2.0 " + line + "\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKa\r\nFrom: <sip:001@a>;tag=a\r\n" +
			"To: <sip:002@a>;tag=b\r\nCall-ID: a\r\nCSeq: 1 INVITE\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		responses := make(chan *sipmsg.Message, 1)
		responses <- m
		return responses
	}
	synctest.Test(t, func(t *testing.T) {
		at := netip.MustParseAddrPort("127.0.0.1:5060")
		for range 20 { // who chooses at random may choose well
			acks := 0
			watch := func(m *Message) {
				if m.Method() == sipmsg.ACK {
					acks++
				}
			}
			p := &Phone{
				cfg:  Config{Server: at, User: "001", Watch: watch},
				conn: new(net.UDPConn), local: at, tag: "a", waiting: map[string]chan *sipmsg.Message{},
			}
			invite := &request{method: "INVITE", uri: "sip:002@a", to: "<sip:002@a>", callID: "a", cseq: 1}
			if m, err := p.giveUp(t.Context(), invite, "z9hG4bKa", true, final("200 OK")); err != nil || m.Status() != 200 {
				t.Fatalf("answered: %v", err)
			}
			_, err := p.giveUp(t.Context(), invite, "z9hG4bKa", true, final("487 Request Terminated"))
			if !errors.Is(err, ErrNoAnswer) || acks != 1 {
				t.Fatalf("terminated: %v, %d ACKs", err, acks)
			}
		}
	})
}
