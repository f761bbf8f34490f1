package nat

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
)

// Caps on what a stranger can count up in one session description.
const (
	MaxStreams = 16   // m= lines
	MaxLines   = 2048 // lines of any kind
)

// ErrSDP is what every error of Parse unwraps to.
var ErrSDP = errors.New("bad session description")

// SDPError names the line, counted from 1, that made Parse fail.
type SDPError struct {
	Line   int
	Reason string
}

func (e *SDPError) Error() string { return fmt.Sprintf("%v: line %d: %s", ErrSDP, e.Line, e.Reason) }

// Unwrap gives ErrSDP.
func (e *SDPError) Unwrap() error { return ErrSDP }

// Direction says which way media may flow, seen by the one who wrote it (RFC 8866 6.7).
type Direction uint8

const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

// Stream is one m= line and what follows it. Slices point into the parsed body.
type Stream struct {
	Media     []byte // "audio"
	Proto     []byte // "RTP/AVP"
	Port      uint16 // 0: refused or switched off
	NumPorts  int    // the n of "port/n", else 1
	Formats   []byte // "0 8 101"
	Addr      netip.Addr
	RTCP      netip.AddrPort // a=rtcp, else Addr and Port+1
	Mux       bool           // a=rtcp-mux
	Direction Direction      // its own, else the session's
	Hold      bool           // sendonly, inactive, or an address of 0.0.0.0 or ::
	Relayable bool           // UDP to one host, of a kind that a relay of media knows, and not port 0
	Ufrag     []byte         // a=ice-ufrag and a=ice-pwd, its own or the session's, where
	Pwd       []byte         // it does ICE; else nil

	ice        credentials
	candidates bool       // a=candidate
	conn       connection // of its own, or the session's
	ownConn    bool
	start      int    // where its lines begin in the body
	section    []byte // all its lines
}

// SDP is one parsed session description. The zero value is ready; Parse may be called
// again and again on one SDP, reusing its storage; one that was refused has no streams. Stream.Addr is the address of the c=
// in force, and invalid if there is none or it names a host.
type SDP struct {
	Streams []Stream

	body  []byte
	conn  connection // of the session
	dir   Direction  // of the session
	ice   credentials
	text  int // where the last line that is not empty ends
	line  int
	marks []mark
}

// mark is a place in the body that AppendRewritten may change; marks are in order.
type mark struct {
	kind       markKind
	stream     int // -1: the session
	start, end int
	addr       netip.Addr // of markConn and markRTCPAddr
}

type markKind uint8

const (
	markDrop     markKind = iota // a whole line of ICE or BUNDLE
	markPort                     // the port of m=
	markConn                     // address type and address of c=
	markNoConn                   // where a c= would stand; start == end
	markRTCPPort                 // the port of a=rtcp
	markRTCPAddr                 // address type and address of a=rtcp
	markICE                      // where attributes of ICE would stand; start == end
)

// connection is what a c= line says.
type connection struct {
	present bool
	fixed   bool       // multicast, or not of the Internet: must stay
	addr    netip.Addr // invalid: a host name
	text    []byte     // "IP4 192.0.2.1"
}

// Parse reads a session description. s keeps body and its slices point into it. An error
// means that body cannot be rewritten; it unwraps to ErrSDP.
func (s *SDP) Parse(body []byte) error {
	*s = SDP{Streams: s.Streams[:0], marks: s.marks[:0], body: body}
	if !bytes.HasPrefix(body, []byte("v=")) {
		s.line = 1
		return s.fail("does not begin with v=")
	}
	start := 0      // of the section
	crlfs := 0      // lines that end so
	noConn := false // the place for a c= is still to be marked
	for pos := 0; pos < len(body); {
		line, next := nextLine(body, pos)
		if next == pos+len(line)+len("\r\n") {
			crlfs++
		}
		if s.line++; s.line > MaxLines {
			return s.fail("too many lines")
		}
		// RFC 8866 5: i= stands between m= and c=.
		if noConn && !bytes.HasPrefix(line, []byte("i=")) {
			s.mark(markNoConn, pos, pos)
			noConn = false
		}
		if bytes.HasPrefix(line, []byte("m=")) {
			s.mark(markICE, s.text, s.text)
			s.endSection(body, start, pos)
			start, noConn = pos, true
		}
		if err := s.parseLine(line, pos, next); err != nil {
			return err
		}
		if pos = next; len(bytes.TrimRight(line, "\r")) > 0 {
			s.text = pos
		}
	}
	if noConn {
		s.mark(markNoConn, len(body), len(body))
	}
	s.mark(markICE, s.text, s.text)
	s.endSection(body, start, len(body))
	if bytes.Count(body, []byte{'\r'}) != crlfs {
		return s.lonelyCR()
	}
	return nil
}

// lonelyCR fails where a carriage return stands inside a line. RFC 8866 9 has none in a text, and who takes it for the
// end of a line reads a c= behind it, which has not been seen here.
func (s *SDP) lonelyCR() error {
	for i, c := range s.body {
		if c == '\r' && i+1 < len(s.body) && s.body[i+1] != '\r' && s.body[i+1] != '\n' {
			s.line = 1 + bytes.Count(s.body[:i], []byte{'\n'})
			return s.fail("a carriage return inside a line")
		}
	}
	return nil
}

// Cut forgets the streams from the n-th on, so that AppendRewritten leaves them out.
func (s *SDP) Cut(n int) {
	if n >= len(s.Streams) {
		return
	}
	s.body = s.body[:s.Streams[n].start]
	s.Streams = s.Streams[:n]
	i := slices.IndexFunc(s.marks, func(m mark) bool { return m.stream >= n })
	s.marks = s.marks[:i]
}

// nextLine gives the line at pos without its ending, and where the next one begins. RFC
// 8866 5: lines end in CRLF, and a single newline should be accepted.
func nextLine(body []byte, pos int) (line []byte, next int) {
	i := bytes.IndexByte(body[pos:], '\n')
	if i < 0 {
		return body[pos:], len(body)
	}
	line = body[pos : pos+i]
	if i > 0 && line[i-1] == '\r' {
		line = line[:i-1]
	}
	return line, pos + i + 1
}

// fail leaves nothing of what was read so far, so that what cannot be rewritten is not.
func (s *SDP) fail(reason string) error {
	s.Streams, s.marks = s.Streams[:0], s.marks[:0]
	return &SDPError{Line: s.line, Reason: reason}
}

func (s *SDP) mark(kind markKind, start, end int) *mark {
	s.marks = append(s.marks, mark{kind: kind, stream: len(s.Streams) - 1, start: start, end: end})
	return &s.marks[len(s.marks)-1]
}

// stream is the one whose section is being read, nil in the session's part.
func (s *SDP) stream() *Stream {
	if len(s.Streams) == 0 {
		return nil
	}
	return &s.Streams[len(s.Streams)-1]
}

// endSection completes the current stream, whose lines are body[start:end], with what the session says.
func (s *SDP) endSection(body []byte, start, end int) {
	st := s.stream()
	if st == nil {
		return
	}
	st.start, st.section = start, body[start:end]
	if !st.ownConn {
		st.conn = s.conn
	}
	st.Addr = st.conn.addr
	if st.Port == 0 {
		st.RTCP = netip.AddrPort{}
		return
	}
	rtcp := st.RTCP
	if rtcp.Port() == 0 {
		rtcp = netip.AddrPortFrom(st.Addr, st.Port+1)
	}
	if !rtcp.Addr().IsValid() {
		rtcp = netip.AddrPortFrom(st.Addr, rtcp.Port())
	}
	st.RTCP = rtcp
	st.endICE(&s.ice)
	st.Hold = st.Direction == SendOnly || st.Direction == Inactive || st.nulled()
	st.Relayable = !st.conn.fixed && relayable(st.Media, st.Proto)
}

// relayable knows the transports of media over UDP: RTP plain and secured (RFC 3551,
// 3711, 4585, 5124, 5764) and T.38 (ITU-T T.38 D, RFC 7345). Bare UDP carries media too,
// but not for m=application; BFCP, SCTP and everything over TCP find their own way.
func relayable(media, proto []byte) bool {
	for _, p := range [...]string{
		"RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF",
		"UDPTL", "UDP/TLS/UDPTL",
	} {
		if equalFold(proto, p) {
			return true
		}
	}
	return equalFold(proto, "UDP") && !equalFold(media, "application")
}

// equalFold compares with an ASCII string, without regard to case.
func equalFold(b []byte, s string) bool { return len(b) == len(s) && bytes.EqualFold(b, []byte(s)) }
