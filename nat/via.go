package nat

import (
	"bytes"
	"net/netip"
	"strconv"

	"minisip/sipmsg"
)

// defaultPort is the port of a sip URI or a sent-by without one (RFC 3261 18.1.1, 19.1.2).
const defaultPort = 5060

// FixVia writes into the top Via where the request came from. With force, received and
// rport are set in any case. Without it:
//
//	RFC 3261 18.2.1: "If the host portion of the "sent-by" parameter contains a domain
//	name, or if it contains an IP address that differs from the packet source address, the
//	server MUST add a "received" parameter".
//	RFC 3581 4: where rport was asked for, it "MUST set the value of the parameter to the
//	source port", and it "MUST insert a "received" parameter" then.
//
// What a sender wrote into received and rport itself is replaced, never believed. Other
// parameters keep their bytes and their order.
func FixVia(m *sipmsg.Message, src netip.AddrPort, force bool) {
	v := m.Via()
	src = plainPort(src)
	host, _ := parseIP(v.Host) // invalid, and so not the source, where it is a name
	rport := force || v.HasRPort
	received := rport || len(v.Received) > 0 || host != src.Addr()
	if !received {
		return
	}
	var buf [256]byte
	top := m.ViaValue()
	m.Replace(top, appendVia(buf[:0], top.Bytes, src, rport))
}

// appendVia appends one Via value with received, and rport if wanted, set to src. The
// first of each stays where it stands, copies of it go, and what is missing comes last.
func appendVia(dst, via []byte, src netip.AddrPort, rport bool) []byte {
	head, params, more := bytes.Cut(via, []byte{';'})
	dst = append(dst, head...)
	var hasReceived, hasRPort bool
	for more {
		var param []byte
		param, params, more = cutParam(params)
		switch name := paramName(param); {
		case bytes.EqualFold(name, []byte("received")):
			if !hasReceived {
				dst = appendReceived(dst, src.Addr())
			}
			hasReceived = true
		case bytes.EqualFold(name, []byte("rport")):
			if !hasRPort {
				dst = appendRPort(dst, src.Port())
			}
			hasRPort = true
		default:
			dst = append(dst, ';')
			dst = append(dst, param...)
		}
	}
	if !hasReceived {
		dst = appendReceived(dst, src.Addr())
	}
	if rport && !hasRPort {
		dst = appendRPort(dst, src.Port())
	}
	return dst
}

// An IPv6 address stands in received without brackets (RFC 3261 25.1, via-received).
func appendReceived(dst []byte, a netip.Addr) []byte {
	return a.AppendTo(append(dst, ";received="...))
}

func appendRPort(dst []byte, port uint16) []byte {
	return strconv.AppendUint(append(dst, ";rport="...), uint64(port), 10)
}

// cutParam cuts params at the first semicolon outside a quoted string.
func cutParam(params []byte) (param, rest []byte, more bool) {
	quoted := false
	for i := 0; i < len(params); i++ {
		switch c := params[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case !quoted && c == ';':
			return params[:i], params[i+1:], true
		}
	}
	return params, nil, false
}

func paramName(param []byte) []byte {
	name, _, _ := bytes.Cut(param, []byte{'='})
	return bytes.TrimSpace(name)
}
