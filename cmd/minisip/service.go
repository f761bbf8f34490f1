package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/server"
	"minisip/cmd/minisip/internal/systemd"
)

// service is what systemd is told, where it listens: that the sockets are bound, how many
// users and calls there are, and, by the event loop itself, that it still turns. Under
// anything else all of it is nothing.
type service struct {
	every    time.Duration // between two beats
	watchdog bool
	failed   error // the last time that it was told something
	passed   bool  // it has passed sockets to this process
	log      func(string)
	health   func() server.Health // set before the first beat
}

// statusEvery is how old the status line may get where no watchdog asks for more.
const statusEvery = 10 * time.Second

func newService(log func(string)) *service {
	s := &service{every: statusEvery, log: log}
	if within, ok := systemd.WatchdogInterval(os.LookupEnv); ok {
		s.watchdog, s.every = true, min(within/2, statusEvery)
	}
	return s
}

// join has the server beat as systemd wants it, take the sockets that systemd has kept for it, and hand on its own where
// its calls are kept, too.
func (s *service) join(sc *server.Config) {
	sc.Beat, sc.Every = s.beat, s.every
	sc.Sockets = systemd.Passed()
	s.passed = len(sc.Sockets) > 0
	if sc.State != nil {
		sc.HandOn = s.handOn
	}
}

// listens says that the server has its sockets: systemd lets go of those that this minisip was started with, else the
// ports of calls that have ended could not be bound again.
func (s *service) listens(srv *server.Server) {
	s.health = srv.Health
	if !s.passed {
		return
	}
	for _, name := range []string{sipSockets, rtpSockets} {
		if err := systemd.Forget(name); err != nil {
			s.log(err.Error())
		}
	}
}

// beat is called by the event loop.
func (s *service) beat(core *proxy.Core) {
	users, calls := core.Load()
	dropped := core.Counters()
	state := stateLine(users, calls, dropped.Drops()) + healthLine(s.health())
	if s.watchdog {
		state += "\nWATCHDOG=1"
	}
	s.tell(state)
}

func stateLine(users, calls int, dropped string) string {
	return fmt.Sprintf("STATUS=users registered: %d, calls: %d, dropped since the start: %s", users, calls, dropped)
}

// healthLine says how the event loop does, and what is wrong at present.
func healthLine(h server.Health) string {
	line := fmt.Sprintf("; loop lag %.1f ms, queue drops %d", float64(h.Lag.Microseconds())/1000, h.Dropped)
	if h.Overload {
		line += "; overload: new calls are refused"
	}
	for _, what := range slices.Sorted(maps.Keys(h.Faults)) {
		line += fmt.Sprintf("; %s: %d times", what, h.Faults[what])
	}
	return line
}

func (s *service) ready()    { s.tell("READY=1\n" + stateLine(0, 0, "nothing")) }
func (s *service) stopping() { s.tell("STOPPING=1") }

// tell says it; a service manager that does not hear is complained of once.
func (s *service) tell(state string) {
	err := systemd.Notify(state)
	if err != nil && s.failed == nil {
		s.log(err.Error())
	}
	s.failed = err
}

// The names under which systemd keeps sockets from one minisip to the next.
const (
	sipSockets = "sip"
	rtpSockets = "rtp"

	// storeWait bounds the wait for a systemd that does not take them, and once more for one that does
	// not say that it has.
	storeWait = 2 * time.Second
)

// handOn has systemd keep all sockets until the next minisip is started with them: what comes
// meanwhile waits, and the ports stay ours. Beyond what it can keep, the next one binds again.
func (s *service) handOn(sip, rtp []int) {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return
	}
	until := time.Now().Add(storeWait)
	err := systemd.Store(sipSockets, sip, until)
	if err == nil {
		err = systemd.Store(rtpSockets, rtp[:min(len(rtp), systemd.MaxStored-len(sip))], until)
	}
	// Also after an error: some may be on their way, and come too late once we are gone.
	if unheard := systemd.Barrier(storeWait); err == nil {
		err = unheard
	}
	if err != nil && (s.failed == nil || s.failed.Error() != err.Error()) {
		s.log("sockets are not kept over the restart: " + err.Error())
	}
}
