package server

import (
	"net/netip"
	"strings"
	"testing"
)

// TestThirdPartyCall: a controller brings two phones together and stays out of their media (RFC 3725 4.1): each gets the SDP
// of the other, which names our legs towards the controller by the router's address. They hear each other.
func TestThirdPartyCall(t *testing.T) {
	cfg := testConfig(t, "127.0.0.1:0")
	if err := cfg.Users.AddJSON([]byte(`{"click": "secret-click"}`)); err != nil {
		t.Fatal(err)
	}
	cfg.Proxy.Public4 = netip.MustParseAddr("203.0.113.9")
	r := serve(t, cfg)
	at := r.Addresses()[0]
	c, a, b := newPhone(t, "127.0.0.4", "click", at), newPhone(t, "127.0.0.2", "001", at), newPhone(t, "127.0.0.3", "002", at)
	mediaA, mediaB := newAudio(t, "127.0.0.2"), newAudio(t, "127.0.0.3")
	for _, p := range []*phone{c, a, b} {
		p.register()
	}
	body := func(message string) string { return message[strings.Index(message, "\r\n\r\n")+4:] }
	// calls has the controller call a phone, which answers, and gives what each of them got.
	calls := func(p *phone, id, offer, answer string) (invite, ok string) {
		t.Helper()
		c.authorized(request{method: "INVITE", uri: "sip:" + p.user + "@" + at.String(), callID: id, cseq: 1, body: offer})
		c.expect("SIP/2.0 100 ")
		invite = p.expect("INVITE ")
		p.respond(invite, "200 OK", answer)
		return invite, c.expect("SIP/2.0 200 ")
	}
	acks := func(p *phone, id, ok, answer string) string {
		t.Helper()
		c.send(c.text(request{method: "ACK", uri: uriOf(get(ok, "Contact")), to: get(ok, "To"), callID: id, cseq: 2,
			lines: []string{"Route: " + get(ok, "Record-Route")}, branch: "ack", body: answer}))
		return p.expect("ACK ")
	}

	_, fromA := calls(a, "to-a", "", mediaA.sdp())
	inviteB, fromB := calls(b, "to-b", body(fromA), mediaB.sdp())
	acks(b, "to-b", fromB, "")
	toA := acks(a, "to-a", fromA, body(fromB))
	inside := func(message string) netip.AddrPort {
		return netip.AddrPortFrom(at.Addr(), mediaAddr(t, message).Port())
	}
	exchange(t, mediaA, mediaB, inside(toA), inside(inviteB))
}
