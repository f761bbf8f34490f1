//go:build linux && (amd64 || arm64)

package server

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestPace plays arrivals against a pace: each line is when a datagram comes (ms), and what is to be
// seen is when they are looked at, and how many by each look.
func TestPace(t *testing.T) {
	every := func(ms float64, from, to float64) (out []float64) {
		for at := from; at < to; at += ms {
			out = append(out, at)
		}
		return out
	}
	for _, test := range []struct {
		name  string
		comes []float64
		looks string
	}{
		{"one at a time, at once", []float64{0, 10, 25, 100}, "0:1 10:1 25:1 100:1"},
		{"a whole call within the burst", []float64{0, 1, 2, 3, 4.5, 5, 6}, "0:1 1:1 2:1 3:1 4.5:1 5:1 6:1"},
		{"a busy server gathers", every(2, 0, 120), // 17 at once: the credit of 16, and one earned meanwhile
			"0:1 2:1 4:1 6:1 8:1 10:1 12:1 14:1 16:1 18:1 20:1 22:1 24:1 26:1 28:1 30:1 32:1 36.5:2 41.5:2 51.5:5 71.5:10 91.5:10 111.5:10 131.5:4"},
		{"the more comes, the shorter the ticks", append(every(1, 0, 80), every(0.1, 80, 100)...),
			"0:1 1:1 2:1 3:1 4:1 5:1 6:1 7:1 8:1 9:1 10:1 11:1 12:1 13:1 14:1 15:1 18.5:3 23.5:5 33.5:10 53.5:20 73.5:20 93.5:142 98.5:50 101:15 106:0"},
		{"all come back at once", every(0.1, 0, 12),
			"0:1 0.1:1 0.2:1 0.3:1 0.4:1 0.5:1 0.6:1 0.7:1 0.8:1 0.9:1 1:1 1.1:1 1.2:1 1.3:1 1.4:1 1.5:1 4.1:25 6.6:26 9.1:25 11.6:25 14.1:4 19.1:0"},
		{"after the rush, at once again", append(every(1, 0, 24), 80, 81),
			"0:1 1:1 2:1 3:1 4:1 5:1 6:1 7:1 8:1 9:1 10:1 11:1 12:1 13:1 14:1 15:1 18.5:3 23.5:5 33.5:0 80:1 81:1"},
		{"two phones in step, each waiting for its answers", []float64{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3, 8, 8, 18, 18, 38, 38},
			"0:1 0:1 0:1 0:1 0:1 0:1 0:1 0:1 0:1 0:1 0:1 0:1 0:1 0:1 0:1 0:1 2.5:2 7.5:2 17.5:2 37.5:2 38:1 38:1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := play(test.comes); got != test.looks {
				t.Errorf("\n got %s\nwant %s", got, test.looks)
			}
		})
	}
}

// play does what gate does, without a kernel.
func play(comes []float64) string {
	var p pace
	var looks []string
	at := func(ms float64) time.Time { return time.Unix(1000, int64(ms*1e6)) }
	var timer float64
	for waiting := 0; len(comes) > 0 || p.ticking || waiting > 0; {
		var now float64
		if p.ticking {
			now = timer
			for len(comes) > 0 && comes[0] <= now {
				waiting, comes = waiting+1, comes[1:]
			}
		} else {
			now = comes[0]
			waiting, comes = waiting+1, comes[1:]
			if !p.came(at(now)) {
				timer = now + float64(p.tick)/1e6
				continue
			}
		}
		looks = append(looks, fmt.Sprintf("%.4g:%d", now, waiting))
		p.looked(waiting)
		waiting, timer = 0, now+float64(p.tick)/1e6
	}
	return strings.Join(looks, " ")
}

// TestPaceOfPlenty: where each look brings plenty, none is held back.
func TestPaceOfPlenty(t *testing.T) {
	var p pace
	now := time.Unix(1000, 0)
	for i := range 10 * lowBurst {
		if !p.came(now) {
			t.Fatalf("look %d was held back", i)
		}
		p.looked(plenty)
	}
	for p.came(now) {
		p.looked(1)
	}
	p.looked(plenty)
	if p.ticking {
		t.Error("still held back")
	}
}

// TestPaceOfOne: phones that come one after the other, each waiting for its answers, do not wait for ticks.
func TestPaceOfOne(t *testing.T) {
	var p pace
	now, ticks := time.Unix(1000, 0), 0
	for range 10000 {
		now = now.Add(100 * time.Microsecond)
		if !p.came(now) {
			ticks++
			now = now.Add(p.tick)
		}
		p.looked(1)
	}
	if ticks > 20 {
		t.Errorf("10000 datagrams one after the other have waited for %d ticks", ticks)
	}
	for came := 0; came < 2; { // many again: what is gathered counts at once
		now = now.Add(time.Millisecond)
		if !p.ticking && p.came(now) {
			p.looked(1)
			continue
		}
		p.looked(8)
		came++
	}
	if !p.ticking || p.burst != lowBurst {
		t.Errorf("8 in a tick, and the pace is %+v", p)
	}
}
