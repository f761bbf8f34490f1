package nat

import (
	"bytes"
	"net/netip"
	"strconv"
)

// credentials are those of ICE, and what stands beside them: RFC 8839 5.4, 5.6.
type credentials struct {
	ufrag, pwd []byte
	trickle    bool // RFC 8840 4.1.1: candidates may come later
}

// parseICE notes an attribute of ICE. What has another form than RFC 8839 5.4 allows is
// not there.
func (s *SDP) parseICE(name, value []byte) {
	c, st := &s.ice, s.stream()
	if st != nil {
		c = &st.ice
	}
	switch value = bytes.TrimSpace(value); string(name) {
	case "ice-ufrag":
		if isICE(value, 4) {
			c.ufrag = value
		}
	case "ice-pwd":
		if isICE(value, 22) {
			c.pwd = value
		}
	case "ice-options":
		for f := range bytes.FieldsSeq(value) {
			c.trickle = c.trickle || string(f) == "trickle"
		}
	case "candidate":
		if st != nil {
			st.candidates = true
		}
	}
}

// isICE knows ice-char: RFC 8839 5.1.
func isICE(b []byte, atLeast int) bool {
	if len(b) < atLeast || len(b) > 256 {
		return false
	}
	const chars = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/"
	return len(bytes.Trim(b, chars)) == 0
}

// endICE decides whether a stream that is complete does ICE.
func (st *Stream) endICE(session *credentials) {
	if st.ice.ufrag == nil {
		st.ice.ufrag = session.ufrag
	}
	if st.ice.pwd == nil {
		st.ice.pwd = session.pwd
	}
	if st.ice.ufrag != nil && st.ice.pwd != nil && (st.candidates || st.ice.trickle || session.trickle) {
		st.Ufrag, st.Pwd = st.ice.ufrag, st.ice.pwd
	}
}

// ICE says whether a stream comes with what ICE takes: ufrag, password and candidates.
func (st *Stream) ICE() bool { return st.Ufrag != nil }

// nulled says whether a stream's address is unspecified for hold, and not because no candidate
// is known yet: RFC 8839 4.3.1 and 5.4, RFC 8840 4.1.3.
func (st *Stream) nulled() bool {
	return st.Addr.IsUnspecified() && !(st.ICE() && st.Port == 9)
}

// isRTP says whether a stream has RTCP, and so a second component.
func (st *Stream) isRTP() bool {
	for i := range len(st.Proto) - 3 {
		if equalFold(st.Proto[i:i+4], "RTP/") {
			return true
		}
	}
	return false
}

// hostPriority is that of a lite agent's only candidate for the first component: RFC 8445
// 5.1.2.1 with type preference 126 and local preference 65535.
const hostPriority = 126<<24 + 65535<<8 + 256 - 1

// appendICE appends what makes a leg an ICE-lite agent in the eyes of a phone: RFC 8839
// 5.1, 5.3, 5.4. RFC 8445 10: the option ice2 "MUST" be there.
func (r *rewriter) appendICE(dst []byte, m *mark) []byte {
	if m.stream < 0 {
		if r.ice {
			dst = r.endLine(append(dst, "a=ice-lite"...))
			dst = r.endLine(append(dst, "a=ice-options:ice2"...))
		}
		return dst
	}
	l, _ := r.leg(m.stream)
	if l.Ufrag == "" {
		return dst
	}
	dst = append(append(r.newLine(dst), "a=ice-ufrag:"...), l.Ufrag...)
	dst = append(append(r.endLine(dst), "a=ice-pwd:"...), l.Pwd...)
	dst = r.endLine(dst)
	dst = r.appendCandidate(dst, 1, l.Addr, l.Port)
	if !l.Mux && r.s.Streams[m.stream].isRTP() {
		dst = r.appendCandidate(dst, 2, l.Addr, l.RTCPPort)
	}
	return dst
}

func (r *rewriter) appendCandidate(dst []byte, component uint64, ip netip.Addr, port uint16) []byte {
	dst = strconv.AppendUint(append(dst, "a=candidate:1 "...), component, 10)
	dst = strconv.AppendUint(append(dst, " UDP "...), hostPriority+1-component, 10)
	dst = ip.AppendTo(append(dst, ' '))
	dst = strconv.AppendUint(append(dst, ' '), uint64(port), 10)
	return r.endLine(append(dst, " typ host"...))
}

// newLine ends the line before, if that was the last one of the body and lacks its ending.
func (r *rewriter) newLine(dst []byte) []byte {
	if dst[len(dst)-1] == '\n' {
		return dst
	}
	return r.endLine(dst)
}

func (r *rewriter) endLine(dst []byte) []byte { return append(dst, r.s.ending()...) }
