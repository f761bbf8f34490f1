package proxy

import (
	"strings"
	"testing"
)

// Bodies of any type, charset and encoding pass byte for byte, in requests and in responses, and so
// does what describes them.
func TestBodiesPass(t *testing.T) {
	var all strings.Builder
	for i := range 256 {
		all.WriteByte(byte(i))
	}
	sdp := "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
	for _, tt := range []struct {
		method string
		fields []string
		body   string
	}{
		{"MESSAGE", []string{"Content-Type: application/octet-stream"}, all.String()},
		{"MESSAGE", []string{"Content-Type: text/plain;charset=iso-8859-1"}, "Gr\xfc\xdfe\r\n\r\n"},
		{"MESSAGE", []string{"Content-Type: text/plain;charset=utf-16"}, "\xff\xfeh\x00i\x00\r\x00\n\x00"},
		{"MESSAGE", []string{"Content-Type: text/plain", "Content-Language: ja", "Content-Disposition: render"}, "こんにちは"},
		{"MESSAGE", []string{"Content-Type: text/plain", "Content-Encoding: gzip"}, "\x1f\x8b\x08\x00\x00\r\n--x\r\nm=audio 1 RTP/AVP 0"},
		{"MESSAGE", []string{"c: message/cpim"}, "From: <im:001@minisip.example>\r\n\r\nContent-Type: text/plain\r\n\r\nhi"},
		{"MESSAGE", []string{"Content-Type: application/pkcs7-mime"}, "\x30\x82\x01\x00"},
		{"MESSAGE", []string{"Content-Type: application/sdp"}, sdp}, // no offer here
		{"INVITE", []string{"Content-Type: application/isup;version=nxv3"}, "\x01\x00\x49\x00\x0a\r\n\x00"},
		{"INVITE", []string{"Content-Type: application/sdp", "Content-Encoding: gzip"}, sdp},
		{"INVITE", []string{"Content-Type: multipart/mixed;boundary=b"}, "--b\r\nContent-Type: text/plain\r\n\r\n" + sdp + "\r\n--b--\r\n"},
		{"INFO", []string{"Content-Type: application/dtmf-relay"}, "Signal=5\nDuration=160\n"},
		{"SUBSCRIBE", []string{"Content-Type: application/simple-filter+xml"}, "<filter/>\n"},
	} {
		s := stage(t, 1, nil)
		w := &wish{auth: s.phone("001"), target: "002", sdp: "none", hasBody: true, body: tt.body}
		for _, f := range tt.fields {
			name, value, _ := strings.Cut(f, ": ")
			w.fields = append(w.fields, []string{name, value})
		}
		s.transmit(s.phone("001"), s.phone("001").request(tt.method, w))
		callee := s.phone("002a")
		check := func(what string, m *text) {
			t.Helper()
			if m == nil {
				t.Fatalf("%s %q: no %s came", tt.method, tt.fields, what)
			}
			if m.body != tt.body {
				t.Errorf("%s %q: the %s has the body\n%q, want\n%q", tt.method, tt.fields, what, m.body, tt.body)
			}
			for _, f := range w.fields {
				if got := m.get(f[0]); got != f[1] {
					t.Errorf("%s: the %s has %s: %q, want %q", tt.method, what, f[0], got, f[1])
				}
			}
		}
		check("request", callee.got[tt.method])
		answer := callee.response("488", "Not Acceptable Here", w)
		callee.sending(answer)
		s.send(callee, answer.bytes())
		check("answer", s.phone("001").answer[tt.method])
		s.finish()
	}
}
