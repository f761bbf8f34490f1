package state

import (
	"testing"
	"time"
)

// TestWantedAgain: a writer that wants all anew as soon as it was told that all comes gets it once more.
func TestWantedAgain(t *testing.T) {
	for range 20_000 {
		s := &Store{queue: make(chan command, 1), stamped: time.Now()}
		s.wanted.Store(true)
		over := make(chan struct{})
		go func() {
			defer close(over)
			for {
				select {
				case <-s.queue:
					s.wanted.Store(true) // what the disk took a moment ago it takes no more
					return
				default: // no time lost: it is to come in between
				}
			}
		}()
		if !s.Renew() {
			t.Fatal("nothing is wanted")
		}
		<-over
		if !s.wanted.Load() {
			t.Fatal("what the writer wanted was forgotten")
		}
	}
}
