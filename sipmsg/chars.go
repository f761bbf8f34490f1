package sipmsg

import (
	"encoding/binary"
	"math/bits"
)

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

var class = func() (t [256]uint64) {
	set := func(bit uint64, s string) {
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

func is(bit uint64, c byte) bool { return class[c]&bit != 0 }

// run gives the index of the first byte of b, from i on, that is not of the class. Eight bytes are looked at together,
// and what is left over with the last eight again: a loop by single bytes is as short, but where it ends nobody foresees.
func run(bit uint64, b []byte, i int) int {
	for i < len(b)-7 {
		if others := ^classes((*[8]byte)(b[i:])) & (bit * ones); others != 0 {
			return i + bits.TrailingZeros64(others)/8
		}
		i += 8
	}
	if i == len(b) {
		return i
	}
	if last := len(b) - 8; last >= 0 {
		others := ^(classes((*[8]byte)(b[last:])) >> (8 * uint(i-last))) & (bit * ones)
		return i + bits.TrailingZeros64(others)/8
	}
	for i < len(b) && class[b[i]]&bit != 0 {
		i++
	}
	return i
}

// classes gives the classes of eight bytes, as a word of memory.
func classes(b *[8]byte) uint64 {
	return class[b[0]] | class[b[1]]<<8 | class[b[2]]<<16 | class[b[3]]<<24 |
		class[b[4]]<<32 | class[b[5]]<<40 | class[b[6]]<<48 | class[b[7]]<<56
}

// A one, and the highest bit, in each of the eight bytes of a word.
const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// printable gives the index of the first byte of b that is white space or a control character below it.
func printable(b []byte) int {
	i := 0
	for i < len(b)-7 {
		if w := binary.LittleEndian.Uint64(b[i:]); (w-('!'*ones))&^w&highs != 0 {
			break
		}
		if i += 8; i < len(b) {
			i = min(i, len(b)-8) // the last eight, some of them again
		}
	}
	for i < len(b) && b[i] > ' ' {
		i++
	}
	return i
}

// control gives the index of the first control character of b from i on, or of a byte of 0xa0 or more where one comes
// before it; len(b) where neither stands before the last seven bytes, which are not looked at by themselves.
func control(b []byte, i int) int {
	for i < len(b)-7 {
		// A byte below the space borrows, and its highest bit is set; a byte behind it may be mistaken for another.
		if w := (binary.LittleEndian.Uint64(b[i:]) - ' '*ones) & highs; w != 0 {
			return i + bits.TrailingZeros64(w)/8
		}
		i += 8
	}
	return len(b)
}

// all says that b is not empty and wholly of the class.
func all(bit uint64, b []byte) bool { return len(b) > 0 && run(bit, b, 0) == len(b) }

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
