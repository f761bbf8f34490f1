package guard

import "time"

// How long datagrams may wait for the event loop before new calls are refused, and how
// little they must wait, for how long, before they are taken again. RFC 3261 wants a 100 within
// 200 ms of an INVITE; a phone repeats itself after 500. That a machine stood still for a moment is
// no overload: what waited meanwhile is handled in a few milliseconds.
const (
	lags    = 200 * time.Millisecond
	lagsFor = 250 * time.Millisecond
	keepsUp = 50 * time.Millisecond
	calmFor = time.Second
)

// Load says whether the event loop lags, from how long each datagram has waited for it. The
// zero value is a loop that does not.
type Load struct {
	Over   bool      // new calls are to be refused
	Since  time.Time // when that began
	last   time.Time // when one waited long
	behind time.Time // since when all have waited too long; zero: the last one had not
}

// Note takes the wait of one datagram. It reports whether Over has changed.
func (l *Load) Note(now time.Time, wait time.Duration) (changed bool) {
	if wait < lags {
		l.behind = time.Time{}
	} else if l.behind.IsZero() {
		l.behind = now
	}
	switch {
	case wait >= lags && !l.Over && now.Sub(l.behind) >= lagsFor:
		l.Over, l.Since, l.last = true, now, now
		return true
	case wait >= keepsUp:
		l.last = now
	case l.Over && now.Sub(l.last) >= calmFor:
		l.Over = false
		return true
	}
	return false
}
