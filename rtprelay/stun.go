package rtprelay

import (
	"crypto/hmac"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"net/netip"
)

// Message types of the Binding method: RFC 8489 5 and 18.2.
const (
	bindingRequest = 0x0001
	bindingSuccess = 0x0101
	bindingError   = 0x0111
)

// Attributes: RFC 8489 18.3, RFC 8445 16.1. Those below 0x8000 must be understood.
const (
	attrUsername          = 0x0006
	attrIntegrity         = 0x0008
	attrErrorCode         = 0x0009
	attrUnknown           = 0x000a
	attrIntegritySHA256   = 0x001c
	attrXORMappedAddress  = 0x0020
	attrPriority          = 0x0024
	attrUseCandidate      = 0x0025
	attrFingerprint       = 0x8028
	attrIceControlled     = 0x8029
	firstOptional         = 0x8000
	stunHeader            = 20
	integritySize         = 20 // HMAC-SHA1
	fingerprintXOR        = 0x5354554e
	familyIPv4            = 1
	familyIPv6            = 2
	errorBadRequest       = 400
	errorUnauthenticated  = 401
	errorUnknownAttribute = 420
	errorRoleConflict     = 487
)

// A stunMessage is what an ICE-lite agent reads of a STUN message (RFC 8489 5, 14).
// Slices point into the datagram.
type stunMessage struct {
	kind       uint16
	username   []byte
	integrity  int    // where MESSAGE-INTEGRITY begins; 0: there is none
	unknown    uint16 // the first attribute that must be understood and is not; 0: none
	priority   uint32
	nominates  bool // USE-CANDIDATE
	controlled bool // ICE-CONTROLLED: the sender does not know that we are lite
}

// parseSTUN reads a message that begins with STUN's header and cookie. It reports false
// for what is cut short or does not bear the FINGERPRINT that it claims.
func parseSTUN(b []byte) (m stunMessage, ok bool) {
	if len(b) < stunHeader || int(binary.BigEndian.Uint16(b[2:])) != len(b)-stunHeader || len(b)%4 != 0 {
		return m, false
	}
	m.kind = binary.BigEndian.Uint16(b)
	for at := stunHeader; at < len(b); {
		if at+4 > len(b) {
			return m, false
		}
		kind, size := binary.BigEndian.Uint16(b[at:]), int(binary.BigEndian.Uint16(b[at+2:]))
		end := at + 4 + (size+3)&^3
		if end > len(b) {
			return m, false
		}
		if !m.attribute(b, kind, at, b[at+4:at+4+size]) {
			return m, false
		}
		at = end
	}
	return m, true
}

// attribute reads the one that begins at b[at]. RFC 8489 14.5: behind MESSAGE-INTEGRITY all
// but FINGERPRINT "MUST" be ignored.
func (m *stunMessage) attribute(b []byte, kind uint16, at int, value []byte) bool {
	switch {
	case kind == attrFingerprint:
		// RFC 8489 14.7: it is the last.
		return len(value) == 4 && at+8 == len(b) &&
			binary.BigEndian.Uint32(value) == crc32.ChecksumIEEE(b[:at])^fingerprintXOR
	case m.integrity != 0:
		return true
	}
	switch kind {
	case attrUsername:
		m.username = value
	case attrIntegrity:
		m.integrity = at
		return len(value) == integritySize
	case attrPriority:
		if len(value) != 4 {
			return false
		}
		m.priority = binary.BigEndian.Uint32(value)
	case attrUseCandidate:
		m.nominates = true
	case attrIceControlled:
		m.controlled = true
	case attrIntegritySHA256: // RFC 8445 7.1 knows SHA-1 only; who sends both is served
	default:
		if kind < firstOptional && m.unknown == 0 {
			m.unknown = kind
		}
	}
	return true
}

// proven reports whether a message's MESSAGE-INTEGRITY was made with the key of mac (RFC
// 8489 14.5). b's header is changed for a while: its length ends with that attribute.
func (m *stunMessage) proven(b []byte, mac hash.Hash, sum *[integritySize]byte) bool {
	length := binary.BigEndian.Uint16(b[2:])
	binary.BigEndian.PutUint16(b[2:], uint16(m.integrity+4+integritySize-stunHeader))
	mac.Reset()
	mac.Write(b[:m.integrity])
	binary.BigEndian.PutUint16(b[2:], length)
	return hmac.Equal(mac.Sum(sum[:0]), b[m.integrity+4:m.integrity+4+integritySize])
}

// appendHeader begins the answer to a request. The length is set by seal.
func appendHeader(dst []byte, kind uint16, request []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, kind)
	return append(append(dst, 0, 0), request[4:stunHeader]...)
}

// appendAttribute appends one of a known size, a multiple of 4; the value follows.
func appendAttribute(dst []byte, kind uint16, size int) []byte {
	dst = binary.BigEndian.AppendUint16(dst, kind)
	return binary.BigEndian.AppendUint16(dst, uint16(size))
}

// appendMapped appends XOR-MAPPED-ADDRESS (RFC 8489 14.2) to a message whose header
// stands at the beginning of dst.
func appendMapped(dst []byte, from netip.AddrPort) []byte {
	ip, family, size := from.Addr().As16(), byte(familyIPv6), 16
	if from.Addr().Is4() {
		family, size = familyIPv4, 4
	}
	dst = appendAttribute(dst, attrXORMappedAddress, 4+size)
	dst = append(dst, 0, family)
	dst = binary.BigEndian.AppendUint16(dst, from.Port()^stunCookie>>16)
	for i, v := range ip[16-size:] {
		dst = append(dst, v^dst[4+i]) // the cookie, then the transaction ID
	}
	return dst
}

// appendError appends ERROR-CODE (RFC 8489 14.8).
func appendError(dst []byte, code int, reason string) []byte {
	dst = binary.BigEndian.AppendUint16(dst, attrErrorCode)
	dst = binary.BigEndian.AppendUint16(dst, uint16(4+len(reason)))
	dst = append(dst, 0, 0, byte(code/100), byte(code%100))
	dst = append(dst, reason...)
	for len(dst)%4 != 0 {
		dst = append(dst, 0)
	}
	return dst
}

// seal ends a message with MESSAGE-INTEGRITY, where there is a mac, and FINGERPRINT.
func seal(b []byte, mac hash.Hash) []byte {
	if mac != nil {
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)-stunHeader+4+integritySize))
		mac.Reset()
		mac.Write(b)
		b = mac.Sum(appendAttribute(b, attrIntegrity, integritySize))
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-stunHeader+8))
	sum := crc32.ChecksumIEEE(b) ^ fingerprintXOR
	return binary.BigEndian.AppendUint32(appendAttribute(b, attrFingerprint, 4), sum)
}
