package guard

import (
	"hash/maphash"
	"net/netip"
	"sync"
)

// Sources is a set of addresses in which one can be several times. The zero value is not
// ready: use NewSources. It may be used by several goroutines.
//
// What it holds is a keyed hash of each address, 64 bits, which costs a third of the
// memory. Two that collide are taken for one another: then one datagram goes first that should not.
type Sources struct {
	seed maphash.Seed
	mu   sync.RWMutex
	held map[uint64]int32
}

// NewSources makes an empty set.
func NewSources() *Sources {
	return &Sources{seed: maphash.MakeSeed(), held: map[uint64]int32{}}
}

// Add puts at into the set once more.
func (s *Sources) Add(at netip.AddrPort) {
	key := hashOf(s.seed, at)
	s.mu.Lock()
	s.held[key]++
	s.mu.Unlock()
}

// Remove takes at out once.
func (s *Sources) Remove(at netip.AddrPort) {
	key := hashOf(s.seed, at)
	s.mu.Lock()
	if s.held[key] > 1 {
		s.held[key]--
	} else {
		delete(s.held, key)
	}
	s.mu.Unlock()
}

// Has says whether at is in the set.
func (s *Sources) Has(at netip.AddrPort) bool {
	key := hashOf(s.seed, at)
	s.mu.RLock()
	_, has := s.held[key]
	s.mu.RUnlock()
	return has
}

// Len is the number of different addresses.
func (s *Sources) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.held)
}

// hashOf hashes an address; an IPv4 address mapped into IPv6 is the same.
func hashOf(seed maphash.Seed, at netip.AddrPort) uint64 {
	ip := at.Addr().As16()
	b := [18]byte{16: byte(at.Port() >> 8), 17: byte(at.Port())}
	copy(b[:], ip[:])
	return maphash.Bytes(seed, b[:])
}
