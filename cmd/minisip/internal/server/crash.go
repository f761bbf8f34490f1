package server

import (
	"fmt"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"minisip/cmd/minisip/internal/trail"
)

// crashes keeps the log short where an internal error comes again and again: a report a second at most. Errors come
// from any goroutine.
type crashes struct {
	mu     sync.Mutex
	last   time.Time
	untold int
}

// mostOfCrash is how much of a datagram is reported.
const mostOfCrash = 4096

// note counts one more, and says whether to report it, and how many were not.
func (c *crashes) note(now time.Time) (report bool, untold int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.last) < time.Second {
		c.untold++
		return false, 0
	}
	untold = c.untold
	c.last, c.untold = now, 0
	return true, untold
}

// crashed reports an internal error with the datagram that led to it, credentials masked.
func (s *Server) crashed(what string, p *packet, r any, stack []byte) {
	s.health.panics.Add(1)
	report, untold := s.crashes.note(s.now())
	if !report {
		return
	}
	from, datagram := "", ""
	if p != nil {
		from = " from " + p.src.String()
		datagram = fmt.Sprintf("\nthe datagram: %q", trail.Mask(p.buf[:min(len(p.buf), mostOfCrash)]))
	}
	more := ""
	if untold > 0 {
		more = fmt.Sprintf(" (%d more since the last report)", untold)
	}
	s.cfg.Log(fmt.Sprintf("internal error in %s%s, please report it%s: %v\n%s%s", what, from, more, r, stack, datagram))
}

// crashedRelay reports an internal error of the relay, which has closed the stream.
func (s *Server) crashedRelay(r any, stack []byte) { s.crashed("relaying", nil, r, stack) }

// survive, deferred while a datagram is read, lets an error in this program cost that datagram alone.
func (s *Server) survive(b []byte, src netip.AddrPort) {
	if r := recover(); r != nil {
		s.crashed("reading a datagram", &packet{buf: b, src: src}, r, debug.Stack())
	}
}

// giveUp lets the core give a message up, so that the error costs that message alone. What an error has left behind may lead to another.
func (s *Server) giveUp() {
	defer func() {
		if recover() != nil {
			s.health.panics.Add(1)
		}
	}()
	s.core.GiveUp()
}
