package guard

import "time"

// How much of a banned source is looked at, in datagrams.
const (
	passRate   = 20.0 // a second
	passBurst  = 40
	shareBits  = 3
	passShares = 1 << shareBits // by port
)

// share is which of them a port has. They are dealt anew every ten seconds, so that nobody has one in common with an
// attacker for long.
func share(now time.Time, port uint64) uint64 {
	const deals = 64 / shareBits
	return port >> (uint64(now.Unix()/10) % deals * shareBits) % passShares
}

// passes are a banned source's permissions: those for who brings no credentials, and for who does.
type passes [2][passShares]bucket

func newPasses(now time.Time) *passes {
	p := new(passes)
	for kind := range p {
		for i := range p[kind] {
			p[kind][i] = full(now, passBurst/passShares)
		}
	}
	return p
}

// bucket holds permissions, some of which come back every second.
type bucket struct {
	at     time.Time
	tokens float64
}

func full(now time.Time, tokens int) bucket { return bucket{now, float64(tokens)} }

func (b *bucket) take(now time.Time, rate float64, most int) bool {
	if d := now.Sub(b.at); d > 0 {
		b.tokens = min(float64(most), b.tokens+rate*d.Seconds())
		b.at = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
