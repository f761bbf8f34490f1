package nat

import "bytes"

// partIter walks the parts of a multipart body (RFC 2046 5.1.1).
type partIter struct {
	body       []byte
	pos        int
	boundary   []byte
	start, end int // of the part: header and content, without the line break before the next boundary
	inside     bool
}

// next finds the next part. The last one ends with the body where the closing boundary is
// missing.
func (it *partIter) next() bool {
	it.start = it.pos
	for it.pos < len(it.body) {
		at := it.pos
		line, next := nextLine(it.body, at)
		it.pos = next
		is, last := it.delimiter(line)
		if !is {
			continue
		}
		found := it.inside
		it.inside = true
		if last {
			it.pos = len(it.body) // what follows is no part
		}
		if found {
			it.end = max(it.start, beforeBreak(it.body, at))
			return true
		}
		it.start = it.pos
	}
	it.end = len(it.body)
	return it.inside && it.start < it.end
}

// delimiter tells a boundary line: "--boundary", "--boundary--" for the last, and white
// space behind.
func (it *partIter) delimiter(line []byte) (is, last bool) {
	rest, ok := bytes.CutPrefix(line, []byte("--"))
	rest, also := bytes.CutPrefix(rest, it.boundary)
	rest = bytes.TrimRight(rest, " \t")
	last = string(rest) == "--"
	return ok && also && (last || len(rest) == 0), last
}

// beforeBreak steps back over the line break that ends at pos: it belongs to the boundary.
func beforeBreak(b []byte, pos int) int {
	return len(bytes.TrimSuffix(bytes.TrimSuffix(b[:pos], []byte{'\n'}), []byte{'\r'}))
}

// partHeader is what matters in the header of a part.
type partHeader struct {
	contentType []byte
	content     int // where the content begins
	length      lengthField
	readable    bool // there is content, neither encoded nor of an early session
}

// parsePartHeader reads the header fields at pos, up to and over the empty line. A part
// without that line has no content.
func parsePartHeader(body []byte, pos int) partHeader {
	h := partHeader{readable: true}
	for pos < len(body) {
		line, next := nextLine(body, pos)
		if len(line) == 0 {
			h.content = next
			return h
		}
		// A line that begins with white space goes on with the field before.
		for next < len(body) && isSpace(body[next]) {
			_, next = nextLine(body, next)
		}
		h.field(body, pos, beforeBreak(body, next))
		pos = next
	}
	return partHeader{}
}

// field reads one field, body[start:end].
func (h *partHeader) field(body []byte, start, end int) {
	name, value, _ := bytes.Cut(body[start:end], []byte{':'})
	value = bytes.TrimSpace(value)
	token, _, _ := bytes.Cut(value, []byte{';'})
	token = bytes.TrimSpace(token)
	switch name = bytes.TrimSpace(name); {
	case equalFold(name, "Content-Type"), equalFold(name, "c"):
		h.contentType = value
	case equalFold(name, "Content-Encoding"), equalFold(name, "e"):
		h.readable = h.readable && identity(value)
	case equalFold(name, "Content-Transfer-Encoding"):
		plain := equalFold(value, "7bit") || equalFold(value, "8bit") || equalFold(value, "binary")
		h.readable = h.readable && plain
	case equalFold(name, "Content-Disposition"):
		h.readable = h.readable && !equalFold(token, "early-session")
	case equalFold(name, "Content-Length"), equalFold(name, "l"):
		if _, ok := parseUint(value, 1<<20); ok {
			at := start + bytes.LastIndex(body[start:end], value)
			h.length = lengthField{start: at, end: at + len(value)}
		}
	}
}
