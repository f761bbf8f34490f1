package main

import (
	"io"
	"os"
	"time"

	"minisip/cmd/minisip/internal/config"
	"minisip/logrot"
)

// journal is the log: a file that rotates and, where someone watches, the terminal. No
// line ever waits for a disk or a terminal.
type journal struct{ logs []*logrot.Log }

// gather is how long a line may wait in memory for others.
const gather = 100 * time.Millisecond

func openJournal(cfg *config.Config, stdout io.Writer) *journal {
	j := &journal{}
	if cfg.Log != "" {
		j.logs = append(j.logs, logrot.Open(logrot.Config{Path: cfg.Log, Days: cfg.LogDays, MaxSize: cfg.LogSize, Gather: gather}))
	}
	if f, ok := stdout.(*os.File); ok && isTerminal(f) {
		j.logs = append(j.logs, logrot.Open(logrot.Config{Path: "/dev/stdout"}))
	}
	return j
}

// line writes one line with the time in front.
func (j *journal) line(s string) {
	b := stamped(time.Now(), s)
	for _, l := range j.logs {
		l.Write(b)
	}
}

func (j *journal) reopen() {
	for _, l := range j.logs {
		l.Reopen()
	}
}

func (j *journal) close() {
	for _, l := range j.logs {
		l.Close()
	}
}
