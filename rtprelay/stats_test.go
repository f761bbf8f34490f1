package rtprelay

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// rfcJitter is the formula of RFC 3550 6.4.1 in floating point:
// J(i) = J(i-1) + (|D(i-1,i)| - J(i-1))/16, in timestamp units.
func rfcJitter(arrival []time.Duration, ts []uint32, clock float64) float64 {
	j := 0.0
	for i := 1; i < len(ts); i++ {
		d := (arrival[i]-arrival[i-1]).Seconds()*clock - float64(int32(ts[i]-ts[i-1]))
		j += (max(d, -d) - j) / 16
	}
	return j
}

func TestJitterFormula(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, clock := range []uint32{8000, 16000, 48000, 90000} {
		var j jitter
		j.setClock(clock)
		var arrival []time.Duration
		var ts []uint32
		for i := range 2000 {
			// From just before the wraparound of the timestamp.
			ts = append(ts, uint32(1<<32-1000)+uint32(i)*clock/50)
			arrival = append(arrival, time.Duration(i)*20*ms+time.Duration(rng.IntN(15000))*time.Microsecond+time.Hour)
			j.add(arrival[i], ts[i])
		}
		want := rfcJitter(arrival, ts, float64(clock)) / float64(clock)
		got := j.value().Seconds()
		if got < want*0.98-1.0/float64(clock) || got > want*1.02+1.0/float64(clock) {
			t.Errorf("clock %d: jitter %.6f s, the formula gives %.6f", clock, got, want)
		}
	}
}

func TestJitter(t *testing.T) {
	type packet struct {
		at   time.Duration
		ts   uint32
		rate uint32
	}
	for _, tc := range []struct {
		name    string
		packets []packet
		want    time.Duration
	}{
		{"even", []packet{{1 * sec, 0, 8000}, {1*sec + 20*ms, 160, 8000}, {1*sec + 40*ms, 320, 8000}}, 0},
		// |D| = 160 units; J = 160/16 = 10 units = 1.25 ms.
		{"one packet 20 ms late", []packet{{1 * sec, 0, 8000}, {1*sec + 40*ms, 160, 8000}}, 1250 * time.Microsecond},
		{"one packet 20 ms early", []packet{{1 * sec, 0, 8000}, {1 * sec, 160, 8000}}, 1250 * time.Microsecond},
		{"no clock, no jitter", []packet{{1 * sec, 0, 0}, {1*sec + 40*ms, 160, 0}}, 0},
		{"a type without clock between leaves it alone",
			[]packet{{1 * sec, 0, 8000}, {2 * sec, 0, 0}, {3 * sec, 0, 0}, {1*sec + 40*ms, 160, 8000}}, 1250 * time.Microsecond},
		{"timestamps from elsewhere are a new base, which the next packet is measured by",
			[]packet{{1 * sec, 0, 8000}, {1*sec + 20*ms, 1 << 30, 8000}, {1*sec + 60*ms, 1<<30 + 160, 8000}}, 1250 * time.Microsecond},
		{"also where the sender's clock stood still on hold",
			[]packet{{1 * sec, 0, 8000}, {31 * sec, 160, 8000}, {31*sec + 40*ms, 320, 8000}}, 1250 * time.Microsecond},
		{"another clock keeps the time, not the units", []packet{{1 * sec, 0, 8000}, {1*sec + 40*ms, 160, 8000}, {2 * sec, 0, 48000}}, 1250 * time.Microsecond},
	} {
		var j jitter
		for _, p := range tc.packets {
			j.setClock(p.rate)
			j.add(p.at, p.ts)
		}
		if got := j.value(); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

// The jitter of late is soon forgotten, that of the whole call is not, nor does another clock change it.
func TestMeanJitter(t *testing.T) {
	var j jitter
	add := func(rate uint32, from, until time.Duration, late time.Duration) {
		j.setClock(rate)
		for at := from; at < until; at += 20 * ms {
			ts := uint32(at.Microseconds() * int64(rate) / 1e6)
			j.add(at+late*(at/(20*ms)%2), ts)
		}
	}
	add(8000, 0, 10*sec, 60*ms)
	if got, mean := j.value(), j.mean(); got < 59*ms || mean < 57*ms || got > 60*ms || mean > got {
		t.Errorf("every second packet 60 ms late: jitter %v, on average %v", got, mean)
	}
	add(48000, 10*sec, 20*sec, 0)
	if got, mean := j.value(), j.mean(); got > ms || mean < 29*ms || mean > 31*ms {
		t.Errorf("no more in the second half of the call: jitter %v, on average %v", got, mean)
	}
	if got := new(jitter).mean(); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// What is lost for longer than RFC 3550 A.1 believes in is lost where the timestamps say so too; a sender that numbers
// its packets anew has lost none.
func TestLongOutage(t *testing.T) {
	for _, tc := range []struct {
		name string
		gap  time.Duration
		seq  uint16 // of the first packet after it
		ts   uint32
		lost uint64
	}{
		{"a router that starts anew", 90 * sec, 100 + 4500, 4500 * 160, 4499},
		{"numbers from elsewhere after a while", 90 * sec, 100 + 4500, 1 << 31, 0},
		{"numbers from elsewhere at once", 20 * ms, 100 + 4500, 160, 0},
		{"numbers from behind", 90 * sec, 50000, 4500 * 160, 0},
	} {
		var f, far flow
		f.setType(0, 8000)
		add := func(at time.Duration, seq uint16, ts uint32) {
			f.count(&packet{now: at, header: header{kind: rtp, ssrc: 1, seq: seq, ts: ts}}, &far)
		}
		add(sec-20*ms, 99, 1<<32-160)
		add(sec, 100, 0)
		for i := range 3 {
			add(sec+tc.gap+time.Duration(i)*20*ms, tc.seq+uint16(i), tc.ts+160*uint32(i))
		}
		if lost := f.seq.missing(); lost != tc.lost || f.jitter.value() != 0 {
			t.Errorf("%s: %d lost, want %d; jitter %v", tc.name, lost, tc.lost, f.jitter.value())
		}
	}
}

func TestFlowCounts(t *testing.T) {
	var f, far flow
	start := time.Unix(1000, 0)
	at := time.Duration(0)
	add := func(h header, size int) {
		at += 20 * ms
		p := &packet{now: at, header: h, data: make([]byte, size)}
		if f.untyped(p) {
			f.setType(h.pt, staticClock(h.pt))
		}
		f.count(p, &far)
	}
	add(header{kind: stun}, 20)
	add(header{kind: rtp, pt: 8, ssrc: 1, seq: 10, ts: 0}, 172)
	add(header{kind: rtp, pt: 8, ssrc: 1, seq: 12, ts: 320}, 172)
	add(header{kind: rtp, pt: 101, ssrc: 1, seq: 13, ts: 480}, 16)
	add(header{kind: rtp, pt: 101, ssrc: 1, seq: 13, ts: 480}, 16)
	add(header{kind: rtp, pt: 0, ssrc: 2, seq: 900, ts: 5}, 172)
	add(header{kind: rtcp}, 8)
	add(header{kind: other}, 5)
	add(header{kind: rtcp}, 8)
	got := f.snapshot(start)
	if got.Packets != 5 || got.Bytes != 3*172+2*16 || got.RTCP != 2 || got.Other != 2 {
		t.Errorf("counted %d RTP of %d bytes, %d RTCP, %d other", got.Packets, got.Bytes, got.RTCP, got.Other)
	}
	if got.Lost != 1 || got.Duplicates != 1 || got.OutOfOrder != 0 {
		t.Errorf("lost %d, duplicates %d, out of order %d, want 1, 1, 0", got.Lost, got.Duplicates, got.OutOfOrder)
	}
	if got.SSRC != 2 || got.SSRCChanges != 1 {
		t.Errorf("SSRC %d after %d changes, want 2 after 1", got.SSRC, got.SSRCChanges)
	}
	if !slices.Equal(got.PayloadTypes, []uint8{0, 8, 101}) {
		t.Errorf("payload types %v, want 0, 8, 101", got.PayloadTypes)
	}
	if first, last := got.First.Sub(start), got.Last.Sub(start); first != 40*ms || last != 160*ms {
		t.Errorf("media from %v to %v, want 40ms to 160ms: STUN and RTCP are none", first, last)
	}
	if last := got.LastRTP.Sub(start); last != 120*ms {
		t.Errorf("RTP until %v, want 120ms: what comes then is none", last)
	}
	if !(&flow{}).snapshot(start).First.IsZero() {
		t.Error("a flow without media has a first packet")
	}
}

// report blocks and sender reports, RFC 3550 6.4.1
func senderReportOf(ntp uint64) []byte {
	b := make([]byte, 28)
	b[0], b[1] = 0x80, typeSR
	binary.BigEndian.PutUint16(b[2:], 6)
	binary.BigEndian.PutUint64(b[8:], ntp)
	return b
}

func receiverReportOf(lsr, dlsr uint32) []byte {
	b := make([]byte, 32)
	b[0], b[1] = 0x81, typeRR
	binary.BigEndian.PutUint16(b[2:], 7)
	binary.BigEndian.PutUint32(b[24:], lsr)
	binary.BigEndian.PutUint32(b[28:], dlsr)
	return b
}

// The example of RFC 3550 6.4.1, figure 2: SR with NTP time 0xb44db705.20000000
// sent at 46853.125 s, answered with LSR b705:2000 and DLSR 5.250 s, the
// answer received at 46864.500 s; round trip 6.125 s.
func TestRoundTripOfRFC3550(t *testing.T) {
	const ntp, lsr, dlsr = 0xb44db705_20000000, 0xb7052000, 0x00054000
	sent, answered := 46853125*ms, 46864500*ms
	sdes := []byte{0x81, 202, 0, 1, 0, 0, 0, 7}
	for _, tc := range []struct {
		name   string
		answer []byte
		want   time.Duration
	}{
		{"receiver report", receiverReportOf(lsr, dlsr), 6125 * ms},
		{"after another packet in the compound", append(slices.Clone(sdes), receiverReportOf(lsr, dlsr)...), 6125 * ms},
		{"of another report", receiverReportOf(lsr+1, dlsr), 0},
		{"of no report yet", receiverReportOf(0, 0), 0},
		{"a delay longer than the time passed", receiverReportOf(lsr, 0x00100000), 0},
		{"cut short", receiverReportOf(lsr, dlsr)[:31], 0},
		{"with a count that lies", append([]byte{0x9f}, receiverReportOf(lsr, dlsr)[1:]...), 6125 * ms},
	} {
		var caller, callee flow
		caller.control(sent, append(senderReportOf(ntp), sdes...), &callee)
		callee.control(answered, tc.answer, &caller)
		if callee.rtt != tc.want {
			t.Errorf("%s: round trip %v, want %v", tc.name, callee.rtt, tc.want)
		}
		if caller.rtt != 0 {
			t.Errorf("%s: the side that only sent a report got a round trip", tc.name)
		}
	}
	var caller, callee flow
	if callee.control(answered, receiverReportOf(0, 0), &caller); callee.rtt != 0 {
		t.Errorf("without any sender report: round trip %v", callee.rtt)
	}
}

func TestControlOfAnyBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	var f, far flow
	b := make([]byte, 200)
	for range 20000 {
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		b[0] = 0x80 | b[0]&0x1f
		b[1] = 200 + b[1]&3
		b[2], b[3] = 0, b[3]&31
		f.control(sec, b[:rng.IntN(len(b))], &far)
	}
	if f.rtt != 0 {
		t.Errorf("random reports gave a round trip of %v", f.rtt)
	}
}

func TestStaticClock(t *testing.T) {
	for pt, want := range map[uint8]uint32{0: 8000, 8: 8000, 9: 8000, 18: 8000, 6: 16000, 10: 44100, 34: 90000, 96: 0, 127: 0, 1: 0} {
		if got := staticClock(pt); got != want {
			t.Errorf("payload type %d: clock %d, want %d", pt, got, want)
		}
	}
}

func TestParseHeader(t *testing.T) {
	pcmu := []byte{0x80, 0x80, 0x12, 0x34, 1, 2, 3, 4, 5, 6, 7, 8, 0xff}
	binding := append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, make([]byte, 12)...)
	for _, tc := range []struct {
		name string
		b    []byte
		want header
	}{
		{"RTP with marker", pcmu, header{rtp, 0, 0x1234, 0x01020304, 0x05060708}},
		{"RTP cut short", pcmu[:11], header{}},
		{"sender report", senderReportOf(0), header{kind: rtcp}},
		{"RTCP of type 192", []byte{0x80, 192, 0, 1, 0, 0, 0, 9}, header{kind: rtcp, ssrc: 9}},
		{"RTP type 95 with marker is 223, RTCP", []byte{0x80, 223, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0}, header{kind: rtcp, ssrc: 9}},
		{"RTP type 96 with marker", []byte{0x80, 224, 0, 1, 0, 0, 0, 9, 0, 0, 0, 1}, header{rtp, 96, 1, 9, 1}},
		{"STUN", binding, header{kind: stun}},
		{"STUN cut short", binding[:19], header{}},
		{"T.38: a low number", []byte{0, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 9, 9, 9, 9, 9, 9}, header{}},
		{"DTLS", []byte{22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, header{}},
		{"empty", nil, header{}},
		{"one byte", []byte{0x80}, header{}},
	} {
		if got := parseHeader(tc.b); got != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, got, tc.want)
		}
	}
}

func TestPlace(t *testing.T) {
	for _, tc := range []struct {
		addr string
		v4   bool
		want bool
	}{
		{"192.0.2.1:4000", true, true},
		{"192.0.2.1:4000", false, true},
		{"[2001:db8::1]:4000", false, true},
		{"[2001:db8::1]:4000", true, false}, // an IPv4 socket cannot send there
		{"[::ffff:192.0.2.1]:4000", true, true},
		{"0.0.0.0:4000", true, false},
		{"[::]:4000", false, false},
		{"192.0.2.1:0", true, false},
		{"224.0.0.1:4000", true, false},
	} {
		l := leg{v4: tc.v4}
		if got := l.place(netip.MustParseAddrPort(tc.addr)); got.IsValid() != tc.want {
			t.Errorf("%s, v4 %v: %v", tc.addr, tc.v4, got)
		}
	}
}
