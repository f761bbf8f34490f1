package sipmsg

import (
	"slices"
	"strconv"
)

// editKind says what an edit does with its bytes of the datagram.
type editKind uint8

const (
	insert      editKind = iota // text goes in at start; start == end
	replace                     // text stands in for the bytes
	removeValue                 // the bytes are a value that goes, with its comma
	removeField                 // the bytes are a whole field that goes
)

// What an edit is about if not a header field.
const (
	elsewhere  = -1 - iota // start line, new fields
	bodyLength             // the body, or a Content-Length field that was missing
)

// edit is one change, of four parts, which the compiler keeps in registers. Those of a Message are sorted by start and
// none overlap.
type edit struct {
	span  // of the datagram
	kind  editKind
	field int16                       // of a header field: its index
	text  struct{ start, end uint32 } // of the arena
}

// Edits. Each names what it changes; nothing else of the message changes. They take effect in AppendTo and
// AppendHeader and are gone with ResetEdits or Parse; what a Message gives to read stays as
// parsed. Bytes given are copied, as they are: the caller keeps line ends out of them. Where
// two edits touch the same bytes, the last one wins.
//
// A message that Parse refused can be edited too, as far as it was read: what there is not is not edited, and
// without an empty line there is no place for new fields or a body.

// SetRequestURI replaces the Request-URI of a request.
func (m *Message) SetRequestURI(uri []byte) {
	if m.uri.end > 0 {
		m.put(edit{span: span{m.uri.start, m.uri.end}, kind: replace, field: elsewhere}, uri)
	}
}

// SetVersion writes the SIP-Version in capitals: it is read in any case, "but implementations MUST send
// upper-case" (RFC 3261 7.1).
func (m *Message) SetVersion() {
	if !m.whole || m.err != nil {
		return
	}
	const version = "SIP/2.0"
	start := uint16(0)
	if m.request {
		start = m.uri.end + uint16(len(" "))
	}
	at := span{start, start + uint16(len(version))}
	if string(m.bytes(at)) != version {
		m.put(edit{span: at, kind: replace, field: elsewhere}, []byte(version))
	}
}

// SetHeader replaces the whole value of header field i. A line that is no header field has none.
func (m *Message) SetHeader(i int, value []byte) {
	if !m.has(i) {
		return
	}
	if f := m.field(i); f.nameLen() > 0 {
		m.put(edit{span: span{f.value(), f.end()}, kind: replace, field: int16(i)}, value)
	}
}

// RemoveHeader removes header field i.
func (m *Message) RemoveHeader(i int) {
	if m.has(i) {
		m.put(edit{span: span{m.field(i).start(), uint16(m.fieldEnd(i))}, kind: removeField, field: int16(i)}, nil)
	}
}

// Replace puts b in the place of a value that this message gave. A Value of another message or of an earlier Parse, or the
// zero Value, does nothing.
func (m *Message) Replace(v Value, b []byte) {
	if m.holds(v) {
		m.put(edit{span: span{v.start, v.end()}, kind: replace, field: v.header}, b)
	}
}

// Remove takes a value out, with its comma; the last value of a field takes the field along.
func (m *Message) Remove(v Value) {
	if m.holds(v) {
		m.put(edit{span: span{v.start, v.end()}, kind: removeValue, field: v.header}, nil)
	}
}

func (m *Message) holds(v Value) bool {
	if len(v.Bytes) == 0 || v.parses != m.parses || !m.has(int(v.header)) {
		return false
	}
	f := m.field(int(v.header))
	return f.value() <= v.start && int(v.start)+len(v.Bytes) <= int(f.end()) && &v.Bytes[0] == &m.data[v.start]
}

// Prepend puts a new field in front of all others; the last one prepended stands on top.
func (m *Message) Prepend(name string, value []byte) {
	if !m.whole {
		return
	}
	m.makeRoom()
	at := edit{span: span{m.head, m.head}, field: elsewhere}
	i := 0
	for i < len(m.edits) && m.edits[i].start < m.head {
		i++
	}
	m.insert(i, m.fieldText(at, name, value))
}

// Append puts a new field after all others, in the order of the calls.
func (m *Message) Append(name string, value []byte) {
	m.appendField(elsewhere, name, value)
}

func (m *Message) appendField(about int16, name string, value []byte) {
	if !m.whole {
		return
	}
	m.makeRoom()
	at := edit{span: span{m.headEnd, m.headEnd}, field: about}
	m.insert(m.after(m.headEnd), m.fieldText(at, name, value))
}

// fieldText writes a new field to the arena, for an edit that inserts it.
func (m *Message) fieldText(e edit, name string, value []byte) edit {
	e.text.start = uint32(len(m.arena))
	m.arena = append(append(append(append(m.arena, name...), ": "...), value...), "\r\n"...)
	e.text.end = uint32(len(m.arena))
	return e
}

// SetBody replaces the body; Content-Length follows, and is added where it was missing. A nil body leaves none.
func (m *Message) SetBody(body []byte) {
	if !m.whole {
		return
	}
	m.edits = slices.DeleteFunc(m.edits, func(e edit) bool { return e.field == bodyLength })
	var digits [20]byte
	length := strconv.AppendInt(digits[:0], int64(len(body)), 10)
	if i := m.Index(ContentLengthHdr); i >= 0 {
		m.SetHeader(i, length)
	} else {
		m.appendField(bodyLength, fields[ContentLengthHdr].name, length)
	}
	m.put(edit{span: span{m.body, uint16(len(m.data))}, kind: replace, field: bodyLength}, body)
}

// ResetEdits forgets all edits.
func (m *Message) ResetEdits() {
	m.edits, m.arena = m.edits[:0], m.arena[:0]
}

// makeRoom makes room for what a proxy changes of one message, its SDP included, so that the first edits of
// a Message do not let its storage grow one by one.
func (m *Message) makeRoom() {
	if m.edits == nil {
		usual := new(struct {
			edits [12]edit
			arena [832]byte // so that all is 1 KB
		})
		m.edits, m.arena = usual.edits[:0], usual.arena[:0]
	}
}

// put adds an edit of bytes that are there, and drops those that it overrules.
func (m *Message) put(e edit, text []byte) {
	m.makeRoom()
	m.edits = slices.DeleteFunc(m.edits, func(old edit) bool {
		overlap := old.start < e.end && e.start < old.end // where a new field goes in, nothing that can be edited goes across
		return overlap || old.start == e.start && old.end == e.end
	})
	e.text.start = uint32(len(m.arena))
	m.arena = append(m.arena, text...)
	e.text.end = uint32(len(m.arena))
	m.insert(m.after(e.start), e)
}

// insert puts an edit at index i of all.
func (m *Message) insert(i int, e edit) {
	m.edits = append(m.edits, edit{})
	copy(m.edits[i+1:], m.edits[i:])
	m.edits[i] = e
}

// after gives the index behind the edits that begin at an offset or before.
func (m *Message) after(start uint16) int {
	i := len(m.edits)
	for i > 0 && m.edits[i-1].start > start {
		i--
	}
	return i
}
