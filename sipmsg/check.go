package sipmsg

import "bytes"

// checkLists refuses more values than the caps allow.
func (m *Message) checkLists() {
	// Each value but the first of a field costs a comma: nearly all messages pass here.
	if !m.crowded || bytes.Count(m.data[:m.body], []byte{','})+m.n <= min(MaxVia, MaxValues) {
		return
	}
	for id := Other + 1; id < numIDs; id++ {
		limit := MaxValues
		if id == ViaHdr {
			limit = MaxVia
		}
		count := 0
		for it := m.Values(id); it.Next(); {
			if count++; count > limit {
				m.fail(fields[id].name, it.start, ErrTooMany)
				break
			}
		}
	}
}

// checkLineEnds refuses, among the lines from start on, what some readers take for a line end and others do not: a CR
// without LF, and a bare LF where the start line ends in CRLF. Who looks for CRLF alone would not end the head there.
func (m *Message) checkLineEnds(start int, lines []byte) {
	for i, c := range lines {
		if c == '\r' && (i+1 == len(lines) || lines[i+1] != '\n') ||
			c == '\n' && m.crlf && (i == 0 || lines[i-1] != '\r') {
			m.fail("line end", start+i, ErrMalformed)
			return
		}
	}
}

func (m *Message) checkMandatory() {
	for id := ViaHdr; id <= CSeqHdr; id++ {
		if m.first[id] == 0 {
			m.fail(fields[id].name, int(m.headEnd), ErrMissing)
		}
	}
}

// CanReply says, of a message that Parse refused, that a response can be made of it by AppendResponse
// (400, 505 ...): it is a request whose sender finds it again, by Via and CSeq. Where From, To or
// Call-ID is missing the response lacks it too; RFC 4475 3.3.1 wants a 400 all the same. An ACK
// is never answered; that is the caller's to see to.
func (m *Message) CanReply() bool {
	return m.request && m.via.Host != nil && m.first[CSeqHdr] != 0
}

// readVia reads the topmost Via value.
func (m *Message) readVia() {
	i := m.Index(ViaHdr)
	if i < 0 {
		return
	}
	f := m.field(i)
	m.topVia, m.viaField = span{f.value(), f.end()}, uint8(i)
	if _, err := m.via.parse(m.data[f.value():f.end()]); err == nil {
		return // no comma parts values in it
	}
	m.topVia, m.via = span{}, Via{}
	it := m.Values(ViaHdr)
	if !it.Next() {
		m.fail("Via", int(f.value()), ErrMalformed)
		return
	}
	m.topVia, m.viaField = span{uint16(it.start), uint16(it.end)}, uint8(it.header)
	if offset, err := m.via.parse(m.data[it.start:it.end]); err != nil {
		m.fail("Via", it.start+offset, err)
	}
}

// readAddress reads From or To.
func (m *Message) readAddress(id ID, a *NameAddr) bool {
	i := m.Index(id)
	if i < 0 {
		return false
	}
	f := m.field(i)
	if offset, err := a.parse(m.data[f.value():f.end()]); err != nil {
		*a = NameAddr{}
		m.fail(fields[id].name, int(f.value())+offset, err)
		return false
	}
	return true
}

// readCallID: Call-ID is one or two words, without white space.
func (m *Message) readCallID() {
	i := m.Index(CallIDHdr)
	if i < 0 {
		return
	}
	f := m.field(i)
	value := m.data[f.value():f.end()]
	if n := printable(value); n < len(value) || n == 0 {
		m.fail("Call-ID", int(f.value())+n, ErrMalformed)
	}
}

// readCSeq: "The sequence number value MUST be expressible as a 32-bit unsigned integer and MUST be less
// than 2**31", "The method MUST match that of the request" (RFC 3261 8.1.1.5). A response has its
// method from here.
func (m *Message) readCSeq() {
	i := m.Index(CSeqHdr)
	if i < 0 {
		return
	}
	f := m.field(i)
	value := m.data[f.value():f.end()]
	n, digits, ok := numberAt(value, 0, 1<<31-1)
	start := skipLWS(value, digits)
	name := value[start:]
	same := m.request && string(name) == string(m.MethodName())
	if !ok || start == digits || len(name) == 0 || !same && !all(tokenChar, name) {
		m.fail("CSeq", int(f.value()), ErrMalformed)
		return
	}
	m.cseq = uint32(n)
	if !m.request {
		m.methodName = span{f.value() + uint16(start), f.end()}
		m.method = methodOf(name)
	} else if !same {
		m.fail("CSeq", int(f.value())+start, ErrMethod)
	}
}

// readMaxForwards: "an integer in the range 0-255" (RFC 3261 20.22).
func (m *Message) readMaxForwards() {
	i := m.Index(MaxForwardsHdr)
	if i < 0 {
		return
	}
	f := m.field(i)
	n, ok := number(m.data[f.value():f.end()], 255)
	if !ok {
		m.fail("Max-Forwards", int(f.value()), ErrMalformed)
		return
	}
	m.maxForwards = int16(n)
}

// readBody cuts the datagram after the body: "If there are additional bytes in the transport packet beyond
// the end of the body, they MUST be discarded." Too few are an error, and without the field
// the body is the rest of the datagram (RFC 3261 18.3).
func (m *Message) readBody() {
	i := m.Index(ContentLengthHdr)
	if i < 0 {
		return
	}
	f := m.field(i)
	value := m.data[f.value():f.end()]
	n, ok := number(value, uint64(len(m.data)-int(m.body)))
	switch {
	case ok:
		m.data = m.data[:int(m.body)+int(n)]
	case all(digitChar, value):
		m.fail("body", len(m.data), ErrTruncated)
	default:
		m.fail("Content-Length", int(f.value()), ErrMalformed)
	}
}
