package server

import (
	"net/netip"
	"testing"
)

// TestTwoHomed: a phone that comes to reach us at another of our addresses in mid-call is told that address in the next SDP,
// and its media pass there, on the ports that it had; the other phone notices nothing.
func TestTwoHomed(t *testing.T) {
	r := serve(t, testConfig(t, "127.0.0.1:0", "127.0.0.4:0"))
	first, second := r.Addresses()[0], r.Addresses()[1]
	a, b := newPhone(t, "127.0.0.2", "001", first), newPhone(t, "127.0.0.3", "002", first)
	mediaA, mediaB := newAudio(t, "127.0.0.2"), newAudio(t, "127.0.0.3")
	a.register()
	b.register()
	call := a.authorized(request{method: "INVITE", uri: "sip:002@" + a.server.String(), callID: "call", cseq: 1, body: mediaA.sdp()})
	a.expect("SIP/2.0 100 ")
	invite := b.expect("INVITE ")
	b.respond(invite, "200 OK", mediaB.sdp())
	ok := a.expect("SIP/2.0 200 ")
	dialog := request{uri: uriOf(get(ok, "Contact")), to: get(ok, "To"), callID: "call", lines: []string{"Route: " + get(ok, "Record-Route")}}
	ack := func(cseq int, branch string) {
		d := dialog
		d.method, d.cseq, d.branch = "ACK", cseq, branch
		a.send(a.text(d))
		b.expect("ACK ")
	}
	ack(call.cseq, "ack1")
	before := mediaAddr(t, ok)
	exchange(t, mediaA, mediaB, before, mediaAddr(t, invite))

	a.server = second
	again := dialog
	again.method, again.cseq, again.body = "INVITE", call.cseq+1, mediaA.sdp()
	a.send(a.text(again))
	a.expect("SIP/2.0 100 ")
	invite = b.expect("INVITE ")
	b.respond(invite, "200 OK", mediaB.sdp())
	ok = a.expect("SIP/2.0 200 ")
	ack(again.cseq, "ack2")
	if got, want := mediaAddr(t, ok), netip.AddrPortFrom(second.Addr(), before.Port()); got != want {
		t.Fatalf("media of a go to %s, want %s", got, want)
	}
	const packet = "\x80\x00\x00\x02\x00\x00\x01\x40"
	sendTo(t, mediaA.rtp, mediaAddr(t, ok), packet+"AAAAaudio of a")
	if got, from := receive(t, mediaB.rtp); got != packet+"AAAAaudio of a" || from != mediaAddr(t, invite) {
		t.Errorf("b heard %q from %s", got, from)
	}
	sendTo(t, mediaB.rtp, mediaAddr(t, invite), packet+"BBBBaudio of b")
	if got, from := receive(t, mediaA.rtp); got != packet+"BBBBaudio of b" || from != mediaAddr(t, ok) {
		t.Errorf("a heard %q from %s, want from %s", got, from, mediaAddr(t, ok))
	}
}
