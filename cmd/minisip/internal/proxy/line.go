package proxy

import (
	"fmt"
	"strings"
	"time"
)

// What the log gets. Lines that every call brings are put together in scratch space; for all others
// there is logf.

func (c *Core) logf(format string, args ...any) { c.out.Log(fmt.Sprintf(format, args...)) }

// say gives the log a line that was made in scratch space.
func (c *Core) say(line []byte) {
	c.line = line
	c.out.Log(string(line))
}

// line begins a line about the call.
func (k *call) line() []byte { return appendText(k.core.line[:0], "call ", k.number, ": ") }

func appendText(b []byte, texts ...string) []byte {
	for _, t := range texts {
		b = append(b, t...)
	}
	return b
}

const maxPrintable = 64

// printable keeps what a stranger sent out of the terminal of whoever reads the log.
func printable[T string | []byte](name T) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == '\'' || r == '"' || r == '\\' || r == '`' || r == '$' {
			return '_'
		}
		return r
	}, string(name[:min(len(name), maxPrintable)]))
}

// secondsLeft is how long it is until a time, in whole seconds, so that it is not over before they are.
func secondsLeft(now, until time.Time) int64 {
	return int64((until.Sub(now) + time.Second - 1) / time.Second)
}

func seconds(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }
