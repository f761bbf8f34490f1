package sipmsg

import "bytes"

// Parse reads a datagram. m keeps data and its slices point into it. After an error the
// Message holds what could be read, enough for AppendResponse where CanReply says so; a
// start line or header section that could not be read to its end leaves nothing to reply to.
func (m *Message) Parse(data []byte) error {
	skip := 0
	// RFC 3261 7.5: "Implementations processing SIP messages over stream-oriented transports MUST ignore
	// any CRLF appearing before the start-line"; harmless in datagrams too.
	for skip < len(data) && (data[skip] == '\r' || data[skip] == '\n') {
		skip++
	}
	m.reset(data[skip:])
	m.parse()
	if m.err != nil {
		m.err.Offset += skip
		return m.err
	}
	return nil
}

// maxArena is how much room for edits a Message keeps from one parse to the next.
const maxArena = 16 << 10

func (m *Message) reset(data []byte) {
	m.data, m.err, m.n = data, nil, 0
	m.method, m.request, m.toOK, m.status = UnknownMethod, false, false, 0
	m.methodName, m.uri, m.reason, m.topVia = span{}, span{}, span{}, span{}
	m.head, m.headEnd, m.body, m.crlfs, m.cseq, m.maxForwards = 0, 0, 0, 0, 0, -1
	m.via, m.from, m.to = Via{}, NameAddr{}, NameAddr{}
	m.first = [numIDs]uint8{}
	m.more = m.more[:0]
	m.ResetEdits()
	if cap(m.arena) > maxArena {
		m.arena = nil
	}
}

// fail notes the first thing that could not be read.
func (m *Message) fail(field string, offset int, err error) {
	if m.err == nil {
		m.err = &ParseError{Field: field, Offset: offset, Err: err}
	}
}

// discard empties a message of which not even the frame could be read; Bytes still gives it.
func (m *Message) discard(field string, offset int, err error) {
	m.fail(field, offset, err)
	failed, data := m.err, m.data
	m.reset(nil)
	m.err, m.data = failed, data
}

func (m *Message) parse() {
	if len(m.data) > MaxDatagram {
		m.discard("datagram", MaxDatagram, ErrTooLong)
		return
	}
	if !m.startLine() || !m.readFields() {
		return
	}
	m.checkHead()
	m.checkMandatory()
	m.readVia()
	m.readAddress(FromHdr, &m.from)
	m.toOK = m.readAddress(ToHdr, &m.to)
	m.readCallID()
	m.readCSeq()
	m.readMaxForwards()
	m.readBody()
}

// startLine reads the first line; false where there is nothing to go on with.
func (m *Message) startLine() bool {
	next := bytes.IndexByte(m.data, '\n') + 1
	end := next - 1
	if next == 0 {
		next, end = len(m.data), len(m.data)
	} else if end > 0 && m.data[end-1] == '\r' {
		end--
		m.crlfs++
	}
	if end > MaxLine {
		m.discard("start line", MaxLine, ErrTooLong)
		return false
	}
	line := m.data[:end]
	last := end
	for last > 0 && isLWS(line[last-1]) {
		last--
	}
	switch last = bytes.LastIndexByte(line[:last], ' ') + 1; {
	case hasSIP(line):
		m.statusLine(line)
	case hasSIP(line[last:]):
		m.requestLine(line)
	default:
		m.discard("start line", 0, ErrNotSIP)
		return false
	}
	m.head = uint16(next)
	return true
}

// hasSIP tells what begins like a SIP-Version.
func hasSIP(b []byte) bool { return len(b) >= 4 && equalFold(b[:4], "SIP/") }

// requestLine reads Method SP Request-URI SP SIP-Version, parted by single spaces: "No linear whitespace
// (LWS) is allowed in any of the elements" (RFC 3261 7.1).
func (m *Message) requestLine(line []byte) {
	m.request = true
	method := run(tokenChar, line, 0)
	m.methodName = span{0, uint16(method)}
	m.method = methodOf(line[:method])
	if method == 0 || method == len(line) || line[method] != ' ' {
		m.fail("method", method, ErrMalformed)
		return
	}
	last := bytes.LastIndexByte(line, ' ')
	if last == method || last+1 == len(line) {
		m.fail("request line", last, ErrMalformed)
		return
	}
	m.uri = span{uint16(method + 1), uint16(last)}
	if version := line[last+1:]; !equalFold(version, "SIP/2.0") {
		m.fail("SIP version", last+1, ErrVersion)
		return
	}
	var u URI
	if offset, err := u.parse(line[method+1 : last]); err != nil {
		m.fail("Request-URI", method+1+offset, err)
	}
}

// statusLine reads SIP-Version SP Status-Code SP Reason-Phrase. A missing second space is let through
// where no phrase follows.
func (m *Message) statusLine(line []byte) {
	if len(line) < 8 || !equalFold(line[:8], "SIP/2.0 ") {
		m.fail("SIP version", 0, ErrVersion)
		return
	}
	code := line[8:min(len(line), 11)]
	n, ok := number(code, 699)
	if !ok || n < 100 || len(line) > 11 && line[11] != ' ' {
		m.fail("status code", 8, ErrMalformed)
		return
	}
	m.status = uint16(n)
	if len(line) > 12 {
		m.reason = span{12, uint16(len(line))}
	}
}

// readFields finds the header fields; false where a cap was met.
func (m *Message) readFields() bool {
	data, pos := m.data, int(m.head)
	for {
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
		if id = lookup(m.data[start:], name); id == Other && !all(tokenChar, line[:name]) {
			m.fail("header field name", start, ErrMalformed)
			name = 0
		}
	}
	if m.first[id] == 0 {
		m.first[id] = uint8(m.n + 1)
	} else if fields[id].flags&single != 0 {
		m.fail(fields[id].name, start, ErrRepeated)
	}
	if m.n >= inlineFields {
		m.more = append(m.more, field{})
	}
	f := m.field(m.n)
	m.n++
	value, end := colon+1, len(line)
	// Nearly all fields are "Name: value" and CRLF.
	if value+3 < end && line[value] == ' ' && line[value+1] > ' ' && line[end-2] == '\r' && line[end-3] > ' ' {
		value, end = value+1, end-2
	} else {
		value, end = trimLWS(line, value, end)
	}
	f.start, f.value, f.end = uint16(start), uint16(start+value), uint16(start+end)
	f.nameLen, f.id = uint8(name), id
}
