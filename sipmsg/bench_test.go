package sipmsg

import (
	"bytes"
	"testing"
)

func BenchmarkParse(b *testing.B) {
	var m Message
	b.SetBytes(int64(len(phoneInvite)))
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Parse(phoneInvite); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseAndRead parses, and asks for what the proxy does of an INVITE that begins a call.
func BenchmarkParseAndRead(b *testing.B) {
	var m Message
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Parse(phoneInvite); err != nil {
			b.Fatal(err)
		}
		if readAsProxy(&m) == 0 {
			b.Fatal("nothing read")
		}
	}
}

// readAsProxy sums up the lengths of what it reads, each as often as the proxy does.
func readAsProxy(m *Message) (n int) {
	for range 5 { // the checks of RFC 3261 16.3, dial codes, targets, the call's record
		n += len(m.URI().User)
	}
	for range 2 { // who he says he is: before the challenge and after
		u, _ := ParseURI(m.From().URI)
		n += len(u.User)
	}
	for range 2 { // the call's record, the loop hash
		n += len(m.FromTag())
	}
	for range 4 { // which dialog, if any; Route; how it goes on; the loop hash
		n += len(m.ToTag())
	}
	for it := m.Values(ContactHdr); it.Next(); { // to be rewritten, and to be remembered
		for range 2 {
			a, _ := ParseNameAddr(it.Value().Bytes)
			u, _ := ParseURI(a.URI)
			n += len(u.User)
		}
	}
	for _, id := range [...]ID{ProxyRequireHdr, RecordRouteHdr, RouteHdr, RouteHdr, RouteHdr} {
		for it := m.Values(id); it.Next(); {
			n++
		}
	}
	return n + len(m.Via().Branch) + len(m.CallID())
}

// BenchmarkAppend makes the edits of a proxy and writes the message, without parsing it.
func BenchmarkAppend(b *testing.B) {
	m := mustParse(b, phoneInvite)
	body := bytes.Clone(m.Body())
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		m.ResetEdits()
		proxyEdits(m, body)
		out = m.AppendTo(out[:0])
	}
	b.SetBytes(int64(len(out)))
}

func BenchmarkAppendResponse(b *testing.B) {
	m := mustParse(b, phoneInvite)
	tag := []byte("2b1c9d7e")
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = EndResponse(AppendResponse(out[:0], m, 180, "Ringing", tag))
	}
}

func BenchmarkParseURI(b *testing.B) {
	uri := []byte("sip:001@192.168.1.20:5060;transport=udp;ob")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseURI(uri); err != nil {
			b.Fatal(err)
		}
	}
}
