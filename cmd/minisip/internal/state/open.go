package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Open locks dir, which it makes if need be, reads what is kept there and begins a file of its own. report
// gets what an operator should know, a line each, from any goroutine.
func Open(dir string, report func(line string)) (*Store, error) {
	s := &Store{dir: dir, report: report, queue: make(chan command, queueLength), ended: make(chan struct{})}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := acquire(dir)
	if err != nil {
		return nil, err
	}
	w := &writer{Store: s, bootID: bootID(), lock: lock, timer: time.NewTimer(time.Hour)}
	numbers, err := s.load(w)
	if err == nil {
		w.number, w.old = slices.Max(append(numbers, 0)), numbers
		err = w.create()
	}
	if passes(err) {
		w.fail(err)
		err = nil
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	s.wanted.Store(true) // of the files before, none will be written on
	go w.run()
	return s, nil
}

// passes says whether an error is the disk's and not of how things were set up: with a full disk, what was kept
// is of use all the same, and a file of our own is made when there is room.
func passes(err error) bool {
	return slices.ContainsFunc([]error{syscall.ENOSPC, syscall.EDQUOT, syscall.EIO, syscall.EROFS}, func(e error) bool { return errors.Is(err, e) })
}

// load reads all files and gives the numbers of those that are ours.
func (s *Store) load(w *writer) (numbers []int, err error) {
	names, err := filepath.Glob(filepath.Join(s.dir, filePrefix+"*"))
	if err != nil {
		return nil, err
	}
	var all []int
	for _, name := range names {
		if n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(name), filePrefix)); err == nil && n > 0 {
			all = append(all, n)
		} else if strings.HasSuffix(name, newSuffix) {
			os.Remove(name) // nobody got to rename it
		}
	}
	slices.Sort(all)
	const usual = 512 // bytes of a frame: to make room once
	var size int64
	for _, n := range all {
		if info, err := os.Stat(s.path(n)); err == nil {
			size += info.Size()
		}
	}
	r := replay{records: make(map[Key]version, size/usual)}
	for _, n := range all {
		path := s.path(n)
		b, err := os.ReadFile(path)
		if err != nil {
			if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
				err = pe.Err
			}
			s.report(fmt.Sprintf("state: %s cannot be read (%v) and is left alone", path, err))
			w.taken = n
			continue
		}
		switch f, at := r.file(b); f {
		case alien:
			s.report(fmt.Sprintf("state: %s is of another version and left alone", path))
			w.taken = n
			continue
		case broken:
			s.report(fmt.Sprintf("state: %s cannot be read from byte %d of %d on; what stands before counts", path, at, len(b)))
		}
		numbers = append(numbers, n)
	}
	s.loaded = r.sorted()
	now := moment{wall: time.Now().UnixNano(), boot: sinceBoot(), bootID: w.bootID}
	s.epoch = time.Now()
	if r.timed {
		s.epoch = s.epoch.Add(-r.last.since - away(r.last, now))
		if by := step(r.last, now); by > 0 {
			s.report(fmt.Sprintf("state: the clock was set forward by %s while nobody was here: what is kept goes by the time that really passed", by))
		} else if by < 0 {
			s.report(fmt.Sprintf("state: the clock was set back by %s while nobody was here: what is kept goes by the time that really passed", -by))
		}
	}
	return numbers, nil
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
	if errors.Is(err, syscall.EROFS) {
		f, err = os.Open(path) // that is enough to lock it
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
