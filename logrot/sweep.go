package logrot

import (
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// maxFiles bounds the rotated files, whatever their days: a flood that rotates
// by size all day long must not fill the disk.
const maxFiles = 1000

// A sweeper compresses and removes rotated files. It keeps nothing in memory:
// each time it looks at what stands beside the log.
type sweeper struct {
	path   string
	days   int
	report *reporter
	wake   chan struct{} // holds one token
	stop   <-chan struct{}
	failed bool // said
}

var errStopped = errors.New("stopped")

func (s *sweeper) poke() { poke(s.wake) }

func (s *sweeper) run() {
	for {
		select {
		case <-s.stop:
			return
		case <-s.wake:
		}
		err := s.sweep(time.Now())
		switch {
		case errors.Is(err, errStopped):
			return
		case err != nil && !s.failed:
			s.report.say("old files cannot be compressed or removed: %v", err)
		case err == nil && s.failed:
			s.report.say("old files can be compressed and removed again")
		}
		s.failed = err != nil
	}
}

// sweep removes what is too old or too many, then compresses the rest.
func (s *sweeper) sweep(now time.Time) error {
	files, err := s.list()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the writer says it
	} else if err != nil {
		return err
	}
	var first error
	others := 0
	oldest := daysBefore(now, s.days)
	for i, f := range files {
		path := filepath.Join(filepath.Dir(s.path), f.name)
		switch {
		case f.partial || f.day < oldest || len(files)-i > maxFiles:
			err = os.Remove(path)
		case !f.compressed:
			err = s.compress(path)
		default:
			err = nil
		}
		switch {
		case err == nil:
		case errors.Is(err, errStopped):
			return err
		case first == nil:
			first = err
		default:
			others++
		}
	}
	if others > 0 {
		return fmt.Errorf("%w, nor can %d others", first, others)
	}
	return first
}

// A rotatedFile is a name of the form base.2026-01-31[.N][.gz], or of a
// compression that was interrupted.
type rotatedFile struct {
	name       string
	day        day
	n          int
	compressed bool
	partial    bool
}

// list returns the rotated files, oldest first.
func (s *sweeper) list() ([]rotatedFile, error) {
	dir, err := os.Open(filepath.Dir(s.path))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var files []rotatedFile
	for _, name := range names {
		if f, ok := parseName(filepath.Base(s.path), name); ok {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b rotatedFile) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.n, b.n), cmp.Compare(a.name, b.name))
	})
	return files, nil
}

// parseName recognises what freeName and compress call their files.
func parseName(base, name string) (f rotatedFile, ok bool) {
	rest, ok := strings.CutPrefix(name, base+".")
	if !ok {
		return f, false
	}
	f.name = name
	rest, f.partial = strings.CutSuffix(rest, partialSuffix)
	rest, f.compressed = strings.CutSuffix(rest, ".gz")
	date, number, numbered := strings.Cut(rest, ".")
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return f, false
	}
	f.day = dayOf(t)
	if numbered {
		f.n, err = strconv.Atoi(number)
		if err != nil || f.n < 1 || strconv.Itoa(f.n) != number {
			return f, false
		}
	}
	return f, true
}

// freeName is the first name for a file of day d that is not taken, compressed
// or not.
func freeName(path string, d day) string {
	name := fmt.Sprintf("%s.%s", path, d)
	for n, free := 1, name; ; n++ {
		// In this order: compress makes the .gz before it removes the other.
		if !exists(free) && !exists(free+".gz") {
			return free
		}
		free = fmt.Sprintf("%s.%d", name, n)
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

const partialSuffix = ".tmp"

// compress replaces path by path.gz. The whole file is there under one of the
// two names at any moment, also after a power cut.
func (s *sweeper) compress(path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	partial := path + ".gz" + partialSuffix
	out, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return err
	}
	z := gzip.NewWriter(out)
	z.ModTime = info.ModTime()
	if name := filepath.Base(path); !strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxLatin1 }) {
		z.Name = name // RFC 1952 2.3.1 has no other letters
	}
	_, err = io.Copy(z, stoppable{in, s.stop})
	err = errors.Join(err, z.Close(), out.Sync(), out.Close())
	if err == nil {
		err = errors.Join(os.Chtimes(partial, info.ModTime(), info.ModTime()), os.Rename(partial, path+".gz"))
	}
	if err != nil {
		os.Remove(partial)
		return err
	}
	return os.Remove(path)
}

// A stoppable reader ends when stop is closed.
type stoppable struct {
	r    io.Reader
	stop <-chan struct{}
}

func (s stoppable) Read(p []byte) (int, error) {
	select {
	case <-s.stop:
		return 0, errStopped
	default:
		return s.r.Read(p)
	}
}
