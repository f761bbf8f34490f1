package state

import (
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestUnreadable: files that were cut within their first bytes are torn ones, and go as such; one that cannot be
// read keeps nobody from starting and none of the others from being read.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	s.Renew()
	s.all(records{{1, 1}: "one"})
	s.Close()
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, content := range map[string]string{"journal.2": "", "journal.3": magic[:9]} {
		if err := os.WriteFile(path(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(path("journal.4"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(path("journal.5"), 0o600); err != nil {
		t.Fatal(err)
	}
	last := path("journal." + strconv.Itoa(math.MaxInt)) // no number follows it
	if err := os.WriteFile(last, []byte(magic), 0o600); err != nil {
		t.Fatal(err)
	}
	left := []string{
		"state: " + path("journal.4") + " cannot be read (is a directory) and is left alone",
		"state: " + path("journal.5") + " cannot be read (not a plain file) and is left alone",
	}
	for _, want := range [][]string{{
		"state: " + path("journal.2") + " cannot be read from byte 0 of 0 on; what stands before counts",
		"state: " + path("journal.3") + " cannot be read from byte 0 of 9 on; what stands before counts",
		left[0], left[1],
	}, left} {
		s, l := open(t, dir)
		if got := found(s); !maps.Equal(got, records{{1, 1}: "one"}) {
			t.Errorf("found %v", got)
		}
		s.Renew()
		s.all(records{{1, 1}: "one"})
		s.Close()
		if got := l.all(); !slices.Equal(got, want) {
			t.Errorf("reported %q\nwant %q", got, want)
		}
	}
}

// TestLongFile: of a file that is spoilt no more is read than what is good, however long it is.
func TestLongFile(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	s.Renew()
	s.all(records{{1, 1}: "one"})
	s.Close()
	if err := os.Truncate(filepath.Join(dir, "journal.1"), 1<<38); err != nil { // a hole: it takes no room on the disk
		t.Fatal(err)
	}
	s, l := open(t, dir)
	defer s.Close()
	if got := found(s); !maps.Equal(got, records{{1, 1}: "one"}) {
		t.Errorf("found %v", got)
	}
	if got := l.all(); len(got) != 1 || !strings.HasSuffix(got[0], " of 274877906944 on; what stands before counts") {
		t.Errorf("reported %q", got)
	}
}
