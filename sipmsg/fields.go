package sipmsg

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// readFields finds the header fields; false where a cap was met.
func (m *Message) readFields() bool {
	data, pos := m.data, int(m.head)
	for {
		pos = m.plainFields(pos)
		next, crlfs := nextField(data, pos)
		if next < 0 {
			m.headEnd, m.body = uint16(pos), uint16(len(data))
			m.fail("empty line", pos, ErrTruncated)
			return true
		}
		m.crlfs += crlfs
		if n := next - pos; n == 1 || n == 2 && data[pos] == '\r' {
			m.headEnd, m.body = uint16(pos), uint16(next)
			return true
		} else if n > MaxLine {
			m.discard("header field", pos, ErrTooLong)
			return false
		}
		if m.n == MaxHeaders {
			m.discard("header fields", pos, ErrTooMany)
			return false
		}
		m.addField(pos, next)
		pos = next
	}
}

// plainFields reads fields from pos on while they are written as nearly all are: "Name: value" and CRLF,
// no fold, a name of at most 15 letters. It gives the index of the first line that is not, which
// is addField's. Half the time of a parse goes by here.
func (m *Message) plainFields(pos int) int {
	n, rest := m.n, m.data[pos:]
	for n < inlineFields && len(rest) >= 24 {
		end := bytes.IndexByte(rest, '\n') - 1
		if end < 4 || end >= len(rest)-2 || end >= MaxLine-1 ||
			rest[end-1] <= ' ' || rest[end] != '\r' || rest[end+2] == ' ' || rest[end+2] == '\t' {
			break
		}
		// Two words of memory hold the name, and tell which it is if it is spelt as registered.
		low, high := binary.LittleEndian.Uint64(rest), binary.LittleEndian.Uint64(rest[8:])
		colon := uint(0)
		if mark := zeros(low ^ ':'*ones); mark != 0 {
			colon = uint(bits.TrailingZeros64(mark)) / 8 % 8
			low, high = low&((mark^(mark-1))>>8), 0
		} else if mark = zeros(high ^ ':'*ones); mark != 0 {
			colon = 8 + uint(bits.TrailingZeros64(mark))/8%8
			high &= (mark ^ (mark - 1)) >> 8
		}
		id := shapes[colon][low&31]
		for id != Other && (words[id][0] != low || words[id][1] != high) {
			id = alike[id]
		}
		if id == Other {
			if id = lookup(rest[:colon]); id == Other && !all(tokenChar, rest[:colon]) {
				break
			}
		}
		if rest[colon+1] != ' ' || rest[colon+2] <= ' ' {
			break
		}
		if m.note(id, n) {
			m.fail(fields[id].name, pos, ErrRepeated)
		}
		f := &m.inline[n]
		f.start, f.value, f.end = uint16(pos), uint16(pos+int(colon)+2), uint16(pos+end)
		f.nameLen, f.id = uint8(colon), id
		n++
		pos += end + 2
		rest = rest[end+2:]
	}
	m.crlfs += uint16(n - m.n)
	m.n = n
	return pos
}

// note remembers that field i has an ID, and says whether it is a second one where there may be one only.
func (m *Message) note(id ID, i int) (again bool) {
	if m.first[id] == 0 {
		m.first[id] = uint8(i + 1)
		return false
	}
	return fields[id].flags&single != 0
}

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
func (m *Message) addField(start, next int) {
	line := m.data[start:next]
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
	if m.note(id, m.n) {
		m.fail(fields[id].name, start, ErrRepeated)
	}
	if m.n >= inlineFields {
		m.more = append(m.more, field{})
	}
	f := m.field(m.n)
	m.n++
	value, end := trimLWS(line, colon+1, len(line))
	f.start, f.value, f.end = uint16(start), uint16(start+value), uint16(start+end)
	f.nameLen, f.id = uint8(name), id
}
