package state

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// writer is the goroutine of a Store that writes.
type writer struct {
	*Store
	bootID string
	lock   *os.File

	number int // of the file
	old    []int
	file   *os.File // nil: there never was room for it
	size   int64    // all of it good
	needed int64    // the size when it was last whole; 0: it never was

	unsynced bool
	failed   bool // it is no good: nothing counts until it is fresh again
	doubtful bool // a sync has failed: nobody knows what the disk has of it
	said     bool // and somebody was told
	missed   uint64
	timer    *time.Timer

	small *small // nil: none
}

const (
	syncEvery  = 500 * time.Millisecond
	retryEvery = time.Second

	// grown is the least size at which a file is written anew.
	grown = 4 << 20
)

// run obeys until it is told to stop.
func (w *writer) run() {
	defer close(w.ended)
	defer w.timer.Stop()
	for {
		select {
		case c := <-w.queue:
			if c.stop {
				w.sync()
				w.file.Close()
				w.lock.Close()
				return
			}
			w.obey(c)
		case <-w.timer.C:
			w.tick()
		}
	}
}

// obey carries out one command.
func (w *writer) obey(c command) {
	defer w.waiting.Add(-int64(len(c.data))) // once it is written, or lost
	if c.small != nil {
		w.small = c.small
		w.beside()
	}
	if c.fresh {
		w.freshen()
	}
	if len(c.data) > 0 && !w.failed {
		w.write(c.data)
	}
	if w.failed {
		w.lost.Add(uint64(c.records))
		w.missed += uint64(c.records)
	}
	if c.whole {
		w.finish()
	}
	if c.data != nil {
		w.spare.Store(&c.data)
	}
}

// freshen makes ready for all that is to be written anew: in another file, where this one has grown.
func (w *writer) freshen() {
	if w.failed && w.probe() != nil {
		w.timer.Reset(retryEvery)
		return
	}
	w.failed = false
	if w.size >= max(grown, 2*w.needed) {
		if err := w.create(); err != nil {
			w.fail(err)
		}
	}
}

// write appends to the file; what is written in part is taken off again.
func (w *writer) write(b []byte) {
	n, err := w.file.Write(b)
	if err != nil {
		if n > 0 {
			w.file.Truncate(w.size)
		}
		w.fail(err)
		return
	}
	w.size += int64(n)
	if !w.unsynced {
		w.unsynced = true
		w.timer.Reset(syncEvery)
	}
	if w.needed > 0 && w.size >= max(grown, 2*w.needed) {
		w.wanted.Store(true)
	}
}

// finish marks the file as whole. Then the older ones can go.
func (w *writer) finish() {
	if !w.failed {
		w.write(appendFrame(nil, whole, nil))
	}
	if !w.failed {
		w.sync()
	}
	if w.failed {
		return
	}
	w.needed = w.size
	w.beside()
	for _, n := range w.old {
		os.Remove(w.path(n))
	}
	w.old = nil
	if w.said {
		w.said = false
		w.failing.Store(false)
		w.report(fmt.Sprintf("state: kept in %s again, and whole (%d changes were not kept in between)", w.dir, w.missed))
		w.missed = 0
	}
}

// sync asks the disk to have it.
func (w *writer) sync() {
	if !w.unsynced || w.failed {
		return
	}
	w.unsynced = false
	err := w.gone()
	if err == nil {
		err = w.file.Sync()
		w.doubtful = err != nil
	}
	if err != nil {
		w.fail(err)
	}
}

// tick syncs, or looks whether the trouble is over.
func (w *writer) tick() {
	if !w.failed {
		w.sync()
		return
	}
	if w.probe() == nil {
		w.wanted.Store(true)
		return
	}
	w.timer.Reset(retryEvery)
}

// create begins the next file.
func (w *writer) create() error {
	n := slices.Max(append(w.files(), w.number)) + 1 // also where others were written meanwhile
	at := w.moment()
	at.bootID = w.bootID
	b := appendFrame([]byte(magic), stamped, func(b []byte) []byte { return appendMoment(b, at) })
	f, err := makeFile(w.path(n), b)
	if err != nil {
		return err
	}
	if w.file != nil {
		w.file.Close()
		w.old = append(w.old, w.number)
	}
	w.file, w.number, w.size, w.needed, w.unsynced, w.doubtful = f, n, int64(len(b)), 0, false, false
	return nil
}

// makeFile makes a file that begins with b, or replaces one: under another name first, so that nobody ever finds a part of
// it at path. It is left open for writing.
func makeFile(path string, b []byte) (*os.File, error) {
	f, err := os.OpenFile(path+newSuffix, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	if _, err = f.Write(b); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(path+newSuffix, path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		f.Close()
		os.Remove(path + newSuffix)
		return nil, err
	}
	return f, nil
}

// syncDir lets the disk have a directory's entries.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
