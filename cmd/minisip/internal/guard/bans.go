package guard

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Limits say when a source is banned.
type Limits struct {
	Count  int            // failures within Within; 0: nobody is ever banned
	Within time.Duration  // how long a failure counts
	For    time.Duration  // how long a ban lasts
	Trust  []netip.Prefix // never banned
}

// Bans knows who has failed to authenticate or asked for users that do not exist. It counts by
// source IP, of IPv6 by the /64 that one customer has. Only failures are charged; one attempt counts
// once, for some phones that have a wrong password answer every new challenge at once, but a source has only so
// many of those; and the success of a user takes away what he was charged himself, the ban included that came of
// it. It may be used by several goroutines.
//
// The zero value is not ready: use NewBans.
type Bans struct {
	banned atomic.Int32 // how many are, so that nobody need look who is while none is
	seed   maphash.Seed

	mu      sync.Mutex
	limits  Limits
	sources map[netip.Addr]*source
}

// NewBans makes an empty table.
func NewBans(l Limits) *Bans {
	b := &Bans{seed: maphash.MakeSeed(), sources: map[netip.Addr]*source{}}
	b.SetLimits(l)
	return b
}

// SetLimits changes the limits. Those who are trusted now, and everybody where nobody is banned any more,
// are free at once.
func (b *Bans) SetLimits(l Limits) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.limits = l
	for ip, s := range b.sources {
		if l.Count <= 0 || trustsSome(l.Trust, ip) {
			b.forget(ip, s)
		}
	}
}

// Failure is one thing that a source is charged with.
type Failure struct {
	User    []byte // whose name was used
	As      []byte // and by whom, if that is another name
	Unknown bool   // there is no such user
	Attempt []byte // what the requests of one attempt to log in share
	Why     string // in words
}

// Charge charges ip with a failure. It reports whether that gets it banned, which it was not before.
func (b *Bans) Charge(now time.Time, ip netip.Addr, f Failure) (banned bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limits.Count <= 0 || b.trusts(ip) {
		return false
	}
	ip = origin(ip)
	s := b.sources[ip]
	if s == nil {
		s = b.enter(now, ip)
	}
	if now.Before(s.until) {
		s.failed++
		s.fails(maphash.Bytes(b.seed, f.User))
		s.fails(maphash.Bytes(b.seed, f.As))
		return false
	}
	b.free(s)
	c := charge{at: now, user: maphash.Bytes(b.seed, f.User), attempt: maphash.Bytes(b.seed, f.Attempt)}
	s.expire(now, b.limits.Within)
	if s.goesOn(&c) {
		return false
	}
	s.last = now
	s.failed++
	if f.Unknown {
		s.ask(now, c.user, b.limits.For)
	}
	s.charges = append(s.charges, c)
	if len(s.charges) < b.limits.Count {
		return false
	}
	b.banned.Add(1)
	s.until, s.why = now.Add(b.limits.For), f.Why
	s.passes, s.tries = newPasses(now), full(now, b.limits.Count)
	return true
}

// Succeed notes that a user has proved himself from ip.
func (b *Bans) Succeed(ip netip.Addr, user []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.sources) == 0 {
		return
	}
	ip = origin(ip)
	s := b.sources[ip]
	if s == nil {
		return
	}
	own := maphash.Bytes(b.seed, user)
	before := len(s.charges)
	left := slices.DeleteFunc(s.charges, func(c charge) bool { return c.user == own })
	if len(left) == before {
		return
	}
	s.charges = left
	b.free(s)
	if len(left) == 0 && len(s.names) == 0 {
		b.forget(ip, s)
	}
}

// Banned says whether ip is banned. While nobody is it costs nothing.
func (b *Bans) Banned(now time.Time, ip netip.Addr) bool {
	if b.banned.Load() == 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sources[origin(ip)]
	return s != nil && now.Before(s.until) && !b.trusts(ip)
}

// Pass says whether a datagram of a banned source is to be looked at all the same: so many
// a second, those who bring credentials counted apart, and each port as far as its share reaches, so that a phone that
// has its address in common with an attacker can still prove itself.
func (b *Bans) Pass(now time.Time, src netip.AddrPort, proving bool) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sources[origin(src.Addr())]
	if s == nil || s.passes == nil {
		return true
	}
	kind := 0
	if proving {
		kind = 1
	}
	return s.passes[kind][share(now, hashOf(b.seed, src))].take(now, passRate/passShares, passBurst/passShares)
}

// Try says whether the credentials of a user who does not live at a banned ip are to be verified: as many
// as anybody may get wrong without being banned.
func (b *Bans) Try(now time.Time, ip netip.Addr) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sources[origin(ip)]
	return s == nil || s.tries.take(now, float64(b.limits.Count)/b.limits.Within.Seconds(), b.limits.Count)
}

// Failed says whether a user has failed at a banned ip: he is one of those who got it banned, or has failed since. Of many
// names nobody keeps track; then all have.
func (b *Bans) Failed(ip netip.Addr, user []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sources[origin(ip)]
	return s != nil && s.hasFailed(maphash.Bytes(b.seed, user))
}

// Guesses says whether ip has asked for a few users that do not exist, and so is not to learn which ones do.
func (b *Bans) Guesses(now time.Time, ip netip.Addr) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.sources) == 0 {
		return false
	}
	s := b.sources[origin(ip)]
	return s != nil && s.guesses(now, b.limits.For)
}

// Ban is one source that is banned.
type Ban struct {
	IP       netip.Addr // of IPv6, the first of its /64
	Until    time.Time  // by the clock as it is now
	Failures int
	Why      string // the last of them
}

// List gives those who are banned, the latest first.
func (b *Bans) List(now time.Time) (list []Ban) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ip, s := range b.sources {
		if now.Before(s.until) {
			list = append(list, Ban{ip, now.Add(s.until.Sub(now)), s.failed, s.why})
		}
	}
	slices.SortFunc(list, func(x, y Ban) int {
		if n := y.Until.Compare(x.Until); n != 0 {
			return n
		}
		return x.IP.Compare(y.IP)
	})
	return list
}

// Lift ends the ban of ip, or that it counts as one who guesses, and forgets what it was charged with. It reports
// false where ip was neither.
func (b *Bans) Lift(now time.Time, ip netip.Addr) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	ip = origin(ip)
	s := b.sources[ip]
	if s == nil || !now.Before(s.until) && !s.guesses(now, b.limits.For) {
		return false
	}
	b.forget(ip, s)
	return true
}

// Sweep forgets whose failures no longer count. It is to be called now and then.
func (b *Bans) Sweep(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for ip, s := range b.sources {
		if !now.Before(s.until) {
			b.free(s)
		}
		if s.until.IsZero() {
			s.expire(now, b.limits.Within)
		}
		if s.until.IsZero() && len(s.charges) == 0 && (len(s.names) == 0 || now.Sub(s.asked) >= b.limits.For) {
			b.forget(ip, s)
		}
	}
}

// Len is how many sources are known.
func (b *Bans) Len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.sources)
}

// free ends the ban of a source, if it is banned.
func (b *Bans) free(s *source) {
	if !s.until.IsZero() {
		b.banned.Add(-1)
		s.until, s.failed, s.failing, s.passes = time.Time{}, len(s.charges), nil, nil
	}
}

func (b *Bans) forget(ip netip.Addr, s *source) {
	b.free(s)
	delete(b.sources, ip)
}
