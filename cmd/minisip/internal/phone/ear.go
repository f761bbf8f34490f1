package phone

import (
	"math"
	"math/bits"
	"slices"
	"time"

	"minisip/cmd/minisip/internal/emodel"
)

// Heard is how one call sounded at a phone.
type Heard struct {
	Sent, Packets, Lost uint64
	LossPercent         float64
	Jitter              time.Duration // RFC 3550 6.4.1
	MOS                 float64       // by the E-model; 0: nothing was heard
	Tone                float64       // hertz; 0: none of Tones
	RoundTrip           time.Duration // where the other side echoes: until what was sent came back, of all packets the middle one
}

// Tones are those that a phone tells from each other.
var Tones = [...]float64{440, 880}

// ear measures one stream of RTP.
type ear struct {
	packets        uint64
	first, last    uint64 // sequence numbers, extended
	oldest, newest uint32 // timestamps of the first packet and of the last
	transit        int64
	jitter         float64 // in timestamp units
	trips          []time.Duration
	sound          []float64 // the newest second, decoded
}

// maxTrips bounds what is kept for the round trip's median.
const maxTrips = 3000

func (e *ear) hear(now time.Duration, seq uint16, ts uint32, payload []byte) {
	arrival := int64(now * sampleRate / time.Second)
	transit := arrival - int64(ts)
	if e.packets++; e.packets == 1 {
		e.first = uint64(seq) + 1<<16
		e.last = e.first
		e.oldest = ts
	} else {
		d := math.Abs(float64(transit - e.transit))
		e.jitter += (d - e.jitter) / 16
		if step := int16(seq - uint16(e.last)); step > 0 {
			e.last += uint64(step)
		}
	}
	e.transit, e.newest = transit, ts
	if len(e.trips) < maxTrips {
		e.trips = append(e.trips, time.Duration(transit)*time.Second/sampleRate)
	}
	for _, b := range payload {
		e.sound = append(e.sound, linear(b))
	}
	if extra := len(e.sound) - sampleRate; extra > 0 {
		e.sound = append(e.sound[:0], e.sound[extra:]...)
	}
}

// heard sums up. Where more packets are expected than their sequence numbers tell of, the others are lost.
func (e *ear) heard(echoed bool, expected uint64) Heard {
	h := Heard{Packets: e.packets}
	if e.packets == 0 {
		return h
	}
	expected = max(expected, e.last-e.first+1)
	h.Lost = expected - min(expected, e.packets)
	h.LossPercent = 100 * float64(h.Lost) / float64(expected)
	h.Jitter = time.Duration(e.jitter * float64(time.Second) / sampleRate)
	if echoed {
		h.RoundTrip = median(e.trips)
	}
	h.MOS = emodel.MOS("PCMU", h.LossPercent, h.Jitter, h.RoundTrip)
	h.Tone = toneOf(e.sound)
	return h
}

func median(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return max(0, sorted[len(sorted)/2])
}

// toneOf is the tone that makes up more than half of the sound's power, by Goertzel's algorithm.
func toneOf(sound []float64) float64 {
	var total float64
	for _, s := range sound {
		total += s * s
	}
	for _, hz := range Tones {
		k := 2 * math.Cos(2*math.Pi*hz/sampleRate)
		var s1, s2 float64
		for _, s := range sound {
			s1, s2 = s+k*s1-s2, s1
		}
		power := (s1*s1 + s2*s2 - k*s1*s2) * 2 / float64(len(sound))
		if total > 0 && power > total/2 {
			return hz
		}
	}
	return 0
}

// muLaw encodes a sample as ITU-T G.711 says.
func muLaw(s int16) byte {
	const bias, clip = 0x84, 32635
	sign, v := byte(0), int(s)
	if v < 0 {
		sign, v = 0x80, -v
	}
	v = min(v, clip) + bias
	exponent := bits.Len(uint(v)) - 8
	mantissa := v >> (exponent + 3) & 0x0f
	return ^(sign | byte(exponent<<4) | byte(mantissa))
}

// linear decodes a sample.
func linear(b byte) float64 {
	b = ^b
	v := (int(b&0x0f)<<3+0x84)<<(b>>4&7) - 0x84
	if b&0x80 != 0 {
		v = -v
	}
	return float64(v)
}
