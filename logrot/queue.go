package logrot

import (
	"fmt"
	"time"
)

const (
	maxQueued = 4 << 20 // bytes that wait for the writer
	maxSpare  = 1 << 18 // bytes of buffer kept for the next batch
)

// A batch is a run of records that go into one file.
type batch struct {
	day     day
	reopen  bool // close the file and open the path again before these records
	data    []byte
	written int // bytes of data that are in the file
}

// A queue holds the records that the writer has not taken yet. It bounds their
// bytes; their number needs no bound of its own since they lie end to end.
type queue struct {
	batches []batch
	bytes   int
	spare   []byte // an empty buffer for the next batch

	lost uint64 // records dropped, and not said in the log yet
	gap  func(seen time.Time, lost uint64) string
}

// gap is the line that says so.
func gap(seen time.Time, lost uint64) string {
	return fmt.Sprintf("[%s] %d lines lost: the log could not keep up\n", seen.Format(time.DateTime), lost)
}

// add copies one record to the end of the queue, or counts it as lost.
func (q *queue) add(p []byte, today day) {
	if q.bytes+len(p) > maxQueued {
		q.lost++
		return
	}
	b := q.tail(today)
	b.data = append(b.data, p...)
	q.bytes += len(p)
}

// reopen makes the records that follow begin with a freshly opened file.
func (q *queue) reopen(today day) {
	if n := len(q.batches); n > 0 && q.batches[n-1].reopen && len(q.batches[n-1].data) == 0 {
		return
	}
	q.batches = append(q.batches, batch{day: today, reopen: true})
}

// tail returns the batch that a record of today goes into.
func (q *queue) tail(today day) *batch {
	n := len(q.batches)
	if n == 0 || q.batches[n-1].day != today {
		q.batches = append(q.batches, batch{day: today, data: q.spare})
		q.spare = nil
		n++
	}
	return &q.batches[n-1]
}

// take empties the queue. Where records were lost, a line about them comes last:
// that is where they would have stood.
func (q *queue) take(now time.Time) []batch {
	if q.lost > 0 {
		b := q.tail(dayOf(now))
		b.data = append(b.data, q.gap(now, q.lost)...)
		q.lost = 0
	}
	taken := q.batches
	q.batches, q.bytes = nil, 0
	return taken
}

// recycle keeps the buffer of a written batch for the next one.
func (q *queue) recycle(buf []byte) {
	if q.spare == nil && cap(buf) <= maxSpare {
		q.spare = buf[:0]
	}
}
