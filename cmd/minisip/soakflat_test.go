package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// What of a life belongs to its growing up, and how much larger than after that it may be at its end.
const (
	soakWarm  = 2 * time.Minute // two collections of garbage, and all transactions' timers
	soakShort = 3 * time.Minute // a shorter life is not judged
	soakGrows = 0.10
)

// figure is one that has to stay as it is while the load stays as it is.
type figure struct {
	name  string
	of    func(x sample) float64
	spare float64 // that it may be larger by, whatever it was: phones come and go
}

var soakFigures = []figure{
	{"memory in MB", func(x sample) float64 { return float64(x.memory) / 1024 }, 0},
	{"descriptors", func(x sample) float64 { return float64(x.files) }, 16},
	{"goroutines", func(x sample) float64 { return x.metrics["go_goroutines"] }, 16},
	{"ports taken", func(x sample) float64 { return x.metrics["minisip_rtp_ports"] - x.metrics["minisip_rtp_ports_free"] }, 8},
	{"transactions", func(x sample) float64 { return x.metrics["minisip_transactions"] }, 80},
}

// lastLife are the samples of the last minisip while the phones were at it.
func (s *soak) lastLife() (life []sample) {
	for _, x := range s.samples {
		if x.life == len(s.downs) && x.at.Before(s.quiet) {
			life = append(life, x)
		}
	}
	return life
}

// flat compares the last minisip after its growing up with itself at its end, a quarter of the rest each.
func (s *soak) flat(b *strings.Builder) (wrong []string) {
	life := s.lastLife()
	if len(life) == 0 {
		return []string{"nothing was seen of the last life"}
	}
	begin, end := life[0].at, life[len(life)-1].at
	lasted := end.Sub(begin)
	if lasted < soakShort {
		fmt.Fprintf(b, "\nThe last life lasted %s: too short to say that nothing grows.\n", lasted.Round(time.Second))
		return nil
	}
	part := (lasted - soakWarm) / 4
	early := between(life, begin.Add(soakWarm), begin.Add(soakWarm+part))
	late := between(life, end.Add(-part), end)
	fmt.Fprintf(b, "\nThe last life lasted %s. Medians of %s after %s, and of the last %s; at most %.0f %% more is flat:\n\n",
		lasted.Round(time.Second), part.Round(time.Second), soakWarm, part.Round(time.Second), soakGrows*100)
	for _, f := range soakFigures {
		was, is := median(early, f.of), median(late, f.of)
		verdict := "flat"
		if most := was*(1+soakGrows) + f.spare; is > most {
			verdict = fmt.Sprintf("GROWS, at most %.1f", most)
			wrong = append(wrong, fmt.Sprintf("%s grew from %.1f to %.1f in the last life, at most %.1f is flat", f.name, was, is, most))
		}
		fmt.Fprintf(b, "%20s %8.1f %8.1f   %s\n", f.name, was, is, verdict)
	}
	return wrong
}

// between are the samples of a time, its ends included.
func between(all []sample, from, to time.Time) (some []sample) {
	for _, x := range all {
		if !x.at.Before(from) && !x.at.After(to) {
			some = append(some, x)
		}
	}
	return some
}

func median(all []sample, of func(sample) float64) float64 {
	var values []float64
	for _, x := range all {
		values = append(values, of(x))
	}
	slices.Sort(values)
	if len(values) == 0 {
		return 0
	}
	return values[len(values)/2]
}

// sparks draws memory over time in about a hundred bars, with a line where minisip was killed.
func (s *soak) sparks() string {
	bars := []rune("▁▂▃▄▅▆▇█")
	least, most := s.samples[0].memory, s.samples[0].memory
	for _, x := range s.samples {
		least, most = min(least, x.memory), max(most, x.memory)
	}
	var b strings.Builder
	step := max(1, len(s.samples)/100)
	for i := 0; i < len(s.samples); i += step {
		x := s.samples[i]
		if i >= step && x.life != s.samples[i-step].life {
			b.WriteString("|")
		}
		b.WriteRune(bars[(x.memory-least)*(len(bars)-1)/max(1, most-least)])
	}
	return fmt.Sprintf("memory from %.1f to %.1f MB:\n%s\n", float64(least)/1024, float64(most)/1024, &b)
}

// TestSoakFlat: what the soak calls flat, on figures that are made up.
func TestSoakFlat(t *testing.T) {
	for _, tt := range []struct {
		name    string
		minutes int
		perHour float64 // MB that memory grows by, beside a step in the first minute
		wrong   int
		says    string
	}{
		{"flat", 6, 0, 0, "flat"},
		{"a little", 6, 30, 0, "flat"}, // 1.5 MB of 32 between the medians
		{"a leak", 6, 90, 1, "GROWS"},
		{"a short life", 2, 900, 0, "too short"},
	} {
		begin := time.Now()
		s := &soak{quiet: begin.Add(time.Hour)}
		for at := time.Duration(0); at <= time.Duration(tt.minutes)*time.Minute; at += 5 * time.Second {
			mb := 20 + 12*min(1, at.Minutes()) + tt.perHour*at.Hours()
			s.samples = append(s.samples, sample{at: begin.Add(at), memory: int(mb * 1024), files: 100, metrics: map[string]float64{"go_goroutines": 95}})
		}
		var b strings.Builder
		if wrong := s.flat(&b); len(wrong) != tt.wrong || !strings.Contains(b.String(), tt.says) {
			t.Errorf("%s: %q\n%s", tt.name, wrong, &b)
		}
		if sparks := s.sparks(); !strings.Contains(sparks, "▁") || !strings.Contains(sparks, "█") {
			t.Errorf("%s: %s", tt.name, sparks)
		}
	}
}
