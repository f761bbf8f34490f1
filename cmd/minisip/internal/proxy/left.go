package proxy

import (
	"minisip/nat"
	"minisip/session"
)

// maxLeft is how many directions of streams that were taken out of a call it keeps.
const maxLeft = 2 * nat.MaxStreams

// leave closes stream i, which the answer of side from takes out of the call, and keeps the account of it if
// both sides had agreed on it before: what was seen or heard then is part of the call. A restart forgets it.
func (md *media) leave(i int, from session.Role) {
	s, now := &md.streams[i], md.call.core.now
	if offerer := from.Other(); s.peers[offerer] == (Peer{}) {
		if u := md.before(offerer, i); u != nil {
			s.peers[offerer] = u.peer
		}
	}
	d := md.dialog()
	was := d != nil && d.began.Before(now) && s.agreed()
	if was {
		md.call.core.sample(s, new(tally), false)
	}
	if was && len(md.left) < maxLeft {
		for _, side := range [...]session.Role{session.Caller, session.Callee} {
			dir := d.direction(s, side, now)
			track := s.tracks[side] // the stream forgets it
			dir.Stream, dir.Now, dir.track, dir.left = i+1, nil, &track, true
			md.left = append(md.left, dir)
		}
	}
	md.closeStream(s)
}

// dialog is the one that has these media, once it is answered.
func (md *media) dialog() *dialog {
	for _, d := range md.call.dialogs {
		if d.confirmed && d.media == md {
			return d
		}
	}
	return nil
}

// agreed says whether both sides have said that they want a stream.
func (s *relayedStream) agreed() bool {
	return s.Stream != nil && s.peers[session.Caller] != (Peer{}) && s.peers[session.Callee] != (Peer{})
}
