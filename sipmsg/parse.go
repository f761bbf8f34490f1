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
	m.parses++
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
	m.data, m.err, m.n, m.crowded, m.whole, m.crlf = data, nil, 0, false, false, false
	m.method, m.request, m.toOK, m.status = UnknownMethod, false, false, 0
	m.methodName, m.uri, m.reason, m.topVia = span{}, span{}, span{}, span{}
	m.viaField = 0
	m.head, m.headEnd, m.body, m.cseq, m.maxForwards = 0, 0, 0, 0, -1
	m.target = URI{}
	m.via = Via{}
	m.from = NameAddr{}
	m.to = NameAddr{}
	m.first = [maxIDs]uint8{}
	m.more = m.more[:0]
	m.ResetEdits()
	if cap(m.arena) > maxArena {
		m.arena = nil
	}
}

// fail notes the first thing that could not be read. It is kept out of its callers, which stay small.
//
//go:noinline
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
	m.checkLists()
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
		m.crlf = true
	}
	if end > MaxLine {
		m.discard("start line", MaxLine, ErrTooLong)
		return false
	}
	line := m.data[:end]
	switch {
	case hasSIP(line):
		m.statusLine(line)
	case bytes.HasSuffix(line, []byte(" SIP/2.0")):
		m.requestLine(line, end-len(" SIP/2.0"))
	case hasSIP(lastWord(line)):
		m.requestLine(line, bytes.LastIndexByte(line, ' '))
	default:
		m.discard("start line", 0, ErrNotSIP)
		return false
	}
	m.head = uint16(next)
	return true
}

// lastWord is what stands behind the last space, white space at the end of the line aside.
func lastWord(line []byte) []byte {
	_, end := trimLWS(line, 0, len(line))
	return line[bytes.LastIndexByte(line[:end], ' ')+1:]
}

// hasSIP tells what begins like a SIP-Version.
func hasSIP(b []byte) bool { return len(b) >= 4 && equalFold(b[:4], "SIP/") }

// requestLine reads Method SP Request-URI SP SIP-Version, parted by single spaces: "No linear whitespace
// (LWS) is allowed in any of the elements" (RFC 3261 7.1). last is the last space.
func (m *Message) requestLine(line []byte, last int) {
	m.request = true
	method := bytes.IndexByte(line, ' ')
	m.method = methodOf(line[:max(method, 0)])
	if m.method == UnknownMethod {
		method = run(tokenChar, line, 0)
	}
	m.methodName = span{0, uint16(method)}
	if method == 0 || method == len(line) || line[method] != ' ' {
		m.fail("method", method, ErrMalformed)
		return
	}
	if last == method || last+1 == len(line) {
		m.fail("request line", last, ErrMalformed)
		return
	}
	m.uri = span{uint16(method + 1), uint16(last)}
	if version := line[last+1:]; !equalFold(version, "SIP/2.0") {
		m.fail("SIP version", last+1, ErrVersion)
		return
	}
	if offset, err := m.target.parse(line[method+1 : last]); err != nil {
		m.target = URI{}
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
		m.checkLineEnds(12, line[12:])
	}
}
