package hep

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// The types of chunks, by section 4.1 of the protocol's description, revision 36.
const (
	chunkFamily      = 0x01
	chunkProtocol    = 0x02
	chunkSource4     = 0x03
	chunkDest4       = 0x04
	chunkSource6     = 0x05
	chunkDest6       = 0x06
	chunkSourcePort  = 0x07
	chunkDestPort    = 0x08
	chunkSeconds     = 0x09
	chunkMicros      = 0x0a
	chunkPayloadType = 0x0b
	chunkAgent       = 0x0c
	chunkPayload     = 0x0f
	chunkCorrelation = 0x11
	chunkNode        = 0x13
)

// kind is what a payload is.
type kind uint8

const (
	sip   kind = 0x01
	media kind = 0x22 // a full report on media, in JSON
)

// maxPacket is the longest HEP packet: its length stands in 16 bits, and a datagram holds no more.
const maxPacket = 65507

// packet is one message or report on its way to the server.
type packet struct {
	kind     kind
	at       time.Time
	from, to netip.AddrPort
	callID   []byte
	payload  []byte
}

// append appends the packet. It reports false for one that does not fit.
func (p *packet) append(b []byte, agent uint32, node string) ([]byte, bool) {
	begin := len(b)
	b = append(b, "HEP3\x00\x00"...)
	from, to := p.from.Addr().Unmap(), p.to.Addr().Unmap()
	family, source, dest := byte(2), uint16(chunkSource4), uint16(chunkDest4)
	if from.Is6() || to.Is6() {
		family, source, dest = 10, chunkSource6, chunkDest6
		from, to = netip.AddrFrom16(from.As16()), netip.AddrFrom16(to.As16())
	}
	b = appendChunk(b, chunkFamily, []byte{family})
	b = appendChunk(b, chunkProtocol, []byte{17}) // UDP
	b = appendChunk(b, source, from.AsSlice())
	b = appendChunk(b, dest, to.AsSlice())
	b = appendChunk(b, chunkSourcePort, binary.BigEndian.AppendUint16(nil, p.from.Port()))
	b = appendChunk(b, chunkDestPort, binary.BigEndian.AppendUint16(nil, p.to.Port()))
	b = appendChunk(b, chunkSeconds, binary.BigEndian.AppendUint32(nil, uint32(p.at.Unix())))
	b = appendChunk(b, chunkMicros, binary.BigEndian.AppendUint32(nil, uint32(p.at.Nanosecond()/1000)))
	b = appendChunk(b, chunkPayloadType, []byte{byte(p.kind)})
	b = appendChunk(b, chunkAgent, binary.BigEndian.AppendUint32(nil, agent))
	if node != "" {
		b = appendChunk(b, chunkNode, []byte(node))
	}
	if len(p.callID) > 0 {
		b = appendChunk(b, chunkCorrelation, p.callID)
	}
	if len(b)-begin+len(p.payload)+6 > maxPacket {
		return b[:begin], false
	}
	b = appendChunk(b, chunkPayload, p.payload)
	binary.BigEndian.PutUint16(b[begin+4:], uint16(len(b)-begin))
	return b, true
}

// appendChunk appends a chunk of the generic vendor, 0.
func appendChunk(b []byte, kind uint16, data []byte) []byte {
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, uint16(len(data)+6))
	return append(b, data...)
}
