package nat

import "bytes"

// PayloadName gives the encoding that payload type pt stands for in the stream, as in
// "PCMU/8000": what a=rtpmap says (RFC 8866 6.6), else the static assignment of RFC 3551 6,
// else "".
func (st *Stream) PayloadName(pt uint8) string {
	static, b := staticPayloads[pt], st.Encoding(pt)
	if b == nil || string(b) == static {
		return static
	}
	return string(b)
}

// Encoding is what a=rtpmap says of a payload type; nil: nothing. It points into the parsed body.
func (st *Stream) Encoding(pt uint8) []byte {
	for pos := 0; pos < len(st.section); {
		line, next := nextLine(st.section, pos)
		pos = next
		rest, ok := bytes.CutPrefix(line, []byte("a=rtpmap:"))
		if !ok {
			continue
		}
		f := fields{b: rest}
		if n, ok := parseUint(f.next(), 127); ok && n == int(pt) {
			return f.next()
		}
	}
	return nil
}

// staticPayloads is RFC 3551 tables 4 and 5.
var staticPayloads = map[uint8]string{
	0: "PCMU/8000", 3: "GSM/8000", 4: "G723/8000", 5: "DVI4/8000", 6: "DVI4/16000",
	7: "LPC/8000", 8: "PCMA/8000", 9: "G722/8000", 10: "L16/44100/2", 11: "L16/44100",
	12: "QCELP/8000", 13: "CN/8000", 14: "MPA/90000", 15: "G728/8000", 16: "DVI4/11025",
	17: "DVI4/22050", 18: "G729/8000", 25: "CelB/90000", 26: "JPEG/90000", 28: "nv/90000",
	31: "H261/90000", 32: "MPV/90000", 33: "MP2T/90000", 34: "H263/90000",
}
