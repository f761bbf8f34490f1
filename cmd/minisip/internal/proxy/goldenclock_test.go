//go:build !race

// The core has one goroutine, where the race detector finds nothing; it would make minutes of these seconds.

package proxy

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/clockstep"
)

// onTheWall is what may differ when somebody sets the clock: the Date of a 200 to REGISTER, and when a call and its
// last packet were.
var onTheWall = regexp.MustCompile(`(?m)^\| Date: .*$|"(begin|ring|answer|end|last)":"[^"]*"|since \d\d:\d\d:\d\d`)

// TestGoldenClockSet plays every script while somebody sets the clock on the wall, after each line to another time. That
// makes no difference, to no timer, registration, ping, call or nonce.
func TestGoldenClockSet(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	steps := []time.Duration{time.Hour, -2 * time.Hour, time.Hour, 20_000 * time.Hour, -400_000 * time.Hour, 380_000 * time.Hour}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w, n := newWorld(t), 0
			w.withClocks()
			w.after = func() {
				w.now = clockstep.Step(w.now, steps[n%len(steps)])
				n++
			}
			want, got := onTheWall.ReplaceAllString(string(b), ""), onTheWall.ReplaceAllString(playIn(t, w, string(b)), "")
			if got != want {
				t.Error(difference(want, got))
			}
		})
	}
}
