package server

import (
	"errors"
	"net/netip"
	"time"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/rtprelay"
	"minisip/session"
)

// relay lets the proxy open streams of package rtprelay.
type relay struct {
	*rtprelay.Relay
	server *Server
}

func (r relay) Open(caller, callee proxy.Leg) (proxy.Stream, error) {
	s, err := r.Relay.Open(rtprelay.LegConfig(caller), rtprelay.LegConfig(callee))
	if err != nil {
		r.server.fault("ports for media cannot be opened", err.Error(), 1)
		if errors.Is(err, rtprelay.ErrNoPorts) {
			err = proxy.ErrNoPorts
		}
		return nil, err
	}
	return stream{s, r.server}, nil
}

// Free counts streams, of two port pairs each.
func (r relay) Free() int { return r.Ready() / 2 }

// Ports is how many port pairs for media are free, those at rest included, and how many there
// are. It may be called from any goroutine.
func (s *Server) Ports() (free, all int) {
	all = s.relay.Pairs()
	return all - s.relay.InUse(), all // one look: between two, calls come and go
}

type stream struct {
	*rtprelay.Stream
	server *Server
}

func (s stream) Port(side session.Role) uint16 { return s.Stream.Port(rtprelay.Side(side)) }

func (s stream) Expect(side session.Role, p proxy.Peer, clocks map[uint8]uint32) {
	s.Stream.Expect(rtprelay.Side(side), rtprelay.Peer{RTP: p.RTP, RTCP: p.RTCP, Signal: p.Signal, Mux: p.Mux, Ours: p.Ours, Clocks: clocks})
}

func (s stream) MoveTo(side session.Role, local netip.Addr) netip.Addr {
	at, err := s.Stream.MoveTo(rtprelay.Side(side), local)
	if err != nil {
		s.server.fault("media cannot be had at another address of ours", err.Error(), 1)
	}
	return at
}

func (s stream) SetICE(side session.Role, ice proxy.ICE) {
	s.Stream.SetICE(rtprelay.Side(side), rtprelay.ICE(ice))
}

func (s stream) LastMedia(from session.Role) time.Time {
	return s.Stream.LastMedia(rtprelay.Side(from))
}

func (s stream) Flow(from session.Role) proxy.Flow {
	f := s.Stats().From[from]
	return proxy.Flow{
		Packets: f.Packets, Bytes: f.Bytes, Lost: f.Lost, Duplicates: f.Duplicates, Later: f.OutOfOrder,
		RTCP: f.RTCP, Other: f.Other, Jitter: f.Jitter, MeanJitter: f.MeanJitter, RTT: f.RTT,
		SSRC: f.SSRC, SSRCChanges: f.SSRCChanges, Types: f.PayloadTypes,
		First: f.First, Last: f.Last, LastRTP: f.LastRTP, Heard: f.Heard, Source: f.Source, Target: f.Target, Rebinds: f.Rebinds,
		Strangers: f.Strangers, Stranger: f.Stranger, Oversize: f.Oversize,
		Unaddressed: f.Unaddressed, Undelivered: f.Undelivered, SendError: f.SendError,
	}
}

func (s stream) Tap(t proxy.Tap) { s.Stream.Tap(t) }
