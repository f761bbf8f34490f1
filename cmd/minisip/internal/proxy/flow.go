package proxy

import (
	"net/netip"
	"time"

	"minisip/session"
)

// Flow is what came from one side of a stream. What there was nothing to tell by is zero.
type Flow struct {
	Packets, Bytes, Lost uint64        // RTP; a packet is lost while it has not come
	Duplicates, Later    uint64        // copies, and packets out of order
	RTCP, Other          uint64        // RTCP; STUN, DTLS, T.38
	Jitter, MeanJitter   time.Duration // of late, and over the whole call
	RTT                  time.Duration
	SSRC                 uint32
	SSRCChanges          uint64
	Types                []uint8        // payload types seen, ascending
	First, Last          time.Time      // media
	LastRTP              time.Time      // RTP alone
	Heard                time.Time      // anything
	Source, Target       netip.AddrPort // who was listened to, and talked to
	Rebinds              uint64         // how often it fell silent, and went on from elsewhere
	Strangers            uint64         // packets refused for their source
	Stranger             netip.AddrPort // the newest of those
	Oversize             uint64         // packets refused for their size
	Unaddressed          uint64         // packets that the other side had no address for yet
	Undelivered          uint64         // packets that the system would not send on
	SendError            error          // why, of the newest of those
}

// flow is what came from one side. A fax by T.38 has no RTP: there all that is media counts as packets, and for good, since
// who counts what is new relies on it that none is less than it was. Elsewhere what is no RTP keeps a NAT open or agrees
// on keys, and is no sound.
func (s *relayedStream) flow(from session.Role) Flow {
	f := s.Flow(from)
	if s.fax && !f.First.IsZero() {
		f.Packets += f.Other
	}
	if s.kind != "image" && !f.LastRTP.IsZero() {
		f.Last = f.LastRTP
	}
	return f
}

// came is how many packets came, each counted once.
func (f *Flow) came() uint64 { return f.Packets - f.Duplicates }

// lossPercent is the part of the packets sent that never came.
func (f *Flow) lossPercent() float64 { return lossPercent(f.came(), f.Lost) }

func lossPercent(packets, lost uint64) float64 {
	if packets+lost == 0 {
		return 0
	}
	return 100 * float64(lost) / float64(packets+lost)
}

// A trend tells what passes now from what passed over the whole call. It keeps two marks
// and nothing between them: whoever looks moves them on, at most once a span, so that
// several who look do not disturb each other, and a call that nobody looks at pays nothing.
type trend struct{ older, newer mark }

type mark struct {
	at                         time.Time
	packets, bytes, came, lost uint64
}

// span is the least time that "now" reaches back; twice that is the most while somebody
// looks all the time. The first look sees all since the beginning.
const span = 5 * time.Second

// now looks: it gives what has passed since the older mark.
func (t *trend) now(at time.Time, f *Flow) Recent {
	m := mark{at, f.Packets, f.Bytes, f.came(), f.Lost}
	if t.older.at.IsZero() {
		t.older.at = f.First
	}
	switch {
	case t.newer.at.IsZero():
		t.newer = m
	case at.Sub(t.newer.at) >= span:
		t.older, t.newer = t.newer, m
	}
	seconds := at.Sub(t.older.at).Seconds()
	if t.older.at.IsZero() || seconds <= 0 {
		return Recent{}
	}
	// A loss is taken back when the packet comes after all.
	lost := max(m.lost, t.older.lost) - t.older.lost
	return Recent{
		Seconds:          round(seconds, 1),
		PacketsPerSecond: round(float64(m.packets-t.older.packets)/seconds, 1),
		KbitPerSecond:    round(float64(m.bytes-t.older.bytes)*8/1000/seconds, 1),
		LossPercent:      round(lossPercent(m.came-t.older.came, lost), 2),
	}
}

// Recent is what came from one side in the last seconds.
type Recent struct {
	Seconds          float64 `json:"seconds"`
	PacketsPerSecond float64 `json:"packets_per_second"`
	KbitPerSecond    float64 `json:"kbit_per_second"` // of RTP, its headers included
	LossPercent      float64 `json:"loss_percent"`
	MOS              float64 `json:"mos,omitempty"` // audio alone
}
