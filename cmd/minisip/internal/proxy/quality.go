package proxy

import (
	"fmt"
	"net/netip"
	"time"
)

// Flow is what came from one side of a stream.
type Flow struct {
	Packets, Lost     uint64
	Jitter, RTT       time.Duration
	First, Last       time.Time
	Source            netip.AddrPort // who was listened to
	Strangers         uint64         // packets refused for their source
	Duplicates, Later uint64         // copies, and packets out of order
}

// lossPercent is the part of the packets sent that never came.
func (f *Flow) lossPercent() float64 {
	if f.Packets+f.Lost == 0 {
		return 0
	}
	return 100 * float64(f.Lost) / float64(f.Packets+f.Lost)
}

// impairment is what a codec costs in the E-model: Ie, and Bpl, its robustness to random
// loss (ITU-T G.113 appendix I). Codecs that are not listed count as G.711 with loss
// concealment.
type impairment struct{ ie, bpl float64 }

var impairments = map[string]impairment{
	"PCMU": {0, 25.1}, "PCMA": {0, 25.1}, "G729": {11, 19}, "G723": {15, 16.1},
	"GSM": {20, 10}, "GSM-EFR": {5, 10}, "iLBC": {11, 32}, "AMR": {5, 10},
}

// listening delays beside the network's: packetization and a jitter buffer of twice the jitter.
const packetTime = 20 * time.Millisecond

// mos estimates the mean opinion score of a direction, 1 to 4.5, by the E-model of ITU-T
// G.107 with its default values (R = 93.2 without impairment), from codec, loss and delay.
func mos(codec string, lossPercent float64, jitter, rtt time.Duration) float64 {
	imp, ok := impairments[codec]
	if !ok {
		imp = impairments["PCMU"]
	}
	d := float64(packetTime+2*jitter+rtt/2) / float64(time.Millisecond)
	id := 0.024 * d
	if d > 177.3 {
		id += 0.11 * (d - 177.3)
	}
	ieEff := imp.ie + (95-imp.ie)*lossPercent/(lossPercent+imp.bpl)
	return opinion(93.2 - id - ieEff)
}

// opinion is the mean opinion score of a transmission rating: ITU-T G.107 annex B.
func opinion(rating float64) float64 {
	r := max(0, min(100, rating))
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6)
}

// thresholds of the verdict.
const (
	lossy    = 3.0                   // percent
	jittery  = 50 * time.Millisecond // more than usual jitter buffers take
	stopped  = 10 * time.Second      // without a packet at the end of a call
	tooShort = 2 * time.Second       // a call in which silence says nothing
)

// verdict says in words what came from one side of a call that was up from answer to end.
func verdict(f *Flow, user string, signalled netip.AddrPort, held bool, answer, end time.Time) string {
	switch {
	case f.Packets == 0 && end.Sub(answer) < tooShort:
		return "too short to tell"
	case f.Packets == 0 && f.Strangers > 0:
		return fmt.Sprintf("no packet ever came from %s: %s; %d packets from elsewhere were refused", user, signalled, f.Strangers)
	case f.Packets == 0:
		return fmt.Sprintf("no packet ever came from %s: %s", user, signalled)
	case end.Sub(f.Last) > stopped && !held:
		at := max(0, f.Last.Sub(answer)).Round(time.Second)
		return fmt.Sprintf("stopped at %02d:%02d", int(at.Minutes()), int(at.Seconds())%60)
	case f.lossPercent() >= lossy:
		return fmt.Sprintf("lossy: %.1f %% lost", f.lossPercent())
	case f.Jitter >= jittery:
		return fmt.Sprintf("choppy: jitter %d ms", f.Jitter.Milliseconds())
	}
	return "fine"
}
