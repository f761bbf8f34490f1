package nat

import (
	"bytes"
	"strconv"

	"minisip/sipmsg"
)

// maxNesting is how many multipart bodies deep a session description is looked for.
const maxNesting = 3

// Part is where in a message's body its session description stands: body[Start:End].
type Part struct {
	Start, End int

	body    []byte
	depth   int
	lengths [maxNesting]lengthField // of the part and of those around it
}

// lengthField is a Content-Length inside a multipart body.
type lengthField struct {
	start, end int // of its digits; start 0: none
	length     int // of the content that it counts
}

// SDP gives the session description; it points into the message.
func (p *Part) SDP() []byte { return p.body[p.Start:p.End] }

// FindSDP finds the session description in the body of m: the body itself if it is
// application/sdp, or the first such part of a multipart one (RFC 5621 3). What is encoded,
// and early-session parts (RFC 3959), are passed over.
func FindSDP(m *sipmsg.Message) (Part, bool) {
	p := Part{body: m.Body()}
	if len(p.body) == 0 || !identity(m.Get(sipmsg.ContentEncodingHdr)) {
		return Part{}, false
	}
	ok := p.find(m.Get(sipmsg.ContentTypeHdr), 0, len(p.body))
	return p, ok
}

// find looks into body[start:end] of the given type.
func (p *Part) find(contentType []byte, start, end int) bool {
	kind, params, _ := bytes.Cut(contentType, []byte{';'})
	kind, subtype, _ := bytes.Cut(kind, []byte{'/'})
	kind, subtype = bytes.TrimSpace(kind), bytes.TrimSpace(subtype) // RFC 3261 25.1: SLASH has room around it
	if equalFold(kind, "application") && equalFold(subtype, "sdp") {
		p.Start, p.End = start, end
		return true
	}
	if !equalFold(kind, "multipart") || p.depth == maxNesting {
		return false
	}
	boundary, _ := sipmsg.Param(params, "boundary")
	if len(boundary) == 0 {
		return false
	}
	parts := partIter{body: p.body[:end], pos: start, boundary: boundary}
	for parts.next() {
		h := parsePartHeader(p.body[:parts.end], parts.start)
		if !h.readable {
			continue
		}
		h.length.length = parts.end - h.content
		p.lengths[p.depth] = h.length
		p.depth++
		if p.find(h.contentType, h.content, parts.end) {
			return true
		}
		p.depth--
	}
	return false
}

// ReplaceSDP sets the body of m to what it is with sdp in place of part. The rest of a
// multipart body keeps its bytes, but for the Content-Length of parts that have one.
// scratch is overwritten and may be nil; give the result to the next call.
func ReplaceSDP(m *sipmsg.Message, part Part, sdp, scratch []byte) []byte {
	// From the inside out: what a length gains in digits is part of the lengths around it.
	growth := len(sdp) - (part.End - part.Start)
	var digits [20]byte
	for i := part.depth - 1; i >= 0; i-- {
		f := &part.lengths[i]
		f.length += growth
		if f.start != 0 {
			growth += len(strconv.AppendInt(digits[:0], int64(f.length), 10)) - (f.end - f.start)
		}
	}
	b := scratch[:0]
	done := 0
	for _, f := range part.lengths[:part.depth] {
		if f.start != 0 {
			b = append(b, part.body[done:f.start]...)
			b = strconv.AppendInt(b, int64(f.length), 10)
			done = f.end
		}
	}
	b = append(b, part.body[done:part.Start]...)
	b = append(b, sdp...)
	b = append(b, part.body[part.End:]...)
	m.SetBody(b)
	return b
}

func identity(encoding []byte) bool {
	return len(encoding) == 0 || equalFold(encoding, "identity")
}
