package server

import (
	"fmt"
	"sync"
	"time"
)

// faults keeps the log short where something fails again and again: it says that it has begun, and when it
// has not happened for a while, that it is over and how often it was. They may be noted from any goroutine.
type faults struct {
	mu   sync.Mutex
	list map[string]*fault
}

// fault is one thing that fails at present.
type fault struct {
	began, last time.Time
	count       uint64
}

const (
	quietFor  = 30 * time.Second // after which a fault is over
	maxFaults = 16               // at a time; of more than that nothing is said
)

// note notes that what has failed n times more, and gives the line for the log where it had not before. why may be
// another each time.
func (f *faults) note(now time.Time, what, why string, n uint64) (line string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.list[what]; x != nil {
		x.last = now
		x.count += n
		return ""
	}
	if len(f.list) >= maxFaults {
		return ""
	}
	if f.list == nil {
		f.list = map[string]*fault{}
	}
	f.list[what] = &fault{began: now, last: now, count: n}
	return fmt.Sprintf("%s: %s (the log will say when that is over)", what, why)
}

// over lists the faults that have ended, a line each.
func (f *faults) over(now time.Time) (lines []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for what, x := range f.list {
		if now.Sub(x.last) >= quietFor {
			lines = append(lines, fmt.Sprintf("over: %s: %d times in %s", what, x.count, x.last.Sub(x.began).Round(time.Second)))
			delete(f.list, what)
		}
	}
	return lines
}

// now names what fails at present, and how often it has since it began.
func (f *faults) now() map[string]uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	counts := make(map[string]uint64, len(f.list))
	for what, x := range f.list {
		counts[what] = x.count
	}
	return counts
}

// fault notes that something has failed n times more, and tells the log where it is new.
func (s *Server) fault(what, why string, n uint64) {
	if line := s.faults.note(s.now(), what, why, n); line != "" {
		s.cfg.Log(line)
	}
}
