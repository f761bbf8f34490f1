package sipmsg

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// touchAll calls all that edits, in an order in which each could spoil what the ones before it did.
func touchAll(m *Message, values []Value) {
	for i := m.NumHeaders() + 1; i >= -1; i-- {
		m.RemoveHeader(i)
		m.SetHeader(i, []byte("x"))
	}
	m.Append("Back", []byte("x"))
	for _, v := range values {
		m.Remove(v)
		m.Replace(v, []byte("x"))
	}
	m.SetBody([]byte("x"))
	m.SetRequestURI([]byte("sip:x"))
	m.SetVersion()
	m.Prepend("Front", []byte("x"))
	for i := range m.NumHeaders() {
		m.SetHeader(i, nil)
		m.RemoveHeader(i)
	}
	m.SetBody(nil)
}

// readAll calls all that reads.
func readAll(m *Message) []Value {
	values := []Value{{}, m.ViaValue()}
	for id := Other; id <= numIDs; id++ {
		m.Index(id)
		m.Get(id)
		for it := m.Values(id); it.Next(); {
			values = append(values, it.Value())
		}
	}
	for i := -1; i <= m.NumHeaders(); i++ {
		m.Header(i)
		m.AppendHeader(nil, i)
	}
	_, _ = m.MethodName(), m.RequestURI()
	_, _, _ = m.Reason(), m.GetName(""), m.Body()
	m.FromTag()
	m.ToTag()
	m.MaxForwards()
	m.URI().Param("lr")
	AppendResponse(nil, m, 400, "", []byte("t"))
	return values
}

// read gives what a parse has left in m.
func read(m *Message) *Message {
	r := *m
	r.parses, r.edits, r.arena = 0, nil, nil
	r.more = append([]field(nil), m.more...)
	clear(r.inline[min(m.n, inlineFields):])
	return &r
}

// Every prefix of a message, every message with a byte too many or another, and what is none: read and edited, each
// with the values of the one before.
func TestAnyState(t *testing.T) {
	texts := []string{
		"", "\r\n", "not SIP at all\r\n\r\n", "INVITE sip:a SIP/2.0", "\x00 SIP/2.0\n\n", "INVITE  SIP/2.0\n\n", "SIP/2.0 999 x\n\n",
		"INVITE sip:a SIP/2.0\n \nno field\nVia\n", "INVITE sip:a SIP/2.0\nno field\nneither\n\n", "INVITE sip:a SIP/2.0\n\r\r\nx\nx\n\nbody",
		"INVITE sip:a SIP/2.0\n" + strings.Repeat("A: b\n", MaxHeaders+1) + "\n", strings.Repeat("x", MaxDatagram+9),
		"INVITE sip:a SIP/2.0\nl: 1\nl: 99\nv:\nv: x\n\n",
	}
	sound := string(phoneInvite)
	for i := 0; i < len(sound); i += 3 {
		texts = append(texts, sound[:i], sound[:i]+"\n"+sound[i:], sound[:i]+"\r"+sound[i+1:], sound[:i]+","+sound[i+1:])
	}
	var m, fresh Message
	var before []Value
	for _, text := range texts {
		m.Parse([]byte(text))
		if fresh = (Message{}); fresh.Parse([]byte(text)) == nil && !fresh.whole {
			t.Errorf("%q: sound without an empty line", text)
		}
		if got, want := read(&m), read(&fresh); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: a Message that was used before reads\n%+v\na new one\n%+v", text, got, want)
		}
		for _, v := range before {
			m.Remove(v)
			m.Replace(v, []byte("x"))
		}
		for _, v := range readAll(&fresh) {
			m.Remove(v)
		}
		if got := m.AppendTo(nil); !bytes.Equal(got, m.Bytes()) {
			t.Fatalf("%q: a Value of another message changed it to %q", text, got)
		}
		before = readAll(&m)
		touchAll(&m, before)
		if got := string(m.AppendTo(nil)); strings.Count(got, "Front: x") > 1 {
			t.Fatalf("%q became %q", text, got)
		}
		readAll(&m)
		m.ResetEdits()
		if got := m.AppendTo(nil); !bytes.Equal(got, m.Bytes()) {
			t.Fatalf("%q: without edits it is %q", text, got)
		}
	}
}

func TestZeroMessage(t *testing.T) {
	var m Message
	touchAll(&m, readAll(&m))
	if got := m.AppendTo(nil); len(got) > 0 {
		t.Errorf("%q", got)
	}
	var it ValueIter
	if v := it.Value(); v.Bytes != nil {
		t.Errorf("%q", v.Bytes)
	}
	if s := Method(200).String(); s != "request" {
		t.Error(s)
	}
}

// What is refused is edited as far as it was read.
func TestEditRefused(t *testing.T) {
	for _, tt := range []struct {
		text string
		edit func(m *Message)
		want string
	}{
		{"no SIP\n\n", func(m *Message) { touchAll(m, nil) }, "no SIP\n\n"},
		{"INVITE sip:a SIP/2.0", func(m *Message) { m.Prepend("A", nil); m.SetRequestURI([]byte("sip:b")) }, "INVITE sip:b SIP/2.0"},
		{"INVITE sip:a SIP/2.0\nx\ny\n\n", func(m *Message) { m.RemoveHeader(1); m.SetHeader(0, []byte("v")) }, "INVITE sip:a SIP/2.0\nx\n\n"},
		{"INVITE sip:a SIP/2.0\nx\n\n", func(m *Message) { m.Append("A", nil); m.SetHeader(0, []byte("v")) }, "INVITE sip:a SIP/2.0\nx\nA: \r\n\n"},
		{"INVITE sip:a SIP/2.0\nS: x\nl: 9", func(m *Message) { m.SetBody([]byte("b")); m.Append("A", nil); m.SetHeader(0, []byte("v")) }, "INVITE sip:a SIP/2.0\nS: v\nl: 9"},
	} {
		var m Message
		if m.Parse([]byte(tt.text)) == nil {
			t.Errorf("%q is sound", tt.text)
		}
		tt.edit(&m)
		if got := string(m.AppendTo(nil)); got != tt.want {
			t.Errorf("%q became %q, want %q", tt.text, got, tt.want)
		}
	}
}

// An iterator does not go on into what was parsed after it began.
func TestValuesOfEarlierParse(t *testing.T) {
	m := invite(t, "Route: <sip:a>, <sip:b>\n")
	it := m.Values(RouteHdr)
	it.Next()
	if err := m.Parse(crlf("INVITE sip:002@example.com SIP/2.0\n" + head + "\n")); err != nil {
		t.Fatal(err)
	}
	if v := it.Value(); v.Bytes != nil || it.Next() {
		t.Errorf("%q, and more", v.Bytes)
	}
	v := m.ViaValue()
	if err := m.Parse(m.Bytes()); err != nil {
		t.Fatal(err)
	}
	if m.Replace(v, []byte("x")); !bytes.Equal(m.AppendTo(nil), m.Bytes()) {
		t.Error("a Value of the same datagram's earlier parse was taken")
	}
}

// The topmost Via value may stand in another field than the first of that name.
func TestViaBehindEmptyOne(t *testing.T) {
	for _, empty := range []string{"Via:\n", "v: ,\n"} {
		var m Message
		text := string(crlf("INVITE sip:002@example.com SIP/2.0\n" + empty + head + "\n"))
		if err := m.Parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
		m.Replace(m.ViaValue(), []byte("it"))
		want := strings.Replace(text, string(m.ViaValue().Bytes), "it", 1)
		if got := string(m.AppendTo(nil)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
