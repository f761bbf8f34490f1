package rtprelay

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"time"
)

// Stats is a snapshot of one stream. From is indexed by Side.
type Stats struct {
	From [2]Flow
}

// A Flow is what came from one side. Times are zero, and so are a jitter or a
// round trip, when there was nothing to tell them by.
type Flow struct {
	Packets uint64 // RTP
	Bytes   uint64 // UDP payload of those
	RTCP    uint64 // packets of it, on either port
	Other   uint64 // STUN, DTLS, T.38 and what else was passed

	// RFC 3550 A.1 and A.3. A packet is lost while it has not come; one that
	// comes late counts as out of order and is not lost any more.
	Lost, Duplicates, OutOfOrder uint64

	Jitter     time.Duration // RFC 3550 6.4.1: of the last packets, 16 or so
	MeanJitter time.Duration // of it, over all packets
	RTT        time.Duration // between the relay and this side, from RTCP

	SSRC         uint32
	SSRCChanges  uint64
	PayloadTypes []uint8 // seen, ascending

	First, Last time.Time // media: neither RTCP nor STUN
	LastRTP     time.Time // of those, no keepalive or handshake
	Heard       time.Time // newest packet of any kind

	Source, RTCPSource netip.AddrPort // who is listened to
	Rebinds            uint64         // how often its RTP has fallen silent, and gone on from elsewhere
	Target, RTCPTarget netip.AddrPort // who is talked to

	Strangers   uint64         // packets dropped for their source
	Stranger    netip.AddrPort // the newest of those
	Oversize    uint64         // packets dropped for their size, over 2048 bytes
	Unaddressed uint64         // the other side had no address yet
	Undelivered uint64         // sending failed
	SendError   error          // why, of the newest of those
}

// A flow counts one direction. Times are durations since the relay started.
type flow struct {
	packets, bytes, rtcp, other uint64

	seq    sequence
	jitter jitter

	ssrc    uint32
	changes uint64
	pt      uint8 // of the newest packet
	typed   bool  // the clock rate of pt was looked up
	types   [2]uint64

	first, last, lastRTP time.Duration

	strangers, oversize, unaddressed, undelivered uint64
	stranger                                      netip.AddrPort
	sendError                                     error

	report senderReport
	rtt    time.Duration
}

// count takes in a packet that was accepted. far is the flow of the other
// side, whose sender reports the receiver reports of this one answer.
func (f *flow) count(p *packet, far *flow) {
	switch p.kind {
	case rtcp:
		f.rtcp++
		f.control(p.now, p.data, far)
		return
	case stun:
		f.other++
		return
	case other:
		f.other++
	case rtp:
		f.media(p)
		f.lastRTP = p.now
	}
	f.last = p.now
	if f.first == 0 {
		f.first = p.now
	}
}

func (f *flow) media(p *packet) {
	first := f.packets == 0
	f.packets++
	f.bytes += uint64(len(p.data))
	if first || p.ssrc != f.ssrc {
		if !first {
			f.changes++
		}
		f.ssrc = p.ssrc
		f.seq.restart(p.seq)
		f.jitter.restart()
	} else {
		switch f.seq.add(p.seq) {
		case duplicate:
			return
		case astray:
			if !f.carriesOn(p) {
				return
			}
			f.seq.leap(p.seq)
		case restarted:
			f.jitter.restart()
		}
	}
	f.jitter.add(p.now, p.ts)
}

// carriesOn reports whether a packet is so far ahead because all in between are lost: there was time to send them, and the
// timestamps went on with the time.
func (f *flow) carriesOn(p *packet) bool {
	return ahead(p.seq, uint16(f.seq.newest), p.now-f.lastRTP) && f.jitter.follows(p.now, p.ts)
}

// untyped reports whether the clock rate of a packet has yet to be set.
func (f *flow) untyped(p *packet) bool {
	return p.kind == rtp && (p.pt != f.pt || !f.typed)
}

// setType notes a change of payload type, and its clock rate.
func (f *flow) setType(pt uint8, rate uint32) {
	f.pt, f.typed = pt, true
	f.types[pt>>6] |= 1 << (pt & 63)
	f.jitter.setClock(rate)
}

// snapshot copies the counters out.
func (f *flow) snapshot(start time.Time) Flow {
	at := func(d time.Duration) time.Time {
		if d == 0 {
			return time.Time{}
		}
		return start.Add(d)
	}
	out := Flow{
		Packets: f.packets, Bytes: f.bytes, RTCP: f.rtcp, Other: f.other,
		Lost: f.seq.missing(), Duplicates: f.seq.duplicates, OutOfOrder: f.seq.late,
		Jitter: f.jitter.value(), MeanJitter: f.jitter.mean(), RTT: f.rtt,
		SSRC: f.ssrc, SSRCChanges: f.changes,
		First: at(f.first), Last: at(f.last), LastRTP: at(f.lastRTP),
		Strangers: f.strangers, Stranger: f.stranger, Oversize: f.oversize,
		Unaddressed: f.unaddressed, Undelivered: f.undelivered, SendError: f.sendError,
	}
	for i, word := range f.types {
		for ; word != 0; word &= word - 1 {
			out.PayloadTypes = append(out.PayloadTypes, uint8(64*i+bits.TrailingZeros64(word)))
		}
	}
	return out
}

// A jitter is the estimator of RFC 3550 A.8, in timestamp units, scaled by 16 as there.
type jitter struct {
	clock   int64  // Hz of the packets measured; 0: none yet
	transit uint32 // of the packet before
	known   bool   // transit is
	paused  bool   // the type that passes has no clock
	scaled  int64

	sum, count int64 // of what scaled has been
}

// newBase is the least step of the transit, in seconds, that is no network's: the sender counts its timestamps from
// elsewhere, as phones do that come back from hold, or a server that plays another source (RFC 3550 A.8 knows no such
// step, and would show minutes of jitter for seconds).
const newBase = 5

// restart forgets the last packet but not the estimate.
func (j *jitter) restart() { j.known = false }

// setClock sets the clock rate of what follows. A type without one leaves
// the estimate alone while it passes.
func (j *jitter) setClock(rate uint32) {
	j.paused = rate == 0
	if j.paused || int64(rate) == j.clock {
		return
	}
	if j.clock != 0 {
		j.scaled = j.scaled * int64(rate) / j.clock
		j.sum = j.sum / j.clock * int64(rate)
	}
	j.clock = int64(rate)
	j.known = false
}

func (j *jitter) add(now time.Duration, ts uint32) {
	if j.clock == 0 || j.paused {
		return
	}
	transit, d := j.step(now, ts)
	j.transit = transit
	if !j.known {
		j.known = true
		return
	}
	if d >= newBase*j.clock {
		return
	}
	j.scaled += d - (j.scaled+8)>>4
	j.sum += j.scaled
	j.count++
}

// step is the transit of a packet, and how far from the one before: modulo 2^32, as timestamps are.
func (j *jitter) step(now time.Duration, ts uint32) (transit uint32, d int64) {
	transit = uint32(now.Microseconds()*j.clock/1e6) - ts
	d = int64(int32(transit - j.transit))
	return transit, max(d, -d)
}

// follows reports whether a timestamp is of the same base as those before.
func (j *jitter) follows(now time.Duration, ts uint32) bool {
	if !j.known || j.paused {
		return false
	}
	_, d := j.step(now, ts)
	return d < newBase*j.clock
}

func (j *jitter) value() time.Duration { return j.time(j.scaled) }

func (j *jitter) mean() time.Duration { return j.time(j.sum / max(j.count, 1)) }

func (j *jitter) time(scaled int64) time.Duration {
	if j.clock == 0 {
		return 0
	}
	return time.Duration(scaled>>4) * time.Second / time.Duration(j.clock)
}

// A senderReport is what is kept of the newest SR to know its answer.
type senderReport struct {
	id uint32 // middle 32 bits of its NTP timestamp, which LSR repeats
	at time.Duration
}

const (
	typeSR = 200
	typeRR = 201
)

// control reads a compound RTCP packet (RFC 3550 6.1): it keeps the time of a
// sender report, and measures the way to this side and back where a report
// block answers one of the other side's: now - LSR's passing - DLSR
// (RFC 3550 6.4.1, figure 2, with the relay in the place of A).
func (f *flow) control(now time.Duration, b []byte, far *flow) {
	for len(b) >= 8 && b[0]>>6 == 2 {
		size := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
		if size > len(b) {
			return
		}
		p, blocks := b[:size], int(b[0]&0x1f)
		b = b[size:]
		switch p[1] {
		case typeSR:
			if len(p) < 28 {
				return
			}
			f.report = senderReport{binary.BigEndian.Uint32(p[10:]), now}
			p = p[28:]
		case typeRR:
			if len(p) < 8 {
				return
			}
			p = p[8:]
		default:
			continue
		}
		for ; blocks > 0 && len(p) >= 24; blocks-- {
			f.answer(now, binary.BigEndian.Uint32(p[16:]), binary.BigEndian.Uint32(p[20:]), far)
			p = p[24:]
		}
	}
}

// answer takes in LSR and DLSR of one report block.
func (f *flow) answer(now time.Duration, lsr, dlsr uint32, far *flow) {
	if lsr == 0 || lsr != far.report.id {
		return
	}
	delay := time.Duration(dlsr) * time.Second >> 16
	if d := now - far.report.at - delay; d >= 0 {
		f.rtt = d
	}
}
