package fuzz

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"minisip/sipmsg"
)

// messages are seeds: the torture messages of RFC 4475 and a few ordinary ones.
func messages(f *testing.F) (seeds [][]byte) {
	files, err := filepath.Glob("../sipmsg/testdata/torture/*.dat")
	if err != nil || len(files) == 0 {
		f.Fatal("no torture messages:", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		seeds = append(seeds, data)
	}
	for _, text := range []string{
		"REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 192.168.1.20:5060;rport;branch=z9hG4bK1\nMax-Forwards: 70\n" +
			"To: \"A\" <sip:a@example.com>\nFrom: <sip:a@example.com>;tag=1\nCall-ID: 1@h\nCSeq: 1 REGISTER\n" +
			"Contact: <sip:a@192.168.1.20:5060>;expires=60, <sip:b@[2001:db8::1]>;q=0.5\nContact: *\nContent-Length: 0\n\n",
		"SIP/2.0 180 Ringing\nv: SIP/2.0/UDP 203.0.113.5;branch=z9hG4bK2, SIP/2.0/UDP h;branch=z9hG4bK1;received=192.0.2.1;rport=9\n" +
			"f: sip:a@b;tag=1\nt: sip:c@d;tag=2\ni: 2\nCSeq: 2 INVITE\nRecord-Route: <sip:x;lr>,\n <sip:y;lr>\nk: 100rel\nl: 2\n\nok and more",
		"INVITE sip:b@c SIP/2.0\nVia: SIP/2.0/UDP h\nRoute: <sip:x;lr>, <sip:y;lr>, <sip:z;lr>\nFrom: <sip:a@b>\nTo: <sip:b@c>\nCall-ID: 3\nCSeq: 3 INVITE\n\nbody",
		"sip/2.0 200 OK\nVia: SIP/2.0/UDP h\nFrom: <sip:a@b>;tag=1\nTo: <sip:b@c>;tag=2\nCall-ID: 4\nCSeq: 4 BYE\n\n",
	} {
		seeds = append(seeds, []byte(strings.ReplaceAll(text, "\n", "\r\n")), []byte(text))
	}
	return seeds
}

var sentinels = []error{
	sipmsg.ErrNotSIP, sipmsg.ErrVersion, sipmsg.ErrMalformed, sipmsg.ErrMissing, sipmsg.ErrRepeated,
	sipmsg.ErrTruncated, sipmsg.ErrTooMany, sipmsg.ErrTooLong, sipmsg.ErrMethod,
}

// checkError asserts that an error says where in data, and why.
func checkError(t *testing.T, data []byte, err error) {
	t.Helper()
	var e *sipmsg.ParseError
	if !errors.As(err, &e) || !slices.Contains(sentinels, e.Unwrap()) || e.Field == "" || e.Offset < 0 || e.Offset > len(data) {
		t.Fatalf("the error does not say what, where and why: %#v", err)
	}
}

// checkWithin asserts that s is a piece of data, not merely equal to one.
func checkWithin(t *testing.T, data []byte, what string, s []byte) {
	t.Helper()
	if len(s) == 0 {
		return
	}
	first := uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	p := uintptr(unsafe.Pointer(unsafe.SliceData(s)))
	if p < first || p+uintptr(len(s)) > first+uintptr(len(data)) {
		t.Fatalf("%s %q lies outside the datagram", what, s)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range messages(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var m sipmsg.Message
		before := bytes.Clone(data)
		err := m.Parse(data)
		checkAccessors(t, &m, data)
		out := m.AppendTo(nil)
		if !bytes.Equal(out, m.Bytes()) || !bytes.Equal(data, before) {
			t.Fatal("the message changed though nobody edited it")
		}
		if err != nil {
			checkError(t, data, err)
			if m.CanReply() && !m.IsRequest() {
				t.Fatal("a response is to be replied to")
			}
			return
		}
		checkMandatory(t, &m)
		var again sipmsg.Message
		if err := again.Parse(out); err != nil {
			t.Fatalf("what was appended does not parse: %v", err)
		}
		if a, b := describe(&m), describe(&again); a != b {
			t.Fatalf("parsed again:\n%s\nfirst:\n%s", b, a)
		}
		if m.IsRequest() {
			checkReply(t, &m)
		}
	})
}

// checkAccessors calls everything that reads, on sound and on refused messages.
func checkAccessors(t *testing.T, m *sipmsg.Message, data []byte) {
	for what, s := range map[string][]byte{
		"Bytes": m.Bytes(), "method": m.MethodName(), "Request-URI": m.RequestURI(), "reason": m.Reason(), "body": m.Body(),
		"Via": m.ViaValue().Bytes, "host": m.Via().Host, "branch": m.Via().Branch, "From": m.From().URI, "To": m.To().URI,
		"From tag": m.FromTag(), "To tag": m.ToTag(), "Call-ID": m.CallID(), "Subject": m.GetName("Subject"),
	} {
		checkWithin(t, data, what, s)
	}
	if n, ok := m.MaxForwards(); ok && (n < 0 || n > 255) {
		t.Fatalf("Max-Forwards %d", n)
	}
	for i := -1; i <= m.NumHeaders(); i++ {
		h := m.Header(i)
		checkWithin(t, data, "name", h.Name)
		checkWithin(t, data, "value", h.Value)
		if i >= 0 && i < m.NumHeaders() && m.Index(h.ID) > i {
			t.Fatalf("field %d is not the first of its kind", i)
		}
	}
	for id := sipmsg.Other; id <= sipmsg.DateHdr+1; id++ {
		count := 0
		for it := m.Values(id); it.Next(); count++ {
			v := it.Value().Bytes
			checkWithin(t, data, "value", v)
			if len(v) == 0 || len(bytes.Trim(v, " \t\r\n")) != len(v) {
				t.Fatalf("value %q is empty or not trimmed", v)
			}
		}
		if count > len(data) {
			t.Fatalf("%d values in %d bytes", count, len(data))
		}
	}
}

func checkMandatory(t *testing.T, m *sipmsg.Message) {
	for what, s := range map[string][]byte{
		"method": m.MethodName(), "Via": m.ViaValue().Bytes, "sent-by": m.Via().Host, "transport": m.Via().Transport,
		"From": m.From().URI, "To": m.To().URI, "Call-ID": m.CallID(),
	} {
		if len(s) == 0 {
			t.Fatalf("parsed, without %s", what)
		}
	}
	if m.IsRequest() != (m.Status() == 0) || m.IsRequest() != (len(m.RequestURI()) > 0) {
		t.Fatal("neither a request nor a response")
	}
	if m.NumHeaders() > sipmsg.MaxHeaders || len(m.Bytes()) > sipmsg.MaxDatagram {
		t.Fatal("over the caps")
	}
	if uri, err := sipmsg.ParseURI(m.RequestURI()); m.IsRequest() && (err != nil || !reflect.DeepEqual(uri, *m.URI())) {
		t.Fatal(err, uri, *m.URI())
	}
	for _, a := range [...]*sipmsg.NameAddr{m.From(), m.To()} {
		if tag, _ := a.Param("tag"); !bytes.Equal(tag, a.Tag()) || (tag == nil) != (a.Tag() == nil) {
			t.Fatalf("tag %q, by its name %q", a.Tag(), tag)
		}
	}
	count := 0
	for it := m.Values(sipmsg.ViaHdr); it.Next(); {
		count++
	}
	if count > sipmsg.MaxVia {
		t.Fatalf("%d Vias", count)
	}
}

// describe writes down all that a Message says.
func describe(m *sipmsg.Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q %d %q %d\n", m.MethodName(), m.RequestURI(), m.Status(), m.Reason(), m.CSeq())
	fmt.Fprintf(&b, "%v %v %v\n", *m.Via(), *m.From(), *m.To())
	for i := range m.NumHeaders() {
		fmt.Fprintf(&b, "%d %q %q\n", m.Header(i).ID, m.Header(i).Name, m.Header(i).Value)
	}
	fmt.Fprintf(&b, "%q", m.Body())
	return b.String()
}

// checkReply asserts that a response to a sound request is sound and belongs to it.
func checkReply(t *testing.T, req *sipmsg.Message) {
	if !req.CanReply() {
		t.Fatal("a sound request that cannot be replied to")
	}
	var res sipmsg.Message
	err := res.Parse(sipmsg.EndResponse(sipmsg.AppendResponse(nil, req, 404, "", []byte("new"))))
	if errors.Is(err, sipmsg.ErrTooMany) || errors.Is(err, sipmsg.ErrTooLong) {
		return // the new tag made To longer than the caps allow
	}
	if err != nil {
		t.Fatalf("the response: %v", err)
	}
	if res.Status() != 404 || res.ToTag() == nil || !bytes.Equal(res.CallID(), req.CallID()) || res.CSeq() != req.CSeq() ||
		!bytes.Equal(res.MethodName(), req.MethodName()) || !bytes.Equal(res.FromTag(), req.FromTag()) ||
		!bytes.Equal(res.ViaValue().Bytes, req.ViaValue().Bytes) {
		t.Fatalf("the response does not match the request:\n%s", res.Bytes())
	}
}

// FuzzEdits compares the edits of a message, sound or refused, with a plain model of them.
func FuzzEdits(f *testing.F) {
	for _, seed := range messages(f) {
		f.Add(seed, []byte{3, 0, 3, 1, 2, 2, 0, 5, 1, 3, 4, 0, 5, 0, 6, 3, 7, 0})
		f.Add(seed, []byte{3, 2, 3, 1, 3, 0, 1, 1, 0, 1, 6, 0, 6, 9, 8, 0})
	}
	for _, refused := range []string{
		"", "no SIP\n\n", "INVITE sip:a SIP/2.0", "INVITE sip:a SIP/2.0\n x\ny\nVia: 1, 2\n\nbody", "INVITE  SIP/2.0\nx\nS: y\nRoute: <a>, <b>\nl: 1",
	} {
		f.Add([]byte(refused), []byte{1, 1, 0, 0, 0, 2, 5, 1, 4, 1, 6, 3, 7, 1, 3, 0, 8, 0, 9, 1, 10, 2})
	}
	f.Fuzz(func(t *testing.T, data, ops []byte) {
		if len(ops) > 100 {
			return
		}
		var m sipmsg.Message
		var model model
		model.read(&m, m.Parse(bytes.Clone(data)))
		model.others = model.values // of the same places, but of an earlier parse and of other memory
		model.read(&m, m.Parse(data))
		for len(ops) >= 2 {
			model.apply(&m, ops[0], int(ops[1]))
			ops = ops[2:]
		}
		model.check(t, &m)
		m.ResetEdits()
		if !bytes.Equal(m.AppendTo(nil), m.Bytes()) {
			t.Fatal("edits are left")
		}
	})
}

// model is a message as lines.
type model struct {
	start, body    string
	end            string // what stands between the fields and the body
	whole          bool   // there is room for new fields and a body
	sound          bool   // it was not refused
	fields         []modelField
	front, back    string // new fields
	length         string // a new Content-Length
	values, others []sipmsg.Value
	owner, ordinal []int // of each value: its field, its place there
}

type modelField struct {
	raw     string
	gone    bool
	set     *string  // the whole value
	values  []string // "" where removed
	touched bool     // values holds changes
}

// read notes what m, parsed with err, holds.
func (mo *model) read(m *sipmsg.Message, err error) {
	*mo = model{body: string(m.Body()), sound: err == nil, others: mo.others}
	text := string(m.Bytes())
	mo.start = text[:strings.IndexByte(text, '\n')+1]
	if mo.start == "" {
		mo.start = text
	}
	rest := text[len(mo.start):]
	for range m.NumHeaders() {
		raw := rest[:strings.IndexByte(rest, '\n')+1]
		for folds := rest[len(raw):]; folds != "" && (folds[0] == ' ' || folds[0] == '\t'); folds = rest[len(raw):] {
			raw = rest[:len(raw)+strings.IndexByte(folds, '\n')+1]
		}
		mo.fields = append(mo.fields, modelField{raw: raw})
		rest = rest[len(raw):]
	}
	mo.end = rest[:len(rest)-len(mo.body)]
	tooLong := len(strings.TrimRight(mo.start, "\r\n")) > sipmsg.MaxLine
	mo.whole = (mo.end == "\n" || mo.end == "\r\n") && !tooLong && !errors.Is(err, sipmsg.ErrNotSIP)
	for id := sipmsg.ViaHdr; id <= sipmsg.DateHdr; id++ {
		for it := m.Values(id); it.Next(); {
			i := owner(m, it.Value())
			mo.values = append(mo.values, it.Value())
			mo.owner = append(mo.owner, i)
			mo.ordinal = append(mo.ordinal, len(mo.fields[i].values))
			mo.fields[i].values = append(mo.fields[i].values, string(it.Value().Bytes))
		}
	}
}

// owner finds the field that a value lies in.
func owner(m *sipmsg.Message, v sipmsg.Value) int {
	for i := range m.NumHeaders() {
		h := m.Header(i).Value
		if len(h) == 0 {
			continue
		}
		first := uintptr(unsafe.Pointer(unsafe.SliceData(h)))
		p := uintptr(unsafe.Pointer(unsafe.SliceData(v.Bytes)))
		if p >= first && p < first+uintptr(len(h)) {
			return i
		}
	}
	return -1
}

func (mo *model) apply(m *sipmsg.Message, op byte, n int) {
	text := fmt.Sprintf("<sip:n%d>", n)
	switch op % 12 {
	case 0, 1:
		mo.applyField(m, op%12, n%(len(mo.fields)+2)-1, text)
	case 2, 3:
		mo.applyValue(m, op%12, n, text)
	case 4:
		m.Prepend("Front", []byte(text))
		if mo.whole {
			mo.front = "Front: " + text + "\r\n" + mo.front
		}
	case 5:
		m.Append("Back", []byte(text))
		if mo.whole {
			mo.back += "Back: " + text + "\r\n"
		}
	case 6:
		body := strings.Repeat("b", n)
		m.SetBody([]byte(body))
		if !mo.whole {
			return
		}
		mo.body = body
		size := fmt.Sprint(n)
		if l := m.Index(sipmsg.ContentLengthHdr); l >= 0 {
			mo.fields[l].forget(m, l)
			mo.fields[l].set = &size
		} else {
			mo.length = "Content-Length: " + size + "\r\n"
		}
	case 7:
		m.SetRequestURI([]byte(text))
		if m.RequestURI() != nil {
			end := mo.start[strings.LastIndexByte(mo.start, ' '):]
			mo.start = string(m.MethodName()) + " " + text + end
		}
	case 8:
		m.SetVersion()
		if mo.sound && !m.IsRequest() {
			mo.start = "SIP/2.0" + mo.start[len("SIP/2.0"):]
		} else if mo.sound {
			version := strings.LastIndexByte(mo.start, ' ') + 1
			mo.start = mo.start[:version] + strings.ToUpper(mo.start[version:])
		}
	case 9, 10, 11:
		other := sipmsg.Value{}
		if len(mo.others) > 0 {
			other = mo.others[n%len(mo.others)]
		}
		m.Replace(other, []byte(text))
		m.Remove(other)
	}
}

// applyField edits field i, which need not be there, nor be a header field.
func (mo *model) applyField(m *sipmsg.Message, op byte, i int, text string) {
	if op == 0 {
		m.SetHeader(i, []byte(text))
	} else {
		m.RemoveHeader(i)
	}
	if i < 0 || i >= len(mo.fields) || op == 0 && len(m.Header(i).Name) == 0 {
		return
	}
	mo.fields[i].forget(m, i)
	if op == 0 {
		mo.fields[i].set = &text
	} else {
		mo.fields[i].gone = true
	}
}

func (mo *model) applyValue(m *sipmsg.Message, op byte, n int, text string) {
	if len(mo.values) == 0 {
		return
	}
	v := n % len(mo.values)
	if op == 2 {
		m.Replace(mo.values[v], []byte(text))
	} else {
		m.Remove(mo.values[v])
		text = ""
	}
	mo.fields[mo.owner[v]].change(m, mo.owner[v], mo.ordinal[v], text)
}

// forget puts the field back to what was parsed.
func (f *modelField) forget(m *sipmsg.Message, i int) {
	*f = modelField{raw: f.raw, values: parsedValues(m, i)}
}

func parsedValues(m *sipmsg.Message, i int) (values []string) {
	for it := m.Values(m.Header(i).ID); it.Next(); {
		if owner(m, it.Value()) == i {
			values = append(values, string(it.Value().Bytes))
		}
	}
	return values
}

// change replaces one value, or removes it.
func (f *modelField) change(m *sipmsg.Message, i, ordinal int, text string) {
	if f.gone || f.set != nil {
		f.forget(m, i)
	}
	f.touched = true
	f.values[ordinal] = text
}

// crlf has all lines end in CRLF.
func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}

func (mo *model) check(t *testing.T, m *sipmsg.Message) {
	got := string(m.AppendTo(nil))
	if !strings.HasSuffix(mo.start, "\r\n") { // the one difference between a field of the message and AppendHeader's
		got, mo.start, mo.end, mo.body = crlf(got), crlf(mo.start), crlf(mo.end), crlf(mo.body)
		for i := range mo.fields {
			mo.fields[i].raw = crlf(mo.fields[i].raw)
		}
	}
	rest, ok := strings.CutPrefix(got, mo.start+mo.front)
	if !ok {
		t.Fatalf("the message does not begin with %q:\n%s", mo.start+mo.front, got)
	}
	for i := range mo.fields {
		line := string(m.AppendHeader(nil, i))
		if rest, ok = strings.CutPrefix(rest, line); !ok {
			t.Fatalf("field %q does not stand in its place:\n%s", line, got)
		}
		mo.fields[i].check(t, line)
	}
	if mo.length != "" {
		if !strings.Contains(rest, mo.length) {
			t.Fatalf("no %q in %q", mo.length, rest)
		}
		rest = strings.Replace(rest, mo.length, "", 1)
	}
	if rest, ok = strings.CutPrefix(rest, mo.back); !ok {
		t.Fatalf("%q is not followed by %q", rest, mo.back)
	}
	if rest != mo.end+mo.body {
		t.Fatalf("the fields are followed by %q, want %q", rest, mo.end+mo.body)
	}
}

func (f *modelField) check(t *testing.T, line string) {
	kept := slices.DeleteFunc(slices.Clone(f.values), func(v string) bool { return v == "" })
	switch {
	case f.gone || f.touched && len(kept) == 0:
		if line != "" {
			t.Fatalf("%q was not removed: %q", f.raw, line)
		}
	case f.set != nil:
		if v := strings.Trim(line[strings.IndexByte(line, ':')+1:], " \t\r\n"); v != *f.set {
			t.Fatalf("%q is %q, want %q", f.raw, v, *f.set)
		}
	case f.touched:
		var m sipmsg.Message
		m.Parse([]byte("OPTIONS sip:a SIP/2.0\r\n" + line + "\r\n")) // the rest is missing, but the field is read
		if values := parsedValues(&m, 0); m.NumHeaders() != 1 || !slices.Equal(values, kept) {
			t.Fatalf("%q has the values %q, want %q", line, values, kept)
		}
	default:
		if line != f.raw {
			t.Fatalf("%q became %q though it was not edited", f.raw, line)
		}
	}
}

func FuzzURI(f *testing.F) {
	for _, uri := range []string{
		"sip:a@b", "sips:a:b@[2001:db8::1]:5061;lr;x=y?z=1&w=2", "tel:+81;phone-context=x", "isbn:2983792873",
		"sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
		"sip:%61%6c;x=%41@h;%6C%72", "sip:h;a;b;c?d",
	} {
		f.Add([]byte(uri), []byte("sip:a@b;lr"))
	}
	f.Fuzz(func(t *testing.T, one, two []byte) {
		a, err := sipmsg.ParseURI(one)
		if err != nil {
			checkError(t, one, err)
			return
		}
		for what, s := range map[string][]byte{"scheme": a.Scheme, "user": a.User, "password": a.Password, "host": a.Host, "params": a.Params, "headers": a.Headers} {
			checkWithin(t, one, what, s)
		}
		if len(a.Scheme) == 0 || a.IsSIP() != (len(a.Host) > 0) || !a.IsSIP() && len(a.User) == 0 {
			t.Fatalf("parts are missing: %q", one)
		}
		text := uriText(&a)
		again, err := sipmsg.ParseURI(text)
		if err != nil || !reflect.DeepEqual(again, a) {
			t.Fatalf("%q written again is %q: %v", one, text, err)
		}
		if !sipmsg.EqualURI(&a, &again) {
			t.Fatalf("%q does not equal itself", one)
		}
		if b, err := sipmsg.ParseURI(two); err == nil && sipmsg.EqualURI(&a, &b) != sipmsg.EqualURI(&b, &a) {
			t.Fatalf("%q and %q: the order counts", one, two)
		}
		if n := len(sipmsg.AppendUnescaped(nil, one)); n > len(one) {
			t.Fatalf("unescaped %q is longer", one)
		}
	})
}

func uriText(u *sipmsg.URI) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s:%s", u.Scheme, u.User)
	if u.IsSIP() {
		if u.Password != nil {
			fmt.Fprintf(&b, ":%s", u.Password)
		}
		if u.User != nil {
			b.WriteByte('@')
		}
		if bytes.IndexByte(u.Host, ':') >= 0 {
			fmt.Fprintf(&b, "[%s]", u.Host)
		} else {
			b.Write(u.Host)
		}
		if u.Port != 0 {
			fmt.Fprintf(&b, ":%d", u.Port)
		}
	}
	if u.Params != nil {
		fmt.Fprintf(&b, ";%s", u.Params)
	}
	if u.Headers != nil {
		fmt.Fprintf(&b, "?%s", u.Headers)
	}
	return b.Bytes()
}

func FuzzVia(f *testing.F) {
	for _, via := range []string{
		"SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport", "SIP / 2.0\r\n / TCP [2001:db8::1] : 5060 ; received=[2001:db8::2] ;rport=9",
		"SIP/2.0/UDP h;maddr=1.2.3.4;ttl=1;x=\"a;b,c\";branch=y",
	} {
		f.Add([]byte(via))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := sipmsg.ParseVia(data)
		if err != nil {
			checkError(t, data, err)
			return
		}
		for what, s := range map[string][]byte{"transport": v.Transport, "host": v.Host, "params": v.Params, "branch": v.Branch, "received": v.Received, "maddr": v.Maddr} {
			checkWithin(t, data, what, s)
		}
		if branch, _ := sipmsg.Param(v.Params, "branch"); !bytes.Equal(branch, v.Branch) {
			t.Fatalf("branch %q, by its name %q", v.Branch, branch)
		}
		host := string(v.Host)
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		if v.Port != 0 {
			host += fmt.Sprint(":", v.Port)
		}
		text := fmt.Sprintf("SIP/2.0/%s %s", v.Transport, host)
		if v.Params != nil {
			text += ";" + string(v.Params)
		}
		again, err := sipmsg.ParseVia([]byte(text))
		if err != nil || !reflect.DeepEqual(again, v) {
			t.Fatalf("%q written again is %q: %v", data, text, err)
		}
	})
}

func FuzzNameAddr(f *testing.F) {
	for _, value := range []string{
		`sip:a@b;tag=x`, `"A, \"B\" <;>" <sip:a@b;lr?x=y>;tag=x;q="1;2"`, `A B <tel:+81>`, `< sip:a@b > ; tag = x`, `<http://h/>;expires`,
	} {
		f.Add([]byte(value))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := sipmsg.ParseNameAddr(data)
		if err != nil {
			checkError(t, data, err)
			return
		}
		for what, s := range map[string][]byte{"display name": a.Display, "URI": a.URI, "params": a.Params, "tag": a.Tag()} {
			checkWithin(t, data, what, s)
		}
		if len(a.URI) == 0 || bytes.ContainsAny(a.URI, "<> \t\r\n\"") || !a.Bracket && (a.Display != nil || bytes.ContainsAny(a.URI, ",;?")) {
			t.Fatalf("not an address: %q", data)
		}
		text := string(a.URI)
		if a.Bracket {
			text = fmt.Sprintf("%s<%s>", a.Display, a.URI)
		}
		if a.Params != nil {
			text += ";" + string(a.Params)
		}
		again, err := sipmsg.ParseNameAddr([]byte(text))
		if err != nil || !reflect.DeepEqual(again, a) {
			t.Fatalf("%q written again is %q: %v", data, text, err)
		}
	})
}
