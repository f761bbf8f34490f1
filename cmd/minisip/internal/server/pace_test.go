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
		{"a busy server gathers", every(2, 0, 60), // 21 at once: the credit of 16, and 5 earned meanwhile
			"0:1 2:1 4:1 6:1 8:1 10:1 12:1 14:1 16:1 18:1 20:1 22:1 24:1 26:1 28:1 30:1 32:1 34:1 36:1 38:1 40:1 50:5 58:4 66:0"},
		{"the more comes, the shorter the ticks", every(0.25, 0, 24),
			"0:1 0.25:1 0.5:1 0.75:1 1:1 1.25:1 1.5:1 1.75:1 2:1 2.25:1 2.5:1 2.75:1 3:1 3.25:1 3.5:1 3.75:1 12:33 16:16 18:8 20:8 22:8 24:7 28:0"},
		{"after the rush, at once again", append(every(1, 0, 24), 80, 81),
			"0:1 1:1 2:1 3:1 4:1 5:1 6:1 7:1 8:1 9:1 10:1 11:1 12:1 13:1 14:1 15:1 16:1 17:1 26:6 34:0 80:1 81:1"},
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
		looks = append(looks, fmt.Sprintf("%v:%d", now, waiting))
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
	for range 3 { // 8, 4 and 2 ms
		p.looked(plenty)
	}
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
