package location

import (
	"net/netip"
	"slices"
	"strings"
	"unique"
)

// The parts of a binding's text, one behind the other: ends has where each of them ends. The address it
// registered from follows, in binary. Instance is mostly a piece of Params; where it is not,
// it lies behind them.
const (
	aorPart = iota
	contactPart
	paramsPart
	callPart
	pathPart // the values, a line each
	numParts
)

// AOR is the address of record, as Update.AOR gave it.
func (b *Binding) AOR() string { return b.text[:b.ends[aorPart]] }

// Contact is the URI as the phone wrote it, without <>.
func (b *Binding) Contact() string { return b.text[b.ends[aorPart]:b.ends[contactPart]] }

// Params are the header parameters of the Contact as written, without expires: "q=0.5;+sip.instance=...".
func (b *Binding) Params() string { return b.text[b.ends[contactPart]:b.ends[paramsPart]] }

// Instance is the value of +sip.instance, or "".
func (b *Binding) Instance() string { return b.text[b.instance[0]:b.instance[1]] }

// CallID is that of the last REGISTER.
func (b *Binding) CallID() string {
	return b.text[max(b.ends[paramsPart], b.instance[1]):b.ends[callPart]]
}

// Path has the Path values as written, top first.
func (b *Binding) Path() []string {
	lines := b.text[b.ends[callPart]:b.ends[pathPart]]
	if lines == "" {
		return nil
	}
	return strings.Split(lines[1:], "\n")
}

// UserAgent is that of the last REGISTER.
func (b *Binding) UserAgent() string { return b.agent.Value() }

// Source is where the last REGISTER came from.
func (b *Binding) Source() (from netip.AddrPort) {
	_ = from.UnmarshalBinary([]byte(b.text[b.ends[pathPart]:])) // we have written it
	return from
}

// Local is our address that the last REGISTER came to.
func (b *Binding) Local() netip.AddrPort { return b.local.Value() }

const (
	maxText  = 2048 // bytes of text that one binding keeps
	maxAgent = 128  // of them of User-Agent; a longer one is cut
)

func textSize(u *Update, c *Contact) int {
	n := len(u.AOR) + len(u.CallID) + len(c.URI) + len(c.Params) + len(c.Instance)
	for _, p := range u.Path {
		n += 1 + len(p)
	}
	return n
}

// setTexts copies what u and its Contact c say, where any of it has changed. User agents and our own addresses
// are shared: there are few of them.
func (b *Binding) setTexts(u *Update, c *Contact) {
	fresh := b.text == ""
	if agent := u.UserAgent[:min(len(u.UserAgent), maxAgent)]; fresh || b.UserAgent() != agent {
		b.agent = unique.Make(agent)
	}
	if fresh || b.Local() != u.Local {
		b.local = unique.Make(u.Local)
	}
	if !fresh && b.Source() == u.Source && b.Contact() == c.URI && b.Params() == c.Params && b.Instance() == c.Instance &&
		b.CallID() == u.CallID && slices.Equal(b.Path(), u.Path) {
		return
	}
	var scratch [32]byte
	source, _ := u.Source.AppendBinary(scratch[:0])
	inParams := strings.Index(c.Params, c.Instance)
	size := textSize(u, c) + len(source)
	if inParams >= 0 {
		size -= len(c.Instance)
	}
	var text strings.Builder
	text.Grow(size)
	put := func(part int, s string) {
		text.WriteString(s)
		b.ends[part] = uint16(text.Len())
	}
	put(aorPart, u.AOR)
	put(contactPart, c.URI)
	start := text.Len() + inParams
	put(paramsPart, c.Params)
	if inParams < 0 {
		start = text.Len()
		text.WriteString(c.Instance)
	}
	b.instance = [2]uint16{uint16(start), uint16(start + len(c.Instance))}
	put(callPart, u.CallID)
	for _, p := range u.Path {
		text.WriteByte('\n')
		text.WriteString(p)
	}
	put(pathPart, "")
	text.Write(source)
	b.text = text.String()
}
