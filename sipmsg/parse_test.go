package sipmsg

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParseRequest(t *testing.T) {
	m := mustParse(t, phoneInvite)
	for _, tt := range []struct {
		what string
		got  []byte
		want string
	}{
		{"method", m.MethodName(), "INVITE"},
		{"Request-URI", m.RequestURI(), "sip:002@203.0.113.5"},
		{"user of the Request-URI", m.URI().User, "002"},
		{"host of the Request-URI", m.URI().Host, "203.0.113.5"},
		{"reason", m.Reason(), ""},
		{"Call-ID", m.CallID(), "8d21c6e4f7b0@192.168.1.20"},
		{"From display name", m.From().Display, `"Alice"`},
		{"From URI", m.From().URI, "sip:001@203.0.113.5"},
		{"From tag", m.FromTag(), "7d3ab1c0"},
		{"To URI", m.To().URI, "sip:002@203.0.113.5"},
		{"To tag", m.ToTag(), ""},
		{"Via host", m.Via().Host, "192.168.1.20"},
		{"Via branch", m.Via().Branch, "z9hG4bK-4c1f9a27"},
		{"Via value", m.ViaValue().Bytes, "SIP/2.0/UDP 192.168.1.20:5060;branch=z9hG4bK-4c1f9a27;rport"},
		{"Content-Type", m.Get(ContentTypeHdr), "application/sdp"},
		{"a field without an ID", m.GetName("x-line"), "1"},
		{"a field that is not there", m.GetName("X-Nothing"), ""},
		{"body", m.Body()[:5], "v=0\r\n"},
	} {
		if string(tt.got) != tt.want {
			t.Errorf("%s %q, want %q", tt.what, tt.got, tt.want)
		}
	}
	if !m.IsRequest() || m.Method() != INVITE || m.Status() != 0 || m.CSeq() != 102 || m.NumHeaders() != 20 {
		t.Errorf("request %v, method %v, status %d, CSeq %d, %d fields",
			m.IsRequest(), m.Method(), m.Status(), m.CSeq(), m.NumHeaders())
	}
	if n, ok := m.MaxForwards(); n != 70 || !ok {
		t.Errorf("Max-Forwards %d %v", n, ok)
	}
	if i := m.Index(PathHdr); i != -1 || m.Get(PathHdr) != nil {
		t.Errorf("Path found at %d", i)
	}
	if !bytes.Equal(m.Bytes(), phoneInvite) {
		t.Error("Bytes is not the datagram")
	}
}

func TestParseResponse(t *testing.T) {
	for _, tt := range []struct {
		line   string
		status int
		reason string
		err    error
	}{
		{"SIP/2.0 200 OK", 200, "OK", nil},
		{"sip/2.0 486 Busy Here", 486, "Busy Here", nil},
		{"SIP/2.0 183 ", 183, "", nil},
		{"SIP/2.0 183", 183, "", nil},
		{"SIP/2.0 699 \xd0\x9d\xd0\xb5\xd1\x82", 699, "\xd0\x9d\xd0\xb5\xd1\x82", nil},
		{"SIP/2.0 99 OK", 0, "", ErrMalformed},
		{"SIP/2.0 099 OK", 0, "", ErrMalformed},
		{"SIP/2.0 700 OK", 0, "", ErrMalformed},
		{"SIP/2.0 2000 OK", 0, "", ErrMalformed},
		{"SIP/2.0 2x0 OK", 0, "", ErrMalformed},
		{"SIP/2.0  200 OK", 0, "", ErrMalformed},
		{"SIP/2.0", 0, "", ErrVersion},
		{"SIP/3.0 200 OK", 0, "", ErrVersion},
	} {
		var m Message
		err := m.Parse(crlf(tt.line + "\n" + head + "\n"))
		if !errors.Is(err, tt.err) || m.Status() != tt.status || string(m.Reason()) != tt.reason {
			t.Errorf("%q: %d %q %v, want %d %q %v", tt.line, m.Status(), m.Reason(), err, tt.status, tt.reason, tt.err)
		}
		if m.IsRequest() || m.CanReply() {
			t.Errorf("%q: taken for a request, or to be replied to", tt.line)
		}
		if err == nil && (m.Method() != INVITE || string(m.MethodName()) != "INVITE") {
			t.Errorf("%q: method %q, want that of CSeq", tt.line, m.MethodName())
		}
	}
}

func TestParseRequestLine(t *testing.T) {
	for _, tt := range []struct {
		line string
		err  error
	}{
		{"INVITE sip:a@b SIP/2.0", nil},
		{"INVITE sip:a@b sip/2.0", nil},
		{"INVITE tel:+81312345678 SIP/2.0", nil},
		{"INVITE any:thing SIP/2.0", nil},
		{"INVITE sip:a@b SIP/1.0", ErrVersion},
		{"INVITE sip:a@b SIP/2.0.1", ErrVersion},
		{"INVITE SIP/2.0", ErrMalformed},
		{"INVITE  SIP/2.0", ErrMalformed},
		{"INVITE sip:a@b\tSIP/2.0", ErrNotSIP},
		{"INV(TE sip:a@b SIP/2.0", ErrMalformed},
		{" INVITE sip:a@b SIP/2.0", ErrMalformed},
		{"INVITE sip:a@b SIP/2.0 ", ErrMalformed},
		{"INVITE a@b SIP/2.0", ErrMalformed},
		{"INVITE sip: SIP/2.0", ErrMalformed},
		{"INVITE sip:a@b HTTP/1.1", ErrNotSIP},
		{"GET / HTTP/1.1", ErrNotSIP},
		{"INVITE", ErrNotSIP},
		{"\x00\x01\x00\x08", ErrNotSIP},
	} {
		var m Message
		if err := m.Parse(crlf(tt.line + "\n" + head + "\n")); !errors.Is(err, tt.err) {
			t.Errorf("%q: %v, want %v", tt.line, err, tt.err)
		}
		if errors.Is(tt.err, ErrNotSIP) && (m.CanReply() || m.NumHeaders() != 0) {
			t.Errorf("%q: not SIP, yet read", tt.line)
		}
	}
}

func TestParseNotEvenALine(t *testing.T) {
	for _, data := range []string{"", "\r\n", "\r\n\r\n", "\n", "\x00", "hello", " ", strings.Repeat("\r\n", 40000)} {
		var m Message
		if err := m.Parse([]byte(data)); !errors.Is(err, ErrNotSIP) || m.CanReply() {
			t.Errorf("%.20q: %v", data, err)
		}
	}
}

func TestParseSkipsLeadingCRLF(t *testing.T) {
	data := append([]byte("\r\n\r\n"), phoneInvite...)
	m := mustParse(t, data)
	if !bytes.Equal(m.Bytes(), phoneInvite) {
		t.Error("the message does not begin at the start line")
	}
	var e *ParseError
	err := m.Parse([]byte("\r\nINVITE x SIP/2.0\r\n\r\n"))
	if !errors.As(err, &e) || e.Offset != 9 {
		t.Errorf("%v: the offset is not that in the datagram", err)
	}
}

// Each change to a sound message gives this error.
func TestParseErrors(t *testing.T) {
	long := strings.Repeat("x", MaxLine)
	for _, tt := range []struct {
		what     string
		old, new string
		err      error
		field    string
		reply    bool
	}{
		{"no Via", "Via: SIP", "X-Via: SIP", ErrMissing, "Via", false},
		{"no From", "From:", "X-From:", ErrMissing, "From", true},
		{"no To", "To:", "X-To:", ErrMissing, "To", true},
		{"no Call-ID", "Call-ID:", "X-Call-ID:", ErrMissing, "Call-ID", true},
		{"no CSeq", "CSeq:", "X-CSeq:", ErrMissing, "CSeq", false},
		{"two From", "To:", "From: <sip:x@y>\nTo:", ErrRepeated, "From", true},
		{"two To in two forms", "To:", "t: <sip:x@y>\nTo:", ErrRepeated, "To", true},
		{"two Content-Length", "To:", "l: 0\nContent-Length: 0\nTo:", ErrRepeated, "Content-Length", true},
		{"empty Via", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1", "Via:", ErrMalformed, "Via", false},
		{"Via without host", "192.0.2.1:5060", "", ErrMalformed, "Via", false},
		{"From without URI", "<sip:001@example.com>", "", ErrMalformed, "From", true},
		{"From without scheme", "sip:001@", "001@", ErrMalformed, "From", true},
		{"To not closed", "<sip:002@example.com>\nCall", "<sip:002@example.com\nCall", ErrMalformed, "To", true},
		{"empty tag", ";tag=a", ";tag=", ErrMalformed, "From", true},
		{"tag without a value", ";tag=a", ";tag", ErrMalformed, "From", true},
		{"empty Call-ID", "c1@192.0.2.1", "", ErrMalformed, "Call-ID", true},
		{"Call-ID of two words", "c1@192.0.2.1", "c1 c2", ErrMalformed, "Call-ID", true},
		{"CSeq without number", "7 INVITE", "INVITE", ErrMalformed, "CSeq", true},
		{"CSeq without method", "7 INVITE", "7", ErrMalformed, "CSeq", true},
		{"CSeq without white space", "7 INVITE", "7INVITE", ErrMalformed, "CSeq", true},
		{"CSeq of 2**31", "7 INVITE", "2147483648 INVITE", ErrMalformed, "CSeq", true},
		{"CSeq of 33 bits", "7 INVITE", "4294967296 INVITE", ErrMalformed, "CSeq", true},
		{"negative CSeq", "7 INVITE", "-7 INVITE", ErrMalformed, "CSeq", true},
		{"CSeq in another case", "7 INVITE", "7 invite", ErrMethod, "CSeq", true},
		{"CSeq of another method", "7 INVITE", "7 BYE", ErrMethod, "CSeq", true},
		{"Max-Forwards over 255", "To:", "Max-Forwards: 256\nTo:", ErrMalformed, "Max-Forwards", true},
		{"Max-Forwards no number", "To:", "Max-Forwards: many\nTo:", ErrMalformed, "Max-Forwards", true},
		{"Content-Length no number", "To:", "Content-Length: 1x\nTo:", ErrMalformed, "Content-Length", true},
		{"empty Content-Length", "To:", "Content-Length:\nTo:", ErrMalformed, "Content-Length", true},
		{"body too short", "To:", "Content-Length: 5\nTo:", ErrTruncated, "body", true},
		{"body of 2^70 bytes", "To:", "Content-Length: 1180591620717411303424\nTo:", ErrTruncated, "body", true},
		{"line without colon", "To:", "nothing\nTo:", ErrMalformed, "header field name", true},
		{"field without name", "To:", ": x\nTo:", ErrMalformed, "header field name", true},
		{"name of two words", "To:", "A B: x\nTo:", ErrMalformed, "header field name", true},
		{"fold after the start line", "Via: SIP", " Via: SIP", ErrMalformed, "header field name", false},
		{"CR inside a line", "To:", "Z: a\rb\nTo:", ErrMalformed, "line end", true},
		{"CR at the end of a line", "To:", "Z: a\r\r\nTo:", ErrMalformed, "line end", true},
		{"CR in a fold", "To:", "Z: a\n b\rc\nTo:", ErrMalformed, "line end", true},
		{"CR in a reason", "INVITE sip:002@example.com SIP/2.0", "SIP/2.0 200 O\rK", ErrMalformed, "line end", false},
		{"long name", "To:", long[:MaxName+1] + ": x\nTo:", ErrTooLong, "header field name", true},
		{"long field", "To:", "Z: " + long + "\nTo:", ErrTooLong, "header field", false},
		{"long fold", "To:", "Z: a\n " + long + "\nTo:", ErrTooLong, "header field", false},
		{"long start line", "INVITE sip:", "INVITE sip:" + long, ErrTooLong, "start line", false},
		{"many fields", "To:", strings.Repeat("Z: 1\n", MaxHeaders-4) + "To:", ErrTooMany, "header fields", false},
		{"many Vias", "To:", strings.Repeat("v: SIP/2.0/UDP h\n", MaxVia) + "To:", ErrTooMany, "Via", true},
		{"many Vias in one", "z9hG4bK1", "z" + strings.Repeat(",SIP/2.0/UDP h", MaxVia), ErrTooMany, "Via", true},
		{"many Vias in few bytes", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1", "v:a" + strings.Repeat(",a", MaxVia), ErrTooMany, "Via", false},
		{"many Vias in two fields", "Via: SIP", "v:a" + strings.Repeat(",a", MaxVia/2) + "\nv:a" + strings.Repeat(",a", MaxVia/2) + "\nVia: SIP", ErrTooMany, "Via", false},
		{"many Contacts", "To:", "m: <sip:a>" + strings.Repeat(",<sip:a>", MaxValues) + "\nTo:", ErrTooMany, "Contact", true},
		{"many parameters", ";tag=a", strings.Repeat(";a", MaxParams+1), ErrTooMany, "From", true},
		{"many Via parameters", ";branch=", strings.Repeat(";a", MaxParams) + ";branch=", ErrTooMany, "Via", true},
		{"many URI parameters", "sip:002@example.com SIP", "sip:002@example.com" + strings.Repeat(";a", MaxParams+1) + " SIP", ErrTooMany, "Request-URI", true},
		{"no empty line", "7 INVITE\n\n", "7 INVITE\n", ErrTruncated, "empty line", true},
		{"cut in a line", "7 INVITE\n\n", "7 INVITE", ErrTruncated, "empty line", false},
	} {
		t.Run(tt.what, func(t *testing.T) {
			sound := "INVITE sip:002@example.com SIP/2.0\n" + head + "\n"
			broken := strings.Replace(sound, tt.old, tt.new, 1)
			if broken == sound {
				t.Fatal("the message was not changed")
			}
			var m Message
			var e *ParseError
			err := m.Parse(crlf(broken))
			if !errors.Is(err, tt.err) || !errors.As(err, &e) || e.Field != tt.field {
				t.Fatalf("%v, want %s: %v", err, tt.field, tt.err)
			}
			if e.Offset < 0 || e.Offset > len(crlf(broken)) {
				t.Errorf("offset %d", e.Offset)
			}
			if m.CanReply() != tt.reply {
				t.Errorf("CanReply %v", m.CanReply())
			}
		})
	}
}

func TestParseUpToTheCaps(t *testing.T) {
	for what, more := range map[string]string{
		"fields":     strings.Repeat("Z: 1\n", MaxHeaders-5),
		"Vias":       strings.Repeat("v: SIP/2.0/UDP h\n", MaxVia-1),
		"Contacts":   "m: <sip:a>" + strings.Repeat(",<sip:a>", MaxValues-1) + "\n",
		"names":      strings.Repeat("x", MaxName) + " : 1\n",
		"field":      "Z: " + strings.Repeat("x", MaxLine-5) + "\n",
		"name":       strings.Repeat("x", MaxName) + ": 1\n",
		"no list":    "Subject: " + strings.Repeat(",", MaxValues+1) + "\n",
		"parameters": "Contact: <sip:a>" + strings.Repeat(";a", MaxParams) + "\n",
	} {
		m := invite(t, more)
		for it := m.Values(ContactHdr); it.Next(); {
			if _, err := ParseNameAddr(it.Value().Bytes); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
	const start, end = "INVITE sip:", "@example.com SIP/2.0"
	m := mustParse(t, crlf(start+strings.Repeat("x", MaxLine-len(start+end))+end+"\n"+head+"\n"))
	if n := len(m.URI().User); n != MaxLine-len(start+end) {
		t.Errorf("start line: a user of %d bytes", n)
	}
}

func TestParseLargestNumbers(t *testing.T) {
	m := mustParse(t, crlf("INVITE sip:a@b SIP/2.0\n"+strings.Replace(head, "7 INVITE", "2147483647 INVITE", 1)+"Max-Forwards: 255\n\n"))
	if n, ok := m.MaxForwards(); m.CSeq() != 1<<31-1 || n != 255 || !ok {
		t.Errorf("CSeq %d, Max-Forwards %d", m.CSeq(), n)
	}
}

func TestParseDatagramSize(t *testing.T) {
	start := crlf("MESSAGE sip:a@b SIP/2.0\n" + strings.Replace(head, "INVITE", "MESSAGE", 1) + "\n")
	data := append(start, bytes.Repeat([]byte{'x'}, MaxDatagram-len(start))...)
	m := mustParse(t, data)
	if got := len(m.Body()); got != MaxDatagram-len(start) {
		t.Errorf("body of %d bytes", got)
	}
	if err := m.Parse(append(data, 'x')); !errors.Is(err, ErrTooLong) || m.CanReply() {
		t.Errorf("a datagram of 65,536 bytes: %v", err)
	}
}

func TestParseContentLength(t *testing.T) {
	for _, tt := range []struct{ field, body, want string }{
		{"", "rest of it", "rest of it"},
		{"Content-Length: 4\n", "rest of it", "rest"},
		{"l: 0\n", "rest of it", ""},
		{"CONTENT-LENGTH : 010\n", "rest of it", "rest of it"},
		{"Content-Length: 0\n", "", ""},
	} {
		m := mustParse(t, crlf("INVITE sip:a@b SIP/2.0\n"+head+tt.field+"\n"+tt.body))
		if got := string(m.Body()); got != tt.want {
			t.Errorf("%q: body %q, want %q", tt.field, got, tt.want)
		}
		if !bytes.HasSuffix(m.Bytes(), []byte("\r\n\r\n"+tt.want)) {
			t.Errorf("%q: the message goes past its body", tt.field)
		}
	}
}

func TestParseLineEnds(t *testing.T) {
	bare := bytes.ReplaceAll(phoneInvite, []byte("\r\n"), []byte("\n"))
	bare = bytes.Replace(bare, []byte("Content-Length: 211"), []byte("Content-Length: 200"), 1)
	m := mustParse(t, bare)
	if m.NumHeaders() != 20 || string(m.Get(MinSEHdr)) != "90" || len(m.Body()) != 200 {
		t.Errorf("%d fields, body of %d bytes", m.NumHeaders(), len(m.Body()))
	}
	if err := m.Parse([]byte(strings.Replace(string(bare), "Min-SE: 90", "Min-SE: 9\r0", 1))); !errors.Is(err, ErrMalformed) {
		t.Errorf("a bare CR beside bare LFs: %v", err)
	}
}

// Where the start line ends in CRLF, a bare LF is a line end for some readers only: behind "X: a" and two of them, those find
// fields where the others find the body, which a proxy does not look through for identities.
func TestParseMixedLineEnds(t *testing.T) {
	text := crlf("INVITE sip:002@example.com SIP/2.0\n" + head + "Subject: a\n fold\n\n")
	first := bytes.IndexByte(text, '\n')
	for i := first + 1; i < len(text); i++ {
		if text[i] != '\n' {
			continue
		}
		var m Message
		var e *ParseError
		mixed := slices.Delete(bytes.Clone(text), i-1, i)
		if err := m.Parse(mixed); !errors.As(err, &e) || e.Field != "line end" || e.Offset != i-1 || !m.CanReply() {
			t.Errorf("%q: %v", mixed, err)
		}
		// Nobody who looks for CRLF finds a start line in this.
		mustParse(t, slices.Delete(mixed, first-1, first))
	}
}

func TestParseReuse(t *testing.T) {
	m := invite(t, strings.Repeat("Z: 1\n", 40)+"Max-Forwards: 3\nRoute: <sip:r>\n")
	m.Append("Z", []byte("edit"))
	if err := m.Parse(crlf("SIP/2.0 200 OK\n" + head + "\n")); err != nil {
		t.Fatal(err)
	}
	_, ok := m.MaxForwards()
	if m.NumHeaders() != 5 || ok || m.Get(RouteHdr) != nil || m.RequestURI() != nil || m.URI().Scheme != nil || m.IsRequest() {
		t.Error("something of the former message is left")
	}
	if !bytes.Equal(m.AppendTo(nil), m.Bytes()) {
		t.Error("an edit of the former message is left")
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	var m Message
	if n := testing.AllocsPerRun(100, func() {
		if m.Parse(phoneInvite) != nil {
			t.Fatal("not parsed")
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestMethods(t *testing.T) {
	for name, want := range map[string]Method{
		"INVITE": INVITE, "ACK": ACK, "BYE": BYE, "CANCEL": CANCEL, "REGISTER": REGISTER, "OPTIONS": OPTIONS, "INFO": INFO,
		"MESSAGE": MESSAGE, "UPDATE": UPDATE, "PRACK": PRACK, "REFER": REFER, "SUBSCRIBE": SUBSCRIBE, "NOTIFY": NOTIFY,
		"PUBLISH": PUBLISH, "invite": UnknownMethod, "NEWMETHOD": UnknownMethod,
	} {
		m := mustParse(t, crlf(name+" sip:a@b SIP/2.0\n"+strings.Replace(head, "INVITE", name, 1)+"\n"))
		if m.Method() != want || string(m.MethodName()) != name {
			t.Errorf("%s: method %d %q, want %d", name, m.Method(), m.MethodName(), want)
		}
	}
}
