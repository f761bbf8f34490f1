package proxy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"minisip/digest"
)

// shortest is as little as the parser takes of each method, for a stranger who has forged where it comes from.
func shortest(method, uri string, more ...string) string {
	lines := append([]string{
		method + " " + uri + " SIP/2.0", "v:SIP/2.0/UDP a", "f:<sip:001@a>;tag=1", "t:<sip:001@a>", "i:1", "CSeq:1 " + method,
	}, more...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// ordinary is a request as phones send them.
func ordinary(method, uri string, more ...string) string {
	body := ""
	if method == "INVITE" {
		body = "v=0\r\no=- 3929 1 IN IP4 192.168.1.2\r\ns=-\r\nc=IN IP4 192.168.1.2\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
	}
	lines := append([]string{
		method + " " + uri + " SIP/2.0",
		"Via: SIP/2.0/UDP 192.168.1.2:5060;branch=z9hG4bK7d01d0a0d2f4b9c3;rport",
		"Contact: <sip:001-0x5591c1d0@192.168.1.2:5060>;expires=3600",
		"Max-Forwards: 70",
		"To: <sip:001@sip.example.com>",
		"From: \"Alice\" <sip:001@sip.example.com>;tag=6f0a1f2e3b4c5d6e",
		"Call-ID: 4b1c2d3e4f5a6b7c8d9e0f",
		"CSeq: 27913 " + method,
		"User-Agent: baresip v1.0.0 (x86_64/linux)",
		"Supported: gruu,outbound,path,replaces",
		"Allow: INVITE,ACK,BYE,CANCEL,OPTIONS,NOTIFY,SUBSCRIBE,INFO,MESSAGE,REFER",
	}, more...)
	lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)))
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// TestAmplification: whatever a stranger sends, what goes back, to whomever, is at most twice as long; to a request
// as phones send them there is an answer of at most 1.5 times its length.
func TestAmplification(t *testing.T) {
	const uri = "sip:002@a"
	many := strings.TrimSuffix(strings.Repeat("v:SIP/2.0/UDP b\r\n", 60), "\r\n")
	shapes := []struct {
		name   string
		text   func(method, uri string, more ...string) string
		method string
		uri    string
		more   []string
		status string // of the answer to an ordinary one
	}{
		{"REGISTER", nil, "REGISTER", "sip:a", nil, "401"},
		{"INVITE", nil, "INVITE", uri, nil, "407"},
		{"MESSAGE", nil, "MESSAGE", uri, nil, "407"},
		{"SUBSCRIBE", nil, "SUBSCRIBE", uri, nil, "407"},
		{"a method nobody knows", nil, "FOO", uri, nil, "407"},
		{"BYE in no dialog", nil, "BYE", uri, nil, "407"},
		{"CANCEL of nothing", nil, "CANCEL", uri, nil, "481"},
		{"OPTIONS to ourselves", nil, "OPTIONS", "sip:a", nil, "200"},
		{"416", nil, "INVITE", "http://a", nil, "416"},
		{"416 for sips", nil, "INVITE", "sips:a", nil, "416"},
		{"483", nil, "INVITE", uri, []string{"Max-Forwards: 0"}, "483"},
		{"420", nil, "INVITE", uri, []string{"Proxy-Require: a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q"}, "420"},
		{"400 of Content-Length", nil, "INVITE", uri, []string{"l: x"}, "400"},
		{"400 of two", nil, "INVITE", uri, []string{"Max-Forwards: 70", "Max-Forwards: 70"}, "400"},
		{"wrong credentials", nil, "REGISTER", "sip:a", []string{
			`Authorization: Digest username="001", realm="mini_sip_proxy", nonce="a", uri="sip:a", response="0123456789abcdef0123456789abcdef"`}, "401"},
		{"many Vias", nil, "INVITE", uri, []string{many}, "407"},
	}
	for _, algorithms := range [][]digest.Algorithm{{digest.MD5}, {digest.SHA256, digest.MD5}} {
		w := newWorld(t)
		w.lawless = true
		w.users["001"], w.users["002"] = "secret-001", "secret-002"
		w.cfg.Silent = false
		w.start()
		w.core.auth.SetAlgorithms(algorithms)
		stranger := w.addPhone("stranger", "198.51.100.200:65535") // the longest that received and rport can get
		worst := map[string]float64{}
		for _, s := range shapes {
			for kind, text := range map[string]func(method, uri string, more ...string) string{"the shortest": shortest, "an ordinary": ordinary} {
				if kind == "an ordinary" && len(s.more) > 0 && strings.HasPrefix(s.more[0], "Max-Forwards") {
					continue // it has one already: below
				}
				w.events = nil
				datagram := text(s.method, s.uri, s.more...)
				w.send(stranger, []byte(datagram))
				back, status := 0, ""
				for _, e := range w.events {
					if e.from == "minisip" {
						back += len(e.text)
						status = e.text[len("SIP/2.0 "):][:3]
					}
				}
				ratio := float64(back) / float64(len(datagram))
				worst[kind] = max(worst[kind], ratio)
				if ratio > 2 {
					t.Errorf("%s %s, %d algorithms: %d bytes bring %d back", kind, s.name, len(algorithms), len(datagram), back)
				}
				if kind == "an ordinary" && (status != s.status || ratio > 1.5) {
					t.Errorf("%s %s, %d algorithms: %d bytes bring %d back, answer %q, want %s", kind, s.name, len(algorithms), len(datagram), back, status, s.status)
				}
			}
		}
		t.Logf("with %d algorithms at most %.2f times the shortest, %.2f times an ordinary one", len(algorithms), worst["the shortest"], worst["an ordinary"])
		if w.core.Counters().Dropped[Short] == 0 {
			t.Error("nothing was too short for its answer")
		}
	}
}

// TestShortFromAPhone: a phone that is registered is answered whole, however short it asks.
func TestShortFromAPhone(t *testing.T) {
	s := stage(t, 0, nil)
	for _, whole := range []bool{true, false} {
		s.events = nil
		s.send(s.phone("001"), []byte(shortest("OPTIONS", "sip:a")))
		if got := len(s.events) == 2 && strings.Contains(s.events[1].text, "Allow:"); got != whole {
			t.Errorf("answered whole: %v, want %v: %+v", got, whole, s.events)
		}
		s.phone("001").addr = netip.MustParseAddrPort("198.51.100.9:5060")
	}
}
