package proxy

import (
	"fmt"
	"strings"
	"testing"

	"minisip/sipmsg"
)

// BenchmarkWorst measures single datagrams that were made to cost as much as they can. None should hold the loop for much
// longer than one of its length that means well.
func BenchmarkWorst(b *testing.B) {
	numbered := func(n int, format string) string {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, format, i)
		}
		return text.String()
	}
	fields := func(n int, name, value string) (list [][]string) {
		for range n {
			list = append(list, []string{"+" + name, value})
		}
		return list
	}
	contacts := func() (list [][]string) {
		for i := range 100 {
			list = append(list, []string{"+Contact", fmt.Sprintf("<sip:u@h%s;z=%d>", numbered(61, ";p%d=1"), i)})
		}
		return list
	}
	types := ""
	for pt := 96; pt < 128; pt++ {
		types += fmt.Sprintf(" %d", pt)
	}
	for _, tt := range []struct {
		name, method, target string
		auth                 bool
		fields               [][]string
		body                 string
	}{
		{"Plain", "INVITE", "002", false, nil, ""},
		{"EmptyValues", "INVITE", "002", false, fields(100, "Route", strings.Repeat(", ", 280)), ""},
		{"Vias", "INVITE", "002", false, fields(60, "Via", "SIP/2.0/UDP a"+numbered(60, ";p%d=1")), ""},
		{"AuthInt", "INVITE", "002", false, fields(4, "Authorization", `Digest username="001", realm="mini_sip_proxy", nonce="n", uri="u", qop=auth-int, nc=1, cnonce="c", response="00"`), strings.Repeat("x", 60000)},
		{"CallsToJoin", "INVITE", "002", true, fields(100, "Join", strings.Repeat(",", 500)), ""},
		{"Contacts", "REGISTER", "", true, contacts(), ""},
		{"PayloadTypes", "INVITE", "002", true, [][]string{{"Content-Type", "application/sdp"}},
			"v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP" + types + "\r\n" + strings.Repeat("a=rtpmap:127 \r\n", 2000)},
		{"Parts", "INVITE", "002", true, [][]string{{"Content-Type", "multipart/mixed;boundary=a"}}, strings.Repeat("--a\r\n\r\n", 8000)},
	} {
		b.Run(tt.name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s := stage(b, 1, nil)
				p := s.phone("001")
				w := &wish{target: tt.target, fields: tt.fields, body: tt.body, hasBody: tt.body != ""}
				if tt.auth {
					w.auth = p
				}
				datagram := p.request(tt.method, w).bytes()
				s.core.out, s.core.relay = &bench{}, quietRelay{}
				m := new(sipmsg.Message)
				b.SetBytes(int64(len(datagram)))
				b.StartTimer()
				err := m.Parse(datagram)
				s.core.Receive(s.now, ours4, p.addr, m, err)
			}
		})
	}
}
