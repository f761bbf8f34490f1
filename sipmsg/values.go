package sipmsg

import "bytes"

// Value is one element of a comma-separated header field (or a whole field where
// commas do not separate values), to read and to name in an edit.
type Value struct {
	Bytes         []byte
	header        int16
	start, parses uint16 // of Bytes in the datagram; of the Message, when it was read
}

func (m *Message) value(header, start, end int) Value {
	return Value{Bytes: m.data[start:end], header: int16(header), start: uint16(start), parses: m.parses}
}

func (v *Value) end() uint16 { return v.start + uint16(len(v.Bytes)) }

// ValueIter goes through the values of a field:
//
//	for it := m.Values(sipmsg.RouteHdr); it.Next(); {
//		v := it.Value()
//	}
//
// It reads the message as it came; edits do not change what it gives. Once the Message is parsed again it is at its end.
type ValueIter struct {
	m          *Message
	id         ID
	one        bool
	parses     uint16 // of m
	header     int    // the field being read
	next, last int    // where the next value may begin; the end of the field
	start, end int    // the value that Next moved to
}

// Values goes through all values of all fields with id, in order. Empty ones are passed over.
func (m *Message) Values(id ID) ValueIter {
	it := ValueIter{m: m, id: id, parses: m.parses, header: m.n}
	if i := m.Index(id); i >= 0 && id != Other {
		it.enter(i)
	}
	return it
}

// fieldValues goes through the values of one field only.
func (m *Message) fieldValues(i int) ValueIter {
	it := ValueIter{m: m, id: m.field(i).id(), one: true, parses: m.parses}
	it.enter(i)
	return it
}

func (it *ValueIter) enter(i int) {
	f := it.m.field(i)
	it.header, it.next, it.last = i, int(f.value()), int(f.end())
}

// Next moves to the next value; false when there is none.
func (it *ValueIter) Next() bool {
	for it.m != nil && it.parses == it.m.parses && it.header < it.m.n {
		for it.next < it.last {
			start, end := it.next, it.last
			if fields[it.id].flags&list != 0 {
				start = skipEmpty(it.m.data, start, end)
				end = start + valueEnd(it.m.data[start:end])
			}
			it.next = end + 1
			if start, end = trimLWS(it.m.data, start, end); start < end {
				it.start, it.end = start, end
				return true
			}
		}
		if it.one {
			return false
		}
		i := it.header + 1
		for i < it.m.n && it.m.field(i).id() != it.id {
			i++
		}
		if it.header = i; i < it.m.n {
			it.enter(i)
		}
	}
	return false
}

// Value is the value that Next moved to.
func (it *ValueIter) Value() Value {
	if it.m == nil || it.parses != it.m.parses {
		return Value{}
	}
	return it.m.value(it.header, it.start, it.end)
}

// skipEmpty passes over empty values, which nobody counts: there may be 8,000 of them in one field.
func skipEmpty(b []byte, start, end int) int {
	for start < end && (b[start] == ',' || isLWS(b[start])) {
		start++
	}
	return start
}

// valueEnd gives the index of the first comma of b that is neither in a quoted string nor in
// angle brackets, or len(b).
func valueEnd(b []byte) int {
	i := bytes.IndexByte(b, ',')
	if i < 0 {
		return len(b)
	}
	if bytes.IndexByte(b[:i], '"') < 0 && bytes.IndexByte(b[:i], '<') < 0 {
		return i
	}
	for i = 0; i < len(b); i++ {
		switch b[i] {
		case ',':
			return i
		case '"':
			if i = quotedEnd(b, i) - 1; i < 0 {
				return len(b)
			}
		case '<':
			n := bytes.IndexByte(b[i:], '>')
			if n < 0 {
				return len(b)
			}
			i += n
		}
	}
	return len(b)
}
