package sipmsg

import "encoding/binary"

// Classes of bytes, RFC 3261 25.1.
const (
	tokenChar  = 1 << iota // token
	hostChar               // hostname and IPv4address, and "_", which names in the field do hold
	ip6Char                // IPv6address
	uriChar                // anything that may stand in a URI; bytes above ASCII are let through
	valueChar              // a parameter value that is not quoted
	schemeChar             // scheme
	digitChar              // 0-9
	lwsChar                // linear white space; inside a header field, CR and LF stand nowhere but in folds
)

var class = func() (t [256]uint8) {
	set := func(bit uint8, s string) {
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

func is(bit uint8, c byte) bool { return class[c]&bit != 0 }

// run gives the index of the first byte of b, from i on, that is not of the class. Most runs are longer than four
// bytes, and these cost one branch together.
func run(bit uint8, b []byte, i int) int {
	for i >= 0 && i < len(b)-3 && class[b[i]]&class[b[i+1]]&class[b[i+2]]&class[b[i+3]]&bit != 0 {
		i += 4
	}
	for uint(i) < uint(len(b)) && class[b[i]]&bit != 0 {
		i++
	}
	return i
}

// A one, and the highest bit, in each of the eight bytes of a word.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// zeros sets the highest bit of the first byte of w that is zero; bits above that one mean nothing.
func zeros(w uint64) uint64 { return (w - ones) &^ w & highs }

// printable gives the index of the first byte of b that is white space or a control character below it.
func printable(b []byte) int {
	i := 0
	for ; i+8 <= len(b); i += 8 {
		if w := binary.LittleEndian.Uint64(b[i:]); (w-('!'*ones))&^w&highs != 0 {
			break
		}
	}
	for i < len(b) && b[i] > ' ' {
		i++
	}
	return i
}

// all says that b is not empty and wholly of the class.
func all(bit uint8, b []byte) bool { return len(b) > 0 && run(bit, b, 0) == len(b) }

func isLetter(c byte) bool { return c|0x20-'a' < 26 }

func isLWS(c byte) bool { return c <= ' ' && class[c]&lwsChar != 0 }

func skipLWS(b []byte, i int) int {
	for uint(i) < uint(len(b)) && isLWS(b[i]) {
		i++
	}
	return i
}

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
	n, next, ok := numberAt(b, 0, limit)
	return n, ok && next == len(b)
}

// numberAt reads the digits at b[i:], of which there must be one, and gives the index after them.
func numberAt(b []byte, i int, limit uint64) (n uint64, next int, ok bool) {
	start := i
	for ; uint(i) < uint(len(b)) && b[i]-'0' <= 9; i++ {
		if n = n*10 + uint64(b[i]-'0'); n > limit {
			n = limit + 1 // however many follow
		}
	}
	return n, i, i > start && n <= limit
}
