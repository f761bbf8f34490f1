package server

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"
	"syscall"
	"time"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/sipmsg"
)

// loop is THE event loop. It alone touches the core.
func (s *Server) loop(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	armed := time.Now().Add(time.Hour)
	beat := time.NewTicker(s.cfg.Every)
	defer beat.Stop()
	s.beaten = s.now()
	for {
		s.handleFirst()
		if next := s.core.Deadline(); !next.IsZero() && next.Before(armed) {
			armed = next
			timer.Reset(time.Until(next))
		}
		select {
		case p := <-s.first.packets:
			s.handle(p, s.first)
		case p := <-s.rest.packets:
			s.handle(p, s.rest)
		case f := <-s.do:
			s.guard("a command", nil, f)
		case now := <-timer.C:
			armed = now.Add(time.Hour)
			timer.Reset(time.Hour)
			s.guard("timers", nil, func() { s.core.Tick(s.now()) })
		case <-beat.C:
			s.guard("the beat", nil, func() { s.beat(s.now()) })
		case <-ctx.Done():
			return
		}
	}
}

// handleFirst handles some of what goes first, so that everything else has a turn now and then.
func (s *Server) handleFirst() {
	for range 8 {
		select {
		case p := <-s.first.packets:
			s.handle(p, s.first)
		default:
			return
		}
	}
}

// handleAll handles what waits when the readers and the loop have ended.
func (s *Server) handleAll() {
	for {
		select {
		case p := <-s.first.packets:
			s.handle(p, s.first)
		case p := <-s.rest.packets:
			s.handle(p, s.rest)
		default:
			return
		}
	}
}

// beat does what is to be done now and then, for the watchdog among others, and says that the loop turns.
func (s *Server) beat(now time.Time) {
	s.beatLate(now)
	s.beatClock(now)
	for _, line := range s.addrs.refresh(now, s.sockets) {
		s.cfg.Log(line)
	}
	s.keep(now)
	s.core.Bans().Sweep(now)
	s.beatHealth(now)
	if s.cfg.Beat != nil {
		s.cfg.Beat(s.core)
	}
}

// handle gives one datagram to the core.
func (s *Server) handle(p *packet, q *queue) {
	q.leave(p)
	if line := s.addrs.came(p.local); line != "" {
		s.cfg.Log(line)
	}
	now := s.now()
	s.waited(now, now.Sub(p.came), q == s.first)
	if s.cfg.Mirror != nil && p.err == nil {
		s.cfg.Mirror(p.came, p.src, p.local, p.msg.Bytes())
	}
	kept := true // after a panic nobody knows
	s.guard("a datagram", p, func() { kept = s.core.Receive(now, p.local, p.src, p.msg, p.err) })
	if kept {
		p.msg, p.buf = nil, nil
	}
	s.reuse(p)
}

// guard runs one event. A panic costs only that event: it is logged and the loop goes on.
func (s *Server) guard(what string, p *packet, f func()) {
	start := time.Now()
	defer func() {
		if r := recover(); r != nil {
			s.crashed(what, p, r, debug.Stack())
			if p != nil {
				s.giveUp()
			}
		}
		if d := time.Since(start); d > slow {
			s.beaten = s.beaten.Add(d) // no wonder if the next beat is late
			s.held(d, what)
		}
	}()
	f()
}

// output is the Server as its core sees it.
type output Server

// Send implements proxy.Output.
func (o *output) Send(local, to netip.AddrPort, datagram []byte) bool {
	for _, sock := range o.sockets {
		if sock.local.Port() != local.Port() || sock.local.Addr().Is4() != local.Addr().Is4() {
			continue
		}
		if sock.local == local || sock.wildcard {
			if o.cfg.Mirror != nil {
				o.cfg.Mirror(o.cfg.Now(), local, to, datagram)
			}
			from := local
			if sock.wildcard && o.addrs.gone(local.Addr()) {
				from = sock.local // the kernel chooses
			}
			err := sock.write(datagram, from, to)
			if err != nil {
				(*Server)(o).fault("datagrams cannot be sent", fmt.Sprintf("to %s: %v", to, err), 1)
			}
			return err == nil || fullBuffer(err)
		}
	}
	(*Server)(o).fault("datagrams cannot be sent", fmt.Sprintf("to %s: %s is no address of ours any more", to, local), 1)
	return false
}

// fullBuffer tells what has no room now from what has no way: the former is lost, as it could
// be anywhere on its way, and is sent again like anything that is lost.
func fullBuffer(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}

// Reuse implements proxy.Output.
func (o *output) Reuse(m *sipmsg.Message) {
	if cap(m.Bytes()) <= mostReused {
		o.messages.Put(m)
	}
}

// Log implements proxy.Output.
func (o *output) Log(line string) { o.cfg.Log(line) }

// Record implements proxy.Output.
func (o *output) Record(r *proxy.Record) {
	if o.cfg.Record != nil {
		o.cfg.Record(r)
	}
}

var _ proxy.Output = (*output)(nil)
