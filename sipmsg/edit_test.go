package sipmsg

import (
	"bytes"
	"strings"
	"testing"
)

func TestValues(t *testing.T) {
	m := invite(t, `Route: <sip:a;x=1,2>, "b, \"c\"" <sip:b> ,sip:c;q="1,2"
k: timer
Contact: *
Subject: one, two
Route: ,, <sip:d>,
Supported: 100rel , Replaces
Authorization: Digest a="1", b="2"
Route:
Expires: 1, 2
`)
	for id, want := range map[ID][]string{
		RouteHdr:         {`<sip:a;x=1,2>`, `"b, \"c\"" <sip:b>`, `sip:c;q="1,2"`, `<sip:d>`},
		SupportedHdr:     {"timer", "100rel", "Replaces"},
		ContactHdr:       {"*"},
		AuthorizationHdr: {`Digest a="1", b="2"`},
		ExpiresHdr:       {"1, 2"},
		PathHdr:          nil,
		Other:            nil,
		numIDs:           nil,
	} {
		if got := valuesOf(m, id); joined(got) != joined(want) || len(got) != len(want) {
			t.Errorf("%v: %q, want %q", id, got, want)
		}
	}
	var it ValueIter
	if it.Next() {
		t.Error("the zero ValueIter has a value")
	}
}

// A quote or bracket that is not closed keeps its commas: the value runs to the end of the field.
func TestValuesNotClosed(t *testing.T) {
	for field, want := range map[string]string{
		`<sip:a>,"b,c`: `<sip:a>|"b,c`,
		`"b\",c,d`:     `"b\",c,d`,
		`<sip:a,b`:     `<sip:a,b`,
		`a"b\`:         `a"b\`,
	} {
		m := invite(t, "Contact: "+field+"\n")
		if got := strings.Join(valuesOf(m, ContactHdr), "|"); got != want {
			t.Errorf("%s: %s, want %s", field, got, want)
		}
	}
}

// edited gives the lines behind the mandatory fields after edit.
func edited(t *testing.T, more string, edit func(m *Message)) string {
	t.Helper()
	m := invite(t, more)
	edit(m)
	got := string(m.AppendTo(nil))
	rest, ok := strings.CutPrefix(got, string(crlf("INVITE sip:002@example.com SIP/2.0\n"+head)))
	if !ok {
		t.Fatalf("something else changed:\n%s", got)
	}
	return strings.ReplaceAll(strings.TrimSuffix(rest, "\r\n"), "\r\n", "\n")
}

func TestRemoveValues(t *testing.T) {
	for _, tt := range []struct {
		field  string
		remove string // letters of the values to remove
		want   string
	}{
		{"Route: <a>, <b>, <c>\n", "", "Route: <a>, <b>, <c>\n"},
		{"Route: <a>, <b>, <c>\n", "a", "Route: <b>, <c>\n"},
		{"Route: <a>, <b>, <c>\n", "b", "Route: <a>, <c>\n"},
		{"Route: <a>, <b>, <c>\n", "c", "Route: <a>, <b>\n"},
		{"Route: <a>, <b>, <c>\n", "ab", "Route: <c>\n"},
		{"Route: <a>, <b>, <c>\n", "bc", "Route: <a>\n"},
		{"Route: <a>, <b>, <c>\n", "ca", "Route: <b>\n"},
		{"Route: <a>, <b>, <c>\n", "bca", ""},
		{"Route: <a>\n", "a", ""},
		{"Route: <a>\nRoute: <b>\n", "a", "Route: <b>\n"},
		{"Route: <a>\nRoute: <b>,<c>\n", "ac", "Route: <b>\n"},
		{"Route : <a>,<b> , <c>\n", "b", "Route : <a> , <c>\n"},
		{"Route:\n <a>,\n <b>,\n <c>\n", "a", "Route:\n <b>,\n <c>\n"},
		{"Route:\n <a>,\n <b>,\n <c>\n", "c", "Route:\n <a>,\n <b>\n"},
		{"Route: <a>,,<b>,\n", "b", "Route: <a>,\n"},
	} {
		got := edited(t, tt.field+"X: 1\n", func(m *Message) {
			for _, letter := range tt.remove {
				for it := m.Values(RouteHdr); it.Next(); {
					if it.Value().Bytes[1] == byte(letter) {
						m.Remove(it.Value())
					}
				}
			}
		})
		if got != tt.want+"X: 1\n" {
			t.Errorf("%q without %s: %q, want %q", tt.field, tt.remove, got, tt.want)
		}
	}
}

func TestEdits(t *testing.T) {
	value := func(m *Message, id ID, n int) Value {
		it := m.Values(id)
		for range n {
			it.Next()
		}
		return it.Value()
	}
	const fields = "Route: <a>, <b>\nl: 0\nContact: <sip:x> ;q=1\ns:\n"
	for _, tt := range []struct {
		what string
		edit func(m *Message)
		want string
	}{
		{"nothing", func(m *Message) {}, fields},
		{"replace one", func(m *Message) { m.Replace(value(m, RouteHdr, 2), []byte("<longer>")) },
			"Route: <a>, <longer>\nl: 0\nContact: <sip:x> ;q=1\ns:\n"},
		{"replace both, last first", func(m *Message) {
			m.Replace(value(m, RouteHdr, 2), []byte("2"))
			m.Replace(value(m, RouteHdr, 1), []byte("1"))
		}, "Route: 1, 2\nl: 0\nContact: <sip:x> ;q=1\ns:\n"},
		{"replace and remove", func(m *Message) {
			m.Replace(value(m, RouteHdr, 2), []byte("2"))
			m.Remove(value(m, RouteHdr, 1))
		}, "Route: 2\nl: 0\nContact: <sip:x> ;q=1\ns:\n"},
		{"replace after remove", func(m *Message) {
			m.Remove(value(m, RouteHdr, 1))
			m.Replace(value(m, RouteHdr, 1), []byte("1"))
		}, "Route: 1, <b>\nl: 0\nContact: <sip:x> ;q=1\ns:\n"},
		{"remove after replace", func(m *Message) {
			m.Replace(value(m, RouteHdr, 1), []byte("1"))
			m.Remove(value(m, RouteHdr, 1))
		}, "Route: <b>\nl: 0\nContact: <sip:x> ;q=1\ns:\n"},
		{"set a field, twice", func(m *Message) {
			m.SetHeader(m.Index(ContactHdr), []byte("<sip:y>"))
			m.SetHeader(m.Index(ContactHdr), []byte("<sip:z>"))
		}, "Route: <a>, <b>\nl: 0\nContact: <sip:z>\ns:\n"},
		{"set a field after its values", func(m *Message) {
			m.Remove(value(m, RouteHdr, 1))
			m.Replace(value(m, RouteHdr, 2), []byte("2"))
			m.SetHeader(m.Index(RouteHdr), []byte("<c>"))
		}, "Route: <c>\nl: 0\nContact: <sip:x> ;q=1\ns:\n"},
		{"set an empty field, twice", func(m *Message) {
			m.SetHeader(8, []byte("hello"))
			m.SetHeader(8, []byte("hi"))
		}, "Route: <a>, <b>\nl: 0\nContact: <sip:x> ;q=1\ns:hi\n"},
		{"remove a field", func(m *Message) { m.RemoveHeader(m.Index(RouteHdr)) }, "l: 0\nContact: <sip:x> ;q=1\ns:\n"},
		{"remove a field after its value, and the empty one", func(m *Message) {
			m.Replace(value(m, RouteHdr, 1), []byte("1"))
			m.SetHeader(8, []byte("hello"))
			m.RemoveHeader(8)
			m.RemoveHeader(m.Index(RouteHdr))
		}, "l: 0\nContact: <sip:x> ;q=1\n"},
		{"a value after its field was removed", func(m *Message) {
			m.RemoveHeader(m.Index(RouteHdr))
			m.Remove(value(m, RouteHdr, 2))
		}, "Route: <a>\nl: 0\nContact: <sip:x> ;q=1\ns:\n"},
		{"append", func(m *Message) {
			m.Append("One", []byte("1"))
			m.Append("Two", []byte("2"))
		}, fields + "One: 1\nTwo: 2\n"},
		{"append, remove the last", func(m *Message) {
			m.Append("One", []byte("1"))
			m.RemoveHeader(8)
		}, "Route: <a>, <b>\nl: 0\nContact: <sip:x> ;q=1\nOne: 1\n"},
		{"fields and values that are not there", func(m *Message) {
			m.SetHeader(-1, []byte("x"))
			m.SetHeader(9, []byte("x"))
			m.RemoveHeader(-1)
			m.RemoveHeader(9)
			m.Replace(Value{}, []byte("x"))
			m.Remove(Value{})
			m.Remove(invite(t, strings.Repeat("Z: 1\n", 9)+"Route: <r>\n").ViaValue())
			m.Replace(value(invite(t, strings.Repeat("Z: 1\n", 9)+"Route: <r>\n"), RouteHdr, 1), []byte("x"))
			m.ResetEdits()
			m.Remove(value(invite(t, strings.Repeat("Z: 1\n", 9)+"Route: <r>\n"), RouteHdr, 1))
		}, fields},
		{"forgotten", func(m *Message) {
			m.Prepend("A", nil)
			m.SetRequestURI([]byte("x"))
			m.ResetEdits()
		}, fields},
	} {
		t.Run(tt.what, func(t *testing.T) {
			if got := edited(t, fields, tt.edit); got != tt.want {
				t.Errorf("\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestEditsOfTheWhole(t *testing.T) {
	m := mustParse(t, crlf("INVITE sip:a@b SIP/2.0\n"+head+"\nbody"))
	m.Append("Last", []byte("2"))
	m.SetBody([]byte("one"))
	m.SetBody([]byte("longer than before"))
	m.SetRequestURI([]byte("sip:x@y"))
	m.Prepend("Via", []byte("below"))
	m.Prepend("Via", []byte("on top"))
	m.Replace(m.ViaValue(), []byte("the old one"))
	want := string(crlf("INVITE sip:x@y SIP/2.0\nVia: on top\nVia: below\n" +
		strings.Replace(head, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1", "the old one", 1) +
		"Last: 2\nContent-Length: 18\n\nlonger than before"))
	for range 2 {
		if got := string(m.AppendTo(nil)); got != want {
			t.Errorf("\n%s\nwant\n%s", got, want)
		}
	}
	if got := string(m.AppendTo([]byte("before"))); got != "before"+want {
		t.Error("AppendTo does not append")
	}
	if string(m.RequestURI()) != "sip:a@b" || string(m.Body()) != "body" {
		t.Error("edits changed what is read")
	}
}

func TestSetRequestURIOfResponse(t *testing.T) {
	m := mustParse(t, crlf("SIP/2.0 200 OK\n"+head+"\n"))
	m.SetRequestURI([]byte("sip:x@y"))
	if !bytes.Equal(m.AppendTo(nil), m.Bytes()) {
		t.Error("a response has no Request-URI to set")
	}
}

func TestSetBody(t *testing.T) {
	for _, tt := range []struct {
		field string
		body  []byte
		want  string
	}{
		{"Content-Length: 4\n", []byte("12345"), "Content-Length: 5\n\n12345"},
		{"l:4\n", []byte("12345678901"), "l:11\n\n12345678901"},
		{"l: 4\n", nil, "l: 0\n\n"},
		{"", nil, "Content-Length: 0\n\n"},
		{"", []byte("1"), "Content-Length: 1\n\n1"},
	} {
		m := mustParse(t, crlf("INVITE sip:a@b SIP/2.0\n"+head+tt.field+"\nbody"))
		m.SetBody(tt.body)
		if got := m.AppendTo(nil); !bytes.HasSuffix(got, crlf("7 INVITE\n"+tt.want)) {
			t.Errorf("%q: %q, want %q", tt.field, got, tt.want)
		}
	}
}

// What is put in may be the message's own bytes, or a buffer that the caller uses again.
func TestEditsCopy(t *testing.T) {
	m := invite(t, "Contact: <sip:x>\n")
	b := []byte("<sip:y>")
	m.SetHeader(m.Index(ContactHdr), b)
	b[5] = 'z'
	if !bytes.Contains(m.AppendTo(nil), []byte("Contact: <sip:y>\r\n")) {
		t.Error("the edit kept the caller's slice")
	}
}

func TestSetVersion(t *testing.T) {
	for line, want := range map[string]string{
		"INVITE sip:sip/2.0@h sip/2.0": "INVITE sip:sip/2.0@h SIP/2.0",
		"INVITE sip:h SIP/2.0":         "INVITE sip:h SIP/2.0",
		"Sip/2.0 180 sip/2.0":          "SIP/2.0 180 sip/2.0",
		"sip/2.0 180":                  "SIP/2.0 180",
	} {
		m := mustParse(t, crlf(line+"\n"+head+"\n"))
		m.SetVersion()
		if got := m.AppendTo(nil); !bytes.Equal(got, crlf(want+"\n"+head+"\n")) {
			t.Errorf("%s became\n%s", line, got)
		}
	}
}

func TestAppendHeader(t *testing.T) {
	m := invite(t, "Route: <a>, <b>\nRoute: <c>\n")
	it := m.Values(RouteHdr)
	it.Next()
	m.Remove(it.Value())
	m.Replace(m.ViaValue(), []byte("new"))
	it.Next()
	it.Next()
	m.Remove(it.Value())
	for i, want := range map[int]string{
		0: "Via: new\r\n", 1: "From: <sip:001@example.com>;tag=a\r\n", 5: "Route: <b>\r\n", 6: "", 7: "", -1: "",
	} {
		if got := string(m.AppendHeader([]byte("_"), i)); got != "_"+want {
			t.Errorf("field %d: %q, want %q", i, got, want)
		}
	}
	m = mustParse(t, []byte("INVITE sip:002@example.com SIP/2.0\n"+head+"Subject: a\n b\r\n c\n\n"))
	if got, want := string(m.AppendHeader(nil, 5)), "Subject: a\r\n b\r\n c\r\n"; got != want {
		t.Errorf("of a message of bare LFs: %q, want %q", got, want)
	}
}

// proxyEdits are the edits of a proxy that forwards an INVITE.
func proxyEdits(m *Message, body []byte) {
	it := m.Values(RouteHdr)
	it.Next()
	m.Remove(it.Value())
	m.Replace(m.ViaValue(), []byte("SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bK-4c1f9a27;rport=1024;received=198.51.100.7"))
	m.SetHeader(m.Index(ContactHdr), []byte(`"Alice" <sip:001@198.51.100.7:1024>`))
	m.SetBody(body)
	m.Prepend("Record-Route", []byte("<sip:203.0.113.5:5060;lr>"))
	m.Prepend("Via", []byte("SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bKabcdefabcdef"))
}

func TestEditsDoNotAllocate(t *testing.T) {
	var m Message
	var out []byte
	body := bytes.Clone(mustParse(t, phoneInvite).Body())
	forward := func() {
		if m.Parse(phoneInvite) != nil {
			t.Fatal("not parsed")
		}
		proxyEdits(&m, body)
		out = m.AppendTo(out[:0])
	}
	if n := testing.AllocsPerRun(100, forward); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
	mustParse(t, out)
}
