package state

import (
	"encoding/binary"
	"hash/crc32"
)

// Key names a record.
type Key struct {
	Kind byte
	ID   uint64
}

// magic begins every file; the number is the version of the format.
const magic = "minisip state 1\n"

// mark says what a frame is.
type mark byte

const (
	stamped mark = 'T'
	begun   mark = 'B'
	put     mark = 'P'
	dropped mark = 'D'
	whole   mark = 'W'
)

const (
	headSize = 8         // of a frame: length and checksum
	maxBody  = 16 << 20  // a longer one cannot be meant
	keySize  = 1 + 1 + 8 // mark, kind, id
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendFrame appends a frame with the body that fill appends.
func appendFrame(b []byte, m mark, fill func(b []byte) []byte) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, byte(m))
	if fill != nil {
		b = fill(b)
	}
	return sealFrame(b, at)
}

// appendKeyed appends a frame about a key.
func appendKeyed(b []byte, m mark, k Key, record []byte) []byte {
	at := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, byte(m), k.Kind)
	b = binary.LittleEndian.AppendUint64(b, k.ID)
	return sealFrame(append(b, record...), at)
}

// sealFrame writes length and checksum of the frame that begins at at and ends b.
func sealFrame(b []byte, at int) []byte {
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-headSize))
	binary.LittleEndian.PutUint32(b[at+4:], checksum(b[at:]))
	return b
}

// checksum is over a frame without the place of the checksum itself.
func checksum(frame []byte) uint32 {
	return crc32.Update(crc32.Checksum(frame[:4], castagnoli), castagnoli, frame[headSize:])
}

// nextFrame takes the first frame off b. It reports false where none is whole.
func nextFrame(b []byte) (m mark, body, rest []byte, ok bool) {
	if len(b) <= headSize {
		return 0, nil, b, false
	}
	n := int64(binary.LittleEndian.Uint32(b))
	if n < 1 || n > maxBody || n > int64(len(b)-headSize) {
		return 0, nil, b, false
	}
	frame := b[:headSize+n]
	if checksum(frame) != binary.LittleEndian.Uint32(b[4:]) {
		return 0, nil, b, false
	}
	return mark(frame[headSize]), frame[headSize+1:], b[headSize+n:], true
}
