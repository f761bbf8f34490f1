package state

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Open locks dir, which it makes if need be, reads what is kept there and begins a file of its own. Where the disk
// or the permissions do not let it, that is said, and the Store keeps what there is once they do. report
// gets what an operator should know, a line each, from any goroutine.
func Open(dir string, report func(line string)) (*Store, error) {
	s := &Store{dir: dir, report: report, queue: make(chan command, queueLength), ended: make(chan struct{})}
	w := &writer{Store: s, bootID: bootID(), timer: time.NewTimer(time.Hour)}
	err := w.begin()
	if passes(err) {
		w.fail(err)
		err = nil
	}
	if err != nil {
		w.lock.Close()
		return nil, err
	}
	s.wanted.Store(true) // of the files before, none will be written on
	go w.run()
	return s, nil
}

// begin takes the directory, reads what is kept there and begins a file.
func (w *writer) begin() (err error) {
	w.epoch = time.Now()
	now := w.moment() // all three clocks at once: to read takes its time
	now.bootID = w.bootID
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return err
	}
	w.lock, err = acquire(w.dir)
	if err != nil && (!passes(err) || errors.Is(err, fs.ErrPermission)) {
		return err // somebody else may have the directory: what is kept there is his
	}
	w.tidy()
	w.load(now)
	if err != nil {
		return err
	}
	return w.create()
}

// tidy removes journals that nobody got to rename.
func (w *writer) tidy() {
	for _, name := range w.journals() {
		if strings.HasSuffix(name, newSuffix) {
			os.Remove(filepath.Join(w.dir, name))
		}
	}
}

// passes says whether an error may pass, and is no reason not to serve: with a full disk, what was kept
// is of use all the same, and a file of our own is made when there is room.
func passes(err error) bool {
	may := []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EROFS, syscall.EACCES, syscall.EPERM}
	return slices.ContainsFunc(may, func(e error) bool { return errors.Is(err, e) })
}

// load reads all files, and notes which of them are ours.
func (w *writer) load(now moment) {
	r := replay{records: map[Key]version{}}
	for _, n := range w.files() {
		path := w.path(n)
		f, at, size, err := r.open(path)
		switch {
		case err != nil:
			w.report(fmt.Sprintf("state: %s cannot be read (%v) and is left alone", path, reason(err)))
			continue
		case f == alien:
			w.report(fmt.Sprintf("state: %s is of another version and left alone", path))
			continue
		case f == broken:
			w.report(fmt.Sprintf("state: %s cannot be read from byte %d of %d on; what stands before counts", path, at, size))
		}
		w.old = append(w.old, n)
	}
	w.loaded = r.sorted()
	if r.timed {
		w.goOn(r.last, now)
	}
}

// goOn counts times from where they were counted when the files were last written.
func (w *writer) goOn(last, now moment) {
	w.epoch = w.epoch.Add(-last.since - away(last, now))
	switch by := step(last, now); {
	case by > 0:
		w.report(fmt.Sprintf("state: the clock was set forward by %s while nobody was here: what is kept goes by the time that really passed", by))
	case by < 0:
		w.report(fmt.Sprintf("state: the clock was set back by %s while nobody was here: what is kept goes by the time that really passed", -by))
	}
}

// files are the numbers of all there are, whoever wrote them, in order.
func (w *writer) files() (all []int) {
	for _, name := range w.journals() {
		if n, err := strconv.Atoi(strings.TrimPrefix(name, filePrefix)); err == nil && n > 0 && n < math.MaxInt {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// journals are the names in the directory that begin like a journal's. It is no pattern that finds them: the directory
// may have any name.
func (w *writer) journals() (names []string) {
	entries, _ := os.ReadDir(w.dir) // what could be read counts
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filePrefix) {
			names = append(names, e.Name())
		}
	}
	return names
}

const (
	filePrefix = "journal."
	newSuffix  = ".new"
	lockName   = "lock"
)

func (s *Store) path(n int) string { return filepath.Join(s.dir, filePrefix+strconv.Itoa(n)) }

// InUse says that another process keeps its state in a directory.
type InUse struct {
	Dir string
	PID string // "" where it did not say
}

func (e *InUse) Error() string {
	if e.PID == "" {
		return e.Dir + " is in use by another process"
	}
	return e.Dir + " is in use by process " + e.PID
}

// acquire takes the lock of a directory, which the kernel lets go with the process.
func acquire(dir string) (*os.File, error) {
	path := filepath.Join(dir, lockName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission) {
		if there, failed := os.Open(path); failed == nil { // that is enough to lock it
			f, err = there, nil
		}
	}
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &fs.PathError{Op: "lock", Path: path, Err: err}
		}
		pid := make([]byte, 20)
		n, _ := f.Read(pid)
		return nil, &InUse{dir, strings.TrimSpace(string(pid[:n]))}
	}
	// Whom to name to those who come later.
	if err := f.Truncate(0); err == nil {
		f.WriteAt(fmt.Appendln(nil, os.Getpid()), 0)
	}
	return f, nil
}
