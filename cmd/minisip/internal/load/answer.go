//go:build linux

package main

import (
	"bytes"
	"sync/atomic"
	"time"
)

// answering is all callees: each INVITE gets 180 and 200, the 200 again until its ACK comes
// (RFC 3261 13.3.1.4), each BYE 200.
type answering struct {
	*agent
	unacked map[int]*answer // by call
	quit    atomic.Bool
	ended   chan struct{}
}

type answer struct {
	user, tries int
	ok          []byte
}

func newAnswering(a *agent) *answering {
	return &answering{agent: a, unacked: map[int]*answer{}, ended: make(chan struct{})}
}

func (s *answering) play() {
	s.agent.play(s)
	close(s.ended)
}

// stop ends it once all 200 have their ACK.
func (s *answering) stop() {
	s.quit.Store(true)
	<-s.ended
}

// receive implements player.
func (s *answering) receive(now time.Time, m []byte) {
	work := number(value(m, "Call-ID"))
	user := work % s.users
	method, _, _ := bytes.Cut(m, []byte(" "))
	switch string(method) {
	case "INVITE":
		s.out = s.appendResponse(s.out[:0], m, "180 Ringing", user, "")
		s.send(user, s.out)
		if s.unacked[work] == nil {
			s.unacked[work] = &answer{user: user, ok: s.appendResponse(nil, m, "200 OK", user, body)}
		}
		s.again(now, work)
	case "ACK":
		delete(s.unacked, work)
	case "BYE", "OPTIONS":
		s.out = s.appendResponse(s.out[:0], m, "200 OK", user, "")
		s.send(user, s.out)
	}
}

func (s *answering) again(now time.Time, work int) {
	a := s.unacked[work]
	a.tries++
	s.send(a.user, a.ok)
	wait, _ := pause(a.tries)
	s.timers.set(now.Add(wait), work, a.tries)
}

// tick implements player.
func (s *answering) tick(now time.Time) bool {
	s.timers.due(now, func(work, step int) {
		a := s.unacked[work]
		if a == nil || a.tries != step {
			return
		}
		if _, more := pause(a.tries); !more {
			delete(s.unacked, work)
			return
		}
		s.again(now, work)
	})
	return s.quit.Load() && len(s.unacked) == 0
}
