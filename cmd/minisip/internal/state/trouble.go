package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// What is done when the directory cannot be written, or is gone.

// gone says why what is written into the file would never be found.
func (w *writer) gone() error {
	have, err := w.file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(w.path(w.number))
	switch {
	case err != nil:
		return err
	case !os.SameFile(have, there):
		return errors.New("it is another directory now")
	case have.Mode().IsRegular() && have.Size() < w.size:
		return errors.New("somebody has cut the file")
	}
	return nil
}

// fail notes that the file is no good, and says so once.
func (w *writer) fail(err error) {
	w.failed = true
	w.unsynced = false
	w.timer.Reset(retryEvery)
	if w.said {
		return
	}
	w.said = true
	w.failing.Store(true)
	err = reason(err)
	w.report(fmt.Sprintf("state: cannot be kept in %s (%v): calls and registrations go on, but a restart would lose what is new", w.dir, err))
}

// probe tries to write again, where need be into a new file.
func (w *writer) probe() error {
	if w.doubtful || w.gone() != nil {
		if err := os.MkdirAll(w.dir, 0o700); err != nil {
			return err
		}
		if err := w.relock(); err != nil {
			return err // somebody came to an empty place
		}
		return w.create()
	}
	b := appendFrame(nil, stamped, func(b []byte) []byte { return appendMoment(b, w.moment()) })
	n, err := w.file.Write(b)
	if err == nil {
		err = w.file.Sync()
		w.doubtful = err != nil
	}
	if err != nil {
		w.file.Truncate(w.size)
		return err
	}
	w.size += int64(n)
	return nil
}

// beside writes the small file that shall stand beside the journals, where it does not. While they cannot
// be written, it is tried again with them.
func (w *writer) beside() {
	f := w.small
	if f == nil || w.failed {
		return
	}
	old, err := os.ReadFile(f.path)
	if err == nil && len(old) == len(f.data) {
		return
	}
	made, err := makeFile(f.path, f.data)
	if err == nil {
		made.Close()
	} else if !f.said {
		f.said = true
		w.report(fmt.Sprintf("state: %s cannot be written (%v)", f.path, reason(err)))
	}
}

// reason is what is wrong with a file, without its name.
func reason(err error) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// relock takes the lock anew where its file is gone with the directory, or could not be had at the start.
func (w *writer) relock() error {
	if w.lock != nil {
		have, err := w.lock.Stat()
		if err != nil {
			return err
		}
		if there, err := os.Stat(filepath.Join(w.dir, lockName)); err == nil && os.SameFile(have, there) {
			return nil
		}
	}
	lock, err := acquire(w.dir)
	if err != nil {
		return err
	}
	w.lock.Close()
	w.lock = lock
	return nil
}
