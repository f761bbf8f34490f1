package status

import (
	"net/netip"
	"sync"
	"time"
)

// What is given to whoever guesses: from one source five attempts, then one in 20 s; from all
// together 30, then one a second. With that, eight random characters hold for longer than
// any server.
const (
	sourceBurst, sourceEvery = 5, 20 * time.Second
	totalBurst, totalEvery   = 30, time.Second
	maxSources               = 4096
	goodFor                  = 7 * 24 * time.Hour
)

// bucket is a token bucket as one time: when it will be full again (the generic cell rate
// algorithm of ITU-T I.371). Its zero value is full.
type bucket struct{ full time.Time }

// spend takes a token, or says how long there is none.
func (b *bucket) spend(now time.Time, burst int, every time.Duration) (wait time.Duration) {
	full := b.full
	if full.Before(now) {
		full = now
	}
	if wait = full.Sub(now) - time.Duration(burst-1)*every; wait > 0 {
		return wait
	}
	b.full = full.Add(every)
	return 0
}

// throttle bounds attempts by source and in all. A source that once had the right password is
// not counted among all: guesses from everywhere do not keep the operator out.
type throttle struct {
	mu      sync.Mutex
	sources map[netip.Prefix]*tried
	total   bucket
}

type tried struct {
	bucket
	good time.Time // when the password was last right
}

// spend counts an attempt, or says how long none is taken.
func (t *throttle) spend(from netip.Prefix, now time.Time) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.of(from, now)
	if one == nil {
		return t.total.spend(now, totalBurst, totalEvery)
	}
	if wait = one.spend(now, sourceBurst, sourceEvery); wait > 0 || now.Sub(one.good) < goodFor {
		return wait
	}
	return t.total.spend(now, totalBurst, totalEvery)
}

// forgive takes back what a source has spent: its password was right.
func (t *throttle) forgive(from netip.Prefix, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if one := t.of(from, now); one != nil {
		*one = tried{good: now}
	}
}

// of finds what a source has tried. With too many sources, those that may try freely again are
// forgotten; if none may, a new one is counted among all alone, and of gives nil.
func (t *throttle) of(from netip.Prefix, now time.Time) *tried {
	if one := t.sources[from]; one != nil {
		return one
	}
	if t.sources == nil {
		t.sources = make(map[netip.Prefix]*tried)
	}
	if len(t.sources) >= maxSources {
		for key, one := range t.sources {
			if one.full.Before(now) && now.Sub(one.good) >= goodFor {
				delete(t.sources, key)
			}
		}
		if len(t.sources) >= maxSources {
			return nil
		}
	}
	one := &tried{}
	t.sources[from] = one
	return one
}
