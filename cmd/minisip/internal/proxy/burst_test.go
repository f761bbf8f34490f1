//go:build !race

// The core has one goroutine, where the race detector finds nothing; it would make a minute of these seconds.

package proxy

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/location"
	"minisip/digest"
)

// pingMeter is an Output that measures how pings lie in time.
type pingMeter struct {
	unheard
	now   time.Time
	slot  int64 // of 10 ms, the one that is being filled
	count int   // in it
	most  int   // in any
	last  []time.Time
	gap   time.Duration // the longest between two pings of one binding
	total int
}

func (m *pingMeter) Send(_, to netip.AddrPort, _ []byte) bool {
	if slot := m.now.UnixMilli() / 10; slot != m.slot {
		m.slot, m.count = slot, 0
	}
	m.count++
	m.total++
	m.most = max(m.most, m.count)
	ip := to.Addr().As4()
	last := &m.last[binary.BigEndian.Uint32(ip[:])&0xffffff]
	if !last.IsZero() {
		m.gap = max(m.gap, m.now.Sub(*last))
	}
	*last = m.now
	return true
}

// herd is a core with many bindings behind NAT.
type herd struct {
	*pingMeter
	core *Core
}

func newHerd(t *testing.T, n int, keepalive time.Duration) *herd {
	users, err := digest.ParseUsers("users.conf", nil, testRealm)
	if err != nil {
		t.Fatal(err)
	}
	m := &pingMeter{now: epoch, last: make([]time.Time, n)}
	cfg := Config{Realm: testRealm, Keepalive: keepalive, Epoch: epoch.Add(-time.Hour)}
	return &herd{m, New(cfg, m, &fakeRelay{}, users, digest.NewServer(digest.Config{Realm: testRealm}), [32]byte{1})}
}

// join registers the n-th phone.
func (h *herd) join(t *testing.T, n int) {
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], 10<<24|uint32(n))
	u := location.Update{
		AOR: fmt.Sprint(n), CallID: fmt.Sprint(n), CSeq: 1, NAT: true, Local: ours4, Source: netip.AddrPortFrom(netip.AddrFrom4(ip), 5060),
		Contacts: []location.Contact{{URI: "sip:a@192.168.0.2", Expires: 2 * time.Hour, Q: 1000}},
	}
	bindings, err := h.core.where.Register(h.now, &u)
	if err != nil {
		t.Fatal(err)
	}
	h.core.keepOpen(bindings[0], h.now)
}

// leave takes the n-th phone out.
func (h *herd) leave(n int) {
	for _, b := range h.core.where.Lookup(h.now, fmt.Sprint(n)) {
		h.core.where.Remove(b)
		h.core.unbound(b)
	}
}

// restart gives the wheel of another core the same bindings.
func (h *herd) restart() {
	was := h.core
	h.core = New(was.cfg, h.pingMeter, was.relay, was.users, digest.NewServer(digest.Config{Realm: testRealm}), [32]byte{2})
	h.core.where = was.where
	for b := range h.core.where.All() {
		b.Ping = location.Ping{}
		h.core.pingers.restore(b, h.now)
	}
}

// watch lets time pass and says how many pings the fullest 10 ms had, and the longest gap.
func (h *herd) watch(d time.Duration) (most int, gap time.Duration) {
	h.most, h.gap, h.total = 0, 0, 0
	for end := h.now.Add(d); ; {
		next := h.core.Deadline()
		if next.IsZero() || next.After(end) {
			h.now = end
			return h.most, h.gap
		}
		if next.After(h.now) { // else it is due since long
			h.now = next
		}
		h.core.Tick(h.now)
	}
}

// A ping allocates nothing, nor does its answer.
func TestPingAllocations(t *testing.T) {
	h := newHerd(t, 1, 25*time.Second)
	h.join(t, 0)
	if n := testing.AllocsPerRun(100, func() { h.watch(25 * time.Second) }); n > 0 || h.total != 1 {
		t.Errorf("%v allocations for %d pings", n, h.total)
	}
}

// A hundred thousand bindings never burst: the fullest 10 ms hold hardly more pings than all have
// on the average, whether the phones registered at one instant or one after the other, after
// half of them have left, and after the interval was changed; and meanwhile nobody waits longer
// than the longer of the two intervals.
func TestPingsNeverBurst(t *testing.T) {
	const phones, interval, slack = 100_000, 25 * time.Second, 8
	for _, tt := range []struct {
		name string
		over time.Duration // that it takes all of them to register
	}{{"at one instant", 0}, {"within seven seconds", 7 * time.Second}} {
		h := newHerd(t, phones, interval)
		measure := func(what string, d time.Duration, expect int, longest time.Duration) {
			t.Helper()
			most, gap := h.watch(d)
			t.Logf("%s, %s: %d pings in the fullest 10 ms, longest gap %v, %d in all", tt.name, what, most, gap, h.total)
			if most > expect || gap > longest {
				t.Errorf("%s, %s: %d pings in 10 ms, want %d at most; a gap of %v, want %v at most", tt.name, what, most, expect, gap, longest)
			}
		}
		per10ms := func(n int, interval time.Duration) int { return n * 10 / int(interval/time.Millisecond) }
		mean := per10ms(phones, interval)
		for i := range phones {
			h.join(t, i)
			if step := tt.over / phones; step > 0 {
				most, _ := h.watch(step)
				if most > mean+slack {
					t.Errorf("%s: %d pings in 10 ms while they register", tt.name, most)
				}
			}
		}
		measure("all there", interval, mean+slack, interval)
		if d := h.total - phones; d < -2 || d > 2 { // who sits where the measure begins and ends
			t.Errorf("%s: %d pings in an interval, want %d", tt.name, h.total, phones)
		}
		if tt.over > 0 {
			continue
		}
		was := h.core.cfg
		for _, next := range []time.Duration{40 * time.Second, 10 * time.Second, 0, interval} {
			now := was
			now.Keepalive = next
			h.core.Reconfigure(h.now, was, now)
			old := was.Keepalive
			was = now
			if next == 0 {
				if h.watch(time.Minute); h.total > 0 || h.core.pingers.count > 0 {
					t.Errorf("%s: %d pings after they were switched off", tt.name, h.total)
				}
				clear(h.last)
				continue
			}
			measure(fmt.Sprintf("from %v to %v", old, next), next, per10ms(phones, next)+slack, max(old, next))
		}
		for i := 0; i < phones; i += 2 {
			h.leave(i)
		}
		measure("half of them gone", interval, mean/2+slack, interval)
	}
}

// Nor do they burst when the hand is behind: after a restart, after which a NAT that forgets in 30 s has not, and when the loop
// has stood still.
func TestPingsCatchUp(t *testing.T) {
	const phones, interval, away = 100_000, 25 * time.Second, time.Second
	h := newHerd(t, phones, interval)
	for i := range phones {
		h.join(t, i)
	}
	const most10ms = int(catchUp*phones*breath/interval) + 8
	for _, tt := range []struct {
		name    string
		happens func()
		longest time.Duration
	}{
		{"a restart", func() { h.now = h.now.Add(away); h.restart() }, 30 * time.Second},
		{"a loop that stood still", func() { h.now = h.now.Add(5 * time.Second) }, interval + 5*time.Second + breath},
	} {
		h.watch(2 * interval)
		tt.happens()
		most, gap := h.watch(interval)
		t.Logf("%s: %d pings in the fullest 10 ms, longest gap %v, %d in all", tt.name, most, gap, h.total)
		if most > most10ms || gap > tt.longest {
			t.Errorf("%s: %d pings in 10 ms, want %d at most; a gap of %v, want %v at most", tt.name, most, most10ms, gap, tt.longest)
		}
		if most, _ := h.watch(interval); most > phones*10/int(interval/time.Millisecond)+8 {
			t.Errorf("%s: %d pings in 10 ms a turn later", tt.name, most)
		}
	}
}
