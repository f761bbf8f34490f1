package proxy

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// fakeKeeper has what a disk would have.
type fakeKeeper struct {
	now, flushed map[diskKey]string
	fresh        map[diskKey]bool // said since SaveAll was wanted; nil: it is not
	wanted       bool
	wholes       int
	said         int
}

type diskKey struct {
	kind byte
	id   uint64
}

// Keep implements Keeper.
func (f *fakeKeeper) Keep(kind byte, id uint64, record []byte) {
	f.now[diskKey{kind, id}] = string(record)
	f.said++
	if f.fresh != nil {
		f.fresh[diskKey{kind, id}] = true
	}
}

// Drop implements Keeper.
func (f *fakeKeeper) Drop(kind byte, id uint64) {
	delete(f.now, diskKey{kind, id})
	f.said++
}

// Flush implements Keeper.
func (f *fakeKeeper) Flush(whole bool) (anew bool) {
	if whole {
		f.wholes++
		maps.DeleteFunc(f.now, func(k diskKey, _ string) bool { return !f.fresh[k] })
		f.fresh = nil
	}
	f.flushed = maps.Clone(f.now)
	if anew, f.wanted = f.wanted, false; anew {
		f.fresh = map[diskKey]bool{}
	}
	return anew
}

func (f *fakeKeeper) count(kind byte) (n int) {
	if f == nil {
		return 0
	}
	for k := range f.flushed {
		if k.kind == kind {
			n++
		}
	}
	return n
}

// keeps gives the world a disk.
func (w *world) keeps() {
	w.disk = &fakeKeeper{now: map[diskKey]string{}, flushed: map[diskKey]string{}}
	w.cfg.Keeper, w.cfg.Epoch = w.disk, w.begin.Add(-time.Hour)
}

// restart kills the core: what was not flushed is lost. Another one takes what was.
func (w *world) restart() {
	w.t.Helper()
	w.note("killed, and started again")
	relay := w.relay
	w.relay = &fakeRelay{note: relay.note, capacity: relay.capacity}
	was := w.core
	w.core = nil
	w.disk.now = maps.Clone(w.disk.flushed)
	c := w.start()
	c.cfg.Features = was.cfg.Features
	keys := slices.SortedFunc(maps.Keys(w.disk.flushed), func(a, b diskKey) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.id, b.id))
	})
	for _, k := range keys {
		if err := c.Restore(w.now, k.kind, k.id, w.disk.flushed[k]); err != nil {
			w.t.Error(err)
		}
	}
	w.disk.fresh = map[diskKey]bool{}
	c.SaveAll(w.now)
}

// survives asserts that a core that is made of the records says just the same ones.
func (w *world) survives() {
	w.t.Helper()
	w.advance(saveAfter)
	before := maps.Clone(w.disk.flushed)
	delete(before, diskKey{keptCore, 0}) // knows more after a restart
	w.restart()
	w.advance(10 * saveEvery)
	if w.disk.fresh != nil {
		w.t.Error("not all was said anew")
	}
	for k, record := range before {
		if w.disk.flushed[k] != record {
			w.t.Errorf("record %c %d was\n%q\nand is\n%q", k.kind, k.id, record, w.disk.flushed[k])
		}
	}
	if len(w.disk.flushed) != len(before)+1 {
		w.t.Errorf("there were %d records and are %d", len(before), len(w.disk.flushed)-1)
	}
}

// callsSurvive asserts that each call that is up would be the same in another core.
func (w *world) callsSurvive() (n int) {
	w.t.Helper()
	c := w.core
	if c == nil {
		return 0
	}
	cfg := w.cfg
	cfg.Keeper = nil
	other := New(cfg, &world{t: w.t, quiet: true}, &fakeRelay{}, c.users, c.auth, [32]byte{3})
	for _, k := range c.allCalls() {
		if !k.established() {
			continue
		}
		n++
		record := string(k.appendRecord(nil))
		if err := other.Restore(w.now, keptCall, uint64(k.serial), record); err != nil {
			w.t.Error(err)
			continue
		}
		calls := other.allCalls()
		if again := string(calls[len(calls)-1].appendRecord(nil)); again != record {
			w.t.Errorf("call %d was\n%q\nand is\n%q", k.serial, record, again)
		}
	}
	return n
}

// keptPhones gives a world with a disk and so many phones, which are registered and kept, and how to register one once more.
func keptPhones(t *testing.T, phones int) (w *world, register func(p *phone, fields ...[]string)) {
	t.Helper()
	w = newWorld(t)
	w.keeps()
	w.quiet = true
	s := &script{world: w}
	register = func(p *phone, fields ...[]string) {
		for _, auth := range []*phone{nil, p} {
			s.transmit(p, p.request("REGISTER", &wish{auth: auth, fields: fields}))
		}
	}
	for i := range phones {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}), 5060)
		p := w.addPhone(fmt.Sprintf("u%04d", i), at.String())
		w.users[p.user] = p.password
	}
	for _, p := range w.phones {
		register(p)
	}
	w.advance(saveAfter)
	if n := w.disk.count(keptBinding); n != phones {
		t.Fatalf("%d of %d bindings are kept", n, phones)
	}
	return w, register
}

// TestSaveAll: all there is is said in pieces, the loop goes on between them, and what changes meanwhile is
// right in the end.
func TestSaveAll(t *testing.T) {
	const phones = 3*saveAtOnce + 10
	w, register := keptPhones(t, phones)
	w.disk.wanted, w.disk.wholes = true, 0
	register(w.phones[0]) // so that there is something to say
	w.advance(saveAfter)
	first := w.disk.said
	for pieces := 1; w.disk.wholes == 0; pieces++ {
		before := w.disk.said
		register(w.phones[pieces], []string{"Expires", "0"})
		w.advance(saveEvery)
		if n := w.disk.said - before; n > saveAtOnce+2 || pieces > 6 {
			t.Fatalf("piece %d holds %d records", pieces, n)
		}
	}
	w.advance(saveAfter)
	if got, want := w.disk.count(keptBinding), w.core.where.Len(); got != want || want >= phones || w.disk.said == first {
		t.Errorf("%d bindings are kept, want %d of %d", got, want, phones)
	}
	w.finish()
}

// TestSaveNowAnew: what a disk that was full has missed is said to it at the latest when the process ends.
func TestSaveNowAnew(t *testing.T) {
	const phones = saveAtOnce + 1
	w, _ := keptPhones(t, phones)
	clear(w.disk.now)
	w.disk.wanted = true
	w.core.SaveNow(w.now)
	if n := w.disk.count(keptBinding); n != phones || w.disk.wholes != 1 {
		t.Errorf("%d of %d bindings are kept, whole %d times", n, phones, w.disk.wholes)
	}
	w.finish()
}

// TestRecordsGo: after every step of every flow the calls that are up would survive a restart as they are; and when
// all of it is over no record of a call or of a binding is left.
func TestRecordsGo(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	kept, up := 0, 0
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t)
			w.keeps()
			w.after = func() { up += w.callsSurvive() }
			playIn(t, w, string(b))
			kept += w.disk.said
		})
	}
	if kept < len(files) || up < len(files) {
		t.Errorf("%d records were said in %d flows, and calls were up %d times", kept, len(files), up)
	}
}

// TestNothingIsKept: without a Keeper nothing is gathered for one.
func TestNothingIsKept(t *testing.T) {
	w := newWorld(t)
	p := w.addPhone("001", "198.51.100.7:5060")
	w.users[p.user] = p.password
	(&script{world: w}).register(p)
	if n := len(w.core.saver.changed); n != 0 || w.core.saver.timer.At() != (time.Time{}) {
		t.Errorf("%d changes wait", n)
	}
	w.finish()
}

// Who was taken out of the user file while the proxy was down has no binding after it.
func TestRestoreWithoutUser(t *testing.T) {
	s := &script{newWorld(t)}
	s.do("config keeps", "phone 001 at 198.51.100.7:5060", "phone 002 at 192.0.2.2:5060", "registered 001 002", "wait 10s")
	delete(s.users, "002")
	s.restart()
	for name, want := range map[string]int{"001": 1, "002": 0} {
		if got := len(s.core.where.Bindings(s.now, name)); got != want {
			t.Errorf("%s has %d bindings after the restart, want %d", name, got, want)
		}
	}
	s.finish()
}
