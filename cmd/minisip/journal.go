package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/status"
	"minisip/logrot"
)

// journal is the log: a file that rotates and, where someone watches, the terminal. No
// line ever waits for a disk or a terminal.
type journal struct {
	logs []*logrot.Log
	cdr  *logrot.Log // nil: none are kept
	tail *status.Tail

	stamps stamps
}

// gather is how long a line may wait in memory for others.
const gather = 100 * time.Millisecond

func openJournal(cfg *config.Config, stdout io.Writer) *journal {
	j := &journal{tail: new(status.Tail)}
	if cfg.Log != "" {
		j.logs = append(j.logs, logrot.Open(logrot.Config{Path: cfg.Log, Days: cfg.LogDays, MaxSize: cfg.LogSize, Gather: gather}))
	}
	if cfg.CDR != "" {
		j.cdr = logrot.Open(logrot.Config{Path: cfg.CDR, Days: -1, Gather: gather, Gap: recordsLost})
	}
	if f, ok := stdout.(*os.File); ok && isTerminal(f) {
		j.logs = append(j.logs, logrot.Open(logrot.Config{Path: "/dev/stdout"}))
	}
	return j
}

// line writes one line with the time in front.
func (j *journal) line(s string) {
	var room [256]byte
	line := string(append(append(j.stamps.append(room[:0], time.Now()), s...), '\n'))
	j.tail.Add(line[:len(line)-1])
	for _, l := range j.logs {
		l.Write([]byte(line))
	}
}

// stamp is how the log writes a time.
const stamp = "[2006-01-02 15:04:05] "

// stamps writes the time anew once a second.
type stamps struct {
	mu   sync.Mutex
	unix int64
	text [len(stamp)]byte
}

func (s *stamps) append(b []byte, now time.Time) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if unix := now.Unix(); unix != s.unix {
		s.unix = unix
		now.AppendFormat(s.text[:0], stamp)
	}
	return append(b, s.text[:]...)
}

// record appends the account of a call to the CDR file, a JSON object a line.
func (j *journal) record(r *proxy.Record) {
	if j.cdr == nil {
		return
	}
	b, err := json.Marshal(r)
	if err != nil {
		j.line("CDR lost: " + err.Error())
		return
	}
	j.cdr.Write(append(b, '\n'))
}

// recordsLost stands in the CDR file where some are missing: an object, as each line there is.
func recordsLost(seen time.Time, lost uint64) string {
	return fmt.Sprintf("{\"lost\":%d,\"seen\":%q}\n", lost, seen.Format(time.RFC3339))
}

func (j *journal) reopen() {
	for _, l := range j.all() {
		l.Reopen()
	}
}

// close waits for all of them at once: a disk that hangs mostly has them all.
func (j *journal) close() {
	var closing sync.WaitGroup
	for _, l := range j.all() {
		closing.Go(func() { l.Close() })
	}
	closing.Wait()
}

func (j *journal) all() []*logrot.Log {
	if j.cdr == nil {
		return j.logs
	}
	return append(slices.Clone(j.logs), j.cdr)
}
