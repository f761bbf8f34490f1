package server

import (
	"context"
	"fmt"
	"net/netip"
	"runtime/debug"
	"time"

	"minisip/cmd/minisip/internal/proxy"
)

// slow is how long one event may hold the loop without being named in the log.
const slow = 50 * time.Millisecond

// loop is THE event loop. It alone touches the core.
func (s *Server) loop(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	armed := time.Now().Add(time.Hour)
	beat := s.beats()
	defer beat.Stop()
	for {
		if next := s.core.Deadline(); !next.IsZero() && next.Before(armed) {
			armed = next
			timer.Reset(time.Until(next))
		}
		select {
		case p := <-s.in:
			s.handle(p)
		case f := <-s.do:
			s.guard("a command", nil, f)
		case now := <-timer.C:
			armed = now.Add(time.Hour)
			timer.Reset(time.Hour)
			s.guard("timers", nil, func() { s.core.Tick(time.Now()) })
		case now := <-beat.C:
			s.addrs.refresh(now, s.sockets)
			if s.cfg.Beat != nil {
				s.cfg.Beat()
			}
		case <-ctx.Done():
			return
		}
	}
}

// beats ticks for the watchdog, and for what the loop looks at now and then.
func (s *Server) beats() *time.Ticker {
	every := s.cfg.Every
	if every <= 0 {
		every = 10 * time.Second
	}
	return time.NewTicker(every)
}

// handle gives one datagram to the core.
func (s *Server) handle(p *packet) {
	kept := true // after a panic nobody knows
	s.guard("a datagram", p, func() {
		kept = s.core.Receive(time.Now(), p.local, p.src, &p.msg, p.err)
	})
	if !kept && cap(p.buf) <= 4096 {
		s.free.Put(p)
	}
}

// guard runs one event. A panic costs only that event: it is logged and the loop goes on.
func (s *Server) guard(what string, p *packet, f func()) {
	start := time.Now()
	defer func() {
		if r := recover(); r != nil {
			from := ""
			if p != nil {
				from = fmt.Sprintf(" from %s", p.src)
			}
			s.cfg.Log(fmt.Sprintf("internal error in %s%s, please report it: %v\n%s", what, from, r, debug.Stack()))
		}
		if d := time.Since(start); d > slow {
			s.cfg.Log(fmt.Sprintf("the event loop was held for %s by %s", d.Round(time.Millisecond), what))
		}
	}()
	f()
}

// output is the Server as its core sees it.
type output Server

// Send implements proxy.Output.
func (o *output) Send(local, to netip.AddrPort, datagram []byte) {
	for _, sock := range o.sockets {
		if sock.local.Port() != local.Port() || sock.local.Addr().Is4() != local.Addr().Is4() {
			continue
		}
		if sock.local == local || sock.wildcard {
			if err := sock.write(datagram, local, to); err != nil {
				o.cfg.Log(fmt.Sprintf("cannot send to %s: %v", to, err))
			}
			return
		}
	}
	o.cfg.Log(fmt.Sprintf("cannot send to %s: %s is no address of ours any more", to, local))
}

// Log implements proxy.Output.
func (o *output) Log(line string) { o.cfg.Log(line) }

// Record implements proxy.Output.
func (o *output) Record(r *proxy.Record) {
	if o.cfg.Record != nil {
		o.cfg.Record(r)
	}
}

// Debug implements proxy.Output.
func (o *output) Debug(what string, local, remote netip.AddrPort, datagram []byte) {
	o.cfg.Log(fmt.Sprintf("%s %s <-> %s, %d bytes\n%s", what, local, remote, len(datagram), datagram))
}

var _ proxy.Output = (*output)(nil)
