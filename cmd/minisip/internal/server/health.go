package server

import (
	"fmt"
	"sync/atomic"
	"time"

	"minisip/cmd/minisip/internal/guard"
)

// Health is how the event loop does, for those who watch over it.
type Health struct {
	Lag, LagMax time.Duration // the longest that a datagram waited for the loop: of late, and since the start
	LastTick    time.Time     // when the loop last turned; zero: it has not yet
	Waiting     int           // datagrams
	Overload    bool          // new calls are refused
	Dropped     uint64        // datagrams that came faster than they could be handled
	Lost        uint64        // datagrams that the system dropped: damaged ones, and those that no reader had time for
	Banned      uint64        // datagrams of banned sources that nobody looked at
	Refused     uint64        // calls refused with 503 because the loop lagged
	Panics      uint64        // messages that an internal error cost
	State       StateHealth
	ClockSteps  uint64 // how often the clock on the wall was set

	Faults map[string]uint64 // what fails at present, and how often it has since it began
}

// StateHealth is how the keeping of what outlives the process does.
type StateHealth struct {
	Kept    bool   // else nothing shall be
	Failing bool   // at present it cannot be
	Lost    uint64 // changes that could not be kept
}

// Health may be called from any goroutine, also while the loop hangs.
func (s *Server) Health() Health {
	h := &s.health
	var lastTick time.Time
	if d := h.tick.Load(); d > 0 {
		now := s.now()
		lastTick = now.Add(time.Duration(d) - now.Sub(s.began)) // by the clock as it is now
	}
	var kept StateHealth
	if st := s.cfg.State; st != nil {
		kept = StateHealth{Kept: true, Failing: st.Failing(), Lost: st.Lost()}
	}
	return Health{
		Lag: time.Duration(max(h.lag.Load(), h.lagBefore.Load())), LagMax: time.Duration(h.lagMax.Load()),
		LastTick: lastTick, Waiting: len(s.first.packets) + len(s.rest.packets), Overload: h.overload.Load(),
		Dropped: h.dropped.Load(), Lost: h.lost.Load(), Banned: h.banned.Load(), Refused: h.refused.Load(), Panics: h.panics.Load(),
		ClockSteps: h.clockSteps.Load(), State: kept,
		Faults: s.faults.now(),
	}
}

// health is what readers and loop note.
type health struct {
	lags            lags
	lag, lagBefore  atomic.Int64 // nanoseconds: since the last beat, and from the one before to it
	lagMax          atomic.Int64
	tick            atomic.Int64 // nanoseconds from the server's beginning to when the loop last turned; 0: never
	overload        atomic.Bool
	dropped, banned atomic.Uint64
	lost            atomic.Uint64
	refused, panics atomic.Uint64
	clockSteps      atomic.Uint64

	load   guard.Load // the loop's, as are the others
	told   uint64     // of dropped, how many the log knows of
	before uint64     // of refused, how many there were when the overload began
}

// droppedBy is why the system drops datagrams; it counts the two together.
const droppedBy = "they come faster than they can be read (sysctl net.core.rmem_max=4194304 gives them more room), " +
	"or damaged, with a wrong checksum (nstat -az UdpInCsumErrors)"

// waited notes how long a datagram waited for the loop, if it was one of those that go first.
func (s *Server) waited(now time.Time, wait time.Duration, first bool) {
	h := &s.health
	h.tick.Store(int64(now.Sub(s.began)))
	h.lags.note(wait)
	if n := int64(wait); n > h.lag.Load() {
		h.lag.Store(n)
		h.lagMax.Store(max(n, h.lagMax.Load()))
	}
	if first && h.load.Note(now, wait) {
		s.overload(now, wait)
	}
}

// overload says that it has begun, or is over: new calls are refused meanwhile, not those in progress.
func (s *Server) overload(now time.Time, wait time.Duration) {
	h := &s.health
	h.overload.Store(h.load.Over)
	h.refused.Store(s.core.Refused())
	s.core.Refuse(h.load.Over)
	if h.load.Over {
		h.before = h.refused.Load()
		s.cfg.Log(fmt.Sprintf("overload: datagrams wait %s for the event loop; new calls get 503 until that is over", wait.Round(time.Millisecond)))
		return
	}
	s.cfg.Log(fmt.Sprintf("overload is over after %s: %d new calls got 503",
		now.Sub(h.load.Since).Round(100*time.Millisecond), h.refused.Load()-h.before))
}

// beatHealth begins a new interval, and tells the log of what was dropped.
func (s *Server) beatHealth(now time.Time) {
	h := &s.health
	h.tick.Store(int64(now.Sub(s.began)))
	h.lagBefore.Store(h.lag.Swap(0))
	h.refused.Store(s.core.Refused())
	if n := h.dropped.Load(); n > h.told {
		s.fault("datagrams are dropped", "they come faster than they can be handled", n-h.told)
		h.told = n
	}
	for _, sock := range s.sockets {
		drops := sock.drops()
		if n := drops - sock.lost; n > 0 { // it wraps around
			sock.lost = drops
			h.lost.Add(uint64(n))
			s.fault("datagrams are dropped by the system", droppedBy, uint64(n))
		}
	}
	for _, line := range s.faults.over(now) {
		s.cfg.Log(line)
	}
	if h.load.Over && h.load.Note(now, 0) { // nothing comes any more
		s.overload(now, 0)
	}
}
