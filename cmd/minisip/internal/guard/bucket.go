package guard

import "time"

// How much of a banned source is looked at, in datagrams.
const (
	passRate  = 20 // a second
	passBurst = 40
)

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
