package trail

import "time"

// SampleEvery is how often loss and jitter of a direction are looked at.
const SampleEvery = 5 * time.Second

// maxSamples bounds a track: where it is full, each two samples become one, and from then on
// each covers twice the time.
const maxSamples = 120

// Sample is one stretch of a direction.
type Sample struct {
	Loss   uint16 // hundredths of a percent; Silent: no packet came
	Jitter uint16 // tenths of a millisecond
}

// Silent is the loss of a stretch without any packet.
const Silent = 0xffff

// Track is how loss and jitter of one direction went over time.
type Track struct {
	samples       []Sample
	packets, lost uint64 // as they were at the last sample
	width         int    // so many times SampleEvery does a sample cover
	open          int    // so many of these are in the last sample
}

// Add takes the counts as they are now.
func (t *Track) Add(packets, lost uint64, jitter time.Duration) {
	came, missed := t.Since(packets, lost)
	s := stretch(came, missed, jitter)
	t.packets, t.lost = packets, lost
	if t.width == 0 {
		t.width = 1
	}
	if t.open > 0 && t.open < t.width {
		last := &t.samples[len(t.samples)-1]
		*last = merge(*last, s, t.open)
		t.open++
		return
	}
	if len(t.samples) == maxSamples {
		t.halve()
	}
	t.samples = append(t.samples, s)
	t.open = 1
}

// halve makes one sample of each two; of an odd number the last stays.
func (t *Track) halve() {
	n := len(t.samples)
	for i := range n / 2 {
		t.samples[i] = merge(t.samples[2*i], t.samples[2*i+1], 1)
	}
	if n%2 == 1 {
		t.samples[n/2] = t.samples[n-1]
	}
	t.samples = t.samples[:(n+1)/2]
	t.width *= 2
}

// Since is how many packets have come and were lost since the last sample. What comes late
// takes a loss back; that is not counted.
func (t *Track) Since(packets, lost uint64) (came, missed uint64) {
	return packets - t.packets, max(lost, t.lost) - t.lost
}

// stretch makes a sample.
func stretch(packets, lost uint64, jitter time.Duration) Sample {
	s := Sample{Jitter: uint16(min(jitter/(100*time.Microsecond), 0xffff))}
	switch {
	case packets == 0:
		s.Loss = Silent
	case lost > 0:
		s.Loss = uint16(10_000 * lost / (packets + lost))
	}
	return s
}

// merge joins a sample of n stretches with one more.
func merge(a, b Sample, n int) Sample {
	mean := func(a, b uint16) uint16 { return uint16((int(a)*n + int(b)) / (n + 1)) }
	switch {
	case a.Loss == Silent:
		return b
	case b.Loss == Silent:
		return a
	}
	return Sample{Loss: mean(a.Loss, b.Loss), Jitter: mean(a.Jitter, b.Jitter)}
}

// Samples gives a copy of all, the oldest first, and the time that each covers.
func (t *Track) Samples() ([]Sample, time.Duration) {
	return append([]Sample(nil), t.samples...), time.Duration(max(t.width, 1)) * SampleEvery
}
