package proxy

import (
	"strconv"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/trail"
)

// over is the n-th call of a test, at its end.
func over(n int, end time.Time, steps int) *Past {
	c := &trail.Course{Begin: end, Steps: make([]trail.Step, steps)}
	for i := range c.Steps {
		c.Steps[i].Size = uint16(i)
	}
	p := &Past{ID: strconv.Itoa(n), key: trail.Key(n), Record: &Record{End: end}, Course: c, Tracks: make([]trail.Track, 2)}
	for i := range 100 {
		p.Tracks[0].Add(uint64(50*i), 0, 0)
	}
	return p
}

// TestRemembered: the newest calls are whole whatever their age; older ones are brief, and go when they
// are too many, too old, or take too much.
func TestRemembered(t *testing.T) {
	for _, tt := range []struct {
		name  string
		every time.Duration
		steps int
		added int
		kept  int // 0: as many as take pastBytes
	}{
		{"few", 24 * time.Hour, 30, 500, 500},
		{"old", time.Hour, 30, 3000, pastWhole},
		{"busy", time.Millisecond, 0, 25_000, maxPast},
		{"of some hours", 6 * time.Second, 30, 6000, 3601}, // of six hours, the bounds included
		{"many steps", time.Millisecond, 100, 25_000, 0},
	} {
		var l past
		for i := range tt.added {
			l.add(over(i, epoch.Add(time.Duration(i)*tt.every), tt.steps))
		}
		n, total := len(l.calls), 0
		for _, p := range l.calls {
			total += p.weight
		}
		if tt.kept != n && (tt.kept != 0 || n <= pastWhole || n == maxPast || total > pastBytes || total < pastBytes*9/10) {
			t.Errorf("%s: %d are kept, which take %d bytes", tt.name, n, total)
		}
		if l.bytes != total || len(l.byID) != n || len(l.byKey) != n || l.gone != uint64(tt.added-n) {
			t.Errorf("%s: %d bytes of %d, %d and %d in the indexes, %d gone", tt.name, l.bytes, total, len(l.byID), len(l.byKey), l.gone)
		}
		if p := l.find(strconv.Itoa(tt.added - 1)); p == nil || p != l.calls[n-1] || len(p.Course.Steps) != tt.steps || p.Tracks[0].Len() != 100 {
			t.Errorf("%s: the newest is %+v", tt.name, p)
		}
		if l.of(trail.Key(tt.added-n)) != l.calls[0] || n < tt.added && l.find("0") != nil {
			t.Errorf("%s: the oldest is not found, or what is gone is", tt.name)
		}
		if n <= pastWhole {
			continue
		}
		o := l.calls[0]
		if s := o.Course.Steps; len(s)+o.Course.Skipped != tt.steps || len(s) > briefFirst+briefLast || len(s) > 0 && int(s[len(s)-1].Size) != tt.steps-1 || o.Tracks[0].Len() != 25 {
			t.Errorf("%s: an old one has %d steps and %d left out, %d samples", tt.name, len(s), o.Course.Skipped, o.Tracks[0].Len())
		}
	}
}

// TestPastInParts: the parts together are all, once, although some go and others come between two.
func TestPastInParts(t *testing.T) {
	c := new(Core)
	add := func(n int) { c.past.add(over(n, epoch, 0)) }
	for i := range maxPast {
		add(i)
	}
	c.past.refused = []*Past{{ID: "r1", Record: &Record{}}}
	seen := map[string]bool{}
	parts := 0
	for next, more := uint64(0), true; more; more = next != 0 {
		var keys []CallKey
		keys, next = c.PastCalls(next)
		for _, k := range keys {
			if seen[k.ID] {
				t.Errorf("%s twice", k.ID)
			}
			seen[k.ID] = true
		}
		if parts++; len(keys) > pastPart+maxRefused {
			t.Errorf("a part of %d", len(keys))
		}
		for i := range 5 {
			add(maxPast + 5*parts + i) // as many of the oldest go
		}
	}
	if len(seen) < maxPast || !seen["r1"] || parts < maxPast/pastPart {
		t.Errorf("%d calls in %d parts", len(seen), parts)
	}
}
