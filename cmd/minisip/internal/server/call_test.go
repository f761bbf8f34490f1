package server

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"minisip/cmd/minisip/internal/proxy"
)

func TestRegister(t *testing.T) {
	for _, ip := range []string{"127.0.0.1", "::1"} {
		t.Run(ip, func(t *testing.T) {
			r := serve(t, testConfig(t, netip.AddrPortFrom(netip.MustParseAddr(ip), 0).String()))
			p := newPhone(t, ip, "001", r.Addresses()[0])
			ok := p.register()
			if got := get(ok, "Contact"); uriOf(got) != p.contact() || !strings.Contains(got, ";expires=") {
				t.Errorf("200 with Contact %q", got)
			}
			if got := get(ok, "Via"); !strings.Contains(got, fmt.Sprintf(";rport=%d", p.at.Port())) || !strings.Contains(got, ";received="+ip) {
				t.Errorf("200 with Via %q", got)
			}
			if !r.log.holds("001 registered from " + p.at.String()) {
				t.Error("the log does not say that 001 registered")
			}

			gone := request{method: "REGISTER", uri: "sip:" + p.server.String(), to: p.aor(), callID: "reg-001", cseq: 10, lines: []string{"Expires: 0"}}
			p.authorized(gone)
			if got := get(p.expect("SIP/2.0 200 "), "Contact"); got != "" {
				t.Errorf("unregistered, the 200 still has Contact %q", got)
			}
		})
	}
}

// TestWrongPassword: the same challenge again, which does not tell an unknown user from a known one.
func TestWrongPassword(t *testing.T) {
	r := serve(t, testConfig(t, "127.0.0.1:0"))
	for _, user := range []string{"001", "nobody"} {
		p := newPhone(t, "127.0.0.1", user, r.Addresses()[0])
		p.password = "wrong"
		p.authorized(request{method: "REGISTER", uri: "sip:" + p.server.String(), to: p.aor(), callID: "reg", cseq: 1})
		m := p.expect("SIP/2.0 401 Unauthorized\r\n")
		if get(m, "WWW-Authenticate") == "" || strings.Contains(m, "stale") {
			t.Errorf("user %s got\n%s", user, m)
		}
	}
	if n := r.counters().Denied; n != 2 {
		t.Errorf("%d wrong passwords counted, want 2", n)
	}
}

// audio is a phone's end of a stream: RTP and RTCP sockets and the SDP that names them.
type audio struct{ rtp, rtcp *net.UDPConn }

func newAudio(t *testing.T, ip string) audio {
	return audio{listenUDP(t, ip), listenUDP(t, ip)}
}

func (a audio) sdp() string {
	at, rtcp := localAddr(a.rtp), localAddr(a.rtcp)
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 %[1]s\r\ns=-\r\nc=IN IP4 %[1]s\r\nt=0 0\r\nm=audio %[2]d RTP/AVP 0\r\na=rtcp:%[3]d\r\n",
		at.Addr(), at.Port(), rtcp.Port())
}

// mediaAddr reads where an SDP wants its first stream.
func mediaAddr(t *testing.T, message string) netip.AddrPort {
	t.Helper()
	var ip netip.Addr
	for line := range strings.Lines(message) {
		line = strings.TrimSpace(line)
		if c, ok := strings.CutPrefix(line, "c=IN IP4 "); ok {
			ip = netip.MustParseAddr(c)
		}
		if m, ok := strings.CutPrefix(line, "m=audio "); ok && ip.IsValid() {
			port, err := strconv.ParseUint(strings.Fields(m)[0], 10, 16)
			if err != nil {
				t.Fatal(err)
			}
			return netip.AddrPortFrom(ip, uint16(port))
		}
	}
	t.Fatalf("no audio in\n%s", message)
	return netip.AddrPort{}
}

// TestCall is a whole call between two phones at addresses of their own, with RTP and RTCP both ways
// through the relay.
func TestCall(t *testing.T) {
	r := serve(t, testConfig(t, "127.0.0.1:0"))
	a, b := newPhone(t, "127.0.0.2", "001", r.Addresses()[0]), newPhone(t, "127.0.0.3", "002", r.Addresses()[0])
	mediaA, mediaB := newAudio(t, "127.0.0.2"), newAudio(t, "127.0.0.3")
	a.register()
	b.register()

	uri := "sip:002@" + a.server.String()
	call := a.authorized(request{method: "INVITE", uri: uri, callID: "call", cseq: 1, body: mediaA.sdp()})
	a.expect("SIP/2.0 100 ")
	invite := b.expect("INVITE " + b.contact() + " SIP/2.0\r\n")
	if got := all(invite, "Proxy-Authorization"); len(got) != 0 {
		t.Errorf("the callee got the caller's credentials: %s", got)
	}
	b.respond(invite, "180 Ringing", "")
	a.expect("SIP/2.0 180 ")
	b.respond(invite, "200 OK", mediaB.sdp())
	ok := a.expect("SIP/2.0 200 ")
	route := "Route: " + get(ok, "Record-Route")
	inDialog := request{method: "ACK", uri: uriOf(get(ok, "Contact")), to: get(ok, "To"), callID: "call", cseq: call.cseq, lines: []string{route}, branch: "ack"}
	a.send(a.text(inDialog))
	b.expect("ACK " + b.contact() + " SIP/2.0\r\n")

	exchange(t, mediaA, mediaB, mediaAddr(t, ok), mediaAddr(t, invite))

	inDialog.method, inDialog.cseq, inDialog.branch = "BYE", call.cseq+1, ""
	a.send(a.text(inDialog))
	bye := b.expect("BYE " + b.contact() + " SIP/2.0\r\n")
	b.respond(bye, "200 OK", "")
	a.expect("SIP/2.0 200 ")
	if n := r.counters(); n.Calls != 1 || n.Completed != 1 {
		t.Errorf("counted %d calls, %d answered, want 1 and 1", n.Calls, n.Completed)
	}
	if n := r.relay.InUse(); n != 0 {
		t.Errorf("after the call %d port pairs are in use", n)
	}
}

// exchange sends RTP and RTCP both ways: a's packets go to toA, b's to toB, as their SDP said.
func exchange(t *testing.T, a, b audio, toA, toB netip.AddrPort) {
	t.Helper()
	if ip := netip.MustParseAddr("127.0.0.1"); toA.Addr() != ip || toB.Addr() != ip {
		t.Fatalf("media go to %s and %s, not to the relay", toA, toB)
	}
	next := func(at netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(at.Addr(), at.Port()+1) }
	for _, hop := range []struct {
		name         string
		from, to     *net.UDPConn
		relay, leave netip.AddrPort // where it is sent, and where it comes from at the other side
		packet       string
	}{
		{"RTP from a", a.rtp, b.rtp, toA, toB, "\x80\x00\x00\x01\x00\x00\x00\xa0AAAAaudio of a"},
		{"RTP from b", b.rtp, a.rtp, toB, toA, "\x80\x00\x00\x01\x00\x00\x00\xa0BBBBaudio of b"},
		{"RTCP from a", a.rtcp, b.rtcp, next(toA), next(toB), "\x80\xc9\x00\x01AAAA"},
		{"RTCP from b", b.rtcp, a.rtcp, next(toB), next(toA), "\x80\xc9\x00\x01BBBB"},
	} {
		sendTo(t, hop.from, hop.relay, hop.packet)
		got, from := receive(t, hop.to)
		if got != hop.packet || from != hop.leave {
			t.Errorf("%s: got %q from %s, want %q from %s", hop.name, got, from, hop.packet, hop.leave)
		}
	}
}

// TestCallEndsWithServer: where no state is kept, nobody goes on with a call; its phones are told, and it is recorded.
func TestCallEndsWithServer(t *testing.T) {
	cfg := testConfig(t, "127.0.0.1:0")
	records := make(chan *proxy.Record, 2)
	cfg.Record = func(r *proxy.Record) { records <- r }
	r := serve(t, cfg)
	a, b := newPhone(t, "127.0.0.2", "001", r.Addresses()[0]), newPhone(t, "127.0.0.3", "002", r.Addresses()[0])
	a.register()
	b.register()
	a.authorized(request{method: "INVITE", uri: "sip:002@" + a.server.String(), callID: "call", cseq: 1, body: newAudio(t, "127.0.0.2").sdp()})
	invite := b.expect("INVITE ")
	b.respond(invite, "200 OK", newAudio(t, "127.0.0.3").sdp())
	a.expect("SIP/2.0 100 ")
	a.expect("SIP/2.0 200 ")
	r.end()
	a.expect("BYE ")
	b.expect("BYE ")
	if r := <-records; r.Why != "hung up by minisip, which was stopped" || r.From != "001" || len(records) > 0 {
		t.Errorf("recorded %+v, and %d more", r, len(records))
	}
}
