package guard

import (
	"hash/maphash"
	"net/netip"
	"sync/atomic"
)

// Shares divides the places of a queue among those whose datagrams wait in it. Each may
// have half as many as are still free: so one who floods gets a third of the queue, two get
// a quarter each, and who sends little finds a place while there is any. Nobody's part has to be
// known before, so a whole office behind one address gets through as long as it is served.
//
// Sources are told apart by a keyed hash into a fixed table. The zero value is not ready: use
// NewShares. It may be used by several goroutines.
type Shares struct {
	seed    maphash.Seed
	waiting [shareSlots]atomic.Int32
}

const shareSlots = 4096

// NewShares makes the shares of one queue.
func NewShares() *Shares { return &Shares{seed: maphash.MakeSeed()} }

// Enter asks for a place for a datagram from a source, where free are left. It gives the slot
// to leave again.
func (s *Shares) Enter(from netip.AddrPort, free int) (slot uint16, ok bool) {
	slot = uint16(hashOf(s.seed, from) % shareSlots)
	if n := s.waiting[slot].Add(1); free <= 0 || n > 1 && int(n) > free/2 {
		s.waiting[slot].Add(-1)
		return 0, false
	}
	return slot, true
}

// Leave gives the place back.
func (s *Shares) Leave(slot uint16) { s.waiting[slot].Add(-1) }
