package sipmsg

import "bytes"

// NameAddr is a name-addr or addr-spec with header parameters (RFC 3261 20 and 25.1).
type NameAddr struct {
	Display []byte // as written, quotes included
	URI     []byte // without <>
	Params  []byte // header parameters, raw, after the first ';'
	Bracket bool   // the URI stood in <>
	tag     []byte // as parse found it
}

// ParseNameAddr reads a value of From, To, Contact, Route and their like; a Contact of "*" is none. Of the URI only
// the scheme is looked at. Liberal: a display name without quotes may hold any byte but '"', '<' and ';'
// (`Bell, Alexander <sip:...>`), and white space may stand inside the brackets.
func ParseNameAddr(b []byte) (a NameAddr, err error) {
	start, end := trimLWS(b, 0, len(b))
	if offset, err := a.parse(b[start:end]); err != nil {
		return NameAddr{}, &ParseError{Field: "address", Offset: start + offset, Err: err}
	}
	return a, nil
}

// parse fills a as far as b, which has no white space at its ends, can be read.
func (a *NameAddr) parse(b []byte) (offset int, err error) {
	open, err := a.readDisplay(b)
	if err != nil {
		return open, err
	}
	i := 0
	if open >= 0 {
		i, err = a.bracketed(b, open)
	} else {
		i, err = a.bare(b)
	}
	if err != nil {
		return i, err
	}
	if schemeEnd(a.URI) < 0 {
		return 0, ErrMalformed
	}
	if i = skipLWS(b, i); i == len(b) {
		return 0, nil
	}
	if b[i] != ';' {
		return i, ErrMalformed
	}
	a.Params = b[i+1:]
	a.tag, offset, err = checkParams(a.Params)
	return i + 1 + offset, err
}

// readDisplay reads what may stand in front of '<', and gives its index, -1 where there is none.
func (a *NameAddr) readDisplay(b []byte) (open int, err error) {
	if len(b) > 0 && b[0] == '<' {
		return 0, nil
	}
	if len(b) > 0 && b[0] == '"' {
		closed := quotedEnd(b, 0)
		if closed < 0 {
			return 0, ErrMalformed
		}
		a.Display = b[:closed]
		open = skipLWS(b, closed)
		if open == len(b) || b[open] != '<' {
			return open, ErrMalformed
		}
		return open, nil
	}
	if open = bytes.IndexByte(b, '<'); open < 0 {
		return -1, nil
	}
	_, end := trimLWS(b, 0, open)
	if bytes.IndexByte(b[:end], '"') >= 0 {
		return -1, nil // a '<' in a quoted parameter
	}
	a.Display = b[:end]
	if i := bytes.IndexByte(a.Display, ';'); i >= 0 {
		return i, ErrMalformed
	}
	return open, nil
}

// bracketed reads the URI from '<' at b[open] on and gives the index after '>'.
func (a *NameAddr) bracketed(b []byte, open int) (int, error) {
	s := skipLWS(b, open+1)
	e := run(uriChar, b, s)
	i := skipLWS(b, e)
	if i == len(b) || b[i] != '>' || s == e {
		if bytes.IndexByte(b[open:], '>') < 0 {
			return open, ErrMalformed
		}
		return e, ErrMalformed
	}
	a.URI, a.Bracket = b[s:e], true
	return i + 1, nil
}

// bare reads an addr-spec. The name-addr form "MUST be used if the "addr-spec" contains
// a comma, semicolon, or question mark" (RFC 3261 20), so the URI ends at a semicolon, and the other two are refused.
func (a *NameAddr) bare(b []byte) (int, error) {
	i := 0
	for i < len(b) && b[i] != ';' && is(uriChar, b[i]) {
		if b[i] == ',' || b[i] == '?' {
			return i, ErrMalformed
		}
		i++
	}
	if i == 0 {
		return i, ErrMalformed
	}
	a.URI = b[:i]
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
func (a *NameAddr) Tag() []byte { return a.tag }
