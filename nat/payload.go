package nat

import (
	"bytes"
	"iter"
)

// PayloadName gives the encoding that payload type pt stands for in the stream, as in
// "PCMU/8000": what a=rtpmap says (RFC 8866 6.6), else the static assignment of RFC 3551 6,
// else "".
func (st *Stream) PayloadName(pt uint8) string {
	name := staticPayloads[pt]
	for n, encoding := range st.rtpmaps() {
		if n != int(pt) {
			continue
		}
		if string(encoding) != name {
			name = string(encoding)
		}
		break
	}
	return name
}

// FirstDynamic is the lowest of the payload types that have no meaning of their own: RFC 3551 3.
const FirstDynamic = 96

// Encodings gives what a=rtpmap says of the dynamic payload types, from FirstDynamic on; nil: nothing. They point into
// the parsed body. Asked for one by one, each would cost a walk through up to MaxLines lines.
func (st *Stream) Encodings() (names [128 - FirstDynamic][]byte) {
	for n, encoding := range st.rtpmaps() {
		if n >= FirstDynamic && names[n-FirstDynamic] == nil {
			names[n-FirstDynamic] = encoding
		}
	}
	return names
}

// rtpmaps walks the payload types and encodings of all a=rtpmap lines.
func (st *Stream) rtpmaps() iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		for pos := 0; pos < len(st.section); {
			line, next := nextLine(st.section, pos)
			pos = next
			rest, ok := bytes.CutPrefix(line, []byte("a=rtpmap:"))
			if !ok {
				continue
			}
			f := fields{b: rest}
			if n, ok := parseUint(f.next(), 127); ok && !yield(n, f.next()) {
				return
			}
		}
	}
}

// staticPayloads is RFC 3551 tables 4 and 5.
var staticPayloads = map[uint8]string{
	0: "PCMU/8000", 3: "GSM/8000", 4: "G723/8000", 5: "DVI4/8000", 6: "DVI4/16000",
	7: "LPC/8000", 8: "PCMA/8000", 9: "G722/8000", 10: "L16/44100/2", 11: "L16/44100",
	12: "QCELP/8000", 13: "CN/8000", 14: "MPA/90000", 15: "G728/8000", 16: "DVI4/11025",
	17: "DVI4/22050", 18: "G729/8000", 25: "CelB/90000", 26: "JPEG/90000", 28: "nv/90000",
	31: "H261/90000", 32: "MPV/90000", 33: "MP2T/90000", 34: "H263/90000",
}
