package proxy

import (
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/trail"
)

// talked is a call of a script that ended a minute ago, with media, a repetition and a finding.
func talked(t *testing.T) *script {
	s := stage(t, 1, nil)
	s.do("001: INVITE 002", "001: ACK", "001: INVITE 002 auth", "001: again", "002a: 180 Ringing to INVITE", "wait 1s", "002a: 200 OK to INVITE", "001: ACK",
		"media 1 caller from 198.51.100.7:4000", "wait 45s", "002a: BYE", "001: 200 OK to BYE", "wait 1m")
	return s
}

// TestPastRecord: a call that stands in the ledger is shown like one that does not.
func TestPastRecord(t *testing.T) {
	c := talked(t).core
	p := c.past.open[0]
	samples, _ := p.Tracks[0].Samples()
	if len(p.Record.Findings) == 0 || len(p.Record.Media) != 2 || p.Record.Ring == nil || p.Record.Answer == nil || len(samples) == 0 {
		t.Fatalf("the call has too little to be kept: %+v", p.Record)
	}
	p.Record.Media[0].Strangers, p.Record.Media[0].Stranger, p.Record.Media[0].RTTMS, p.Course.Skipped = 3, "203.0.113.9:4", 24.1, 2
	c.past.open = nil
	c.past.ledger.put(p)
	if n := c.past.ledger.entries[0]; n.size > 900 || n.head > 100 {
		t.Errorf("a usual call takes %d bytes, %d of them in a list", n.size, n.head)
	}
	if want, got := show(t, p.view(c, true)), show(t, c.past.find("1").view(c, true)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if keys, _ := c.PastCalls(0); len(keys) != 1 || keys[0].ID != "1" || keys[0].ToAddr != p.Record.ToAddr || !keys[0].Begin.Equal(p.Record.Begin) {
		t.Errorf("the list has %+v", keys)
	}
	if id := c.CallOf(p.key); id != "1" {
		t.Errorf("its Call-ID leads to call %q", id)
	}
}

func show(t *testing.T, v *CallView) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// over is the n-th call of a test, at its end.
func over(n int, end time.Time) *pastCall {
	r := &Record{Call: int64(n), Begin: end.Add(-time.Minute), End: end}
	return &pastCall{ID: strconv.Itoa(n), key: trail.Key(n), Record: r, Course: new(trail.Course)}
}

// TestRemembered: the newest calls are remembered whatever their age; older ones go when they are too many, too old, or
// take too much memory.
func TestRemembered(t *testing.T) {
	for _, tt := range []struct {
		name   string
		every  time.Duration
		memory int
		text   int // bytes in each
		added  int
		kept   int // in the ledger; 0: as many as the memory holds
	}{
		{"few", 24 * time.Hour, 1 << 20, 0, 500, 499},
		{"old", time.Hour, 1 << 20, 0, 3000, ledgerKeeps},
		{"busy", time.Millisecond, 2 << 20, 0, 25_000, ledgerMost},
		{"of some hours", 6 * time.Second, 2 << 20, 0, 6000, 3601}, // of six hours, the bounds included
		{"long records", time.Millisecond, 1 << 20, 900, 25_000, 0},
		{"no memory given", time.Millisecond, 0, 900, 2000, 0},
	} {
		l := past{ledger: ledger{memory: make([]byte, tt.memory)}}
		for i := range tt.added {
			p := over(i+1, epoch.Add(time.Duration(i)*tt.every))
			p.Record.Why = strings.Repeat("w", tt.text)
			l.add(p)
		}
		g := &l.ledger
		n, bytes := len(g.entries), 0
		for _, entry := range g.entries {
			bytes += int(entry.size)
		}
		if size := len(g.memory); tt.kept != n && (tt.kept != 0 || bytes > size || bytes < size-2000) {
			t.Errorf("%s: %d are in the ledger, which take %d bytes of %d", tt.name, n, bytes, size)
		}
		if len(g.byID) != n || len(g.byKey) != n || int(g.gone)+n+len(l.open) != tt.added || len(l.open) > maxOpen {
			t.Errorf("%s: %d and %d in the indexes, %d gone, %d open", tt.name, len(g.byID), len(g.byKey), g.gone, len(l.open))
		}
		last := tt.added
		oldest := last - len(l.open) - n + 1
		for _, id := range []int{oldest, oldest + n/2, last - len(l.open), last} {
			p := l.find(strconv.Itoa(id))
			if p == nil || p.Record.Call != int64(id) || len(p.Record.Why) != tt.text || l.of(trail.Key(id)) != strconv.Itoa(id) {
				t.Errorf("%s: call %d is %+v", tt.name, id, p)
			}
		}
		if gone := oldest - 1; l.find(strconv.Itoa(gone)) != nil || l.of(trail.Key(gone)) != "" {
			t.Errorf("%s: what is gone is found", tt.name)
		}
	}
}

// TestSameCallID: of several calls with one Call-ID the newest is meant, also when an older one goes.
func TestSameCallID(t *testing.T) {
	l := past{ledger: ledger{memory: make([]byte, leastLedger)}}
	for i := range 3 {
		p := over(i+1, epoch.Add(time.Duration(i)*time.Hour))
		p.key = 7
		l.add(p)
		if id := l.of(7); id != p.ID {
			t.Errorf("call %q is meant, want %s", id, p.ID)
		}
	}
	l.ledger.forget()
	if id := l.ledger.of(7); id != "2" {
		t.Errorf("call %q is meant, want 2", id)
	}
	l.ledger.forget()
	if id := l.ledger.of(7); id != "" {
		t.Errorf("call %q is meant although it is gone", id)
	}
}

// TestPastInParts: the parts together are all, once, although some go and others come between two.
func TestPastInParts(t *testing.T) {
	c := &Core{past: past{ledger: ledger{memory: make([]byte, 2<<20)}}}
	n := 0
	add := func(more int) {
		for range more {
			n++
			c.past.add(over(n, epoch))
		}
	}
	add(ledgerMost + maxOpen)
	c.past.refused = []*pastCall{{ID: "r1", Record: &Record{}}}
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
		if parts++; len(keys) > pastPart+maxOpen+maxRefused {
			t.Errorf("a part of %d", len(keys))
		}
		add(5) // as many of the oldest go
	}
	if len(seen) < ledgerMost+maxOpen || !seen["r1"] || parts < ledgerMost/pastPart {
		t.Errorf("%d calls in %d parts", len(seen), parts)
	}
}

// TestLedgerOutsideHeap: calls that have ended take next to nothing of the garbage collector's memory, which
// would let it wait for twice as much.
func TestLedgerOutsideHeap(t *testing.T) {
	whole := talked(t).core.past.open[0]
	const calls = 10_000
	l := past{ledger: ledger{memory: make([]byte, LedgerSize)}}
	add := func(from, to int) {
		for i := from; i < to; i++ {
			p, r := *whole, *whole.Record
			r.Call, r.CallID, r.End = int64(i), fmt.Sprint("call-", i), whole.Record.End.Add(time.Duration(i)*time.Second/10)
			r.Media = slices.Clone(r.Media)
			p.Record, p.key = &r, trail.Key(i)
			l.add(&p)
		}
	}
	add(0, 1000)
	before := live()
	add(1000, 1000+calls)
	if each := int(live()-before) / calls; each > 150 {
		t.Errorf("an ended call holds %d bytes of the heap", each)
	}
	if n := len(l.ledger.entries); n < calls {
		t.Errorf("%d calls are in the ledger", n)
	}
	runtime.KeepAlive(l)
}
