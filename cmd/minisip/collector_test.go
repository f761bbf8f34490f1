package main

import (
	"runtime"
	"testing"
)

func TestGarbage(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{{0, 50}, {smallHeap - 1, 50}, {smallHeap, 100}, {1 << 30, 100}} {
		if got := garbage(c.live); got != c.want {
			t.Errorf("with %d bytes alive %d %% are let lie, want %d %%", c.live, got, c.want)
		}
	}
}

// Every collection is told of, not only the first.
func TestAfterEachCollection(t *testing.T) {
	told := make(chan bool, 1)
	afterEachCollection(func() {
		select {
		case told <- true:
		default:
		}
	})
	for range 3 {
		for len(told) == 0 {
			runtime.GC()
		}
		<-told
	}
}
