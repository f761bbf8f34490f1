package proxy

// spare is the memory of datagrams that need not be sent again any more, for those that come: some pieces of
// each size, in steps of spareStep.
type spare [4][][]byte

const (
	spareStep = 512
	maxSpare  = 64 // of one size
)

// copyOf keeps a datagram.
func (s *spare) copyOf(b []byte) []byte {
	i := (len(b) - 1) / spareStep
	if i >= len(s) {
		return append([]byte(nil), b...)
	}
	if n := len(s[i]); n > 0 {
		room := s[i][n-1]
		s[i] = s[i][:n-1]
		return append(room, b...)
	}
	return append(make([]byte, 0, (i+1)*spareStep), b...)
}

// replace keeps b in the place of what copyOf gave before.
func (s *spare) replace(old, b []byte) []byte {
	if len(b) <= cap(old) {
		return append(old[:0], b...)
	}
	s.free(old)
	return s.copyOf(b)
}

// free takes back what copyOf gave; nobody may look at it any more.
func (s *spare) free(b []byte) {
	i := cap(b)/spareStep - 1
	if i >= 0 && i < len(s) && cap(b)%spareStep == 0 && len(s[i]) < maxSpare {
		s[i] = append(s[i], b[:0])
	}
}
