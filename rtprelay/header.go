package rtprelay

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// kind says what a datagram is, as far as its first bytes tell (RFC 7983 7,
// RFC 5761 4).
type kind uint8

const (
	other kind = iota // DTLS, T.38, an empty keepalive, anything
	stun              // RFC 8489 5
	rtp               // RFC 3550 5.1, also SRTP
	rtcp              // RFC 3550 6, also SRTCP
)

// A packet is a datagram on its way through a stream. It is handed on by address: it lies where
// the one before has lain, in the core's cache, unlike the stack of the goroutine whose socket it came to.
type packet struct {
	now  time.Duration // when it was read, since the relay's start
	from netip.AddrPort
	header
	data []byte
}

// A header holds what the relay reads of a datagram. What a kind does not
// have is zero.
type header struct {
	kind kind
	pt   uint8 // payload type
	seq  uint16
	ts   uint32
	ssrc uint32 // of the source; in RTCP of the sender of the packet
}

const stunCookie = 0x2112a442

// The first byte of what is DTLS: RFC 7983 7.
const firstDTLS, lastDTLS = 20, 63

// parseHeader reads the facts of a datagram. It never fails: what has no
// header that it knows is other.
func parseHeader(b []byte) (h header) {
	if len(b) < 8 {
		return h
	}
	if b[0]>>6 == 0 {
		if len(b) >= 20 && binary.BigEndian.Uint32(b[4:]) == stunCookie {
			h.kind = stun
		}
		return h
	}
	if b[0]>>6 != 2 {
		return h
	}
	// RFC 5761 4: RTCP packet types 192-223 are no RTP payload types, marker
	// bit included.
	if b[1] >= 192 && b[1] <= 223 {
		h.kind = rtcp
		h.ssrc = binary.BigEndian.Uint32(b[4:])
		return h
	}
	if len(b) < 12 {
		return h
	}
	h.kind = rtp
	h.pt = b[1] & 0x7f
	h.seq = binary.BigEndian.Uint16(b[2:])
	h.ts = binary.BigEndian.Uint32(b[4:])
	h.ssrc = binary.BigEndian.Uint32(b[8:])
	return h
}
