package state

import (
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestSyncFails: where the disk has not taken what was written, nobody knows what it has of that file, and a later success
// would say nothing of it (fsync(2)). So what is kept from then on goes into another file.
func TestSyncFails(t *testing.T) {
	dir := t.TempDir()
	w := driven(t, dir)
	// The null device takes what is written, and cannot sync it.
	path, aside := w.path(1), filepath.Join(dir, "aside")
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	journal, err := syscall.Dup(int(w.file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(journal)
	swap := func(fd int, from, to string) {
		t.Helper()
		if err := syscall.Dup3(fd, int(w.file.Fd()), syscall.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	swap(int(null.Fd()), path, aside)
	if err := os.Symlink(os.DevNull, path); err != nil {
		t.Fatal(err)
	}
	w.obey(command{data: appendKeyed(nil, put, Key{1, 1}, []byte("nobody knows"))})
	w.sync()
	if !w.failed {
		t.Fatal("a sync that failed is not noticed")
	}
	if err := os.Truncate(aside, w.size); err != nil { // it might have some of it
		t.Fatal(err)
	}
	swap(journal, aside, path)

	w.tick()
	w.obey(command{fresh: true, data: appendKeyed(nil, put, Key{1, 1}, []byte("kept")), records: 1})
	w.obey(command{whole: true})
	if w.failed || w.number != 2 {
		t.Errorf("failed: %v; it goes on in file %d, want 2", w.failed, w.number)
	}
	w.sync()
	w.lock.Close()
	s, _ := open(t, dir)
	if got, want := found(s), (records{{1, 1}: "kept"}); !maps.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}

// TestHalfAWrite: where the disk has room for a part of what is written, that is taken off again, and what is kept when
// there is room follows on what stood there before.
func TestHalfAWrite(t *testing.T) {
	dir := t.TempDir()
	w := driven(t, dir)
	w.obey(command{data: appendKeyed(nil, put, Key{1, 1}, []byte("one"))})
	before := w.size
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	room := func(limit syscall.Rlimit) {
		t.Helper()
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
	}
	room(syscall.Rlimit{Cur: uint64(before) + 20, Max: was.Max})
	w.obey(command{data: appendKeyed(nil, put, Key{1, 2}, make([]byte, 100))})
	room(was)
	if info, err := w.file.Stat(); err != nil || !w.failed || info.Size() != before {
		t.Errorf("failed: %v; %d bytes, %v, want the %d before", w.failed, info.Size(), err, before)
	}
	w.tick()
	w.obey(command{fresh: true, data: appendKeyed(nil, put, Key{1, 3}, []byte("three"))})
	w.sync()
	w.lock.Close()
	s, said := open(t, dir)
	if got, want := found(s), (records{{1, 1}: "one", {1, 3}: "three"}); !maps.Equal(got, want) || len(said.all()) != 0 {
		t.Errorf("found %v, want %v; reported %q", got, want, said.all())
	}
}
