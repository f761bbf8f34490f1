package rtprelay

import (
	"math/rand/v2"
	"testing"
)

func TestSequence(t *testing.T) {
	type totals struct{ lost, duplicates, late uint64 }
	for _, tc := range []struct {
		name string
		seq  []uint16
		want totals
	}{
		{"in order", []uint16{1, 2, 3, 4}, totals{}},
		{"one packet", []uint16{9}, totals{}},
		{"a gap", []uint16{1, 2, 5}, totals{lost: 2}},
		{"a gap that is filled late", []uint16{1, 3, 2, 4}, totals{late: 1}},
		{"a duplicate of the newest", []uint16{1, 2, 2, 3}, totals{duplicates: 1}},
		{"a duplicate of an older one", []uint16{1, 2, 3, 1}, totals{duplicates: 1}},
		{"a late one, twice", []uint16{1, 3, 2, 2}, totals{late: 1, duplicates: 1}},
		{"late before the first", []uint16{10, 9, 11}, totals{late: 1}},
		{"late before the first, around zero", []uint16{0, 65535, 1}, totals{late: 1}},
		{"wraparound", []uint16{65534, 65535, 0, 1}, totals{}},
		{"loss over the wraparound", []uint16{65534, 2}, totals{lost: 3}},
		{"reordering over the wraparound", []uint16{65535, 1, 0, 2}, totals{late: 1}},
		{"the largest step that is a loss", []uint16{0, 2999}, totals{lost: 2998}},
		{"a jump, proved by its successor, is no loss", []uint16{1, 2, 30000, 30001, 30002}, totals{}},
		{"losses before a jump are kept", []uint16{1, 4, 30000, 30001}, totals{lost: 2}},
		{"a single stray number is no loss", []uint16{1, 2, 30000, 3}, totals{}},
		{"a jump back, as by a restarted phone", []uint16{5000, 5001, 7, 8, 9}, totals{}},
		{"a copy of what proved a jump", []uint16{5000, 5001, 7, 8, 7, 8}, totals{duplicates: 2}},
		{"the oldest that counts as late", []uint16{0, 100, 37}, totals{lost: 98, late: 1}},
		{"older than that is stray", []uint16{0, 100, 36}, totals{lost: 99}},
	} {
		var s sequence
		for _, n := range tc.seq {
			s.add(n)
		}
		if got := (totals{s.missing(), s.duplicates, s.late}); got != tc.want {
			t.Errorf("%s: %v: %+v, want %+v", tc.name, tc.seq, got, tc.want)
		}
	}
}

// RFC 3550 A.3: expected is the extended highest minus the first plus one,
// lost is expected minus received, over any number of cycles.
func TestSequenceLossOverCycles(t *testing.T) {
	var s sequence
	rng := rand.New(rand.NewPCG(1, 2))
	var lost uint64
	for i := range 300000 {
		if i > 0 && i < 299999 && rng.IntN(100) < 3 {
			lost++
			continue
		}
		s.add(uint16(65000 + i))
	}
	if got := s.missing(); got != lost {
		t.Errorf("lost %d, want %d", got, lost)
	}
	if got := s.newest - s.first + 1; got != 300000 {
		t.Errorf("expected %d packets, want 300000", got)
	}
}

// Whatever the order within the window, a set of packets that is whole has no
// loss, and each copy counts as a duplicate.
func TestSequenceAnyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		var s sequence
		base := uint16(rng.Uint32())
		order := rng.Perm(60)
		for _, i := range order {
			s.add(base + uint16(i))
			s.add(base + uint16(i))
		}
		if s.missing() != 0 || s.duplicates != 60 {
			t.Fatalf("base %d, order %v: lost %d, duplicates %d", base, order, s.missing(), s.duplicates)
		}
	}
}
