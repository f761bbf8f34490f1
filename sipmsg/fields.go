package sipmsg

import (
	"bytes"
	"encoding/binary"
)

// readFields finds the header fields; false where a cap was met.
func (m *Message) readFields() bool {
	data, pos := m.data, int(m.head)
	for {
		pos = m.plainFields(data[:min(len(data), MaxLine)], pos) // no line of these is too long
		next, crlfs := nextField(data, pos)
		if next < 0 {
			m.headEnd, m.body = uint16(pos), uint16(len(data))
			m.fail("empty line", pos, ErrTruncated)
			return true
		}
		if n := next - pos; n == 1 || n == 2 && data[pos] == '\r' {
			m.headEnd, m.body, m.whole = uint16(pos), uint16(next), true
			if n == 1 {
				m.checkLineEnds(pos, data[pos:next])
			}
			return true
		} else if n > MaxLine {
			m.discard("header field", pos, ErrTooLong)
			return false
		}
		if m.n == MaxHeaders {
			m.discard("header fields", pos, ErrTooMany)
			return false
		}
		m.addField(pos, next, crlfs)
		pos = next
	}
}

// plainFields reads fields from pos on while they are written as nearly all are: "Name: value" and CRLF in ASCII, no
// fold, no other control character. It gives the index of the first line that is not, which is addField's. Nearly half
// the time of a parse goes by here. The end of a line is looked for before its name: the next line waits for that alone.
func (m *Message) plainFields(data []byte, pos int) int {
	n := m.n
	for n < inlineFields && pos >= 0 && pos <= len(data)-16 {
		end := control(data, pos+4) // "x: y" is the shortest of them
		if !plainEnd(data, end) {
			break
		}
		low, high := binary.LittleEndian.Uint64(data[pos:]), binary.LittleEndian.Uint64(data[pos+8:])
		s := spellings[spread(low)]
		for low&s.lowMask != s.low || high&s.highMask != s.high {
			s = s.next
		}
		f := s.field
		if f == 0 {
			if f = s.otherName(data, pos, end); f == 0 {
				break
			}
		}
		if data[pos+int(f.value())] <= ' ' {
			break
		}
		if m.first[f.id()] == 0 && end-pos <= fewBytes {
			m.first[f.id()] = uint8(n + 1)
		} else {
			m.note(f.id(), n, pos, end-pos)
		}
		m.inline[n] = f.at(pos, end)
		n++
		pos = end + len("\r\n")
	}
	m.n = n
	return pos
}

// plainEnd says that a line ends at b[end] in CRLF, without white space before it or a fold behind.
func plainEnd(b []byte, end int) bool {
	return end > 0 && end < len(b)-2 && b[end] == '\r' && b[end+1] == '\n' && b[end-1] > ' ' &&
		(b[end+2] > ' ' || b[end+2] == '\r')
}

// otherName gives the field at offset 0 whose name, and ": ", data[pos:end] begins with; 0 where it does not. s is
// what begins like it.
func (s *spelling) otherName(data []byte, pos, end int) field {
	line := data[pos:end]
	if size := int(s.long.value()); size > 0 && size < len(line) && string(line[:size]) == s.text {
		return s.long
	}
	size := run(tokenChar, line, 0)
	if size == 0 || size > MaxName || size+2 >= len(line) || line[size] != ':' || line[size+1] != ' ' {
		return 0
	}
	return newField(0, size+2, 0, size, lookup(line[:size]))
}

// note remembers that field i, of size bytes from pos on, has an ID, and refuses a second one where there may be
// one only. A value and its comma take two bytes: a list that is one field of few bytes is within the caps.
func (m *Message) note(id ID, i, pos, size int) {
	again := m.first[id] != 0
	if !again {
		m.first[id] = uint8(i + 1)
	} else if fields[id].flags&single != 0 {
		m.fail(fields[id].name, pos, ErrRepeated)
	}
	if (again || size > fewBytes) && fields[id].flags&list != 0 {
		m.crowded = true
	}
}

const fewBytes = 2 * min(MaxVia, MaxValues)

// nextField gives the index after the line of b that begins at i, with the folds that continue it, and how
// many of these lines end in CRLF; -1 where b ends before. An empty line is not continued.
func nextField(b []byte, i int) (next int, crlfs uint16) {
	for {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return -1, 0
		}
		i += n + 1
		if n > 0 && b[i-2] == '\r' {
			crlfs++
			n--
		}
		if i == len(b) || b[i] != ' ' && b[i] != '\t' || n == 0 {
			return i, crlfs
		}
	}
}

// addField notes the field of data[start:next]. A line that is none is kept too, without a name,
// so that each field ends where the next begins.
func (m *Message) addField(start, next int, crlfs uint16) {
	line := m.data[start:next]
	if bytes.Count(line, []byte{'\r'}) != int(crlfs) || m.crlf && bytes.Count(line, []byte{'\n'}) != int(crlfs) {
		m.checkLineEnds(start, line)
	}
	colon := 0
	for colon < len(line)-1 && line[colon] != ':' {
		colon++
	}
	name := colon
	for name > 0 && (line[name-1] == ' ' || line[name-1] == '\t') {
		name--
	}
	id := Other
	switch {
	case name == 0 || line[colon] != ':':
		m.fail("header field name", start, ErrMalformed)
		name = 0
	case name > MaxName:
		m.fail("header field name", start, ErrTooLong)
		name = 0
	default:
		if id = lookup(line[:name]); id == Other && !all(tokenChar, line[:name]) {
			m.fail("header field name", start, ErrMalformed)
			name = 0
		}
	}
	m.note(id, m.n, start, len(line))
	value, end := trimLWS(line, colon+1, len(line))
	f := newField(start, start+value, start+end, name, id)
	if m.n < inlineFields {
		m.inline[m.n] = f
	} else {
		m.more = append(m.more, f)
	}
	m.n++
}
