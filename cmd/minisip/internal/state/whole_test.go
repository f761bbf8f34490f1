package state

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLostBeforeWhole: where the disk did not keep up, what is said to be all is not, until it has been said anew.
func TestLostBeforeWhole(t *testing.T) {
	s := &Store{queue: make(chan command, 2), epoch: time.Now()}
	s.wanted.Store(true)
	said := func() (all []command) {
		for len(s.queue) > 0 {
			all = append(all, <-s.queue)
		}
		return all
	}
	if !s.Renew() { // two commands: the time, and to begin anew
		t.Fatal("nobody wants it written anew")
	}
	s.Keep(Key{1, 1}, []byte("one"))
	s.Flush(false)
	if s.Lost() != 1 {
		t.Fatalf("%d records lost, want the one for which there was no room", s.Lost())
	}
	said()
	s.Keep(Key{1, 2}, []byte("two"))
	s.Flush(true)
	if all := said(); len(all) != 1 || all[0].whole {
		t.Errorf("said without the first record: %+v", all)
	}
	if !s.Renew() {
		t.Fatal("nobody wants it written anew")
	}
	said()
	s.Keep(Key{1, 1}, []byte("one"))
	s.Flush(true)
	if all := said(); len(all) != 1 || !all[0].whole {
		t.Errorf("said with it: %+v", all)
	}
}

// TestStamps: while nothing changes the time is written all the same, now and then.
func TestStamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Store{queue: make(chan command, 10), epoch: time.Now()}
		for n, pause := range []time.Duration{0, time.Second, stampEvery - time.Second, time.Second, stampEvery} {
			time.Sleep(pause)
			s.Flush(false)
			if got, want := len(s.queue), []int{1, 1, 2, 2, 3}[n]; got != want {
				t.Errorf("step %d: %d times written, want %d", n, got, want)
			}
		}
	})
}

// TestBootGoesOn: the boot is named once in a file, and all its times are of it.
func TestBootGoesOn(t *testing.T) {
	stamp := func(b []byte, at moment) []byte {
		return appendFrame(b, stamped, func(b []byte) []byte { return appendMoment(b, at) })
	}
	file := stamp([]byte(magic), moment{since: 1, boot: 1, bootID: "this"})
	file = stamp(file, moment{since: 2, boot: 2})
	var r replay
	if f, at, err := r.file(bytes.NewReader(file)); f != none || err != nil || r.last != (moment{since: 2, boot: 2, bootID: "this"}) {
		t.Errorf("fault %d at %d, %v; the last time is %+v", f, at, err, r.last)
	}
}

// TestReplay: the last word on a key counts. What was not said again between a 'B' and its 'W' is forgotten, in whichever file
// it stands; where the 'W' has not come, nothing is.
func TestReplay(t *testing.T) {
	for _, tt := range []struct{ files, want string }{
		{"1=a 2=b 1=c", "1=c 2=b"},
		{"1=a 2=b D1", "2=b"},
		{"D1 1=a", "1=a"},
		{"1=a 2=b B 1=c W", "1=c"},
		{"1=a 2=b B 1=c", "1=c 2=b"},
		{"1=a / B 2=b W", "2=b"},
		{"1=a / B 2=b / 3=c", "1=a 2=b 3=c"},
		{"1=a / B 2=b / B 3=c W", "3=c"},
		{"1=a B 1=b W 2=c", "1=b 2=c"},
	} {
		r := replay{records: map[Key]version{}}
		for text := range strings.SplitSeq(tt.files, " / ") {
			file := []byte(magic)
			for _, word := range strings.Fields(text) {
				switch {
				case word == "B" || word == "W":
					file = appendFrame(file, mark(word[0]), nil)
				case word[0] == 'D':
					file = appendKeyed(file, dropped, Key{1, uint64(word[1] - '0')}, nil)
				default:
					file = appendKeyed(file, put, Key{1, uint64(word[0] - '0')}, []byte(word[2:]))
				}
			}
			if f, at, err := r.file(bytes.NewReader(file)); f != none || err != nil {
				t.Fatalf("%s: fault %d at %d, %v", text, f, at, err)
			}
		}
		var got []string
		for _, x := range r.sorted() {
			got = append(got, fmt.Sprintf("%d=%s", x.ID, x.Data))
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.files, got, tt.want)
		}
	}
}

// TestShortFrames: a frame of which the checksum is right, but which is too short for what it is said to be, or said to be what
// nobody knows, spoils its file like any other.
func TestShortFrames(t *testing.T) {
	for _, m := range []mark{stamped, put, dropped, 'X'} {
		for n := range keySize - 1 {
			file := appendFrame([]byte(magic), m, func(b []byte) []byte { return append(b, make([]byte, n)...) })
			r := replay{records: map[Key]version{}}
			if f, at, err := r.file(bytes.NewReader(file)); f != broken || at != int64(len(magic)) || err != nil {
				t.Errorf("%c of %d bytes: fault %d at %d, %v", m, n, f, at, err)
			}
		}
	}
}

// TestTurns: files are read in the order of their numbers, not of their names; one that nobody got to rename goes.
func TestTurns(t *testing.T) {
	dir := t.TempDir()
	for n, record := range map[string]string{"9": "nine", "10": "ten", "2": "two", "7.new": "seven"} {
		file := appendKeyed([]byte(magic), put, Key{1, 1}, []byte(record))
		if err := os.WriteFile(filepath.Join(dir, filePrefix+n), file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, _ := open(t, dir)
	if got := found(s)[Key{1, 1}]; got != "ten" {
		t.Errorf("the last word is %q", got)
	}
	if _, err := os.Stat(filepath.Join(dir, filePrefix+"7.new")); err == nil {
		t.Error("what nobody got to rename is still there")
	}
}

// TestSoon: the disk is asked to have what was written within half a second, and what is whole at once, before older files go;
// where it cannot be written, that is tried again every second.
func TestSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "state")
		w := driven(t, dir)
		waits := func(want time.Duration) {
			t.Helper()
			begin := time.Now()
			<-w.timer.C
			if got := time.Since(begin); got != want {
				t.Errorf("it waits %v, want %v", got, want)
			}
			w.tick()
		}
		one := command{data: appendKeyed(nil, put, Key{1, 1}, []byte("one")), records: 1}
		w.obey(one)
		if w.obey(one); !w.unsynced {
			t.Error("each write is synced")
		}
		if waits(syncEvery); w.unsynced || w.Failing() {
			t.Error("the disk was not asked")
		}
		if w.obey(command{whole: true}); w.unsynced {
			t.Error("the disk was not asked for all of it")
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir, nil, 0o600); err != nil { // no directory can be made there
			t.Fatal(err)
		}
		w.obey(one)
		waits(syncEvery)
		waits(retryEvery)
		if w.obey(one); !w.Failing() || w.Lost() != 1 {
			t.Errorf("failing: %v, %d records lost", w.Failing(), w.Lost())
		}
		waits(retryEvery)
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		if waits(retryEvery); !w.wanted.Load() || !w.Failing() {
			t.Error("it is not to be written anew")
		}
		w.obey(command{fresh: true})
		if w.obey(command{whole: true}); w.Failing() {
			t.Error("it is whole, and said to be failing")
		}
	})
}

// TestLongRenewal: what is more than a file usually holds is written once, and not begun anew before it is whole.
func TestLongRenewal(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	s.Renew()
	record := bytes.Repeat([]byte("x"), 1<<20)
	want := records{}
	for id := range uint64(3 * grown / len(record)) {
		s.Keep(Key{1, id}, record)
		s.Flush(false)
		want[Key{1, id}] = string(record)
	}
	settle(t, s, dir)
	if s.Renew() {
		t.Error("it is to be begun anew before it is whole")
	}
	s.Flush(true)
	settle(t, s, dir)
	if s.Renew() {
		t.Error("it is to be written anew, and nothing of it is out of date")
	}
	s.Close()
	if s, _ = open(t, dir); !maps.Equal(found(s), want) {
		t.Error("not all of it is there")
	}
}

// driven is a store's writer that a test drives in the place of its goroutine.
func driven(t *testing.T, dir string) *writer {
	t.Helper()
	w := &writer{Store: &Store{dir: dir, report: new(log).line}, timer: time.NewTimer(time.Hour)}
	if err := w.begin(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.file.Close(); w.lock.Close() })
	return w
}

// TestCut: where somebody cuts the file, all there is goes into another one.
func TestCut(t *testing.T) {
	dir := t.TempDir()
	w := driven(t, dir)
	w.obey(command{data: appendKeyed(nil, put, Key{1, 1}, []byte("one"))})
	w.sync()
	if w.failed {
		t.Fatal("it cannot be written")
	}
	if err := os.Truncate(w.path(1), 0); err != nil {
		t.Fatal(err)
	}
	w.obey(command{data: appendKeyed(nil, put, Key{1, 2}, []byte("two"))})
	w.sync()
	if !w.failed {
		t.Fatal("that the file was cut is not noticed")
	}
	w.tick()
	all := appendFrame(nil, begun, nil)
	all = appendKeyed(all, put, Key{1, 1}, []byte("one"))
	all = appendKeyed(all, put, Key{1, 2}, []byte("two"))
	w.obey(command{fresh: true, data: all})
	w.obey(command{whole: true})
	w.lock.Close()
	s, said := open(t, dir)
	if got, want := found(s), (records{{1, 1}: "one", {1, 2}: "two"}); !maps.Equal(got, want) || len(said.all()) != 0 {
		t.Errorf("found %v, want %v; reported %q", got, want, said.all())
	}
}

// TestTakenPlace: where the directory was removed and another process has made one in its place, that is left to it.
func TestTakenPlace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	w := driven(t, dir)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	other, _ := open(t, dir)
	other.Renew()
	other.all(records{{1, 1}: "other's"})
	w.obey(command{data: appendKeyed(nil, put, Key{1, 2}, []byte("ours")), records: 1})
	w.sync()
	w.tick()
	if !w.failed || w.wanted.Load() {
		t.Error("it goes on")
	}
	other.Close()
	if n := len(files(t, dir)); n != 1 {
		t.Errorf("%d journals are there, want the other process's", n)
	}
	w.tick()
	if !w.wanted.Load() {
		t.Error("it does not go on when the other process has ended")
	}
}
