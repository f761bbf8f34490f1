package sipmsg

import "bytes"

// NameAddr is a name-addr or addr-spec with header parameters (RFC 3261 20 and 25.1).
type NameAddr struct {
	Display []byte // as written, quotes included
	URI     []byte // without <>
	Params  []byte // header parameters, raw, after the first ';'
	Bracket bool   // the URI stood in <>
}

// ParseNameAddr reads a value of From, To, Contact, Route and their like; a Contact of "*" is none. Of the URI only
// the scheme is looked at. Liberal: a display name without quotes may hold any byte but '"', '<' and ';'
// (`Bell, Alexander <sip:...>`), and white space may stand inside the brackets.
func ParseNameAddr(b []byte) (NameAddr, error) {
	a, offset, err := parseNameAddr(b)
	if err != nil {
		return NameAddr{}, &ParseError{Field: "address", Offset: offset, Err: err}
	}
	return a, nil
}

func parseNameAddr(b []byte) (a NameAddr, offset int, err error) {
	start, end := trimLWS(b, 0, len(b))
	b = b[:end]
	open := -1
	if start < end && b[start] == '"' {
		closed := quotedEnd(b, start)
		if closed < 0 {
			return a, start, ErrMalformed
		}
		a.Display = b[start:closed]
		open = skipLWS(b, closed)
		if open == end || b[open] != '<' {
			return a, open, ErrMalformed
		}
	} else if open = bytes.IndexByte(b, '<'); open >= 0 {
		s, e := trimLWS(b, start, open)
		if a.Display = b[s:e]; bytes.IndexByte(a.Display, '"') >= 0 {
			open = -1 // a '<' in a quoted parameter
			a.Display = nil
		} else if i := bytes.IndexByte(a.Display, ';'); i >= 0 {
			return a, s + i, ErrMalformed
		}
	}
	i := start
	if open >= 0 {
		i, err = a.bracketed(b, open)
	} else {
		i, err = a.bare(b, start)
	}
	if err != nil {
		return a, i, err
	}
	if !hasScheme(a.URI) {
		return a, start, ErrMalformed
	}
	if i = skipLWS(b, i); i == len(b) {
		return a, 0, nil
	}
	if b[i] != ';' {
		return a, i, ErrMalformed
	}
	a.Params = b[i+1:]
	offset, err = checkParams(a.Params)
	return a, i + 1 + offset, err
}

// bracketed reads the URI from '<' at b[open] on and gives the index after '>'.
func (a *NameAddr) bracketed(b []byte, open int) (int, error) {
	n := bytes.IndexByte(b[open:], '>')
	if n < 0 {
		return open, ErrMalformed
	}
	s, e := trimLWS(b, open+1, open+n)
	if i := run(uriChar, b[:e], s); i < e || s == e {
		return i, ErrMalformed
	}
	a.URI, a.Bracket = b[s:e], true
	return open + n + 1, nil
}

// bare reads an addr-spec. The name-addr form "MUST be used if the "addr-spec" contains
// a comma, semicolon, or question mark" (RFC 3261 20), so the URI ends at a semicolon, and the other two are refused.
func (a *NameAddr) bare(b []byte, start int) (int, error) {
	i := start
	for i < len(b) && b[i] != ';' && is(uriChar, b[i]) {
		if b[i] == ',' || b[i] == '?' {
			return i, ErrMalformed
		}
		i++
	}
	if i == start {
		return i, ErrMalformed
	}
	a.URI = b[start:i]
	return i, nil
}

// Param looks a header parameter up.
func (a *NameAddr) Param(name string) (value []byte, ok bool) {
	if len(a.Params) == 0 {
		return nil, false
	}
	return Param(a.Params, name)
}

// Tag gives the tag parameter, nil where there is none.
func (a *NameAddr) Tag() []byte {
	v, _ := a.Param("tag")
	return v
}
