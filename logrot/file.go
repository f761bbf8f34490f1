package logrot

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

const (
	fileMode    = 0o640
	checkEvery  = time.Second // between two looks whether path is still the open file
	rotateAgain = time.Minute // after a rotation that failed
)

// A file is the live log file. Only the writer's goroutine touches it.
type file struct {
	path    string
	maxSize int64
	report  *reporter
	rotated func() // called after each rotation
	whole   bool   // never rotated

	out     *os.File    // nil while it is not open
	info    fs.FileInfo // the file opened last; nil at first
	size    int64
	day     day       // of the records in it
	since   time.Time // when the first of them was written
	seen    time.Time // when something was last written
	checked time.Time // when path was last compared with out
	refused time.Time // when a rotation last failed; zero: it did not
	down    bool      // it cannot be written, which has been said
}

// write brings a batch to the file, rotating where that is due. It reports
// false when bytes are left over because the file cannot be written; the next
// call goes on from there.
func (f *file) write(b *batch, now time.Time) bool {
	f.follow(b, now)
	if b.reopen {
		f.shut()
		b.reopen = false
	}
	if !f.ready(b.day, now) {
		return false
	}
	for b.written < len(b.data) {
		rest := b.data[b.written:]
		n := f.fit(rest, now)
		if n == 0 {
			if !f.rotate(b.day, now) {
				return false
			}
			continue
		}
		n, err := f.out.Write(rest[:n])
		f.size += int64(n)
		b.written += n
		if err != nil {
			f.fail("written", err)
			return false
		}
	}
	if f.down {
		f.down = false
		f.report.say("can be written again")
	}
	return true
}

// leastStep is by how much the clock must have been set at least to be noticed: one that is only made to
// run faster or slower moves by less between two records.
const leastStep = 2 * time.Second

// follow goes along with a clock that somebody has set. What lies in the file has now been written on another
// day: with a machine that begins in 1970 and is then told the time, not so long ago that it would be removed.
func (f *file) follow(b *batch, now time.Time) {
	step := now.Round(0).Sub(f.seen.Round(0)) - now.Sub(f.seen) // Round takes the monotonic reading off
	if !f.seen.IsZero() && step.Abs() >= leastStep {
		f.since = f.since.Round(0).Add(step)
		f.day, b.day = dayOf(f.since), dayOf(now)
	}
	f.seen = now
}

// ready makes the open file the one at path, for records of day d.
func (f *file) ready(d day, now time.Time) bool {
	if f.out != nil && now.Sub(f.checked).Abs() >= checkEvery {
		f.checked = now
		if info, err := os.Stat(f.path); err != nil || !os.SameFile(info, f.info) {
			f.shut()
		}
	}
	if f.out == nil && !f.open(d, now) {
		return false
	}
	if d != f.day && f.size > 0 && f.mayRotate(now) {
		if !f.rotate(d, now) {
			return false
		}
	}
	if f.size == 0 {
		f.day, f.since = d, now
	}
	return true
}

// open opens path for appending. What is in a file that an earlier run left is
// of the day it was last written on.
func (f *file) open(d day, now time.Time) bool {
	out, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, fileMode)
	if err != nil {
		f.fail("opened", err)
		return false
	}
	info, err := out.Stat()
	if err != nil {
		out.Close()
		f.fail("opened", err)
		return false
	}
	if f.info == nil || !os.SameFile(f.info, info) {
		f.day, f.since = d, now
		if info.Size() > 0 {
			f.since = info.ModTime()
			f.day = dayOf(f.since)
		}
	}
	f.out, f.info, f.size, f.checked = out, info, info.Size(), now
	return true
}

// fit says how many bytes of data go into the file before its size asks for
// another one: whole lines, and a line that alone is too large. It is 0 when
// the file must be rotated first.
func (f *file) fit(data []byte, now time.Time) int {
	room := f.maxSize - f.size
	if f.maxSize == 0 || int64(len(data)) <= room || !f.mayRotate(now) {
		return len(data)
	}
	if room > 0 {
		if n := bytes.LastIndexByte(data[:room], '\n') + 1; n > 0 {
			return n
		}
	}
	if f.size > 0 {
		return 0
	}
	if n := bytes.IndexByte(data, '\n') + 1; n > 0 {
		return n
	}
	return len(data)
}

// mayRotate is false for what is no regular file, and for a while after a
// rotation that failed: then records go on into the same file.
func (f *file) mayRotate(now time.Time) bool {
	return !f.whole && f.info.Mode().IsRegular() && (f.refused.IsZero() || now.Sub(f.refused).Abs() >= rotateAgain)
}

// rotate moves the file away under the name of its day and opens a new one for
// records of day d. A move that fails leaves the file in use; false means that
// none is open.
func (f *file) rotate(d day, now time.Time) bool {
	f.shut()
	err := f.moveAway()
	switch {
	case err == nil:
		f.refused = time.Time{}
		f.rotated()
	case errors.Is(err, fs.ErrNotExist): // somebody else moved it
	default:
		if f.refused.IsZero() {
			f.report.say("cannot be rotated: %v; it goes on growing", cause(err))
		}
		f.refused = now
	}
	return f.open(d, now)
}

// moveAway renames the file. A link stays: it may be another's, like /dev/stdout.
func (f *file) moveAway() error {
	if info, err := os.Lstat(f.path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return errors.New("it is a symbolic link")
	}
	return os.Rename(f.path, freeName(f.path, f.day))
}

// fail closes the file and says why, once until it can be written again.
func (f *file) fail(what string, err error) {
	f.shut()
	if !f.down {
		f.down = true
		f.report.say("cannot be %s: %v%s; records wait in memory until it can", what, cause(err), f.wayOut(err))
	}
}

func (f *file) shut() {
	if f.out != nil {
		f.out.Close()
		f.out = nil
	}
}

// close closes the file for good; left is what could not be written.
func (f *file) close(left []batch) error {
	f.shut()
	n := 0
	for _, b := range left {
		n += len(b.data) - b.written
	}
	if n == 0 {
		return nil
	}
	return fmt.Errorf("log %s: %d bytes could not be written", f.path, n)
}
