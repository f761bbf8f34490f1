package nat

import (
	"bytes"
	"net/netip"
)

// parseLine reads one line, body[pos:next] with its ending, and marks what may change.
func (s *SDP) parseLine(line []byte, pos, next int) error {
	if len(line) < 2 || line[1] != '=' {
		return nil // not SDP, and nothing that we would change
	}
	switch line[0] {
	case 'm':
		return s.parseMedia(line, pos)
	case 'c':
		return s.parseConnection(line, pos)
	case 'a':
		return s.parseAttribute(line, pos, next)
	}
	return nil
}

// parseMedia reads "m=media port[/n] proto formats" (RFC 8866 5.14).
func (s *SDP) parseMedia(line []byte, pos int) error {
	if len(s.Streams) == MaxStreams {
		return s.fail("more than 16 media streams")
	}
	f := fields{b: line, pos: 2}
	media := f.next()
	ports := f.next()
	at := pos + f.pos - len(ports)
	proto := f.next()
	if len(proto) == 0 {
		return s.fail("m= without media, port and protocol")
	}
	first, count, several := bytes.Cut(ports, []byte{'/'})
	port, ok := parseUint(first, 65535)
	n := 1
	if several {
		n, _ = parseUint(count, 65535)
		ok = ok && n > 0
	}
	if !ok {
		return s.fail("m= with a bad port")
	}
	s.Streams = append(s.Streams, Stream{
		Media: media, Proto: proto, Port: uint16(port), NumPorts: n,
		Formats: bytes.TrimSpace(line[f.pos:]), Direction: s.dir,
	})
	s.mark(markPort, at, at+len(first))
	return nil
}

// parseConnection reads "c=nettype addrtype address" (RFC 8866 5.7).
func (s *SDP) parseConnection(line []byte, pos int) error {
	f := fields{b: line, pos: 2}
	c := connection{present: true, fixed: true}
	if net := f.next(); equalFold(net, "IN") {
		a, text, ok := f.address()
		if !ok {
			return s.fail("c= without IP4 or IP6 and an address")
		}
		c.addr, c.text, c.fixed = a, text, a.IsMulticast()
	} else if len(net) == 0 {
		return s.fail("c= without a network type")
	}
	// Several c= lines in a row are layers of one multicast session: the first counts.
	if st := s.stream(); st == nil && !s.conn.present {
		s.conn = c
	} else if st != nil && !st.ownConn {
		st.conn, st.ownConn = c, true
	}
	if !c.fixed {
		end := pos + f.pos
		s.mark(markConn, end-len(c.text), end).addr = c.addr
	}
	return nil
}

// parseAttribute reads the a= lines that matter to a relay.
func (s *SDP) parseAttribute(line []byte, pos, next int) error {
	name, value, _ := bytes.Cut(line[2:], []byte{':'})
	name = bytes.TrimRight(name, " ")
	st := s.stream()
	switch string(name) {
	case "sendrecv":
		s.setDirection(SendRecv)
	case "sendonly":
		s.setDirection(SendOnly)
	case "recvonly":
		s.setDirection(RecvOnly)
	case "inactive":
		s.setDirection(Inactive)
	case "rtcp-mux":
		if st != nil {
			st.Mux = true
		}
	case "rtcp":
		if st != nil {
			return s.parseRTCP(value, pos+len(line)-len(value))
		}
	case "candidate":
		s.parseICE(name, value)
		s.mark(markDrop, pos, next)
	case "remote-candidates", "end-of-candidates", "bundle-only":
		s.mark(markDrop, pos, next)
	case "group":
		f := fields{b: value}
		if string(f.next()) == "BUNDLE" {
			s.mark(markDrop, pos, next)
		}
	default:
		// ice-ufrag, ice-pwd, ice-options, ice-lite, ice-mismatch, ice-pacing.
		if bytes.HasPrefix(name, []byte("ice-")) {
			s.parseICE(name, value)
			s.mark(markDrop, pos, next)
		}
	}
	return nil
}

func (s *SDP) setDirection(d Direction) {
	if st := s.stream(); st != nil {
		st.Direction = d
	} else {
		s.dir = d
	}
}

// parseRTCP reads the value, at pos, of "a=rtcp:port [nettype addrtype address]" (RFC
// 3605 2.1).
func (s *SDP) parseRTCP(value []byte, pos int) error {
	f := fields{b: value}
	digits := f.next()
	port, ok := parseUint(digits, 65535)
	if !ok {
		return s.fail("a=rtcp with a bad port")
	}
	s.mark(markRTCPPort, pos+f.pos-len(digits), pos+f.pos)
	var a netip.Addr
	if net := f.next(); equalFold(net, "IN") {
		var text []byte
		if a, text, ok = f.address(); !ok {
			return s.fail("a=rtcp with a bad address")
		}
		s.mark(markRTCPAddr, pos+f.pos-len(text), pos+f.pos).addr = a
	}
	s.stream().RTCP = netip.AddrPortFrom(a, uint16(port))
	return nil
}

// fields walks the fields of a line, which spaces part.
type fields struct {
	b   []byte
	pos int // behind the last field
}

func (f *fields) next() []byte {
	for f.pos < len(f.b) && isSpace(f.b[f.pos]) {
		f.pos++
	}
	start := f.pos
	for f.pos < len(f.b) && !isSpace(f.b[f.pos]) {
		f.pos++
	}
	return f.b[start:f.pos]
}

// address reads "IP4 192.0.2.1" and the like. text is both fields, a TTL included; a is
// invalid for a host name.
func (f *fields) address() (a netip.Addr, text []byte, ok bool) {
	kind := f.next()
	start := f.pos - len(kind)
	host, _, _ := bytes.Cut(f.next(), []byte{'/'})
	if !equalFold(kind, "IP4") && !equalFold(kind, "IP6") || len(host) == 0 {
		return netip.Addr{}, nil, false
	}
	a, _ = parseIP(host)
	return a, f.b[start:f.pos], true
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }
