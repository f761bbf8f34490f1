package proxy

import (
	"time"

	"minisip/session"
)

// holds says whether a side has put the call on hold.
func (md *media) holds(side session.Role) bool { return md != nil && md.held[side] }

// hold notes that a side has put the call on hold, or has not.
func (md *media) hold(side session.Role, is bool) {
	was, now := md.held != [2]bool{}, md.call.core.now
	md.held[side] = is
	switch is := md.held != [2]bool{}; {
	case is && !was:
		md.holdAt = now
	case was && !is:
		for i := range md.streams {
			md.streams[i].resume(md.holdAt, now)
		}
	}
}

// resume notes that both sides are to send again what they have not sent since a pause began: one of which nothing comes has
// stopped now, if it had not before the pause.
func (s *relayedStream) resume(paused, now time.Time) {
	if s.Stream == nil {
		return
	}
	for _, side := range bothSides {
		last := s.flow(side).Last
		if !last.IsZero() && paused.Sub(later(last, s.due[side])) <= gone {
			s.due[side] = now
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// held says whether the SDP just parsed puts all its streams on hold.
func (c *Core) held() bool {
	any := false
	for i := range c.sdp.Streams {
		st := &c.sdp.Streams[i]
		if st.Port != 0 && !st.Hold {
			return false
		}
		any = any || st.Hold
	}
	return any
}
