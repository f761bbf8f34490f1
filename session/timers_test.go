package session

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// waker is the owner of a timer: it notes that it was woken, and then does something.
type waker struct {
	Timer
	name  string
	woken *[]string
	then  func(now time.Time)
}

func (w *waker) Expire(now time.Time) {
	*w.woken = append(*w.woken, w.name)
	if w.then != nil {
		w.then(now)
	}
}

// bench is a queue and one owner for each letter of names.
type bench struct {
	Timers
	by    map[string]*waker
	woken []string
}

func newBench(names string) *bench {
	b := &bench{by: make(map[string]*waker)}
	for _, r := range names {
		w := &waker{name: string(r), woken: &b.woken}
		w.Own(w)
		b.by[w.name] = w
	}
	return b
}

func sec(n int) time.Time { return noon.Add(time.Duration(n) * time.Second) }

func (b *bench) set(name string, s int) { b.Set(&b.by[name].Timer, sec(s)) }
func (b *bench) stop(name string)       { b.Stop(&b.by[name].Timer) }

// run gives the names of those woken at s, in order.
func (b *bench) run(s int) string {
	b.woken = nil
	b.Run(sec(s))
	return strings.Join(b.woken, "")
}

// check asserts the order of a heap, and that each timer knows its place.
func check(t *testing.T, q *Timers) {
	t.Helper()
	for i, x := range q.heap {
		if x.timer.place != i+1 {
			t.Fatalf("timer at place %d believes in %d", i+1, x.timer.place)
		}
		if i > 0 && x.at.Before(q.heap[(i-1)/children].at) {
			t.Fatalf("place %d is due before its parent", i+1)
		}
	}
	if rest := q.heap[len(q.heap):cap(q.heap)]; slices.ContainsFunc(rest, func(x slot) bool { return x.timer != nil }) {
		t.Fatal("the queue holds on to a timer that is not set")
	}
}

// Each step is "a5" (set a to 5 s), "-a" (stop a), or "@5" followed by '=' and those who
// wake in a Run at 5 s.
func TestTimers(t *testing.T) {
	for _, x := range []struct{ name, steps string }{
		{"nothing set", "@9="},
		{"order of deadlines, not of calls", "c3 a1 e5 b2 d4 @9=abcde"},
		{"not before the deadline", "a5 @4= @5=a @6="},
		{"once", "a5 @5=a @5= @99="},
		{"only those due", "a1 b2 c3 @2=ab @3=c"},
		{"earlier", "a5 b6 b4 @4=b @5=a"},
		{"later", "a5 b6 a7 @6=b @7=a"},
		{"to the same instant", "a5 a5 @5=a @9="},
		{"stop the first", "a1 b2 c3 -a @9=bc"},
		{"stop the last", "a1 b2 c3 -c @9=ab"},
		{"stop one in the middle", "a1 b2 c3 d4 e5 f6 g7 -c @9=abdefg"},
		{"stop what is not set", "a1 -b -b @9=a -a @9="},
		{"stop the only one", "a1 -a @9="},
		{"stop and set again", "a1 -a a2 @1= @2=a"},
		{"set again after it woke", "a1 @1=a a2 @2=a"},
		// j takes f's place, a child of b, and must rise above b.
		{"the gap is filled from another branch", "a1 b50 c2 d3 e4 f60 g61 h62 i63 j5 -f @5=acdej @99=bghi"},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := newBench("abcdefghij")
			for _, step := range strings.Fields(x.steps) {
				var s int
				switch {
				case step[0] == '@':
					at, want, _ := strings.Cut(step[1:], "=")
					fmt.Sscan(at, &s)
					if got := b.run(s); got != want {
						t.Errorf("at %d: woke %q, want %q", s, got, want)
					}
				case step[0] == '-':
					b.stop(step[1:])
				default:
					fmt.Sscan(step[1:], &s)
					b.set(step[:1], s)
					if at := b.by[step[:1]].At(); !at.Equal(sec(s)) {
						t.Errorf("%s: At() = %v", step, at)
					}
				}
				check(t, &b.Timers)
			}
		})
	}
}

func TestTimersNextAndLen(t *testing.T) {
	b := newBench("abc")
	expect := func(when string, length int, next time.Time) {
		t.Helper()
		if b.Len() != length || !b.Next().Equal(next) {
			t.Errorf("%s: Len %d, Next %v; want %d, %v", when, b.Len(), b.Next(), length, next)
		}
	}
	expect("at first", 0, time.Time{})
	b.set("b", 2)
	b.set("a", 1)
	b.set("c", 3)
	expect("three set", 3, sec(1))
	b.set("a", 9)
	expect("the first one later", 3, sec(2))
	b.Set(&b.by["b"].Timer, time.Time{})
	expect("set to zero: stopped", 2, sec(3))
	if at := b.by["b"].At(); !at.IsZero() {
		t.Errorf("stopped, but At() = %v", at)
	}
	b.run(9)
	expect("all done", 0, time.Time{})
	if at := b.by["a"].At(); !at.IsZero() {
		t.Errorf("woken, but At() = %v", at)
	}
}

// What owners do while Run runs.
func TestRunWhileOwnersAct(t *testing.T) {
	type owners = map[string]func(*bench)
	for _, x := range []struct {
		name  string
		set   string // "a1 b2"
		then  owners // what each does when it wakes
		first string // who wakes in Run at 5 s
		again string // who wakes in a second Run, 1 ns later
		left  string // who is set after that
	}{
		{"stops one that is due too", "a1 b2 c3", owners{"a": func(b *bench) { b.stop("b") }}, "ac", "", ""},
		{"stops itself", "a1 b2", owners{"a": func(b *bench) { b.stop("a") }}, "ab", "", ""},
		{"stops all others", "a1 b2 c3 d4", owners{"a": func(b *bench) { b.stop("d"); b.stop("c"); b.stop("b") }}, "a", "", ""},
		{"stops one that is not due", "a1 b9", owners{"a": func(b *bench) { b.stop("b") }}, "a", "", ""},
		{"puts one that is due off", "a1 b2 c3", owners{"a": func(b *bench) { b.set("b", 9) }}, "ac", "", "b"},
		{"sets one that was idle, for later", "a1", owners{"a": func(b *bench) { b.set("b", 9) }}, "a", "", "b"},
		{"sets one that was idle to now", "a1 c5", owners{"a": func(b *bench) { b.set("b", 5) }}, "ac", "b", ""},
		{"sets one that was idle to the past", "a1 c5", owners{"a": func(b *bench) { b.set("b", 0) }}, "ac", "b", ""},
		{"brings one forward", "a1 b9", owners{"a": func(b *bench) { b.set("b", 5) }}, "a", "b", ""},
		{"sets itself for later", "a1 b2", owners{"a": func(b *bench) { b.set("a", 9) }}, "ab", "", "a"},
		{"sets itself to now, always", "a1 b2 c5", owners{"a": func(b *bench) { b.set("a", 5) }}, "abc", "a", "a"},
		{"sets itself to the past, always", "a1 b2 c5", owners{"a": func(b *bench) { b.set("a", 0) }}, "abc", "a", "a"},
		{"two wake each other, always", "a1", owners{
			"a": func(b *bench) { b.set("b", 0) },
			"b": func(b *bench) { b.set("a", 0) },
		}, "a", "b", "a"},
		{"sets one, then stops it", "a1", owners{"a": func(b *bench) { b.set("b", 5); b.stop("b") }}, "a", "", ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := newBench("abcd")
			for name, f := range x.then {
				b.by[name].then = func(time.Time) { f(b); check(t, &b.Timers) }
			}
			for _, s := range strings.Fields(x.set) {
				b.set(s[:1], int(s[1]-'0'))
			}
			if got := b.run(5); got != x.first {
				t.Errorf("woke %q, want %q", got, x.first)
			}
			if next := b.Next(); x.again != "" && !next.Equal(sec(5).Add(1)) {
				t.Errorf("the next deadline is %v, want 1 ns past the Run", next)
			}
			b.woken = nil
			b.Run(sec(5).Add(1))
			if got := strings.Join(b.woken, ""); got != x.again {
				t.Errorf("then woke %q, want %q", got, x.again)
			}
			var left []string
			for name, w := range b.by {
				if !w.At().IsZero() {
					left = append(left, name)
				}
			}
			if got := strings.Join(left, ""); got != x.left || b.Len() != len(x.left) {
				t.Errorf("left are %q, want %q", got, x.left)
			}
			check(t, &b.Timers)
		})
	}
}

// Only owners in a Run must wait: what is set to the past between two Runs is due at once.
func TestSetToThePastBetweenRuns(t *testing.T) {
	b := newBench("ab")
	b.set("a", 5)
	b.run(5)
	b.set("b", 3)
	if got := b.run(5); got != "b" {
		t.Errorf("woke %q", got)
	}
}

// An owner that panics, where the caller recovers, costs nobody else his turn.
func TestRunAfterAPanic(t *testing.T) {
	b := newBench("abc")
	b.by["a"].then = func(time.Time) { panic("a") }
	b.by["b"].then = func(time.Time) { b.set("c", 7) }
	b.set("a", 1)
	b.set("b", 2)
	func() {
		defer func() { _ = recover() }()
		b.run(5)
	}()
	check(t, &b.Timers)
	if got := b.run(6); got != "b" {
		t.Errorf("woke %q", got)
	}
	if got := b.run(7); got != "c" {
		t.Errorf("woke %q", got)
	}
}

// Expire is told Run's instant, not the timer's own.
func TestExpireIsToldNow(t *testing.T) {
	b := newBench("a")
	var told time.Time
	b.by["a"].then = func(now time.Time) { told = now }
	b.set("a", 1)
	b.run(7)
	if !told.Equal(sec(7)) {
		t.Errorf("told %v", told)
	}
}

// model does by sorting what Timers does by a heap.
type model map[*waker]time.Time

// due takes out who is due at now, by deadline.
func (m model) due(now time.Time) (all []*waker) {
	for w, at := range m {
		if !at.After(now) {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b *waker) int { return m[a].Compare(m[b]) })
	return all
}

// Random calls, also by owners while Run runs, against a sorted slice.
func TestTimersAgainstSorting(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		var q Timers
		m := make(model)
		all := make([]*waker, 1+rnd.IntN(200))
		now := noon
		span := []int64{5, 1000, 1e12}[rnd.IntN(3)] // narrow ones give many equal deadlines
		var woken []string
		running := false
		act := func() {
			w := all[rnd.IntN(len(all))]
			if rnd.IntN(4) == 0 {
				q.Stop(&w.Timer)
				delete(m, w)
				return
			}
			at := now.Add(time.Duration(rnd.Int64N(span) - span/5))
			q.Set(&w.Timer, at)
			if running && !at.After(now) {
				at = now.Add(1)
			}
			m[w] = at
		}
		last := time.Time{}
		for i := range all {
			w := &waker{name: fmt.Sprint(i), woken: &woken}
			w.then = func(at time.Time) {
				want, ok := m[w]
				if !ok || want.After(now) || want.Before(last) || !at.Equal(now) {
					t.Fatalf("seed %d: %s woke at %v, want %v (set: %v), after one for %v", seed, w.name, at, want, ok, last)
				}
				last = want
				delete(m, w)
				for range rnd.IntN(3) {
					act()
				}
			}
			w.Own(w)
			all[i] = w
		}
		for range 400 {
			for range rnd.IntN(10) {
				act()
			}
			check(t, &q)
			now = now.Add(time.Duration(rnd.Int64N(span/2 + 1)))
			running, last = true, time.Time{}
			q.Run(now)
			running = false
			check(t, &q)
			if late := m.due(now); len(late) > 0 {
				t.Fatalf("seed %d: %d were due and slept on", seed, len(late))
			}
			var next time.Time
			for w, at := range m {
				if !w.At().Equal(at) {
					t.Fatalf("seed %d: At() = %v, want %v", seed, w.At(), at)
				}
				next = earliest(next, at)
			}
			if q.Len() != len(m) || !q.Next().Equal(next) {
				t.Fatalf("seed %d: Len %d, Next %v; want %d, %v", seed, q.Len(), q.Next(), len(m), next)
			}
		}
		if len(woken) == 0 {
			t.Fatalf("seed %d: nobody ever woke", seed)
		}
	}
}

// Equal deadlines wake in the same order whenever the same calls were made.
func TestTimersAreDeterministic(t *testing.T) {
	course := func() string {
		rnd := rand.New(rand.NewPCG(1, 2))
		b := newBench("abcdefghijklmnopqrstuvwxyz")
		var log strings.Builder
		for range 500 {
			name := string(rune('a' + rnd.IntN(26)))
			if rnd.IntN(5) == 0 {
				b.stop(name)
			} else {
				b.set(name, rnd.IntN(4))
			}
			if rnd.IntN(20) == 0 {
				log.WriteString(b.run(rnd.IntN(4)) + " ")
			}
		}
		return log.String()
	}
	if a, b := course(), course(); a != b {
		t.Errorf("%s\n%s", a, b)
	}
}

// again is an owner that sets its timer anew, as a transaction does.
type again struct {
	Timer
	q     *Timers
	every time.Duration
}

func (a *again) Expire(now time.Time) { a.q.Set(&a.Timer, now.Add(a.every)) }

// crowd fills q with n owners, spread over 32 s.
func crowd(q *Timers, n int) []again {
	all := make([]again, n)
	for i := range all {
		all[i] = again{q: q, every: Lifetime}
		all[i].Own(&all[i])
		q.Set(&all[i].Timer, noon.Add(Lifetime*time.Duration(i)/time.Duration(n)))
	}
	return all
}

func TestTimersAllocateNothing(t *testing.T) {
	var q Timers
	all := crowd(&q, 1000)
	now, i := noon, 0
	n := testing.AllocsPerRun(1000, func() {
		i++
		x := &all[i%len(all)]
		q.Stop(&x.Timer)
		q.Set(&x.Timer, now.Add(T1))
		q.Set(&x.Timer, now.Add(T2))
		now = now.Add(50 * time.Millisecond)
		q.Run(now)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The cost of setting a timer anew, of stopping and setting one, and of waking an owner that sets
// its timer anew, with n timers set.
func BenchmarkTimers(b *testing.B) {
	for _, n := range []int{100, 10_000, 1_000_000} {
		var q Timers
		all := crowd(&q, n)
		rnd := rand.New(rand.NewPCG(1, 1))
		anyone := func() *Timer { return &all[rnd.IntN(n)].Timer }
		b.Run(fmt.Sprintf("set/%d", n), func(b *testing.B) {
			for b.Loop() {
				q.Set(anyone(), noon.Add(time.Duration(rnd.Int64N(int64(Lifetime)))))
			}
		})
		b.Run(fmt.Sprintf("stop+set/%d", n), func(b *testing.B) {
			for b.Loop() {
				x := anyone()
				q.Stop(x)
				q.Set(x, noon.Add(time.Duration(rnd.Int64N(int64(Lifetime)))))
			}
		})
		b.Run(fmt.Sprintf("wake/%d", n), func(b *testing.B) {
			for b.Loop() {
				q.Run(q.Next())
			}
		})
	}
}

// TestTimersInTurns: of many that are due together, each Run wakes a part, in order, until all have woken once.
func TestTimersInTurns(t *testing.T) {
	var q Timers
	const all = 5*atOnce + 1
	var woken []int
	timers := make([]Timer, all)
	for i := range timers {
		timers[i].Own(wakeFunc(func(time.Time) { woken = append(woken, i) }))
		q.Set(&timers[i], noon.Add(time.Duration(i)))
	}
	now := noon.Add(time.Hour)
	for turn := 1; q.Len() > 0; turn++ {
		if !q.Next().Before(now) {
			t.Fatal("the rest is not due any more")
		}
		q.Run(now)
		if want := min(turn*atOnce, all); len(woken) != want {
			t.Fatalf("after turn %d %d have woken, want %d", turn, len(woken), want)
		}
	}
	for i, w := range woken {
		if i != w {
			t.Fatalf("%d woke as number %d", w, i)
		}
	}
}

type wakeFunc func(time.Time)

func (f wakeFunc) Expire(now time.Time) { f(now) }

// TestLater: what ends in one tenth of a second wakes its owner together.
func TestLater(t *testing.T) {
	for _, x := range []struct{ at, want time.Duration }{
		{0, 0},
		{1, grain},
		{grain - 1, grain},
		{grain, grain},
		{grain + 1, 2 * grain},
		{32*time.Second + 10*time.Millisecond, 32*time.Second + grain},
	} {
		if got := Later(noon.Add(x.at)).Sub(noon); got != x.want {
			t.Errorf("Later(%v) is %v, want %v", x.at, got, x.want)
		}
	}
}
