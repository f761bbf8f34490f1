package capture

import (
	"encoding/binary"
	"net/netip"
	"time"
)

const (
	ipv4Header = 20
	ipv6Header = 40
	udpHeader  = 8
	recordHead = 16
	protoUDP   = 17
	hops       = 64
)

// fileHeader is what a file begins with: magic of times in microseconds, version 2.4, time
// zone and accuracy 0, the most that a record holds, and LINKTYPE_RAW.
func fileHeader() []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...)
	b = binary.LittleEndian.AppendUint32(b, 1<<18)
	return binary.LittleEndian.AppendUint32(b, 101)
}

// sized gives the length of a record's packet, or 0 where the payload is longer than a
// datagram can be.
func sized(v4 bool, payload int) int {
	n := udpHeader + payload
	if v4 {
		n += ipv4Header
	}
	if n > 65535 {
		return 0
	}
	if !v4 {
		n += ipv6Header
	}
	return n
}

// alike brings both addresses to one family. Of a socket that takes both, the unspecified
// address becomes that of the other's family, and IPv4 is mapped into IPv6 (RFC 4291 2.5.5.2)
// where nothing else helps.
func alike(from, to netip.Addr) (_, _ netip.Addr, v4 bool) {
	from, to = from.Unmap().WithZone(""), to.Unmap().WithZone("")
	if from.Is4() && to.IsUnspecified() {
		to = netip.IPv4Unspecified()
	}
	if to.Is4() && from.IsUnspecified() {
		from = netip.IPv4Unspecified()
	}
	return from, to, from.Is4() && to.Is4()
}

// appendRecord appends a datagram as a record of the file; nothing where it is too long.
func appendRecord(b []byte, at time.Time, from, to netip.AddrPort, payload []byte) []byte {
	src, dst, v4 := alike(from.Addr(), to.Addr())
	n := sized(v4, len(payload))
	if n == 0 {
		return b
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(at.Unix()))
	b = binary.LittleEndian.AppendUint32(b, uint32(at.Nanosecond()/1000))
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	size := udpHeader + len(payload)
	var pseudo sum
	if v4 {
		start := len(b)
		b = append(b, 0x45, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
		b = append(b, 0, 0, 0x40, 0, hops, protoUDP, 0, 0) // don't fragment
		b = append(append(b, src.AsSlice()...), dst.AsSlice()...)
		var s sum
		s.add(b[start:])
		binary.BigEndian.PutUint16(b[start+10:], s.value())
		pseudo.add(b[start+12:])
	} else {
		start := len(b)
		b = append(b, 0x60, 0, 0, 0)
		b = binary.BigEndian.AppendUint16(b, uint16(size))
		b = append(b, protoUDP, hops)
		six, seven := src.As16(), dst.As16()
		b = append(append(b, six[:]...), seven[:]...)
		pseudo.add(b[start+8:])
	}
	pseudo += sum(size + protoUDP)
	start := len(b)
	b = binary.BigEndian.AppendUint16(b, from.Port())
	b = binary.BigEndian.AppendUint16(b, to.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(size))
	b = append(append(b, 0, 0), payload...)
	pseudo.add(b[start:])
	check := pseudo.value()
	if check == 0 {
		check = 0xffff // RFC 768: 0 stands for none
	}
	binary.BigEndian.PutUint16(b[start+6:], check)
	return b
}

// sum is the checksum of the Internet (RFC 1071) while it is added up.
type sum uint64

func (s *sum) add(b []byte) {
	for ; len(b) > 1; b = b[2:] {
		*s += sum(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		*s += sum(b[0]) << 8
	}
}

func (s sum) value() uint16 {
	for s > 0xffff {
		s = s&0xffff + s>>16
	}
	return ^uint16(s)
}
