package server

import (
	"minisip/cmd/minisip/internal/proxy"
	"minisip/rtprelay"
	"minisip/session"
)

// relay lets the proxy open streams of package rtprelay.
type relay struct{ *rtprelay.Relay }

func (r relay) Open(caller, callee proxy.Leg) (proxy.Stream, error) {
	s, err := r.Relay.Open(rtprelay.LegConfig(caller), rtprelay.LegConfig(callee))
	if err != nil {
		return nil, err
	}
	return stream{s}, nil
}

type stream struct{ *rtprelay.Stream }

func (s stream) Port(side session.Role) uint16 { return s.Stream.Port(rtprelay.Side(side)) }

func (s stream) Expect(side session.Role, p proxy.Peer, clocks map[uint8]uint32) {
	s.Stream.Expect(rtprelay.Side(side), rtprelay.Peer{RTP: p.RTP, RTCP: p.RTCP, Signal: p.Signal, Mux: p.Mux, Clocks: clocks})
}

func (s stream) Flow(from session.Role) proxy.Flow {
	f := s.Stats().From[from]
	return proxy.Flow{
		Packets: f.Packets, Lost: f.Lost, Jitter: f.Jitter, RTT: f.RTT, First: f.First, Last: f.Last,
		Source: f.Source, Strangers: f.Strangers, Duplicates: f.Duplicates, Later: f.OutOfOrder,
	}
}
