package trail

import "bytes"

// masked stands in the place of a secret.
const masked = "********"

// Mask takes out of a message what nobody but its phone needs to see: digest responses, Basic
// credentials, keys of SRTP. It works on any bytes, so that what cannot be parsed is masked too.
func Mask(text []byte) []byte {
	out := make([]byte, 0, len(text)+16)
	for len(text) > 0 {
		end := bytes.IndexByte(text, '\n') + 1
		if end == 0 {
			end = len(text)
		}
		out = appendMasked(out, text[:end])
		text = text[end:]
	}
	return out
}

func appendMasked(out, line []byte) []byte {
	for {
		at, size := secret(line)
		if size == 0 {
			return append(out, line...)
		}
		out = append(append(out, line[:at]...), masked...)
		line = line[at+size:]
	}
}

// secret finds the first secret in a line.
func secret(line []byte) (at, size int) {
	if i := foldIndex(line, "inline:"); i >= 0 && bytes.HasPrefix(line, []byte("a=")) {
		at = i + len("inline:")
		return at, tokenEnd(line[at:], " |\r\n")
	}
	for i := 0; ; {
		j := foldIndex(line[i:], "response")
		if j < 0 {
			break
		}
		at = i + j + len("response")
		rest := bytes.TrimLeft(line[at:], " \t")
		if len(rest) > 0 && rest[0] == '=' {
			rest = bytes.TrimLeft(rest[1:], " \t")
			at = len(line) - len(rest)
			if len(rest) > 0 && rest[0] == '"' {
				return at + 1, tokenEnd(rest[1:], "\"\r\n")
			}
			return at, tokenEnd(rest, " ,\r\n")
		}
		i = at
	}
	if i := foldIndex(line, "authorization:"); i >= 0 {
		rest := bytes.TrimLeft(line[i+len("authorization:"):], " \t")
		if j := foldIndex(rest, "basic "); j == 0 {
			rest = bytes.TrimLeft(rest[len("basic "):], " \t")
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
