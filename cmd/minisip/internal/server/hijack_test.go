package server

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"minisip/cmd/minisip/internal/proxy"
)

// stage is a call from a, user 001, to b, user 002, and those who would like to have a part in it.
type stage struct {
	*rig
	a, b           *phone
	mediaA, mediaB audio
	stranger       *phone // at an address of his own, without an account
	neighbour      *phone // at a's IP
	insider        *phone // has an account, 003, and is registered
	invite         request
	atB, ok        string // the INVITE as b got it, and the 200 as a did
}

// newStage lets a call b, and b answer unless it shall ring on.
func newStage(t *testing.T, ringing bool) *stage {
	t.Helper()
	cfg := testConfig(t, "0.0.0.0:0")
	if err := cfg.Users.AddJSON([]byte(`{"003": "secret-003"}`)); err != nil {
		t.Fatal(err)
	}
	s := &stage{rig: serve(t, cfg)}
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.Addresses()[0].Port())
	s.a, s.b = newPhone(t, "127.0.0.2", "001", to), newPhone(t, "127.0.0.3", "002", to)
	s.stranger, s.neighbour = newPhone(t, "127.0.0.4", "001", to), newPhone(t, "127.0.0.2", "001", to)
	s.insider = newPhone(t, "127.0.0.5", "003", to)
	s.mediaA, s.mediaB = newAudio(t, "127.0.0.2"), newAudio(t, "127.0.0.3")
	for _, p := range []*phone{s.a, s.b, s.insider} {
		p.register()
	}
	s.invite = s.a.authorized(request{method: "INVITE", uri: "sip:002@" + to.String(), callID: "call", cseq: 1, body: s.mediaA.sdp()})
	s.a.expect("SIP/2.0 100 ")
	s.atB = s.b.expect("INVITE ")
	s.b.respond(s.atB, "180 Ringing", "")
	s.ok = s.a.expect("SIP/2.0 180 ")
	if ringing {
		return s
	}
	s.b.respond(s.atB, "200 OK", s.mediaB.sdp())
	s.ok = s.a.expect("SIP/2.0 200 ")
	s.a.send(s.a.text(s.ofA("ACK", 0)))
	s.b.expect("ACK ")
	return s
}

// ofA is a request of the caller inside the dialog, so many after the INVITE.
func (s *stage) ofA(method string, after int) request {
	return request{method: method, uri: uriOf(get(s.ok, "Contact")), to: get(s.ok, "To"), callID: "call", cseq: s.invite.cseq + after,
		branch: fmt.Sprint(method, after), lines: []string{"Route: " + get(s.ok, "Record-Route")}}
}

// ofB is one of the callee.
func (s *stage) ofB(method string) string {
	r := request{method: method, uri: uriOf(get(s.atB, "Contact")), to: get(s.atB, "From"), callID: "call", cseq: 77,
		branch: method, lines: []string{"Route: " + get(s.atB, "Record-Route")}}
	return strings.Replace(s.b.text(r), fmt.Sprintf("From: <sip:002@%s>;tag=002", s.b.server), "From: "+get(s.ok, "To"), 1)
}

// quiet asserts that neither phone of the call has got anything.
func (s *stage) quiet() {
	s.t.Helper()
	s.a.alive()
	s.b.alive()
}

// goesOn asserts that audio still passes both ways, and that a can hang up.
func (s *stage) goesOn() {
	s.t.Helper()
	exchange(s.t, s.mediaA, s.mediaB, mediaAddr(s.t, s.ok), mediaAddr(s.t, s.atB))
	s.a.send(s.a.text(s.ofA("BYE", 50)))
	s.b.respond(s.b.expect("BYE "), "200 OK", "")
	s.a.expect("SIP/2.0 200 ")
}

// TestHijack: who knows everything about a call but a password can neither end, redirect nor hear it.
func TestHijack(t *testing.T) {
	s := newStage(t, false)
	listen := newAudio(t, "127.0.0.4").sdp()
	withSDP := func(r request) request { r.body = listen; return r }
	for _, tt := range []struct {
		name, datagram string
		answer         string // "": none
	}{
		{"BYE as the caller", s.a.text(s.ofA("BYE", 1)), "SIP/2.0 407 "},
		{"BYE as the callee", s.ofB("BYE"), "SIP/2.0 407 "},
		{"BYE with a later CSeq", s.a.text(s.ofA("BYE", 1000)), "SIP/2.0 407 "},
		{"re-INVITE with another address for media", s.a.text(withSDP(s.ofA("INVITE", 1))), "SIP/2.0 407 "},
		{"UPDATE with another address for media", s.a.text(withSDP(s.ofA("UPDATE", 2))), "SIP/2.0 407 "},
		{"PRACK with another address for media", s.a.text(withSDP(s.ofA("PRACK", 3))), "SIP/2.0 407 "},
		{"ACK with another address for media", s.a.text(withSDP(s.ofA("ACK", 0))), ""},
		{"REFER away", s.a.text(s.ofA("REFER", 4)), "SIP/2.0 407 "},
		{"REFER as the callee", s.ofB("REFER"), "SIP/2.0 407 "},
		{"NOTIFY", s.a.text(s.ofA("NOTIFY", 5)), "SIP/2.0 407 "},
		{"NOTIFY as the callee", s.ofB("NOTIFY"), "SIP/2.0 407 "},
		{"INFO with a digit", s.a.text(s.ofA("INFO", 6)), "SIP/2.0 407 "},
		{"CANCEL of the answered INVITE", strings.Replace(s.a.text(s.invite), "INVITE", "CANCEL", 2), "SIP/2.0 481 "},
		{"the INVITE once more, credentials and all", s.a.text(s.invite), "SIP/2.0 407 "},
	} {
		for who, p := range map[string]*phone{"a stranger": s.stranger, "a neighbour": s.neighbour, "a user": s.insider} {
			if p == s.neighbour && tt.answer == "" {
				continue // an ACK cannot be challenged: see TestHijackByACK
			}
			if p == s.neighbour && strings.HasPrefix(tt.datagram, "INVITE sip:002@") {
				continue // to the same IP, a copy by the network: the transaction's own answer
			}
			p.send(tt.datagram)
			if tt.answer != "" {
				if m, _ := p.next(); !strings.HasPrefix(m, tt.answer) {
					t.Errorf("%s from %s: answered\n%s", tt.name, who, m)
				}
			}
			p.alive()
			s.quiet()
		}
	}
	if n := s.counters().Calls; n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	s.goesOn()
}

// TestHijackByACK: an ACK cannot be challenged, and one from a's own IP may be a's. Where no answer is awaited it changes
// nothing all the same: neither does audio go to who sent it, nor comes any from him.
func TestHijackByACK(t *testing.T) {
	s := newStage(t, false)
	relayA, relayB := mediaAddr(t, s.ok), mediaAddr(t, s.atB)
	exchange(t, s.mediaA, s.mediaB, relayA, relayB)
	thief := newAudio(t, "127.0.0.2")
	for after, body := range []string{thief.sdp(), thief.sdp() + "a=sendonly\r\n"} {
		ack := s.ofA("ACK", after)
		ack.body = body
		s.neighbour.send(s.neighbour.text(ack))
		s.neighbour.alive()
		sendTo(t, thief.rtp, relayA, "\x80\x00\x00\x01\x00\x00\x00\xa0AAAAaudio of a thief")
	}
	exchange(t, s.mediaA, s.mediaB, relayA, relayB) // fails where the thief's comes first
	nothing(t, thief.rtp, thief.rtcp)
	for got := ""; !strings.HasPrefix(got, "SIP/2.0 200 "); { // b may have them: a copy of a's does no harm
		if got == "" {
			s.b.send(s.b.text(request{method: "OPTIONS", uri: "sip:" + s.b.server.String(), callID: "then", cseq: 1}))
		}
		if got, _ = s.b.next(); strings.HasPrefix(got, "ACK ") && mediaAddr(t, got) != relayB {
			t.Errorf("b got an ACK with another address for media:\n%s", got)
		}
	}
	s.goesOn()
}

// TestHijackByUser: a user with credentials of his own has no more to say in others' calls, and speaks as nobody else.
func TestHijackByUser(t *testing.T) {
	s := newStage(t, false)
	to := s.a.server
	for _, tt := range []struct {
		name string
		as   *phone // whose From it has
		r    request
	}{
		{"BYE as the caller", s.a, s.ofA("BYE", 1)},
		{"re-INVITE as the caller", s.a, s.ofA("INVITE", 2)},
		{"REFER as the caller", s.a, s.ofA("REFER", 3)},
		{"UPDATE as the caller", s.a, s.ofA("UPDATE", 4)},
		{"REGISTER as another", s.a, request{method: "REGISTER", uri: "sip:" + to.String(), to: s.a.aor(), callID: "steal", cseq: 1}},
		{"REGISTER of another's name as himself", s.insider, request{method: "REGISTER", uri: "sip:" + to.String(), to: s.a.aor(), callID: "steal-too", cseq: 1}},
		{"INVITE as another", s.a, request{method: "INVITE", uri: "sip:002@" + to.String(), callID: "fake", cseq: 1}},
		{"MESSAGE as another", s.a, request{method: "MESSAGE", uri: "sip:002@" + to.String(), callID: "fake-too", cseq: 1}},
	} {
		p := s.insider
		tt.r.branch += "-insider"
		p.send(tt.as.text(tt.r))
		challenge, field, header := p.expect("SIP/2.0 40"), "Proxy-Authenticate", "Proxy-Authorization"
		if tt.r.method == "REGISTER" {
			field, header = "WWW-Authenticate", "Authorization"
		}
		tt.r.lines = append(tt.r.lines, header+": "+p.credentials(get(challenge, field), tt.r.method, tt.r.uri))
		tt.r.cseq++
		p.send(tt.as.text(tt.r))
		if m, _ := p.next(); !strings.HasPrefix(m, "SIP/2.0 403 ") {
			t.Errorf("%s: answered\n%s", tt.name, m)
		}
		if tt.r.method == "INVITE" {
			p.send(tt.as.text(request{method: "ACK", uri: tt.r.uri, to: get(challenge, "To"), callID: tt.r.callID, cseq: tt.r.cseq, branch: tt.r.branch}))
		}
		p.alive()
		s.quiet()
	}
	s.goesOn()
}

// TestHijackRinging: while b rings, nobody can take the call back, answer it in b's place or refuse it.
func TestHijackRinging(t *testing.T) {
	s := newStage(t, true)
	listen := newAudio(t, "127.0.0.4").sdp()
	cancel := strings.Replace(s.a.text(request{method: "INVITE", uri: s.invite.uri, callID: "call", cseq: s.invite.cseq}), "INVITE", "CANCEL", 2)
	for who, p := range map[string]*phone{"a stranger": s.stranger, "a neighbour": s.neighbour, "a user": s.insider} {
		p.send(cancel)
		if m, _ := p.next(); !strings.HasPrefix(m, "SIP/2.0 481 ") {
			t.Errorf("CANCEL from %s: answered\n%s", who, m)
		}
		p.alive()
		s.quiet()
		for _, status := range []string{"183 Session Progress", "200 OK", "302 Moved Temporarily", "486 Busy Here", "603 Decline"} {
			p.respond(s.atB, status, listen) // with the branch that only b and minisip know
			p.alive()
			s.quiet()
		}
	}
	if n := s.counters().Dropped[proxy.Forged]; n < 15 {
		t.Errorf("%d forged messages counted, want 15 or more", n)
	}
	s.b.respond(s.atB, "200 OK", s.mediaB.sdp())
	s.ok = s.a.expect("SIP/2.0 200 ")
	s.a.send(s.a.text(s.ofA("ACK", 0)))
	s.b.expect("ACK ")
	s.goesOn()
}

// TestListen: RTP of others to the ports of a call is never relayed, and nothing of the call is sent to them.
func TestListen(t *testing.T) {
	s := newStage(t, false)
	relayA, relayB := mediaAddr(t, s.ok), mediaAddr(t, s.atB)
	exchange(t, s.mediaA, s.mediaB, relayA, relayB)
	thief := newAudio(t, "127.0.0.4")
	for _, to := range []netip.AddrPort{relayA, relayB} {
		for range 20 {
			sendTo(t, thief.rtp, to, "\x80\x00\x00\x01\x00\x00\x00\xa0AAAAaudio of a thief")
			sendTo(t, thief.rtcp, netip.AddrPortFrom(to.Addr(), to.Port()+1), "\x80\xc9\x00\x01AAAA")
		}
	}
	exchange(t, s.mediaA, s.mediaB, relayA, relayB) // fails where the thief's come first
	nothing(t, thief.rtp, thief.rtcp)
}

// nothing asserts that nothing has come to sockets; on one machine what was sent before has arrived.
func nothing(t *testing.T, conns ...*net.UDPConn) {
	t.Helper()
	for _, conn := range conns {
		raw, err := conn.SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		raw.Read(func(fd uintptr) bool {
			b := make([]byte, 2048)
			if n, _, err := syscall.Recvfrom(int(fd), b, syscall.MSG_DONTWAIT); err == nil {
				t.Errorf("%s got\n%s", conn.LocalAddr(), b[:n])
			}
			return true
		})
	}
}
