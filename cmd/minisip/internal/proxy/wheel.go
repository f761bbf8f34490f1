package proxy

import (
	"math/bits"
	"time"

	"minisip/cmd/minisip/internal/location"
	"minisip/session"
)

// pingers keep the ways to bindings behind NAT open. They sit on a wheel that turns once in
// Keepalive: its hand goes from bucket to bucket and pings who is there, so everybody has one
// ping a turn, and a change of the interval only changes the hand's speed. A place on
// the wheel costs 32 bytes; there is one timer for all.
type pingers struct {
	core  *Core
	timer session.Timer
	all   []pinger // at Ping.Place-1 of their bindings
	free  uint32   // the first free place, chained by next
	count int

	heads  []uint32 // by bucket: the place of the first pinger, 0: none
	filled []uint64 // by bucket: a bit that says whether there is one
	hand   uint32   // the bucket that comes next
	at     time.Time
	rested time.Time // behind, the hand stands still till then
	first  time.Time // what sentAt is counted from
}

// pinger is one binding's place. A ping needs no transaction: the place and a random number are in
// its branch, and the next ping forgets it.
type pinger struct {
	binding    *location.Binding
	sentAt     time.Duration // the last ping, since the pingers' first
	waiting    uint32        // number of the ping without an answer, 0: none
	bucket     uint16
	prev, next uint32 // places in the bucket
}

const (
	bucketBits = 14 // of 25 s, a bucket has 1.5 ms
	buckets    = 1 << bucketBits

	// golden is 1<<32 divided by the golden ratio. Its multiples lie evenly on the wheel however
	// many there are, so pings never burst: not after a hundred thousand phones registered
	// at once, and not after they registered in any other order. It is the number of a binding that is
	// multiplied: that outlives the process, so a binding keeps its place.
	golden = 2654435769

	// A hand that is behind, after a restart or when the loop stood still, would else make up for it all at once. It goes
	// catchUp times as fast, a piece of that each breath; where few have a place, fewPings are no burst either.
	catchUp  = 4
	breath   = 20 * time.Millisecond
	fewPings = 20
)

// since counts now from the first ping on, by the monotonic clock.
func (ps *pingers) since(now time.Time) time.Duration {
	if ps.first.IsZero() {
		ps.first = now
	}
	return now.Sub(ps.first)
}

// step is the time that the hand stays at a bucket.
func (ps *pingers) step() time.Duration { return max(1, ps.core.cfg.Keepalive/buckets) }

// add gives a binding a place, if it has none.
func (ps *pingers) add(b *location.Binding, now time.Time) {
	if b.Ping.Place != 0 {
		return
	}
	if ps.count == 0 {
		ps.turnTo(now)
	}
	ps.pass(now)
	ps.place(b)
}

// restore gives a binding of an earlier process its place back. Those whose turn it was while there was none, or one
// that hung, are pinged soon: the hand begins half a turn back. Else a NAT that forgets after 30 s would have.
func (ps *pingers) restore(b *location.Binding, now time.Time) {
	if ps.count == 0 {
		ps.turnTo(now.Add(-ps.core.cfg.Keepalive / 2))
	}
	ps.place(b)
}

// turnTo puts the hand where it is at a time, which is the same in every process that keeps its state in one place.
func (ps *pingers) turnTo(at time.Time) {
	if ps.heads == nil {
		ps.heads, ps.filled = make([]uint32, buckets), make([]uint64, buckets/64)
	}
	ps.at = at
	if epoch := ps.core.cfg.Epoch; !epoch.IsZero() {
		ps.hand = uint32(uint64(at.Sub(epoch)/ps.step()) % buckets)
	}
}

// place puts a binding into its bucket.
func (ps *pingers) place(b *location.Binding) {
	if ps.free == 0 {
		ps.all = append(ps.all, pinger{})
		ps.free = uint32(len(ps.all))
	}
	place := ps.free
	p := &ps.all[place-1]
	ps.free = p.next
	ps.count++
	bucket := uint32(b.ID) * golden >> (32 - bucketBits)
	*p = pinger{binding: b, bucket: uint16(bucket), next: ps.heads[bucket]}
	if p.next != 0 {
		ps.all[p.next-1].prev = place
	}
	ps.heads[bucket] = place
	ps.filled[bucket/64] |= 1 << (bucket % 64)
	b.Ping.Place = place
	ps.arm()
}

// remove takes a binding's place away, if it has one.
func (ps *pingers) remove(b *location.Binding) {
	place := b.Ping.Place
	if place == 0 {
		return
	}
	b.Ping.Place = 0
	p := &ps.all[place-1]
	if p.next != 0 {
		ps.all[p.next-1].prev = p.prev
	}
	if p.prev != 0 {
		ps.all[p.prev-1].next = p.next
	} else if ps.heads[p.bucket] = p.next; p.next == 0 {
		ps.filled[p.bucket/64] &^= 1 << (p.bucket % 64)
	}
	*p = pinger{next: ps.free}
	ps.free = place
	if ps.count--; ps.count == 0 {
		ps.core.timers.Stop(&ps.timer)
	}
}

// pass moves the hand over the buckets up to now in which nobody sits. It moves only when it has to, and so may be
// nearly a turn behind.
func (ps *pingers) pass(now time.Time) {
	for !ps.at.After(now) && ps.heads[ps.hand] == 0 {
		ps.advance()
	}
}

func (ps *pingers) advance() {
	ps.hand = (ps.hand + 1) % buckets
	ps.at = ps.at.Add(ps.step())
}

// Expire implements session.Expirer: the hand moves on.
func (ps *pingers) Expire(now time.Time) {
	ps.pass(now) // to the one who is due: the hand is as late as that ping is
	if now.Sub(ps.at) > ps.core.cfg.Keepalive {
		ps.turnTo(now) // the machine slept: one ping is enough
	}
	left := max(fewPings, int(catchUp*time.Duration(ps.count)*breath/ps.core.cfg.Keepalive))
	for ; !ps.at.After(now) && left > 0; ps.advance() {
		for place := ps.heads[ps.hand]; place != 0; place = ps.all[place-1].next {
			ps.core.ping(&ps.all[place-1], now)
			left--
		}
	}
	if !ps.at.After(now) {
		ps.rested = now.Add(breath)
	}
	ps.arm()
}

// arm sets the timer to the next bucket in which somebody sits; there is one. Behind, the hand rests first.
func (ps *pingers) arm() {
	word := ps.hand / 64
	bit := ps.filled[word] >> (ps.hand % 64) << (ps.hand % 64)
	for bit == 0 {
		word = (word + 1) % (buckets / 64)
		bit = ps.filled[word]
	}
	bucket := word*64 + uint32(bits.TrailingZeros64(bit))
	ahead := (bucket - ps.hand) % buckets
	at := ps.at.Add(time.Duration(ahead) * ps.step())
	if at.Before(ps.rested) {
		at = ps.rested
	}
	ps.core.timers.Set(&ps.timer, at)
}

// setInterval changes the time that the wheel turns in; 0 empties it. The hand stays where it is, so
// nobody waits longer for his next ping than the longer of the two intervals.
func (ps *pingers) setInterval(now time.Time, interval time.Duration) {
	c := ps.core
	before := ps.step()
	c.cfg.Keepalive = interval
	switch {
	case interval <= 0:
		for i := range ps.all {
			if b := ps.all[i].binding; b != nil {
				ps.remove(b)
			}
		}
	case ps.count > 0:
		left := ps.at.Sub(now)
		ps.at = now.Add(time.Duration(float64(left) * float64(ps.step()) / float64(before)))
		ps.arm()
	default:
		for b := range c.where.All() {
			c.keepOpen(b, now)
		}
	}
}
