package sipmsg

import "bytes"

// AppendTo appends the message with its edits applied. Without edits it appends Bytes.
func (m *Message) AppendTo(dst []byte) []byte {
	pos := 0
	for i := 0; i < len(m.edits); {
		e := &m.edits[i]
		if e.field < 0 {
			dst = append(dst, m.data[pos:e.start]...)
			dst = append(dst, m.arena[e.text.start:e.text.end]...)
			pos = int(e.end)
			i++
			continue
		}
		last := i + 1
		for last < len(m.edits) && m.edits[last].field == e.field {
			last++
		}
		header := int(e.field)
		dst = append(dst, m.data[pos:m.field(header).start()]...)
		dst = m.appendEdited(dst, header, m.edits[i:last])
		pos = m.fieldEnd(header)
		i = last
	}
	return append(dst, m.data[pos:]...)
}

// AppendHeader appends field i as edited, as lines of a message that ends its lines in CRLF, whatever this one does;
// nothing if it was removed.
func (m *Message) AppendHeader(dst []byte, i int) []byte {
	if !m.has(i) {
		return dst
	}
	first, last := 0, 0
	for k := range m.edits {
		if int(m.edits[k].field) == i {
			if last == 0 {
				first = k
			}
			last = k + 1
		}
	}
	from := len(dst)
	if dst = m.appendEdited(dst, i, m.edits[first:last]); m.crlf {
		return dst
	}
	lines := bytes.ReplaceAll(dst[from:], []byte("\r\n"), []byte("\n"))
	return append(dst[:from], bytes.ReplaceAll(lines, []byte("\n"), []byte("\r\n"))...)
}

// appendEdited appends field i with edits, which are all about it.
func (m *Message) appendEdited(dst []byte, i int, edits []edit) []byte {
	pos := int(m.field(i).start())
	for k := range edits {
		e := &edits[k]
		switch e.kind {
		case removeField:
			return dst
		case removeValue:
			return m.appendRemaining(dst, i, edits)
		}
	}
	for k := range edits {
		e := &edits[k]
		dst = append(dst, m.data[pos:e.start]...)
		dst = append(dst, m.arena[e.text.start:e.text.end]...)
		pos = int(e.end)
	}
	return append(dst, m.data[pos:m.fieldEnd(i)]...)
}

// appendRemaining appends the values of field i that were not removed. Each keeps the comma and
// white space in front of it, except the first, which takes the place of the first there was.
func (m *Message) appendRemaining(dst []byte, i int, edits []edit) []byte {
	begin, base, prev, wrote := m.field(i).start(), len(dst), uint16(0), false
	for it := m.fieldValues(i); it.Next(); {
		v := it.Value()
		if prev == 0 {
			prev = v.start // what stands before it is the field's name
			dst = append(dst, m.data[begin:prev]...)
		}
		text := v.Bytes
		if len(edits) > 0 && edits[0].start == v.start {
			e := edits[0]
			edits = edits[1:]
			if e.kind == removeValue {
				prev = v.end()
				continue
			}
			text = m.arena[e.text.start:e.text.end]
		}
		if wrote {
			dst = append(dst, m.data[prev:v.start]...)
		}
		dst = append(dst, text...)
		prev, wrote = v.end(), true
	}
	if !wrote {
		return dst[:base]
	}
	return append(dst, m.data[prev:m.fieldEnd(i)]...)
}
