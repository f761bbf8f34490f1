package status

import (
	"fmt"
	"strings"
	"testing"
)

// TestTail: the newest lines, filtered; what is long is cut.
func TestTail(t *testing.T) {
	var tail Tail
	for i := range maxTail + 10 {
		tail.Add(fmt.Sprint("line ", i))
	}
	lines, next := tail.Lines("", maxTail)
	if len(lines) != maxTail || lines[0] != "line 10" || lines[maxTail-1] != fmt.Sprint("line ", maxTail+9) {
		t.Errorf("%d lines from %s to %s", len(lines), lines[0], lines[len(lines)-1])
	}
	if lines, _ := tail.Lines("LINE 77", 2); strings.Join(lines, ",") != "line 778,line 779" {
		t.Errorf("found %q", lines)
	}
	tail.Add(strings.Repeat("x", 2*maxLine))
	if lines, _ := tail.Since(next); len(lines) != 1 || len(lines[0]) > maxLine+4 {
		t.Errorf("%d lines since", len(lines))
	}
	if lines, _ := tail.Since(0); len(lines) != maxTail {
		t.Errorf("%d lines since the start", len(lines))
	}
}
