package main

import (
	"encoding/json"
	"io"
	"os"
	"slices"
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
}

// gather is how long a line may wait in memory for others.
const gather = 100 * time.Millisecond

func openJournal(cfg *config.Config, stdout io.Writer) *journal {
	j := &journal{tail: new(status.Tail)}
	if cfg.Log != "" {
		j.logs = append(j.logs, logrot.Open(logrot.Config{Path: cfg.Log, Days: cfg.LogDays, MaxSize: cfg.LogSize, Gather: gather}))
	}
	if cfg.CDR != "" {
		j.cdr = logrot.Open(logrot.Config{Path: cfg.CDR, Days: -1, Gather: gather})
	}
	if f, ok := stdout.(*os.File); ok && isTerminal(f) {
		j.logs = append(j.logs, logrot.Open(logrot.Config{Path: "/dev/stdout"}))
	}
	return j
}

// line writes one line with the time in front.
func (j *journal) line(s string) {
	b := stamped(time.Now(), s)
	j.tail.Add(string(b[:len(b)-1]))
	for _, l := range j.logs {
		l.Write(b)
	}
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

func (j *journal) reopen() {
	for _, l := range j.all() {
		l.Reopen()
	}
}

func (j *journal) close() {
	for _, l := range j.all() {
		l.Close()
	}
}

func (j *journal) all() []*logrot.Log {
	if j.cdr == nil {
		return j.logs
	}
	return append(slices.Clone(j.logs), j.cdr)
}
