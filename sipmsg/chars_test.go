package sipmsg

import (
	"strings"
	"testing"
)

// However long a piece is and wherever a run in it begins, the run ends at the first byte of another class.
func TestRun(t *testing.T) {
	for size := range 20 {
		for stop := range size + 1 {
			b := []byte(strings.Repeat("a", size) + "a") // there is more behind the piece
			b[stop] = ','
			for start := range size + 1 {
				want := stop
				if start > stop {
					want = size
				}
				if got := run(tokenChar, b[:size], start); got != want {
					t.Errorf("run of %q from %d on ends at %d, want %d", b[:size], start, got, want)
				}
			}
			b[stop] = ' '
			if got := printable(b[:size]); got != stop {
				t.Errorf("%q is printable up to %d, want %d", b[:size], got, stop)
			}
		}
	}
}
