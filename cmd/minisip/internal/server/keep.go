package server

import (
	"fmt"
	"time"

	"minisip/cmd/minisip/internal/state"
)

// keeper is the state's store as the core sees it.
type keeper struct{ *state.Store }

// Keep implements proxy.Keeper.
func (k keeper) Keep(kind byte, id uint64, record []byte) {
	k.Store.Keep(state.Key{Kind: kind, ID: id}, record)
}

// Drop implements proxy.Keeper.
func (k keeper) Drop(kind byte, id uint64) { k.Store.Drop(state.Key{Kind: kind, ID: id}) }

// Flush implements proxy.Keeper.
func (k keeper) Flush(whole bool) (anew bool) {
	k.Store.Flush(whole)
	return k.Renew()
}

// restore takes what an earlier process kept. What cannot be taken is counted in one line.
func (s *Server) restore() {
	if s.cfg.State == nil {
		return
	}
	now, failed := s.now(), 0
	var first error
	for _, r := range s.cfg.State.Loaded() {
		if err := s.core.Restore(now, r.Kind, r.ID, string(r.Data)); err != nil {
			failed++
			if first == nil {
				first = err
			}
		}
	}
	if failed > 0 {
		s.cfg.Log(fmt.Sprintf("state: %d records could not be used, the first because of this: %v", failed, first))
	}
	if users, calls := s.core.Load(); users+calls > 0 {
		s.cfg.Log(fmt.Sprintf("state: users registered: %d, calls that go on: %d, read in %s", users, calls, s.now().Sub(now).Round(time.Millisecond)))
	}
	s.keep(now)
}

// keep lets all there is be written anew where that is wanted, and the time in any case.
func (s *Server) keep(now time.Time) {
	if s.cfg.State == nil {
		return
	}
	if (keeper{s.cfg.State}).Flush(false) {
		s.core.SaveAll(now)
	}
}

// keepLast says what has changed before the process ends, with all calls as they are then. What is not kept ends with
// it, and the phones are told: subscriptions, and calls where nothing is.
func (s *Server) keepLast() {
	if s.cfg.State != nil {
		s.core.SaveNow(s.now())
	}
	s.guard("the end", nil, func() {
		s.core.EndSubscriptions(s.now())
		if s.cfg.State == nil {
			s.core.HangUpAll(s.now(), "minisip, which was stopped")
		}
	})
}

// handOn lets whoever starts the next process have the sockets: ours, and those of calls that go on. The ports of
// a call that is still being set up are free for others.
func (s *Server) handOn() {
	if s.cfg.HandOn == nil {
		return
	}
	var sip, rtp []int
	for _, sock := range s.sockets {
		if fd, ok := sock.descriptor(); ok {
			sip = append(sip, fd)
		}
	}
	for _, st := range s.core.KeptStreams() {
		rtp = append(rtp, st.(stream).Descriptors()...)
	}
	s.cfg.HandOn(sip, rtp)
}
