package proxy

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestSpare: a datagram that is kept stays as it is, whatever is kept, replaced and let go of beside it, and
// memory that was let go of serves again.
func TestSpare(t *testing.T) {
	var s spare
	rnd := rand.New(rand.NewPCG(1, 2))
	type kept struct {
		is   []byte
		want byte
	}
	var all []kept
	next := func() ([]byte, byte) {
		c := byte(rnd.Uint32())
		return bytes.Repeat([]byte{c}, rnd.IntN(3*spareStep*len(s)/2)), c
	}
	for range 10_000 {
		b, c := next()
		switch i := rnd.IntN(len(all) + 1); {
		case len(all) < 50 || i == len(all):
			all = append(all, kept{s.copyOf(b), c})
		case rnd.IntN(2) == 0:
			all[i] = kept{s.replace(all[i].is, b), c}
		default:
			s.free(all[i].is)
			all[i] = all[len(all)-1]
			all = all[:len(all)-1]
		}
		for _, k := range all {
			if bytes.Count(k.is, []byte{k.want}) != len(k.is) {
				t.Fatalf("%d bytes %q have become others", len(k.is), k.want)
			}
		}
	}
	for i := range s {
		if len(s[i]) > maxSpare {
			t.Errorf("%d spare pieces of size %d, want %d at most", len(s[i]), i, maxSpare)
		}
	}
	invite := make([]byte, 1100)
	if n := testing.AllocsPerRun(100, func() { s.free(s.copyOf(invite)) }); n != 0 {
		t.Errorf("%.0f allocations where there is memory to spare", n)
	}
}
