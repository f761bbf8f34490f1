package state

import (
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestSyncFails: where the disk has not taken what was written, nobody knows what it has of that file, and a later success
// would say nothing of it (fsync(2)). So what is kept from then on goes into another file.
func TestSyncFails(t *testing.T) {
	dir := t.TempDir()
	l := new(log)
	s := &Store{dir: dir, report: l.line, queue: make(chan command, queueLength), ended: make(chan struct{})}
	w := &writer{Store: s, timer: time.NewTimer(time.Hour)}
	if err := w.begin(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.file.Close(); w.lock.Close() })
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
	swap(journal, aside, path)

	w.tick()
	w.obey(command{fresh: true, data: appendKeyed(nil, put, Key{1, 1}, []byte("kept")), records: 1})
	w.obey(command{whole: true})
	if w.failed || w.number != 2 {
		t.Errorf("failed: %v; it goes on in file %d, want 2", w.failed, w.number)
	}
	w.sync()
	w.lock.Close()
	s, _ = open(t, dir)
	if got, want := found(s), (records{{1, 1}: "kept"}); !maps.Equal(got, want) {
		t.Errorf("found %v, want %v", got, want)
	}
}
