package phone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"minisip/sipmsg"
)

// TestGiveUp: a caller who gives up while it rings stops the ringing.
func TestGiveUp(t *testing.T) {
	at := serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	patience, giveUp := context.WithCancel(ctx)
	a := newPhone(t, Config{Server: at, User: "001", Password: "one", Watch: func(m *Message) {
		if !m.Sent && m.Status() == 180 {
			giveUp()
		}
	}})
	b := newPhone(t, Config{Server: at, User: "002", Password: "two"})
	if _, err := b.Register(ctx, time.Minute); err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := b.Answer(ctx, time.Hour)
		answered <- err
	}()
	if _, err := a.Call(patience, "002"); !errors.Is(err, ErrNoAnswer) {
		t.Errorf("the caller: %v", err)
	}
	if err := <-answered; !errors.Is(err, ErrGivenUp) {
		t.Errorf("the callee: %v", err)
	}
}

// TestGiveUpTooLate: who gives up as his call is answered hangs up.
func TestGiveUpTooLate(t *testing.T) {
	at := serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	patience, giveUp := context.WithCancel(ctx)
	a := newPhone(t, Config{Server: at, User: "001", Password: "one", Watch: func(m *Message) {
		if !m.Sent && m.Status() == 200 && string(m.MethodName()) == "INVITE" {
			giveUp()
		}
	}})
	b := newPhone(t, Config{Server: at, User: "002", Password: "two"})
	if _, err := b.Register(ctx, time.Minute); err != nil {
		t.Fatal(err)
	}
	answered := make(chan *Call, 1)
	go func() {
		c, err := b.Answer(ctx, 0)
		if err != nil {
			t.Error(err)
		}
		answered <- c
	}()
	if _, err := a.Call(patience, "002"); err == nil {
		t.Error("the call is up")
	}
	if why, err := (<-answered).Ended(ctx); err != nil || why != "hung up by the other side" {
		t.Errorf("the callee: %q, %v", why, err)
	}
}

// TestCallerAlone: a phone that waits for the call of one other is busy for everybody else.
func TestCallerAlone(t *testing.T) {
	at := serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stranger := newPhone(t, Config{Server: at, User: "002", Password: "two"})
	caller := newPhone(t, Config{Server: at, User: "001", Password: "one"})
	callee := newPhone(t, Config{Server: at, User: "001", Password: "one", Caller: caller})
	if _, err := callee.Register(ctx, time.Minute); err != nil {
		t.Fatal(err)
	}
	var refused *Refused
	if _, err := stranger.Call(ctx, "001"); !errors.As(err, &refused) || refused.Status != 486 {
		t.Errorf("the stranger: %v", err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := callee.Answer(ctx, 0)
		answered <- err
	}()
	if _, err := caller.Call(ctx, callee.URI()); err != nil {
		t.Error(err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
}

// incoming is a request of a call to 002, by way of the server at an address.
func incoming(t *testing.T, at netip.AddrPort, method, callID string) *sipmsg.Message {
	t.Helper()
	m := new(sipmsg.Message)
	if err := m.Parse(fmt.Appendf(nil, "%s sip:002@%s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\nFrom: <sip:001@a>;tag=a\r\n"+
		"To: <sip:002@a>\r\nCall-ID: %[3]s\r\nCSeq: 1 %[1]s\r\nContact: <sip:001@%[2]s>\r\nContent-Type: application/sdp\r\n\r\n"+
		"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n", method, at, callID)); err != nil {
		t.Fatal(err)
	}
	return m
}

// TestOneFinalResponse: a call is answered or given up, and never both.
func TestOneFinalResponse(t *testing.T) {
	server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	server.SetDeadline(time.Now().Add(20 * time.Second))
	at := server.LocalAddr().(*net.UDPAddr).AddrPort()
	p := newPhone(t, Config{Server: at, User: "002", Bind: netip.MustParseAddr("127.0.0.1")})
	// said gives what the phone has answered, up to the answer to an OPTIONS.
	said := func() string {
		p.request(incoming(t, at, "OPTIONS", "end"))
		var all []string
		b := make([]byte, 4096)
		for {
			m := new(sipmsg.Message)
			n, err := server.Read(b)
			if err == nil {
				err = m.Parse(b[:n])
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(m.MethodName()) == "OPTIONS" {
				return strings.Join(all, ", ")
			}
			if line := fmt.Sprintf("%d %s", m.Status(), m.MethodName()); len(all) == 0 || all[len(all)-1] != line { // repeated
				all = append(all, line)
			}
		}
	}
	p.request(incoming(t, at, "INVITE", "first"))
	p.request(incoming(t, at, "CANCEL", "first"))
	if c, err := p.Answer(t.Context(), 0); c != nil || !errors.Is(err, ErrGivenUp) {
		t.Errorf("a call that was given up: %v, %v", c, err)
	}
	if got := said(); got != "200 CANCEL, 487 INVITE" {
		t.Errorf("given up: it said %s", got)
	}
	p.request(incoming(t, at, "INVITE", "second"))
	p.request(incoming(t, at, "ACK", "second"))
	c, err := p.Answer(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	p.request(incoming(t, at, "CANCEL", "second"))
	if got := said(); got != "180 INVITE, 200 INVITE, 200 CANCEL" {
		t.Errorf("answered: it said %s", got)
	}
	select {
	case <-c.ended:
		t.Error("a CANCEL that came too late has ended the call")
	default:
	}
}

// TestNotAnswered: a call that is not answered after all gets a final response, and nothing of it stays.
func TestNotAnswered(t *testing.T) {
	at := netip.MustParseAddrPort("127.0.0.1:9")
	for _, test := range []struct {
		until int // Answer is given up as the phone says this
		rings time.Duration
		want  string
	}{
		{180, time.Hour, "180, 480"},
		{200, 0, "180, 200"},
	} {
		ctx, giveUp := context.WithCancel(t.Context())
		var said []string
		p := newPhone(t, Config{Server: at, User: "002", Bind: netip.MustParseAddr("127.0.0.1"), Watch: func(m *Message) {
			if m.Again {
				return
			}
			if said = append(said, fmt.Sprint(m.Status())); m.Status() == test.until {
				giveUp()
			}
		}})
		p.request(incoming(t, at, "INVITE", "a"))
		called := p.calls["a"]
		c, err := p.Answer(ctx, test.rings)
		if c != nil || !errors.Is(err, context.Canceled) || strings.Join(said, ", ") != test.want {
			t.Errorf("until %d: %v, %v; it said %s", test.until, c, err, said)
		}
		if err := called.media.conn.Close(); len(p.calls) != 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("until %d: %d calls are left; its socket: %v", test.until, len(p.calls), err)
		}
	}
}

// TestLostACK: the ACK of an answer that comes again is sent again, or who answered would never know that he is heard.
// Another one's answer does not get it.
func TestLostACK(t *testing.T) {
	server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	server.SetDeadline(time.Now().Add(20 * time.Second))
	var acks atomic.Int32
	p := newPhone(t, Config{Server: server.LocalAddr().(*net.UDPAddr).AddrPort(), User: "001", Bind: netip.MustParseAddr("127.0.0.1"), Watch: func(m *Message) {
		if m.Method() == sipmsg.ACK {
			acks.Add(1)
		}
	}})
	expect := func(method string) (text []byte, from net.Addr) {
		t.Helper()
		b := make([]byte, 4096)
		for {
			n, from, err := server.ReadFrom(b)
			if err != nil {
				t.Fatalf("no %s: %v", method, err)
			}
			if strings.HasPrefix(string(b[:n]), method+" ") {
				return b[:n], from
			}
		}
	}
	up := make(chan error, 1)
	go func() {
		_, err := p.Call(t.Context(), "002")
		up <- err
	}()
	text, from := expect("INVITE")
	invite := new(sipmsg.Message)
	if err := invite.Parse(text); err != nil {
		t.Fatal(err)
	}
	answer := func(tag string) []byte {
		return response(invite, 200, tag, "Contact: <sip:002@127.0.0.1>\r\n", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n")
	}
	server.WriteTo(answer("tag"), from)
	first, _ := expect("ACK")
	if err := <-up; err != nil {
		t.Fatal(err)
	}
	other := new(sipmsg.Message)
	if err := other.Parse(answer("other")); err != nil {
		t.Fatal(err)
	}
	p.repeated(other)
	if n := acks.Load(); n != 1 {
		t.Errorf("%d ACKs after another one's answer, want 1", n)
	}
	server.WriteTo(answer("tag"), from)
	if again, _ := expect("ACK"); string(again) != string(first) {
		t.Errorf("first\n%sthen\n%s", first, again)
	}
}
