package proxy

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
)

// STUN, as much of RFC 8489 as a phone needs to keep its flow open and to see that its address
// has changed (RFC 5626 4.4.2 and 8): Binding requests, answered with XOR-MAPPED-ADDRESS,
// with FINGERPRINT where the request has one. RFC 5626 8 wants no authentication: USERNAME and
// MESSAGE-INTEGRITY are passed over. Indications and what is broken get no answer.
const (
	stunHeader = 20
	stunCookie = 0x2112A442

	bindingRequest = 0x0001
	bindingSuccess = 0x0101
	bindingError   = 0x0111

	attrErrorCode   = 0x0009
	attrUnknown     = 0x000A
	attrXORMapped   = 0x0020
	attrFingerprint = 0x8028

	fingerprintXOR = 0x5354554e
)

// isSTUN says whether a datagram is a STUN message: RFC 8489 5.
func isSTUN(b []byte) bool {
	return len(b) >= stunHeader && b[0] < 4 && binary.BigEndian.Uint32(b[4:]) == stunCookie &&
		int(binary.BigEndian.Uint16(b[2:])) == len(b)-stunHeader && len(b)%4 == 0
}

// appendSTUN appends the answer to a STUN message that came from src, or nothing.
func appendSTUN(dst, request []byte, src netip.AddrPort) []byte {
	if binary.BigEndian.Uint16(request) != bindingRequest {
		return dst
	}
	unknown, fingerprint, ok := readSTUN(request)
	if !ok {
		return dst
	}
	start := len(dst)
	kind := uint16(bindingSuccess)
	if len(unknown) > 0 {
		kind = bindingError
	}
	dst = binary.BigEndian.AppendUint16(dst, kind)
	dst = append(dst, 0, 0) // the length, in the end
	dst = append(dst, request[4:stunHeader]...)
	if len(unknown) > 0 {
		// RFC 8489 6.3.1: what must be comprehended and is not gets 420 and is named.
		dst = append(dst, 0, attrErrorCode, 0, 4, 0, 0, 4, 20)
		dst = binary.BigEndian.AppendUint16(dst, attrUnknown)
		dst = binary.BigEndian.AppendUint16(dst, uint16(2*len(unknown)))
		for _, a := range unknown {
			dst = binary.BigEndian.AppendUint16(dst, a)
		}
		if len(unknown)%2 == 1 {
			dst = append(dst, 0, 0)
		}
	} else {
		dst = appendXORMapped(dst, request[4:stunHeader], src)
	}
	if fingerprint {
		setSTUNLength(dst[start:], 8)
		sum := crc32.ChecksumIEEE(dst[start:]) ^ fingerprintXOR
		dst = binary.BigEndian.AppendUint16(dst, attrFingerprint)
		dst = append(dst, 0, 4)
		return binary.BigEndian.AppendUint32(dst, sum)
	}
	setSTUNLength(dst[start:], 0)
	return dst
}

// setSTUNLength writes the length of a message to which more bytes will be added.
func setSTUNLength(message []byte, more int) {
	binary.BigEndian.PutUint16(message[2:], uint16(len(message)-stunHeader+more))
}

// appendXORMapped appends src masked with the cookie and the transaction's number: RFC 8489 14.2.
func appendXORMapped(dst, mask []byte, src netip.AddrPort) []byte {
	ip, family := src.Addr().AsSlice(), byte(1)
	if len(ip) == 16 {
		family = 2
	}
	dst = append(dst, 0, attrXORMapped, 0, byte(4+len(ip)), 0, family)
	dst = binary.BigEndian.AppendUint16(dst, src.Port()^stunCookie>>16)
	for i, b := range ip {
		dst = append(dst, b^mask[i])
	}
	return dst
}

// readSTUN reads a request's attributes: those that it must not be served without, and
// whether there is a FINGERPRINT. ok is false for what cannot be read or has a wrong fingerprint.
func readSTUN(b []byte) (unknown []uint16, fingerprint, ok bool) {
	for at := stunHeader; at < len(b); {
		kind, size := binary.BigEndian.Uint16(b[at:]), int(binary.BigEndian.Uint16(b[at+2:]))
		value := at + 4
		next := value + (size+3)&^3
		if next > len(b) {
			return nil, false, false
		}
		switch {
		case kind == attrFingerprint:
			// It is the last one: RFC 8489 14.7.
			sum := crc32.ChecksumIEEE(b[:at]) ^ fingerprintXOR
			right := size == 4 && next == len(b) && binary.BigEndian.Uint32(b[value:]) == sum
			return unknown, right, right
		case kind >= 0x8000 || knownSTUN(kind):
		case len(unknown) < maxUnknown:
			unknown = append(unknown, kind)
		}
		at = next
	}
	return unknown, false, true
}

// maxUnknown bounds the attributes named in a refusal.
const maxUnknown = 8

// knownSTUN says which of the attributes that must be comprehended may stand in a request
// and change nothing in our answer: USERNAME, MESSAGE-INTEGRITY, REALM, NONCE,
// MESSAGE-INTEGRITY-SHA256, and ICE's PRIORITY and USE-CANDIDATE.
func knownSTUN(kind uint16) bool {
	switch kind {
	case 0x0006, 0x0008, 0x0014, 0x0015, 0x001C, 0x0024, 0x0025:
		return true
	}
	return false
}
