package logrot

import (
	"fmt"
	"time"
)

// A day is a local calendar day as the number 20260131.
type day int

func dayOf(t time.Time) day {
	y, m, d := t.Date()
	return day(y*10000 + int(m)*100 + d)
}

// String writes the day as 2026-01-31.
func (d day) String() string {
	return fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100)
}

// nextMidnight is the first instant of the local day after t's.
func nextMidnight(t time.Time) time.Time {
	y, m, d := t.Date()
	next := time.Date(y, m, d+1, 0, 0, 0, 0, t.Location())
	if dayOf(next) == dayOf(t) {
		// Clocks are put forward at midnight there. Of the two times that then stand for it, this is the one before.
		_, next = next.ZoneBounds()
	}
	return next
}

// daysBefore is the day n days before t's.
func daysBefore(t time.Time, n int) day {
	y, m, d := t.Date()
	return dayOf(time.Date(y, m, d-n, 12, 0, 0, 0, t.Location()))
}
