package server

import (
	"fmt"
	"time"

	"minisip/cmd/minisip/internal/trail"
)

// crashes keeps the log short where an internal error comes again and again: a report a second at most.
type crashes struct {
	last   time.Time
	untold int
}

// mostOfCrash is how much of a datagram is reported.
const mostOfCrash = 4096

// crashed reports an internal error with the datagram that led to it, credentials masked. What the
// core had begun with the message is given up, so that the error costs that message alone.
func (s *Server) crashed(what string, p *packet, r any, stack []byte) {
	s.health.panics.Add(1)
	if p != nil {
		s.giveUp()
	}
	now := time.Now()
	if now.Sub(s.crashes.last) < time.Second {
		s.crashes.untold++
		return
	}
	from, datagram := "", ""
	if p != nil {
		from = " from " + p.src.String()
		datagram = fmt.Sprintf("\nthe datagram: %q", trail.Mask(p.buf[:min(len(p.buf), mostOfCrash)]))
	}
	more := ""
	if s.crashes.untold > 0 {
		more = fmt.Sprintf(" (%d more since the last report)", s.crashes.untold)
	}
	s.crashes.last, s.crashes.untold = now, 0
	s.cfg.Log(fmt.Sprintf("internal error in %s%s, please report it%s: %v\n%s%s", what, from, more, r, stack, datagram))
}

// giveUp lets the core give a message up. What an error has left behind may lead to another.
func (s *Server) giveUp() {
	defer func() {
		if recover() != nil {
			s.health.panics.Add(1)
		}
	}()
	s.core.GiveUp()
}
