package state

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
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

var errSpoilt = errors.New("state: no frame")

// nextFrame reads the next frame. The error is io.EOF at the end, and where none is whole io.ErrUnexpectedEOF or errSpoilt.
func nextFrame(in io.Reader) (m mark, body []byte, err error) {
	var head [headSize]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n < 1 || n > maxBody {
		return 0, nil, errSpoilt
	}
	frame := make([]byte, headSize+n)
	copy(frame, head[:])
	switch _, err := io.ReadFull(in, frame[headSize:]); {
	case err != nil && err != io.EOF:
		return 0, nil, err
	case err != nil || checksum(frame) != binary.LittleEndian.Uint32(frame[4:]):
		return 0, nil, errSpoilt
	}
	return mark(frame[headSize]), frame[headSize+1:], nil
}
