package proxy

import (
	"net/netip"
	"time"
)

// hushedSources remembers which sources the log has named in this minute. It is bounded:
// when it is full, nothing new is logged until the minute is over.
type hushedSources struct {
	since time.Time
	seen  map[netip.Addr]struct{}
}

const (
	hushedEvery = time.Minute
	hushedMax   = 1024
)

// news says whether source is to be logged now.
func (h *hushedSources) news(now time.Time, source netip.Addr) bool {
	if h.seen == nil || now.Sub(h.since) >= hushedEvery {
		h.since, h.seen = now, map[netip.Addr]struct{}{}
	}
	if _, old := h.seen[source]; old || len(h.seen) >= hushedMax {
		return false
	}
	h.seen[source] = struct{}{}
	return true
}
