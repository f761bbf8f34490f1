package proxy

import (
	"bytes"
	"iter"
	"strconv"
	"strings"

	"minisip/nat"
	"minisip/session"
)

// dynamicTypes are what a stream's SDP says of its dynamic payload types. They are read only: phones of one
// kind all say the same, so their streams share them.
type dynamicTypes struct {
	rates map[uint8]uint32 // in Hz, 0 for those that are no media
	names string           // "101 telephone-event/8000 "
}

// maxDynamic is how many different ones are known at a time.
const maxDynamic = 256

// dynamicTypes gives those of a stream.
func (c *Core) dynamicTypes(st *nat.Stream) dynamicTypes {
	c.key = appendDynamic(c.key[:0], st)
	d, known := c.dynamic[string(c.key)]
	if !known {
		d.rates, d.names = dynamic(st)
		if len(c.dynamic) == maxDynamic {
			clear(c.dynamic)
		}
		c.dynamic[d.names] = d
	}
	return d
}

// dynamic reads the rates and the names of a stream's dynamic payload types.
func dynamic(st *nat.Stream) (rates map[uint8]uint32, names string) {
	names = string(appendDynamic(nil, st))
	for text := names; text != ""; {
		var number, name string
		number, text, _ = strings.Cut(text, " ")
		name, text, _ = strings.Cut(text, " ")
		pt, _ := strconv.ParseUint(number, 10, 7)
		if rates == nil {
			rates = map[uint8]uint32{}
		}
		rates[uint8(pt)], _ = rateOf([]byte(name))
	}
	return rates, names
}

// longestEncoding is the longest name of an encoding that is kept, rate and channels included.
const longestEncoding = 64

// appendDynamic appends the numbers and names of a stream's dynamic payload types, each once however often
// it is listed.
func appendDynamic(b []byte, st *nat.Stream) []byte {
	names := st.Encodings()
	for pt := range listed(st) {
		if pt < nat.FirstDynamic {
			continue
		}
		name := &names[pt-nat.FirstDynamic]
		if _, ok := rateOf(*name); ok && len(*name) <= longestEncoding {
			b = append(append(append(strconv.AppendUint(b, uint64(pt), 10), ' '), *name...), ' ')
		}
		*name = nil
	}
	return b
}

// listed gives the payload types that an m= line lists, as far as it lists no more than there are.
func listed(st *nat.Stream) iter.Seq[uint8] {
	return func(yield func(uint8) bool) {
		n := 0
		for f := range bytes.FieldsSeq(st.Formats) {
			if n++; n > 128 {
				return
			}
			if pt, err := strconv.ParseUint(string(f), 10, 7); err == nil && !yield(uint8(pt)) {
				return
			}
		}
	}
}

// rateOf reads the rate of an encoding: 8000 of "PCMU/8000".
func rateOf(encoding []byte) (hz uint32, ok bool) {
	name, rest, _ := bytes.Cut(encoding, []byte("/"))
	rate, _, _ := bytes.Cut(rest, []byte("/"))
	n, err := strconv.ParseUint(string(rate), 10, 32)
	if bytes.EqualFold(name, []byte("telephone-event")) {
		n = 0
	}
	return uint32(n), err == nil
}

// payloads names the payload types that came from a side, and says which of them is its
// codec: what was answered, if it came, else the first that is more than tones and noise.
func (s *relayedStream) payloads(from session.Role, types []uint8) (names []string, codec string) {
	for _, pt := range types {
		name := s.payload(from, pt)
		names = append(names, strings.TrimSpace(strconv.Itoa(int(pt))+" "+name))
		kind, _, _ := strings.Cut(name, "/")
		if codec != s.codec && (name == s.codec || codec == "" && !strings.EqualFold(kind, "telephone-event") && kind != "CN") {
			codec = name
		}
	}
	if codec == "" {
		codec = s.codec
	}
	return names, codec
}

// payload names a payload type that came from a side. It is the receiver's SDP that says
// what the numbers mean (RFC 3264 5.1); who answers need not repeat the offer's.
func (s *relayedStream) payload(from session.Role, pt uint8) string {
	number := strconv.Itoa(int(pt))
	for _, names := range [...]string{s.names[from.Other()], s.names[from]} {
		for names != "" {
			var n, name string
			n, names, _ = strings.Cut(names, " ")
			name, names, _ = strings.Cut(names, " ")
			if n == number {
				return name
			}
		}
	}
	return (&nat.Stream{}).PayloadName(pt)
}

// formats is a set of payload types.
type formats [2]uint64

// add takes up those that a stream of SDP lists.
func (l *formats) add(st *nat.Stream) {
	for pt := range listed(st) {
		l[pt/64] |= 1 << (pt % 64)
	}
}

// foreign says whether the far side has listed none of the payload types that came from a side, be it by
// another number: RFC 3264 6.1 wants the same in offer and answer, and not all heed it.
func (s *relayedStream) foreign(from session.Role, types []uint8) bool {
	to := from.Other()
	if s.lists[to] == (formats{}) || len(types) == 0 {
		return false // who was restarted does not know
	}
	for _, pt := range types {
		name := s.payload(from, pt)
		if s.lists[to][pt/64]&(1<<(pt%64)) != 0 || name != "" && strings.Contains(" "+s.names[to], " "+name+" ") {
			return false
		}
	}
	return true
}

// firstCodec names the first format of a stream: in an answer, the one that will be used.
func firstCodec(st *nat.Stream) string {
	first, _, _ := bytes.Cut(st.Formats, []byte(" "))
	pt, err := strconv.ParseUint(string(first), 10, 7)
	if err != nil {
		return ""
	}
	if name := st.PayloadName(uint8(pt)); len(name) <= longestEncoding {
		return name
	}
	return ""
}
