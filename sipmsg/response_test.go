package sipmsg

import (
	"strings"
	"testing"
	"unsafe"
)

func TestAppendResponse(t *testing.T) {
	req := mustParse(t, crlf(`INVITE sip:b@example.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2
Max-Forwards: 70
t: <sip:b@example.com>
v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1, SIP/2.0/UDP 192.0.2.2
From: <sip:a@example.com>;tag=a
Timestamp: 54
Call-ID: c1
CSeq: 7 INVITE
Contact: <sip:a@192.0.2.1>

`))
	const rest = `v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1, SIP/2.0/UDP 192.0.2.2
From: <sip:a@example.com>;tag=a
Call-ID: c1
CSeq: 7 INVITE
Content-Length: 0

`
	req.Replace(req.ViaValue(), []byte("SIP/2.0/UDP 192.0.2.9;received=198.51.100.1"))
	for _, tt := range []struct {
		status      int
		reason, tag string
		want        string
	}{
		{404, "Not Found", "xyz", "SIP/2.0 404 Not Found\nVia: SIP/2.0/UDP 192.0.2.9;received=198.51.100.1\nt: <sip:b@example.com>;tag=xyz\n" + rest},
		{404, "silent OFF", "xyz", "SIP/2.0 404 silent OFF\nVia: SIP/2.0/UDP 192.0.2.9;received=198.51.100.1\nt: <sip:b@example.com>;tag=xyz\n" + rest},
		{100, "", "", "SIP/2.0 100 Trying\nVia: SIP/2.0/UDP 192.0.2.9;received=198.51.100.1\nt: <sip:b@example.com>\n" +
			strings.Replace(rest, "Call-ID", "Timestamp: 54\nCall-ID", 1)},
	} {
		got := EndResponse(AppendResponse(nil, req, tt.status, tt.reason, []byte(tt.tag)))
		if string(got) != string(crlf(tt.want)) {
			t.Errorf("\n%s\nwant\n%s", got, tt.want)
		}
		mustParse(t, got)
	}
}

func TestAppendResponseToTag(t *testing.T) {
	for _, tt := range []struct{ to, want string }{
		{"<sip:b@c>", "<sip:b@c>;tag=new"},
		{"sip:b@c", "sip:b@c;tag=new"},
		{"<sip:b@c>;x=y  ", "<sip:b@c>;x=y;tag=new"},
		{"<sip:b@c>;tag=old", "<sip:b@c>;tag=old"},
		{`"b <sip:b@c>`, `"b <sip:b@c>`}, // not to be read: it goes back as it came
	} {
		var m Message
		m.Parse(crlf("INVITE sip:a@b SIP/2.0\n" + strings.Replace(head, "<sip:002@example.com>", tt.to, 1) + "\n"))
		got := string(AppendResponse(nil, &m, 400, "", []byte("new")))
		if !strings.Contains(got, "\r\nTo: "+tt.want+"\r\n") {
			t.Errorf("%s: want %s in\n%s", tt.to, tt.want, got)
		}
	}
}

// The refusal of a message that repeats its single fields copies the first of each.
func TestAppendResponseAfterError(t *testing.T) {
	var m Message
	if err := m.Parse(readTorture(t, "multi01")); err == nil || !m.CanReply() {
		t.Fatal("multi01 is to be refused with a response")
	}
	want := crlf(`SIP/2.0 400 Bad Request
Via: SIP/2.0/UDP 192.0.2.25;branch=z9hG4bKkdjuw
CSeq: 5 INVITE
Call-ID: multi01.98asdh@192.0.2.1
From: sip:caller@example.com;tag=3413415
To: sip:user@example.com;tag=t
Content-Length: 0

`)
	if got := EndResponse(AppendResponse(nil, &m, 400, "", []byte("t"))); string(got) != string(want) {
		t.Errorf("\n%s\nwant\n%s", got, want)
	}
}

func TestReasonPhrase(t *testing.T) {
	for status, want := range map[int]string{
		180: "Ringing", 407: "Proxy Authentication Required", 487: "Request Terminated",
		199: "Early Dialog Terminated", 299: "OK", 499: "Bad Request", 699: "Busy Everywhere", 0: "",
	} {
		if got := ReasonPhrase(status); got != want {
			t.Errorf("%d: %q, want %q", status, got, want)
		}
	}
}

// A Message that a call keeps should cost little beside its datagram.
func TestMessageIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(Message{}); size > 1024 {
		t.Errorf("a Message takes %d bytes", size)
	}
}
