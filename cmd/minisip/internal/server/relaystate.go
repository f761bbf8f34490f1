package server

import (
	"time"

	"minisip/cmd/minisip/internal/pack"
	"minisip/cmd/minisip/internal/proxy"
	"minisip/rtprelay"
)

// AppendState implements proxy.Stream. Fields are only ever added, at the end of a leg.
func (s stream) AppendState(b []byte, epoch time.Time) []byte {
	st := s.State()
	for i := range st.Legs {
		b = pack.AppendSection(b, func(b []byte) []byte { return appendLeg(b, &st.Legs[i], epoch) })
	}
	return b
}

func appendLeg(b []byte, l *rtprelay.LegState, epoch time.Time) []byte {
	b = pack.AppendUint(b, uint64(l.Port))
	b = pack.AppendBool(b, l.Mux)
	b = pack.AppendUint(b, uint64(len(l.Clocks)))
	for pt, rate := range l.Clocks {
		b = pack.AppendUint(b, uint64(pt), uint64(rate))
	}
	for _, latch := range []*rtprelay.LatchState{&l.RTP, &l.RTCP} {
		b = pack.AppendSection(b, func(b []byte) []byte {
			b = pack.AppendAddrPort(b, latch.SDP, latch.Source, latch.Target)
			b = pack.AppendAddr(pack.AppendAddr(b, latch.Signal), latch.Kin)
			b = pack.AppendBool(b, latch.Open, latch.Due, latch.RTP, latch.RTCP)
			b = pack.AppendUint(b, uint64(latch.SSRC), uint64(latch.Seq))
			b = pack.AppendBool(b, latch.Proven, latch.Nominated)
			b = pack.AppendUint(b, uint64(latch.Priority))
			return pack.AppendBool(b, latch.Joined)
		})
	}
	b = pack.AppendUint(b, l.Packets, l.Bytes, l.RTCPPackets, l.Other, l.Lost, l.Duplicates, l.OutOfOrder, l.Strangers)
	b = pack.AppendTime(b, epoch, l.First, l.Last)
	b = pack.AppendString(b, l.ICE.Ufrag, l.ICE.Pwd, l.ICE.Peer)
	return pack.AppendAddr(b, l.Local)
}

func readLeg(r pack.Reader, epoch time.Time) (l rtprelay.LegState) {
	l.Port, l.Mux = uint16(r.Uint()), r.Bool()
	for n := r.Uint(); n > 0 && r.More(); n-- {
		if l.Clocks == nil {
			l.Clocks = map[uint8]uint32{}
		}
		pt := uint8(r.Uint())
		l.Clocks[pt] = uint32(r.Uint())
	}
	for _, latch := range []*rtprelay.LatchState{&l.RTP, &l.RTCP} {
		f := r.Section()
		latch.SDP, latch.Source, latch.Target = f.AddrPort(), f.AddrPort(), f.AddrPort()
		latch.Signal, latch.Kin = f.Addr(), f.Addr()
		latch.Open, latch.Due, latch.RTP, latch.RTCP = f.Bool(), f.Bool(), f.Bool(), f.Bool()
		latch.SSRC, latch.Seq = uint32(f.Uint()), uint16(f.Uint())
		latch.Proven, latch.Nominated, latch.Priority = f.Bool(), f.Bool(), uint32(f.Uint())
		latch.Joined = f.Bool()
	}
	for _, n := range []*uint64{&l.Packets, &l.Bytes, &l.RTCPPackets, &l.Other, &l.Lost, &l.Duplicates, &l.OutOfOrder, &l.Strangers} {
		*n = r.Uint()
	}
	l.First, l.Last = r.Time(epoch), r.Time(epoch)
	l.ICE = rtprelay.ICE{Ufrag: r.String(), Pwd: r.String(), Peer: r.String()}
	if r.More() {
		l.Local = r.Addr()
	}
	return l
}

// Reopen implements proxy.Relay.
func (r relay) Reopen(caller, callee proxy.Leg, epoch time.Time, state *pack.Reader) (proxy.Stream, error) {
	var st rtprelay.State
	for i := range st.Legs {
		st.Legs[i] = readLeg(state.Section(), epoch)
	}
	s, err := r.Relay.Reopen(rtprelay.LegConfig(caller), rtprelay.LegConfig(callee), st)
	if err != nil {
		return nil, err
	}
	return stream{s, r.server}, nil
}
