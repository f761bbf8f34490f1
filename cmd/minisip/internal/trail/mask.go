package trail

import "bytes"

// masked stands in the place of a secret.
const masked = "********"

// key stands in front of a key of SRTP: RFC 4568 9.2.
const key = "inline:"

// keyLines begin lines of SDP whose rest is a secret: the password of ICE (RFC 8839 5.4), with which one could move a
// leg, MIKEY (RFC 4567 3.1) and the key of RFC 4566 5.12.
var keyLines = [...]string{"a=ice-pwd:", "a=key-mgmt:", "k="}

// Mask takes out of a message what nobody but its phone needs to see: digest responses, Basic
// credentials, keys of SRTP, passwords of ICE. It works on any bytes, so that what cannot be parsed is masked too.
func Mask(text []byte) []byte { return mask(text, false) }

// MaskForPrograms does the same for text that a program will read. A key of SRTP becomes another one, of zeros: Wireshark
// takes the whole message for malformed where that is no base64 of the right length, and then shows no RTP.
func MaskForPrograms(text []byte) []byte { return mask(text, true) }

func mask(text []byte, zeros bool) []byte {
	out := make([]byte, 0, len(text)+16)
	for len(text) > 0 {
		end := lineEnd(text)
		out = appendMasked(out, text[:end], zeros)
		text = text[end:]
	}
	return out
}

// lineEnd is where the next line begins, behind the folds of this one: they may stand between "response" and its value.
func lineEnd(text []byte) int {
	for end := 0; ; {
		n := bytes.IndexByte(text[end:], '\n') + 1
		if n == 0 {
			return len(text)
		}
		if end += n; end == len(text) || text[end] != ' ' && text[end] != '\t' {
			return end
		}
	}
}

// trimSpace takes white space, folds too, from the beginning.
func trimSpace(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

func appendMasked(out, line []byte, zeros bool) []byte {
	sdp := len(line) > 2 && line[1] == '=' && (line[0] == 'a' || line[0] == 'k')
	for {
		at, size := secret(line, sdp)
		if size == 0 {
			return append(out, line...)
		}
		out = append(out, line[:at]...)
		if zeros && sdp {
			out = append(out, bytes.Repeat([]byte("A"), size)...)
		} else {
			out = append(out, masked...)
		}
		line = line[at+size:]
	}
}

// secret finds the first secret in a line or the rest of one; of SDP, there may be several keys in it.
func secret(line []byte, sdp bool) (at, size int) {
	for _, start := range keyLines {
		if sdp && foldIndex(line[:min(len(line), len(start))], start) == 0 {
			return len(start), tokenEnd(line[len(start):], "\r\n")
		}
	}
	for sdp {
		i := foldIndex(line[at:], key)
		if i < 0 {
			return 0, 0
		}
		at += i + len(key)
		if size = tokenEnd(line[at:], " |;\r\n"); size > 0 {
			return at, size
		}
	}
	for i := 0; ; {
		j := foldIndex(line[i:], "response")
		if j < 0 {
			break
		}
		at = i + j + len("response")
		rest := trimSpace(line[at:])
		if len(rest) > 0 && rest[0] == '=' {
			rest = trimSpace(rest[1:])
			stop := " ,\r\n"
			if len(rest) > 0 && rest[0] == '"' {
				rest, stop = rest[1:], "\"\r\n"
			}
			at = len(line) - len(rest)
			if size = tokenEnd(rest, stop); size > 0 {
				return at, size
			}
		}
		i = at
	}
	if i := foldIndex(line, "authorization"); i >= 0 {
		value, _ := bytes.CutPrefix(trimSpace(line[i+len("authorization"):]), []byte{':'})
		if value = trimSpace(value); foldIndex(value, "basic") == 0 {
			rest := trimSpace(value[len("basic"):])
			return len(line) - len(rest), tokenEnd(rest, " \r\n")
		}
	}
	return 0, 0
}

// tokenEnd is where the first of the bytes in stop stands. A secret that is masked already is none.
func tokenEnd(b []byte, stop string) int {
	n := bytes.IndexAny(b, stop)
	if n < 0 {
		n = len(b)
	}
	if string(b[:n]) == masked {
		return 0
	}
	return n
}

// foldIndex is bytes.Index without regard to case; name is in lower case.
func foldIndex(line []byte, name string) int {
	for i := 0; i+len(name) <= len(line); i++ {
		if line[i]|0x20 == name[0] && bytes.EqualFold(line[i:i+len(name)], []byte(name)) {
			return i
		}
	}
	return -1
}
