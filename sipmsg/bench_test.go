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
