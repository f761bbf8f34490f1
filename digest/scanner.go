package digest

import "bytes"

// scanner walks over "Digest name=value, name="value" ...". White space may be
// folded lines, since the message is parsed as it came.
type scanner struct {
	data []byte
	pos  int
	n    int   // parameters read
	err  error // ErrNotDigest, a *malformed, or nil

	// The parameter that next has read.
	name, value []byte
	offset      int // of its name
}

// maxParams is how many parameters one header field may have. Twelve are defined.
const maxParams = 32

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

// isToken is generous: values that should have been quoted (a URI) are read too,
// as long as it is clear where they end.
func isToken(b byte) bool { return b > ' ' && b != 0x7f && b != ',' && b != '"' }

func (s *scanner) space() {
	for s.pos < len(s.data) && isSpace(s.data[s.pos]) {
		s.pos++
	}
}

func (s *scanner) at(b byte) bool { return s.pos < len(s.data) && s.data[s.pos] == b }

func (s *scanner) fail(offset int, problem string) {
	s.err = &malformed{offset, problem}
}

// scheme takes the scheme's name and says whether it is Digest.
func (s *scanner) scheme() bool {
	s.space()
	const name = "Digest"
	rest := s.data[s.pos:]
	if len(rest) < len(name) || !bytes.EqualFold(rest[:len(name)], []byte(name)) {
		return false
	}
	s.pos += len(name)
	return s.pos == len(s.data) || isSpace(s.data[s.pos])
}

// next reads the next parameter, before the first one the scheme. It reports false at the end and on an error.
func (s *scanner) next() bool {
	if s.pos == 0 && !s.scheme() {
		s.err = ErrNotDigest
		return false
	}
	s.space()
	for s.at(',') { // RFC 9110 5.6.1.2: empty list elements are skipped
		s.pos++
		s.space()
	}
	if s.offset = s.pos; s.pos == len(s.data) {
		return false
	}
	for s.pos < len(s.data) && isToken(s.data[s.pos]) && s.data[s.pos] != '=' {
		s.pos++
	}
	s.name = s.data[s.offset:s.pos]
	s.space()
	if len(s.name) == 0 || !s.at('=') {
		s.fail(s.pos, "expected name=value")
		return false
	}
	s.pos++
	s.space()
	if s.at('"') {
		s.quoted()
	} else {
		s.token()
	}
	s.space()
	if s.err == nil && s.pos < len(s.data) && !s.at(',') {
		s.fail(s.pos, "expected a comma")
	}
	if s.n++; s.err == nil && s.n > maxParams {
		s.fail(s.offset, "more than 32 parameters")
	}
	return s.err == nil
}

func (s *scanner) token() {
	start := s.pos
	for s.pos < len(s.data) && isToken(s.data[s.pos]) {
		s.pos++
	}
	if s.pos == start {
		s.fail(start, "expected a value")
		return
	}
	s.value = s.data[start:s.pos]
}

func (s *scanner) quoted() {
	open := s.pos
	escaped := false
	for s.pos++; s.pos < len(s.data); s.pos++ {
		switch s.data[s.pos] {
		case '\\':
			escaped = true
			s.pos++
		case '"':
			s.value = s.data[open+1 : s.pos]
			if escaped {
				s.value = unescape(s.value)
			}
			s.pos++
			return
		}
	}
	s.fail(open, "the quote is never closed")
}

// unescape resolves quoted pairs (RFC 3261 25.1). The digest is made over the
// name as it was chosen, not as it had to be written (RFC 7616 3.4.2).
func unescape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+1 < len(b) {
			i++
		}
		out = append(out, b[i])
	}
	return out
}

// appendQuoted appends b as a quoted-string.
func appendQuoted(dst []byte, b string) []byte {
	dst = append(dst, '"')
	for i := range len(b) {
		if b[i] == '"' || b[i] == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, b[i])
	}
	return append(dst, '"')
}
