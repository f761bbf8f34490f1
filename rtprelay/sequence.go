package rtprelay

// maxMisorder is how far behind the newest a late packet may be. RFC 3550 A.1
// takes 100 for an example; 64 is what one word of memory tells apart.
const maxMisorder = 64

// A sequence follows the sequence numbers of one synchronization source
// (RFC 3550 A.1, A.3), and tells duplicates from late packets.
type sequence struct {
	first, newest uint64 // extended sequence numbers; newest 0: no packet yet
	seen          uint64 // bit i: newest-i was received
	received      uint64 // without duplicates
	suspect       uint32 // the one that would prove a jump; RFC 3550's bad_seq
	lost          uint64 // before the last restart

	duplicates, late uint64
}

const noSuspect = 1 << 16

// arrival is what a sequence says of a packet.
type arrival uint8

const (
	inOrder arrival = iota
	late
	duplicate
	restarted // the source began anew
	astray    // too far from its neighbours to count, unless it goes on there
)

// add counts a packet.
func (s *sequence) add(seq uint16) arrival {
	if s.newest == 0 {
		s.restart(seq)
		return restarted
	}
	step := seq - uint16(s.newest)
	back := -step
	switch {
	case step == 0:
		s.duplicates++
		return duplicate
	case step < maxDropout:
		s.newest += uint64(step)
		s.seen = s.seen<<step | 1
		s.received++
		return inOrder
	case back < maxMisorder:
		return s.behind(back)
	case uint32(seq) == s.suspect:
		s.restart(seq - 1)
		s.newest++
		s.seen = 3
		s.received = 2
		return restarted
	}
	s.suspect = uint32(seq + 1)
	return astray
}

// behind counts a packet that comes after a newer one.
func (s *sequence) behind(back uint16) arrival {
	bit := uint64(1) << back
	if s.seen&bit != 0 {
		s.duplicates++
		return duplicate
	}
	s.seen |= bit
	s.first = min(s.first, s.newest-uint64(back))
	s.received++
	s.late++
	return late
}

// leap counts a packet that add has found astray, and that comes after so many lost ones.
func (s *sequence) leap(seq uint16) {
	s.newest += uint64(seq - uint16(s.newest))
	s.seen = 1
	s.received++
	s.suspect = noSuspect
}

// restart begins anew and keeps the totals.
func (s *sequence) restart(seq uint16) {
	s.lost = s.missing()
	// One cycle ahead, so that a late packet before the first is above zero.
	s.first = uint64(seq) + 1<<16
	s.newest = s.first
	s.seen = 1
	s.received = 1
	s.suspect = noSuspect
}

// missing returns the packets that were expected and not received.
func (s *sequence) missing() uint64 {
	if s.newest == 0 {
		return s.lost
	}
	return s.lost + s.newest - s.first + 1 - s.received
}
