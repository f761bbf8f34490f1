package proxy

import (
	"net/netip"
	"time"
)

// loggedOnce remembers which addresses the log has named for one reason: each is named once a minute, or once for good.
// It is bounded: when it is full, no other address is named until the minute is over.
type loggedOnce struct {
	forGood bool
	since   time.Time
	named   map[netip.Addr]struct{}
}

// maxNamed is how many addresses it remembers.
const maxNamed = 1024

// news says whether an address is to be named now.
func (l *loggedOnce) news(now time.Time, ip netip.Addr) bool {
	if l.named == nil || !l.forGood && now.Sub(l.since) >= time.Minute {
		l.since, l.named = now, map[netip.Addr]struct{}{}
	}
	if _, old := l.named[ip]; old || len(l.named) >= maxNamed {
		return false
	}
	l.named[ip] = struct{}{}
	return true
}
