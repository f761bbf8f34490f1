package nat

import (
	"bytes"
	"net/netip"

	"minisip/sipmsg"
)

// FixContact puts src in place of the host and port of every sip and sips URI in the
// Contacts. Display names, user parts, URI and header parameters and the form (with
// brackets or bare) stay; so do "*", other schemes, and a GRUU (RFC 5627), which names no
// place but a phone wherever it is.
func FixContact(m *sipmsg.Message, src netip.AddrPort) {
	for it := m.Values(sipmsg.ContactHdr); it.Next(); {
		v := it.Value()
		at, uri := contactURI(v.Bytes)
		var buf [256]byte
		b := append(buf[:0], v.Bytes[:at]...)
		b = AppendContactURI(b, uri, src)
		b = append(b, v.Bytes[at+len(uri):]...)
		m.Replace(v, b)
	}
}

// contactURI finds the URI in one Contact value; "*" has none.
func contactURI(value []byte) (at int, uri []byte) {
	a, _ := sipmsg.ParseNameAddr(value)
	at = len(a.Display) // which may hold the same text
	return at + bytes.Index(value[at:], a.URI), a.URI
}

// AppendContactURI appends uri to dst, with src as its host and port if it is a sip or
// sips URI and no GRUU, and else as it is.
func AppendContactURI(dst, uri []byte, src netip.AddrPort) []byte {
	u, err := sipmsg.ParseURI(uri)
	if err != nil || !u.IsSIP() {
		return append(dst, uri...)
	}
	if _, gruu := u.Param("gr"); gruu {
		return append(dst, uri...)
	}
	start, end := hostPort(uri)
	dst = append(dst, uri[:start]...)
	dst = plainPort(src).AppendTo(dst)
	return append(dst, uri[end:]...)
}

// AppendWithHost undoes AppendContactURI: it appends uri with host and port of contact, if both are sip or sips URIs.
func AppendWithHost(dst, uri, contact []byte) []byte {
	if u, err := sipmsg.ParseURI(uri); err != nil || !u.IsSIP() {
		return append(dst, uri...)
	}
	if c, err := sipmsg.ParseURI(contact); err != nil || !c.IsSIP() {
		return append(dst, uri...)
	}
	start, end := hostPort(uri)
	first, last := hostPort(contact)
	dst = append(append(dst, uri[:start]...), contact[first:last]...)
	return append(dst, uri[end:]...)
}

// hostPort finds host and port in a sip or sips URI that can be read.
func hostPort(uri []byte) (start, end int) {
	start = bytes.IndexByte(uri, ':') + 1
	// No other part of a SIP URI may hold a bare '@' (RFC 3261 25.1).
	if at := bytes.IndexByte(uri, '@'); at >= 0 {
		start = at + 1
	}
	end = len(uri)
	if i := bytes.IndexAny(uri[start:], ";?"); i >= 0 {
		end = start + i
	}
	return start, end
}

// Behind reports whether m comes through a NAT: an address in its top Via or in one of its
// Contacts is not src, where it came from. A host name says nothing either way.
func Behind(m *sipmsg.Message, src netip.AddrPort) bool {
	src = plainPort(src)
	v := m.Via()
	if differs(v.Host, v.Port, defaultPort, src) {
		return true
	}
	for it := m.Values(sipmsg.ContactHdr); it.Next(); {
		_, uri := contactURI(it.Value().Bytes)
		u, _ := sipmsg.ParseURI(uri) // one that is neither sip nor sips has no host
		port := uint16(defaultPort)
		if bytes.EqualFold(u.Scheme, []byte("sips")) {
			port = 5061
		}
		if differs(u.Host, u.Port, port, src) {
			return true
		}
	}
	return false
}

// differs compares an IP literal and port, 0 for the default, with the source.
func differs(host []byte, port, def uint16, src netip.AddrPort) bool {
	if port == 0 {
		port = def
	}
	a, ok := parseIP(host)
	return ok && netip.AddrPortFrom(a, port) != src
}
