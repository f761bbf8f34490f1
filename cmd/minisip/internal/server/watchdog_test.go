package server

import (
	"context"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/proxy"
)

// TestWatchdog: the beats come from the event loop itself, so that none comes while it
// hangs, and they go on when it does.
func TestWatchdog(t *testing.T) {
	const every = 2 * time.Millisecond
	cfg := testConfig(t, "127.0.0.1:0")
	beats := make(chan *proxy.Core, 1000)
	cfg.Every, cfg.Beat = every, func(c *proxy.Core) { beats <- c }
	r := serve(t, cfg)
	beat := func() *proxy.Core {
		t.Helper()
		select {
		case c := <-beats:
			return c
		case <-time.After(patience):
			t.Fatal("the loop does not beat")
		}
		return nil
	}
	for range 3 {
		if beat() != r.core {
			t.Error("a beat without the core")
		}
	}

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	hangs, release := make(chan struct{}), make(chan struct{})
	go r.Do(ctx, func(*proxy.Core) {
		for len(beats) > 0 { // only the loop adds to them, and it is here
			<-beats
		}
		close(hangs)
		<-release
	})
	<-hangs
	select {
	case <-beats:
		t.Error("a loop that hangs beats")
	case <-time.After(50 * every):
	}
	close(release)
	beat()
}
