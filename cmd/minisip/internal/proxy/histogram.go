package proxy

// Histogram counts values by size.
type Histogram struct {
	Bounds []float64              // of the buckets, each inclusive; beyond the last is one more
	Counts [maxBuckets + 1]uint64 // by bucket
	Sum    float64
}

const maxBuckets = 12

// observe counts a value.
func (h *Histogram) observe(v float64) {
	i := 0
	for i < len(h.Bounds) && v > h.Bounds[i] {
		i++
	}
	h.Counts[i]++
	h.Sum += v
}

// Histograms are what calls were like. Media is that of directions of calls that have ended.
type Histograms struct {
	Setup    Histogram // seconds from the INVITE until it rang, or was answered at once
	Duration Histogram // seconds from answer to end
	Loss     Histogram // of 1
	Jitter   Histogram // seconds
	MOS      Histogram
}

func newHistograms() (h Histograms) {
	h.Setup.Bounds = []float64{0.05, 0.1, 0.2, 0.5, 1, 2, 4, 8, 16, 32}
	h.Duration.Bounds = []float64{5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200}
	h.Loss.Bounds = []float64{0, 0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5}
	h.Jitter.Bounds = []float64{0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5}
	h.MOS.Bounds = []float64{1.5, 2, 2.5, 3, 3.5, 3.8, 4, 4.2, 4.3, 4.4}
	return h
}

// account enters a call that has ended.
func (h *Histograms) account(r *Record) {
	if r.Answer == nil {
		return
	}
	h.Duration.observe(r.Seconds)
	for i := range r.Media {
		d := &r.Media[i]
		if d.Packets == 0 {
			continue
		}
		h.Loss.observe(d.LossPercent / 100)
		h.Jitter.observe(d.JitterMS / 1000)
		if d.MOS > 0 {
			h.MOS.observe(d.MOS)
		}
	}
}
