package nat

import (
	"bytes"
	"net/netip"
	"strconv"
)

// Leg is the relay's end of one stream, as the phone that gets the rewritten description
// shall see it.
type Leg struct {
	Addr     netip.Addr
	Port     uint16
	RTCPPort uint16 // 0: Port+1

	Refused bool // Port is 0, and the stream gets that; and Addr, so that it shows no other

	Ufrag, Pwd string // makes the leg an ICE-lite agent; "": none
	Mux        bool   // RTCP is agreed to be on Port: ICE has one component
}

// AppendRewritten appends the description with legs[i] as the address of stream i. A zero
// Leg, or none, leaves stream i alone; the package comment has the rules.
func (s *SDP) AppendRewritten(dst []byte, legs []Leg) []byte {
	r := rewriter{s: s, legs: legs}
	var ok bool
	if r.first, ok = r.firstLeg(); !ok {
		return append(dst, s.body...)
	}
	r.ice = r.anyICE()
	done := 0
	for i := range s.marks {
		m := &s.marks[i]
		dst = append(dst, s.body[done:m.start]...)
		switch m.kind {
		case markDrop:
		case markNoConn:
			dst = r.appendConn(dst, m)
		case markICE:
			dst = r.appendICE(dst, m)
		default:
			dst = r.appendMark(dst, m)
		}
		done = m.end
	}
	return append(dst, s.body[done:]...)
}

// rewriter is one run of AppendRewritten.
type rewriter struct {
	s     *SDP
	legs  []Leg
	first Leg // of the streams that have one: the session's
	ice   bool
}

// leg gives the leg of stream i, and false where the stream stays as it is.
func (r *rewriter) leg(i int) (Leg, bool) {
	if i >= len(r.legs) || !r.legs[i].Addr.IsValid() || r.s.Streams[i].conn.fixed {
		return Leg{}, false
	}
	l := r.legs[i]
	l.Addr = plain(l.Addr)
	if l.RTCPPort == 0 {
		l.RTCPPort = l.Port + 1
	}
	if l.Refused || r.s.Streams[i].Port == 0 {
		l.Ufrag = "" // there is nothing to check
	}
	return l, true
}

func (r *rewriter) firstLeg() (Leg, bool) {
	for i := range r.s.Streams {
		if l, ok := r.leg(i); ok {
			return l, true
		}
	}
	return Leg{}, false
}

func (r *rewriter) anyICE() bool {
	for i := range r.s.Streams {
		if l, _ := r.leg(i); l.Ufrag != "" {
			return true
		}
	}
	return false
}

// substitute gives what takes the place of an address: the leg's, or, on hold, the
// unspecified one of the leg's type.
func substitute(old netip.Addr, l Leg) netip.Addr {
	switch {
	case !old.IsUnspecified():
		return l.Addr
	case l.Addr.Is4():
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// substitute gives what takes the place of an address of stream st. One of a=rtcp that names nobody holds nothing
// where RTP has an address: browsers write "a=rtcp:9 IN IP4 0.0.0.0" until they know better.
func (st *Stream) substitute(old netip.Addr, l Leg) netip.Addr {
	if !st.nulled() {
		return l.Addr
	}
	return substitute(old, l)
}

// appendMark appends what takes the place of a mark's text.
func (r *rewriter) appendMark(dst []byte, m *mark) []byte {
	text := r.s.body[m.start:m.end]
	if m.stream < 0 { // the c= of the session
		return appendAddr(dst, text, m.addr, substitute(m.addr, r.first))
	}
	l, ok := r.leg(m.stream)
	if !ok {
		return append(dst, text...)
	}
	st := &r.s.Streams[m.stream]
	switch m.kind {
	case markConn, markRTCPAddr:
		return appendAddr(dst, text, m.addr, st.substitute(m.addr, l))
	case markPort:
		if st.Port == 0 {
			return append(dst, text...)
		}
		return strconv.AppendUint(dst, uint64(l.Port), 10)
	}
	port, _ := parseUint(text, 65535)
	switch {
	case port == 0 || st.Port == 0 || l.Refused:
		return append(dst, text...)
	case port == int(st.Port): // RTCP on the port of RTP
		return strconv.AppendUint(dst, uint64(l.Port), 10)
	}
	return strconv.AppendUint(dst, uint64(l.RTCPPort), 10)
}

// appendConn adds a c= to a stream that has none of its own, if the session's will not do.
func (r *rewriter) appendConn(dst []byte, m *mark) []byte {
	s := r.s
	st := &s.Streams[m.stream]
	if st.ownConn || st.Port == 0 { // a refused stream needs no address
		return dst
	}
	session := substitute(s.conn.addr, r.first)
	if l, ok := r.leg(m.stream); ok {
		want := st.substitute(s.conn.addr, l)
		if s.conn.present && want == session {
			return dst
		}
		return s.appendConnLine(dst, m.start, nil, netip.Addr{}, want)
	}
	// Left alone: what the session said before holds for it still.
	if !s.conn.present || s.conn.fixed || s.conn.addr == session {
		return dst
	}
	return s.appendConnLine(dst, m.start, s.conn.text, s.conn.addr, s.conn.addr)
}

// appendConnLine appends a c= line that stands at pos in the body.
func (s *SDP) appendConnLine(dst []byte, pos int, text []byte, old, now netip.Addr) []byte {
	ending := s.ending()
	// The line before may be the last one, and lack its ending; then so does ours.
	unended := pos > 0 && s.body[pos-1] != '\n'
	if unended {
		dst = append(dst, ending...)
	}
	dst = appendAddr(append(dst, "c=IN "...), text, old, now)
	if !unended {
		dst = append(dst, ending...)
	}
	return dst
}

// ending is what ends the lines of the body.
func (s *SDP) ending() string {
	if i := bytes.IndexByte(s.body, '\n'); i > 0 && s.body[i-1] != '\r' {
		return "\n"
	}
	return "\r\n"
}

// appendAddr appends address type and address; those that do not change keep their bytes.
func appendAddr(dst, text []byte, old, now netip.Addr) []byte {
	if old == now {
		return append(dst, text...)
	}
	if now.Is4() {
		return now.AppendTo(append(dst, "IP4 "...))
	}
	return now.AppendTo(append(dst, "IP6 "...))
}
