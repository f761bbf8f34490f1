package state

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// TestAnyDirectory: what is kept is found in a directory of whatever name, and is not written over.
func TestAnyDirectory(t *testing.T) {
	for _, name := range []string{"plain", "[a-z]", "a*b?", `back\slash`, "[", "状態"} {
		dir := filepath.Join(t.TempDir(), name)
		want := records{}
		for id := range uint64(3) {
			s, l := open(t, dir)
			if got := found(s); !maps.Equal(got, want) {
				t.Errorf("%s: found %v, want %v", name, got, want)
			}
			want[Key{1, id}] = "kept"
			s.Renew()
			s.all(want)
			s.Close()
			if got := l.all(); len(got) != 0 {
				t.Errorf("%s: reported %q", name, got)
			}
		}
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 2 { // a journal and the lock
			t.Errorf("%s: left are %v, %v", name, left, err)
		}
	}
}

// TestBeside: the small file is made where there is none or a part of one, and stays what it is. It is replaced, not
// written over: whoever looks, also after a power cut, finds it whole.
func TestBeside(t *testing.T) {
	dir := t.TempDir()
	path, other := filepath.Join(dir, "key"), filepath.Join(dir, "other name of it")
	if err := os.WriteFile(path, []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, other); err != nil {
		t.Fatal(err)
	}
	for _, fresh := range []string{"fresh key", "other key"} {
		s, l := open(t, dir)
		if got := s.Beside("key", []byte(fresh)); string(got) != "fresh key" {
			t.Errorf("got %q", got)
		}
		s.Close()
		if got, err := os.ReadFile(path); string(got) != "fresh key" {
			t.Errorf("the file holds %q, %v", got, err)
		}
		if got := l.all(); len(got) != 0 {
			t.Errorf("reported %q", got)
		}
	}
	if old, err := os.ReadFile(other); string(old) != "torn" {
		t.Errorf("the file before became %q, %v", old, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}
