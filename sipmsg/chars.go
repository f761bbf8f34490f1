package sipmsg

// Classes of bytes, RFC 3261 25.1.
const (
	tokenChar  = 1 << iota // token
	hostChar               // hostname and IPv4address, and "_", which names in the field do hold
	ip6Char                // IPv6address
	uriChar                // anything that may stand in a URI; bytes above ASCII are let through
	valueChar              // a parameter value that is not quoted
	schemeChar             // scheme
	digitChar              // 0-9
	letterChar             // A-Z, a-z
	lwsChar                // linear white space; inside a header field, CR and LF stand nowhere but in folds
)

var class = func() (t [256]uint16) {
	set := func(bit uint16, s string) {
		for i := range len(s) {
			t[s[i]] |= bit
		}
	}
	const (
		digits   = "0123456789"
		letters  = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		alphanum = digits + letters
	)
	set(tokenChar, alphanum+"-.!%*_+`'~")
	set(hostChar, alphanum+"-._")
	set(ip6Char, digits+"abcdefABCDEF:.")
	set(schemeChar, alphanum+"+-.")
	set(digitChar, digits)
	set(letterChar, letters)
	set(lwsChar, " \t\r\n")
	for c := '!'; c < 256; c++ {
		switch c {
		case '"', '<', '>', 0x7f:
		case ',', ';':
			t[c] |= uriChar
		default:
			t[c] |= uriChar | valueChar
		}
	}
	return t
}()

func is(bit uint16, c byte) bool { return class[c]&bit != 0 }

// run gives the index of the first byte of b, from i on, that is not of the class.
func run(bit uint16, b []byte, i int) int {
	for i < len(b) && class[b[i]]&bit != 0 {
		i++
	}
	return i
}

// all says that b is not empty and wholly of the class.
func all(bit uint16, b []byte) bool { return len(b) > 0 && run(bit, b, 0) == len(b) }

func isLWS(c byte) bool { return class[c]&lwsChar != 0 }

func skipLWS(b []byte, i int) int { return run(lwsChar, b, i) }

// trimLWS gives the bounds of b[start:end] without white space at its ends; nothing is left at start.
func trimLWS(b []byte, start, end int) (int, int) {
	for end > start && isLWS(b[end-1]) {
		end--
	}
	for start < end && isLWS(b[start]) {
		start++
	}
	return start, end
}

// quotedEnd gives the index after the quoted-string that begins at b[i], -1 if it is not closed.
func quotedEnd(b []byte, i int) int {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// equalFold compares in ASCII without regard to case.
func equalFold(b []byte, s string) bool {
	if string(b) == s {
		return true
	}
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if lower(b[i]) != lower(s[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c | 0x20
	}
	return c
}

// number reads digits; ok is false for anything else and for what exceeds limit.
func number(b []byte, limit uint64) (n uint64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n = n*10 + uint64(c-'0'); n > limit {
			return 0, false
		}
	}
	return n, len(b) > 0
}
