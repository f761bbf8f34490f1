package proxy

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"
)

func TestChanges(t *testing.T) {
	for _, c := range []struct{ name, before, after, want string }{
		{"nothing", "a\r\nb\r\n", "a\r\nb\r\n", ""},
		{"a line new on top", "a\r\n", "x\r\na\r\n", "+ x\n"},
		{"a line gone", "a\r\nb\r\nc\r\n", "a\r\nc\r\n", "- b\n"},
		{"Contact rewritten", "To: b\r\nContact: <sip:1@192.168.1.2>\r\n\r\nv=0\r\n", "To: b\r\nContact: <sip:1@198.51.100.7:31022>\r\n\r\nv=0\r\n",
			"- Contact: <sip:1@192.168.1.2>\n+ Contact: <sip:1@198.51.100.7:31022>\n"},
		{"from nothing", "", "a\r\n", "+ a\n"},
	} {
		if got := string(appendChanges(nil, []byte(c.before), []byte(c.after))); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// What is logged of a message holds nobody's secret: neither of one that came and one that
// went, nor of what changed between them, of what is refused, and of what is no SIP.
func TestDebugMasks(t *testing.T) {
	s := stage(t, 1, nil)
	s.dial(990)
	s.events = nil
	const digest, key = "0123456789abcdef0123456789abcdef", "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
	foreign := `Authorization: Digest username="001", realm="elsewhere", response="` + digest + `"`
	if err := s.run("001: INVITE 002 auth", []string{"+" + foreign, "Content-Type: application/sdp", "--",
		"v=0", "o=- 1 1 IN IP4 192.168.1.10", "s=-", "c=IN IP4 192.168.1.10", "t=0 0", "m=audio 4000 RTP/SAVP 0",
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key + "|2^20"}); err != nil {
		t.Fatal(err)
	}
	stranger := netip.MustParseAddrPort("192.0.2.99:9")
	s.deliver(stranger, []byte("MESSAGE sip:002@minisip.example SIP/2.0\r\n"+foreign+"\r\n\r\n"))
	s.deliver(stranger, []byte("\x00\r\na=inline:"+key+"\r\n"+foreign+"\r\n"))
	log := strings.Join(s.logged(), "\n")
	for _, row := range regexp.MustCompile(`(?m)\|(.{16})\|$`).FindAllStringSubmatch(log, -1) {
		log += row[1] // what the dump shows, in one piece
	}
	for _, secret := range []string{digest, key, key[:8], digest[:8]} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log:\n%s", secret, log)
		}
	}
	if bare := regexp.MustCompile(`(?i)response="[^"*]|inline:[^*]`).FindString(log); bare != "" {
		t.Errorf("%q is in the log:\n%s", bare, log)
	}
	for _, want := range []string{`response="********"`, "inline:********|2^20", "refused: ", "that are not SIP"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
	s.finish()
}
