package sipmsg

import (
	"bytes"
	"net/netip"
)

// URI is a sip, sips, tel or other URI; slices of what was parsed.
type URI struct {
	Scheme, User, Password, Host []byte // Host of IPv6: without brackets; tel: User holds the number; other schemes: User holds all after the colon
	Port                         uint16 // 0: none
	Params                       []byte // after the first ';', raw, without it
	Headers                      []byte // after '?'
}

// ParseURI reads a URI. The parts of sip and sips URIs are told apart as in RFC 3261 19.1.1: the first
// "@" ends the user, wherever it stands, and a second one is refused.
func ParseURI(b []byte) (u URI, err error) {
	if offset, err := u.parse(b); err != nil {
		return URI{}, &ParseError{Field: "URI", Offset: offset, Err: err}
	}
	return u, nil
}

func (u *URI) parse(b []byte) (offset int, err error) {
	colon := schemeEnd(b)
	if colon < 0 {
		return 0, ErrMalformed
	}
	u.Scheme = b[:colon]
	rest := b[colon+1:]
	if u.IsSIP() {
		offset, err = u.parseSIP(rest)
		return colon + 1 + offset, err
	}
	if i := run(uriChar, rest, 0); i < len(rest) || i == 0 {
		return colon + 1 + i, ErrMalformed
	}
	if !equalFold(u.Scheme, "tel") {
		u.User = rest
		return 0, nil
	}
	number, params, _ := bytes.Cut(rest, []byte{';'})
	if len(number) == 0 {
		return colon + 1, ErrMalformed
	}
	u.User, u.Params = number, params
	if atLeast(MaxParams, params, ';') {
		return colon + 1, ErrTooMany
	}
	return 0, nil
}

// schemeEnd gives the index of the colon behind the scheme that b begins with, -1 where there is none.
func schemeEnd(b []byte) int {
	if len(b) > 3 && string(b[:4]) == "sip:" {
		return 3
	}
	i := run(schemeChar, b, 0)
	if i == len(b) || b[i] != ':' || !isLetter(b[0]) {
		return -1
	}
	return i
}

// parseSIP reads what follows "sip:".
func (u *URI) parseSIP(b []byte) (offset int, err error) {
	i, err := u.readUser(b)
	if err != nil {
		return i, err
	}
	host, i, ok := cutHost(b, i)
	if !ok {
		return i, ErrMalformed
	}
	u.Host = host
	if i < len(b) && b[i] == ':' {
		if u.Port, i, ok = cutPort(b, i+1); !ok {
			return i, ErrMalformed
		}
	}
	if i == len(b) {
		return 0, nil
	}
	if b[i] != ';' && b[i] != '?' {
		return i, ErrMalformed
	}
	if end := run(uriChar, b, i); end < len(b) {
		return end, ErrMalformed
	}
	u.Params = b[i:]
	// A second one stands in neither host nor port.
	if second := bytes.IndexByte(u.Params, '@'); second >= 0 {
		return i + second, ErrMalformed
	}
	if q := bytes.IndexByte(b[i:], '?'); q >= 0 {
		u.Params, u.Headers = b[i:i+q], b[i+q+1:]
	}
	if len(u.Params) > 0 {
		u.Params = u.Params[1:]
	}
	if atLeast(MaxParams, u.Params, ';') || atLeast(MaxParams, u.Headers, '&') {
		return i, ErrTooMany
	}
	return 0, nil
}

// readUser reads the user, and the password, that b begins with, and gives the index after their "@"; 0 without any.
func (u *URI) readUser(b []byte) (next int, err error) {
	if i := run(tokenChar, b, 0); i > 0 && i < len(b) && b[i] == '@' { // nearly all
		u.User = b[:i]
		return i + 1, nil
	}
	at := bytes.IndexByte(b, '@')
	if at < 0 {
		return 0, nil
	}
	u.User = b[:at]
	if colon := bytes.IndexByte(u.User, ':'); colon >= 0 {
		u.User, u.Password = b[:colon], b[colon+1:at]
	}
	if len(u.User) == 0 {
		return 0, ErrMalformed
	}
	if i := run(uriChar, b[:at], 0); i < at {
		return i, ErrMalformed
	}
	return at + 1, nil
}

// atLeast says that sep stands n times in b or more often, which it cannot where b is short.
func atLeast(n int, b []byte, sep byte) bool {
	return len(b) >= n && bytes.Count(b, []byte{sep}) >= n
}

// IsSIP is true for sip and sips.
func (u *URI) IsSIP() bool {
	return equalFold(u.Scheme, "sip") || equalFold(u.Scheme, "sips")
}

// Param looks a URI parameter up, by name without regard to case or escaping. The value is as
// written, nil for a parameter without "=".
func (u *URI) Param(name string) (value []byte, ok bool) {
	return findPair(u.Params, ';', []byte(name))
}

// findPair looks "name=value" up among pairs that sep separates.
func findPair(pairs []byte, sep byte, name []byte) (value []byte, ok bool) {
	for len(pairs) > 0 {
		var n []byte
		n, value, pairs = cutPair(pairs, sep)
		if len(n) > 0 && equalEscaped(n, name, true) {
			return value, true
		}
	}
	return nil, false
}

// cutPair cuts the first "name=value" off.
func cutPair(b []byte, sep byte) (name, value, rest []byte) {
	pair := b
	if i := bytes.IndexByte(b, sep); i >= 0 {
		pair, rest = b[:i], b[i+1:]
	}
	if i := bytes.IndexByte(pair, '='); i >= 0 {
		return pair[:i], pair[i+1:], rest
	}
	return pair, nil, rest
}

// EqualURI compares as RFC 3261 19.1.4 and RFC 5954 say. URIs of other schemes are equal when they differ in
// case and escaping at most, their parameters in any order.
func EqualURI(a, b *URI) bool {
	// "A SIP and SIPS URI are never equivalent."
	if !equalEscaped(a.Scheme, b.Scheme, true) || a.Port != b.Port {
		return false
	}
	// "Comparison of the userinfo of SIP and SIPS URIs is case-sensitive."
	if sip := a.IsSIP(); !equalEscaped(a.User, b.User, !sip) ||
		!equalEscaped(a.Password, b.Password, false) || (a.User == nil) != (b.User == nil) ||
		(a.Password == nil) != (b.Password == nil) {
		return false
	}
	return equalHost(a.Host, b.Host) &&
		equalPairs(a.Params, b.Params, ';', mustPair) && equalPairs(a.Headers, b.Headers, '&', allPair)
}

// equalHost compares names without regard to case. RFC 5954 4.2: two texts of one
// IP address match.
func equalHost(a, b []byte) bool {
	if equalEscaped(a, b, true) {
		return true
	}
	if bytes.IndexByte(a, ':') < 0 || bytes.IndexByte(b, ':') < 0 {
		return false // of IPv4 there is one text
	}
	x, err := netip.ParseAddr(string(a))
	y, _ := netip.ParseAddr(string(b)) // if that is none, it is not x
	return err == nil && x == y
}

// mustPair names the parameters that, where they stand in one URI only, make the two differ.
func mustPair(name []byte) bool {
	for _, s := range [...]string{"user", "ttl", "method", "maddr", "transport"} {
		if equalEscaped(name, []byte(s), true) {
			return true
		}
	}
	return false
}

// allPair: "URI header components are never ignored."
func allPair([]byte) bool { return true }

// equalEscaped compares with "%HH" equal to its byte, save where that byte is of the reserved set:
// there the escaped and the plain character differ.
func equalEscaped(a, b []byte, fold bool) bool {
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		c, n, escC := unescape(a[i:])
		d, m, escD := unescape(b[j:])
		if fold {
			c, d = lower(c), lower(d)
		}
		if c != d || escC != escD && bytes.IndexByte([]byte(";/?:@&=+$,"), c) >= 0 {
			return false
		}
		i, j = i+n, j+m
	}
	return i == len(a) && j == len(b)
}

// unescape reads one byte, written as itself or as "%HH", and says how long it was written.
func unescape(b []byte) (c byte, n int, escaped bool) {
	if b[0] == '%' && len(b) >= 3 {
		hi, ok1 := hexDigit(b[1])
		lo, ok2 := hexDigit(b[2])
		if ok1 && ok2 {
			return hi<<4 | lo, 3, true
		}
	}
	return b[0], 1, false
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// AppendUnescaped appends b with each %HH replaced by its byte; a "%" without two hexadecimal
// digits stays.
func AppendUnescaped(dst, b []byte) []byte {
	for len(b) > 0 {
		c, n, _ := unescape(b)
		dst = append(dst, c)
		b = b[n:]
	}
	return dst
}

// AppendEscapedUser appends a user's name as it stands in a URI: a byte that may not be there as itself is written "%HH".
func AppendEscapedUser(dst []byte, name string) []byte {
	const upperHex = "0123456789ABCDEF"
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', bytes.IndexByte([]byte("-_.!~*'()&=+$,;?/"), c) >= 0:
			dst = append(dst, c)
		default:
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}
