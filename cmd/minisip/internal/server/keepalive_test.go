package server

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"time"
)

// Keepalives on the SIP port, over real sockets: who has registered gets his CRLF and his
// address by STUN, a stranger gets nothing.
func TestKeepalivesOfPhones(t *testing.T) {
	r := serve(t, testConfig(t, "127.0.0.1:0"))
	p, stranger := newPhone(t, "127.0.0.1", "001", r.Addresses()[0]), newPhone(t, "127.0.0.1", "001", r.Addresses()[0])
	p.register()
	binding := "\x00\x01\x00\x00\x21\x12\xa4\x42transaction1"
	for _, ask := range []string{"\r\n\r\n", binding} {
		stranger.send(ask)
	}
	p.send("\r\n\r\n")
	if got, _ := p.next(); got != "\r\n" {
		t.Errorf("CRLF CRLF is answered by %q", got)
	}
	p.send(binding)
	got, _ := p.next()
	if len(got) != 32 || got[:2] != "\x01\x01" || got[4:20] != binding[4:] {
		t.Fatalf("a Binding request is answered by %q", got)
	}
	if port := binary.BigEndian.Uint16([]byte(got[26:])) ^ 0x2112; port != p.at.Port() {
		t.Errorf("the mapped port is %d, want %d", port, p.at.Port())
	}
	// The loop has done with the stranger before it answered the phone.
	if err := stranger.conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, err := stranger.conn.Read(make([]byte, 100)); !os.IsTimeout(err) {
		t.Errorf("a stranger got %d bytes, %v", n, err)
	}
}

// Registrations watched over real sockets: the state at once, and again at the end; also where that is minisip's.
func TestRegEvent(t *testing.T) {
	r := serve(t, testConfig(t, "127.0.0.1:0"))
	p := newPhone(t, "127.0.0.1", "001", r.Addresses()[0])
	p.register()
	ask := request{method: "SUBSCRIBE", uri: "sip:001@" + p.server.String(), callID: "watch", cseq: 1, lines: []string{"Event: reg", "Expires: 600"}}
	p.authorized(ask)
	ok := p.expect("SIP/2.0 200 ")
	if got := get(ok, "Expires"); got != "600" {
		t.Errorf("the subscription lasts %q", got)
	}
	told := func(subscription, state string) {
		t.Helper()
		notify := p.expect("NOTIFY " + p.contact() + " SIP/2.0\r\n")
		if !strings.HasPrefix(get(notify, "Subscription-State"), subscription) || !strings.Contains(notify, state) {
			t.Errorf("NOTIFY without %s and %s:\n%s", subscription, state, notify)
		}
		p.respond(notify, "200 OK", "")
	}
	told("active;expires=600", `state="active" event="registered"`)
	p.send(p.text(request{method: "SUBSCRIBE", uri: uriOf(get(ok, "Contact")), to: get(ok, "To"), callID: "watch", cseq: 3, lines: []string{"Event: reg", "Expires: 0"}}))
	p.expect("SIP/2.0 200 ")
	told("terminated;reason=timeout", `version="1"`)
	ask.callID = "again"
	p.authorized(ask)
	p.expect("SIP/2.0 200 ")
	told("active;expires=600", `state="active"`)
	r.end()
	told("terminated;reason=deactivated", `state="active"`)
}
