package guard

import (
	"net/netip"
	"slices"
	"time"
)

// source is what is known of one that has failed.
type source struct {
	charges []charge  // that count now, the oldest first; at most Limits.Count; as they were while banned
	names   []uint64  // hashes of different unknown names asked for, at most few
	asked   time.Time // when the last of them was
	until   time.Time // end of the ban
	last    time.Time // when it was last charged
	failed  int       // how often it has failed since, for people to see
	why     string    // the charge that led to the ban
	passes  *passes   // of a banned source
	tries   bucket    // of a banned source: credentials of users who have failed there
	failing []uint64  // of a banned source: hashes of names that have failed there since, at most maxFailing
}

// charge is one attempt that failed.
type charge struct {
	at            time.Time
	user, attempt uint64 // hashes
	again         int    // how often it failed once more, for nothing
}

// patience is how many failures more, of all its attempts that count now, a source has for nothing: enough for a
// phone with a wrong password, too few to guess by, even four at a time. What follows counts each for itself.
const patience = 16

// few is how many unknown names one may ask for before he is taken for somebody who guesses.
const few = 3

// guesses says whether so many were asked for lately.
func (s *source) guesses(now time.Time, lately time.Duration) bool {
	return len(s.names) >= few && now.Sub(s.asked) < lately
}

// maxFailing is how many names may fail at a banned source before it counts as one where everybody does.
const maxFailing = 64

// fails notes that a user fails at a banned source.
func (s *source) fails(user uint64) {
	if len(s.failing) < maxFailing && !slices.Contains(s.failing, user) {
		s.failing = append(s.failing, user)
	}
}

// hasFailed says whether a user has failed at a banned source.
func (s *source) hasFailed(user uint64) bool {
	return len(s.failing) >= maxFailing || slices.Contains(s.failing, user) ||
		slices.ContainsFunc(s.charges, func(c charge) bool { return c.user == user })
}

// maxSources bounds the table. The longest silent goes first.
const maxSources = 16384

// ask notes that the source has asked for a name that does not exist.
func (s *source) ask(now time.Time, name uint64, forgetAfter time.Duration) {
	if now.Sub(s.asked) >= forgetAfter {
		s.names = nil
	}
	s.asked = now
	if len(s.names) < few && !slices.Contains(s.names, name) {
		s.names = append(s.names, name)
	}
}

// goesOn says whether c is only one more failure of an attempt that has been charged.
func (s *source) goesOn(c *charge) bool {
	var first *charge
	free := 0
	for i := range s.charges {
		o := &s.charges[i]
		if free += o.again; first == nil && o.user == c.user && o.attempt == c.attempt {
			first = o
		}
	}
	if first == nil || free >= patience {
		return false
	}
	first.again++
	return true
}

// expire takes away the charges that are too old to count.
func (s *source) expire(now time.Time, within time.Duration) {
	n := 0
	for n < len(s.charges) && now.Sub(s.charges[n].at) >= within {
		n++
	}
	s.charges = slices.Delete(s.charges, 0, n)
}

// enter makes room for a source that is not known. Of a few others, taken at random, the one that
// was charged longest ago is forgotten, a banned one only when all of them are.
func (b *Bans) enter(now time.Time, ip netip.Addr) *source {
	if len(b.sources) >= maxSources {
		const looked = 8
		n := 0
		var worst netip.Addr
		var oldest *source
		for other, s := range b.sources {
			if oldest == nil || s.until.IsZero() && !oldest.until.IsZero() ||
				s.until.IsZero() == oldest.until.IsZero() && s.last.Before(oldest.last) {
				worst, oldest = other, s
			}
			if n++; n == looked {
				break
			}
		}
		b.forget(worst, oldest)
	}
	s := &source{last: now}
	b.sources[ip] = s
	return s
}

func (b *Bans) trusts(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return slices.ContainsFunc(b.limits.Trust, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// trustsSome says whether trust covers any of what is charged together as ip.
func trustsSome(trust []netip.Prefix, ip netip.Addr) bool {
	whole := netip.PrefixFrom(ip, min(ip.BitLen(), 64))
	return slices.ContainsFunc(trust, whole.Overlaps)
}

// origin is what is charged for what comes from ip.
func origin(ip netip.Addr) netip.Addr {
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip
	}
	p, err := ip.Prefix(64)
	if err != nil {
		return ip
	}
	return p.Addr()
}
