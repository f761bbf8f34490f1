package status

import (
	"slices"
	"strings"
	"sync"
)

// Tail keeps the newest lines of the log, for who looks at them.
type Tail struct {
	mu    sync.Mutex
	lines [maxTail]string
	next  uint64
}

const (
	maxTail = 1000
	maxLine = 4096 // of a longer line the beginning is kept: a message that debug wrote
)

// Add takes a line.
func (t *Tail) Add(line string) {
	if len(line) > maxLine {
		line = strings.Clone(line[:maxLine]) + " ..."
	}
	t.mu.Lock()
	t.lines[t.next%maxTail] = line
	t.next++
	t.mu.Unlock()
}

// Lines gives the newest lines with q in them, without regard to case, at most limit, the
// oldest first; and what Since goes on from.
func (t *Tail) Lines(q string, limit int) (lines []string, next uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	q = strings.ToLower(q)
	lines = []string{}
	for n := t.next; n > 0 && t.next-n < maxTail && len(lines) < limit; n-- {
		if l := t.lines[(n-1)%maxTail]; contains(l, q) {
			lines = append(lines, l)
		}
	}
	slices.Reverse(lines)
	return lines, t.next
}

// Since gives the lines that came since an earlier call gave next.
func (t *Tail) Since(since uint64) (lines []string, next uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next-since > maxTail {
		since = t.next - maxTail
	}
	for ; since < t.next; since++ {
		lines = append(lines, t.lines[since%maxTail])
	}
	return lines, t.next
}
