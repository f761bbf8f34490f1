package proxy

import (
	"slices"

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
		md.left = append(md.left, d.account(i)...)
	}
	md.closeStream(s)
}

// unanswered keeps the account of what came over a branch that ends before anybody has answered: an announcement, a tone.
func (md *media) unanswered() {
	k := md.call
	i := slices.IndexFunc(k.dialogs, func(d *dialog) bool { return d.media == md })
	if i < 0 || !k.Answered.IsZero() {
		return
	}
	for n := range md.streams {
		s := &md.streams[n]
		if s.Stream != nil && s.flow(session.Caller).Packets+s.flow(session.Callee).Packets > 0 && len(k.early) < maxLeft {
			k.early = append(k.early, k.dialogs[i].account(n)...)
		}
	}
}

// account judges stream i for good: it is about to be closed.
func (d *dialog) account(i int) []Direction {
	s := &d.media.streams[i]
	both := make([]Direction, 2)
	for side := range both {
		dir := d.direction(s, session.Role(side), d.call.core.now)
		track := s.tracks[side] // the stream forgets it
		dir.Stream, dir.Now, dir.track, dir.left = i+1, nil, &track, true
		both[side] = dir
	}
	return both
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
