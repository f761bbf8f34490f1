package proxy

import (
	"fmt"
	"slices"
	"strings"
)

// text is a SIP message as the phones of a test read and write it. It is simple on
// purpose and shares nothing with the parser under test.
type text struct {
	first  string // start line
	fields []field
	body   string
}

type field struct{ name, value string }

func readText(datagram []byte) *text {
	head, body, _ := strings.Cut(string(datagram), "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	m := &text{first: lines[0], body: body}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		m.add(name, strings.TrimSpace(value))
	}
	return m
}

func (m *text) add(name, value string) { m.fields = append(m.fields, field{name, value}) }

// get gives the first value of a field, or "".
func (m *text) get(name string) string {
	for _, f := range m.fields {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// all gives the values of all fields of a name, in order.
func (m *text) all(name string) (values []string) {
	for _, f := range m.fields {
		if strings.EqualFold(f.name, name) {
			values = append(values, strings.Split(f.value, ", ")...)
		}
	}
	return values
}

// set puts value into the first field of a name, or adds one; an empty value takes all out.
func (m *text) set(name, value string) {
	is := func(f field) bool { return strings.EqualFold(f.name, name) }
	i := slices.IndexFunc(m.fields, is)
	switch {
	case value == "":
		m.fields = slices.DeleteFunc(m.fields, is)
	case i < 0:
		m.add(name, value)
	default:
		m.fields[i].value = value
	}
}

func (m *text) isRequest() bool { return !strings.HasPrefix(m.first, "SIP/2.0 ") }

// method is that of the request, or of the request that was answered.
func (m *text) method() string {
	if m.isRequest() {
		return word(m.first, 0)
	}
	return word(m.get("CSeq"), 1)
}

func (m *text) uri() string    { return word(m.first, 1) }
func (m *text) status() string { return word(m.first, 1) }
func (m *text) cseq() string   { return word(m.get("CSeq"), 0) }

func (m *text) bytes() []byte {
	var b strings.Builder
	b.WriteString(m.first + "\r\n")
	length := false
	for _, f := range m.fields {
		fmt.Fprintf(&b, "%s: %s\r\n", f.name, f.value)
		length = length || strings.EqualFold(f.name, "Content-Length")
	}
	if !length {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(m.body))
	}
	b.WriteString("\r\n" + m.body)
	return []byte(b.String())
}

// word gives word i of a line, or "".
func word(line string, i int) string {
	if w := strings.Fields(line); i < len(w) {
		return w[i]
	}
	return ""
}

// tagOf gives the tag parameter of a From or To value.
func tagOf(value string) string {
	return paramAfter(value, ";tag=")
}

// uriOf gives what stands in angle brackets.
func uriOf(value string) string {
	_, rest, _ := strings.Cut(value, "<")
	uri, _, _ := strings.Cut(rest, ">")
	return uri
}

// paramOf gives a quoted parameter of a challenge.
func paramOf(value, name string) string {
	_, rest, _ := strings.Cut(value, name+`="`)
	v, _, _ := strings.Cut(rest, `"`)
	return v
}

// paramAfter gives what follows a name up to the next semicolon.
func paramAfter(value, name string) string {
	_, rest, _ := strings.Cut(value, name)
	v, _, _ := strings.Cut(rest, ";")
	return v
}
