package state

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// log collects what is reported.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) line(s string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, s)
}

func (l *log) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// records is what an owner has, or finds.
type records map[Key]string

func found(s *Store) records {
	st := records{}
	for _, r := range s.Loaded() {
		st[r.Key] = string(r.Data)
	}
	return st
}

func open(t *testing.T, dir string) (*Store, *log) {
	t.Helper()
	l := new(log)
	s, err := Open(dir, l.line)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, l
}

// all says all there is, as an owner does after Renew.
func (s *Store) all(st records) {
	for k, v := range st {
		s.Keep(k, []byte(v))
	}
	s.Flush(true)
}

// files reads the directory.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, filePrefix+"*"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, name := range names {
		if out[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// TestKeep: what was said is there for the next, and the next after that; one file is left.
func TestKeep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "state")
	s, l := open(t, dir)
	if got := found(s); len(got) != 0 || !s.Renew() || s.Renew() {
		t.Fatalf("an empty directory holds %v, or is to be written anew twice", got)
	}
	s.all(nil)
	s.Keep(Key{1, 7}, []byte("seven"))
	s.Keep(Key{1, 8}, []byte("eight"))
	s.Flush(false)
	s.Keep(Key{1, 7}, []byte("SEVEN"))
	s.Keep(Key{2, 7}, nil)
	s.Drop(Key{1, 8})
	s.Close()
	want := records{{1, 7}: "SEVEN", {2, 7}: ""}
	for range 3 {
		s, l = open(t, dir)
		if got := found(s); !maps.Equal(got, want) {
			t.Fatalf("found %v, want %v", got, want)
		}
		s.Renew()
		s.all(want)
		s.Close()
		if n := len(files(t, dir)); n != 1 {
			t.Errorf("%d files are left", n)
		}
	}
	if len(l.all()) != 0 {
		t.Errorf("reported %q", l.all())
	}
	for _, path := range []string{dir, filepath.Join(dir, "journal.4"), filepath.Join(dir, lockName)} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v, want it private", path, info.Mode(), err)
		}
	}
}

// TestTorn cuts the file after every byte, and turns over every byte of it: what loads is what stood there
// after one of the steps, the latest that the damage leaves whole; only that, and without a panic.
func TestTorn(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	st := records{}
	var file []byte
	ends := map[int]records{} // by size of the file: what had been said by then
	step := func(f func()) {
		f()
		s.Flush(false)
		file = settle(t, s, dir)
		ends[len(file)] = maps.Clone(st)
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	step(func() { s.Renew(); s.all(st) })
	for i := range 60 {
		step(func() {
			k := Key{byte(rnd.IntN(2)), rnd.Uint64N(8)}
			if rnd.IntN(4) == 0 {
				delete(st, k)
				s.Drop(k)
				return
			}
			st[k] = strings.Repeat(fmt.Sprint(i, " "), rnd.IntN(5))
			s.Keep(k, []byte(st[k]))
		})
	}
	loads := func(b []byte) (records, int) {
		r := replay{records: map[Key]version{}}
		_, at, err := r.file(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		got := records{}
		for _, rec := range r.sorted() {
			got[rec.Key] = string(rec.Data)
		}
		return got, int(at)
	}
	sizes := slices.Sorted(maps.Keys(ends))
	at := func(n int) records { // what had been said in the first n bytes
		i, exact := slices.BinarySearch(sizes, n)
		if !exact {
			i--
		}
		if i < 0 {
			return records{}
		}
		return ends[sizes[i]]
	}
	for n := range len(file) + 1 {
		// A step is a frame and a time: with the frame alone it counts as well.
		got, good := loads(file[:n])
		if next := slices.IndexFunc(sizes, func(s int) bool { return s > n }); !maps.Equal(got, at(n)) &&
			(next < 0 || !maps.Equal(got, ends[sizes[next]])) {
			t.Fatalf("cut at %d (good to %d): found %v, want %v", n, good, got, at(n))
		}
	}
	for n := range file {
		spoilt := bytes.Clone(file)
		spoilt[n] ^= byte(1 + rnd.IntN(255))
		got, good := loads(spoilt)
		if want, _ := loads(file[:good]); !maps.Equal(got, want) || good > n {
			t.Fatalf("byte %d turned over: good to %d, found %v, want %v", n, good, got, want)
		}
	}
}

// settle waits until the writer has written all, and reads the newest file.
func settle(t *testing.T, s *Store, dir string) []byte {
	t.Helper()
	for s.waiting.Load() > 0 || len(s.queue) > 0 {
		runtime.Gosched()
	}
	fs := files(t, dir)
	return fs[slices.Max(slices.Collect(maps.Keys(fs)))]
}

// TestCutTail: a file with a torn end is said once, with where; the rest loads, and the next time all is well.
func TestCutTail(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	s.Renew()
	s.all(records{{1, 1}: "one"})
	s.Close()
	path := filepath.Join(dir, "journal.1")
	whole, _ := os.ReadFile(path)
	if err := os.WriteFile(path, append(whole, appendKeyed(nil, put, Key{1, 2}, []byte("two"))[:12]...), 0o600); err != nil {
		t.Fatal(err)
	}
	s, l := open(t, dir)
	if got := found(s); !maps.Equal(got, records{{1, 1}: "one"}) {
		t.Errorf("found %v", got)
	}
	want := fmt.Sprintf("state: %s cannot be read from byte %d of %d on; what stands before counts", path, len(whole), len(whole)+12)
	if got := l.all(); len(got) != 1 || got[0] != want {
		t.Errorf("reported %q\nwant %q", got, want)
	}
	s.Renew()
	s.all(records{{1, 1}: "one"})
	s.Close()
	if _, l = open(t, dir); len(l.all()) != 0 {
		t.Errorf("reported again: %q", l.all())
	}
}

// TestHalfWritten: a process that died while it wrote all anew loses nothing of what the one before had, and
// what was dropped meanwhile does not come back.
func TestHalfWritten(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	s.Renew()
	s.all(records{{1, 1}: "one", {1, 2}: "two", {1, 3}: "three"})
	s.Close()
	s, _ = open(t, dir)
	s.Renew()
	s.Keep(Key{1, 1}, []byte("ONE"))
	s.Drop(Key{1, 2})
	s.Close() // without having said that it was all
	s, _ = open(t, dir)
	if got, want := found(s), (records{{1, 1}: "ONE", {1, 3}: "three"}); !maps.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	// What is whole needs nothing from before: here, that 3 was dropped got lost, and the process died before the older
	// files were removed.
	s.Renew()
	before := files(t, dir)
	s.all(records{{1, 1}: "ONE"})
	s.Close()
	for name, content := range before {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			continue // that is the one which is written now
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, _ = open(t, dir)
	if got, want := found(s), (records{{1, 1}: "ONE"}); !maps.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

// TestAnotherVersion: what a newer minisip wrote is neither read nor removed.
func TestAnotherVersion(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal.41")
	if err := os.WriteFile(path, []byte("minisip state 2\nwho knows"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, l := open(t, dir)
	s.Renew()
	s.all(records{{1, 1}: "one"})
	s.Close()
	if got := l.all(); len(got) != 1 || got[0] != "state: "+path+" is of another version and left alone" {
		t.Errorf("reported %q", got)
	}
	if fs := files(t, dir); string(fs["journal.41"]) != "minisip state 2\nwho knows" || fs["journal.42"] == nil {
		t.Errorf("there are %v", slices.Collect(maps.Keys(fs)))
	}
}

// TestLock: a directory has one owner, and who comes second learns who that is.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	_, err := Open(dir, new(log).line)
	var inUse *InUse
	if !errors.As(err, &inUse) || err.Error() != fmt.Sprintf("%s is in use by process %d", dir, os.Getpid()) {
		t.Errorf("the second got %v", err)
	}
	s.Close()
	open(t, dir)
}

// TestGrown: a file that is mostly out of date is written anew, and the old one goes.
func TestGrown(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	s.Renew()
	s.all(nil)
	record := bytes.Repeat([]byte("x"), 10_000)
	for range grown/len(record) + 1 {
		s.Keep(Key{1, 1}, record)
		s.Flush(false)
	}
	settle(t, s, dir)
	if !s.Renew() {
		t.Fatal("nobody wants it written anew")
	}
	s.all(records{{1, 1}: "small"})
	s.Close()
	fs := files(t, dir)
	if b := fs["journal.2"]; len(fs) != 1 || len(b) == 0 || len(b) > 1000 {
		t.Errorf("%d files, the second of %d bytes", len(fs), len(b))
	}
	if s, _ = open(t, dir); found(s)[Key{1, 1}] != "small" {
		t.Error("what was written last is not there")
	}
}

// TestBeginFull: where the disk is full at the start, what was kept is there, that nothing more is kept is said once, and
// when there is room all is kept as ever.
func TestBeginFull(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	s.Renew()
	s.all(records{{1, 1}: "one"})
	s.Close()
	// After the files have been read, one that refuses every byte, as a full disk does, is in the way of the next.
	if err := os.WriteFile(filepath.Join(dir, "journal.7"), []byte("minisip state 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := new(log)
	s, err := Open(dir, func(line string) {
		l.line(line)
		if strings.Contains(line, "another version") {
			if err := os.Symlink("/dev/full", filepath.Join(dir, "journal.8"+newSuffix)); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if got, want := found(s), (records{{1, 1}: "one"}); !maps.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
	s.Keep(Key{1, 2}, []byte("two"))
	s.Flush(false)
	if !s.Renew() {
		t.Error("nobody wants it written anew")
	}
	want := records{{1, 1}: "one", {1, 2}: "two"}
	s.all(want)
	s.Close()
	lines := []string{
		"state: " + filepath.Join(dir, "journal.7") + " is of another version and left alone",
		"state: cannot be kept in " + dir + " (no space left on device): calls and registrations go on, but a restart would lose what is new",
		"state: kept in " + dir + " again, and whole (1 changes were not kept in between)",
	}
	if got := l.all(); !slices.Equal(got, lines) {
		t.Errorf("reported %q\nwant %q", got, lines)
	}
	if fs := files(t, dir); len(fs) != 2 || fs["journal.8"] == nil {
		t.Errorf("there are %v", slices.Collect(maps.Keys(fs)))
	}
	if s, _ = open(t, dir); !maps.Equal(found(s), want) {
		t.Error("what was kept when there was room is not there")
	}
}
