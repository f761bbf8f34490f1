package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// smallHeap is up to where memory is saved rather than time, in bytes that live.
const smallHeap = 12 << 20

// garbage is how much of it is let lie before it is collected, in percent of what lives. What
// phones leave in memory lasts, and there is little garbage: to collect it twice as often as is usual costs
// little, and the heap stays a quarter smaller. Where thousands of calls come and go, each would pay for the
// marking of all that is kept of the last 32 s of them.
func garbage(live uint64) int {
	if live < smallHeap {
		return 50
	}
	return 100
}

// paceCollector has garbage collected as garbage says, unless the operator says how with GOGC.
func paceCollector() {
	if os.Getenv("GOGC") != "" {
		return
	}
	now := garbage(0)
	debug.SetGCPercent(now)
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	afterEachCollection(func() {
		metrics.Read(live)
		if next := garbage(live[0].Value.Uint64()); next != now {
			now = next
			debug.SetGCPercent(now)
		}
	})
}

// afterEachCollection calls f when the garbage collector has found that an object which nobody holds is of no use.
func afterEachCollection(f func()) {
	type object struct{ _ [64]byte } // large enough to share its memory with no other
	runtime.AddCleanup(new(object), func(f func()) {
		f()
		afterEachCollection(f)
	}, f)
}
