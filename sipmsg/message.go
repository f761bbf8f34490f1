package sipmsg

// field is one header field of the datagram; it ends where the next begins. It is a word of memory, so that it is
// written at once: 16 bits each for where the name begins, and where the value, without white space at its ends,
// begins and ends; 10 bits for the length of the name, 0 for a line that is no header field; 6 bits for the ID.
type field uint64

func newField(start, value, end, nameLen int, id ID) field {
	return field(start) | field(value)<<16 | field(end)<<32 | field(nameLen)<<48 | field(id)<<58
}

func (f field) start() uint16   { return uint16(f) }
func (f field) value() uint16   { return uint16(f >> 16) }
func (f field) end() uint16     { return uint16(f >> 32) }
func (f field) nameLen() uint16 { return uint16(f >> 48 & 0x3ff) }
func (f field) id() ID          { return ID(f >> 58) }

// at moves a field from offset 0, where it had no end, to start.
func (f field) at(start, end int) field { return f + field(start)*(1|1<<16) + field(end)<<32 }

// inlineFields is how many header fields a Message holds without allocating.
const inlineFields = 24

// span is a piece of the datagram.
type span struct{ start, end uint16 }

// Message is one parsed SIP message over the datagram it came in. The zero value is ready; Parse may
// be called again and again on one Message, reusing its storage. It must not be copied once it holds edits.
type Message struct {
	data []byte // the datagram from the start line on, cut after the body
	err  *ParseError

	method                  Method
	request                 bool
	toOK                    bool  // To was read
	crowded                 bool  // some list has room for more values than the caps allow
	whole                   bool  // the head ends in an empty line
	crlf                    bool  // the start line ends in CRLF, and so must all others of the head
	viaField                uint8 // the field that the topmost Via value stands in
	status                  uint16
	methodName, uri, reason span
	topVia                  span
	head, headEnd, body     uint16 // first header field; empty line; body
	parses                  uint16 // how often Parse was called: a Value of an earlier one is told by it
	maxForwards             int16  // -1: none
	cseq                    uint32
	target                  URI // the Request-URI
	via                     Via
	from, to                NameAddr
	first                   [maxIDs]uint8 // 1 + index of the first field of each ID
	n                       int
	inline                  [inlineFields]field
	more                    []field
	edits                   []edit
	arena                   []byte // the bytes that edits put in
}

// Bytes gives the message as it came: from the start line, past CRLFs in front of it, to the
// end of the body that Content-Length gives.
func (m *Message) Bytes() []byte { return m.data }

// IsRequest tells requests from responses.
func (m *Message) IsRequest() bool { return m.request }

// Method is the start line's; in a response, that of CSeq.
func (m *Message) Method() Method { return m.method }

// MethodName is the method as written.
func (m *Message) MethodName() []byte { return m.bytes(m.methodName) }

// RequestURI is nil in a response.
func (m *Message) RequestURI() []byte { return m.bytes(m.uri) }

// URI is the Request-URI in its parts; never nil. It is zero in a response, and where the Request-URI
// could not be read.
func (m *Message) URI() *URI { return &m.target }

// Status is from 100 to 699, 0 in a request.
func (m *Message) Status() int { return int(m.status) }

// Reason is the reason phrase; it may be empty.
func (m *Message) Reason() []byte { return m.bytes(m.reason) }

// NumHeaders is the number of header fields.
func (m *Message) NumHeaders() int { return m.n }

// Header is one header field; slices point into the datagram.
type Header struct {
	ID    ID
	Name  []byte // empty in a refused message, for a line that is no header field
	Value []byte // without leading and trailing white space; folds are still inside
}

// Header gives field i, from 0 to NumHeaders()-1 in the order of the message; beyond, the zero Header.
func (m *Message) Header(i int) Header {
	if !m.has(i) {
		return Header{}
	}
	f := m.field(i)
	return Header{
		ID:    f.id(),
		Name:  m.data[f.start() : f.start()+f.nameLen()],
		Value: m.data[f.value():f.end()],
	}
}

// Index gives the first header field with id, or -1.
func (m *Message) Index(id ID) int {
	if id >= numIDs {
		return -1
	}
	return int(m.first[id]) - 1
}

// Get gives the value of the first header field with id, or nil.
func (m *Message) Get(id ID) []byte {
	i := m.Index(id)
	if i < 0 {
		return nil
	}
	f := m.field(i)
	return m.data[f.value():f.end()]
}

// GetName gives the value of the first header field of a name, or nil: for names without an ID.
// Case does not count, and the registered compact form is found too.
func (m *Message) GetName(name string) []byte {
	letter := compactOf(name)
	for i := range m.n {
		h := m.Header(i)
		if equalFold(h.Name, name) || len(h.Name) == 1 && letter != 0 && h.Name[0]|0x20 == letter {
			return h.Value
		}
	}
	return nil
}

// Body is what follows the empty line, as long as Content-Length says.
func (m *Message) Body() []byte {
	if !m.whole {
		return nil
	}
	return m.data[m.body:]
}

// Via is the topmost Via value; never nil. After a failed Parse it holds what could be read.
func (m *Message) Via() *Via { return &m.via }

// ViaValue is the topmost Via value, to be named in an edit.
func (m *Message) ViaValue() Value {
	return m.value(int(m.viaField), int(m.topVia.start), int(m.topVia.end))
}

// From is never nil.
func (m *Message) From() *NameAddr { return &m.from }

// To is never nil.
func (m *Message) To() *NameAddr { return &m.to }

// FromTag is nil where there is none (RFC 2543 allowed that).
func (m *Message) FromTag() []byte { return m.from.Tag() }

// ToTag is nil where there is none.
func (m *Message) ToTag() []byte { return m.to.Tag() }

// CallID is the value of Call-ID.
func (m *Message) CallID() []byte { return m.Get(CallIDHdr) }

// CSeq is the sequence number.
func (m *Message) CSeq() uint32 { return m.cseq }

// MaxForwards is from 0 to 255; ok is false where there is no such field.
func (m *Message) MaxForwards() (n int, ok bool) { return int(m.maxForwards), m.maxForwards >= 0 }

func (m *Message) bytes(s span) []byte {
	if s.end == 0 {
		return nil
	}
	return m.data[s.start:s.end]
}

func (m *Message) has(i int) bool { return i >= 0 && i < m.n }

func (m *Message) field(i int) field {
	if i < inlineFields {
		return m.inline[i]
	}
	return m.more[i-inlineFields]
}

// fieldEnd is where the line of field i ends, its line end included.
func (m *Message) fieldEnd(i int) int {
	if i+1 < m.n {
		return int(m.field(i + 1).start())
	}
	return int(m.headEnd)
}
