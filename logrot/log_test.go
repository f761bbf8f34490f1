package logrot

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A bench is a log in a directory of its own, inside a bubble whose clock
// starts at 2000-01-01 00:00 UTC.
type bench struct {
	t      *testing.T
	dir    string
	path   string
	stderr *output
	log    *Log
}

// output is a standard error that a test may read while it is written.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// inBubble runs f with a log on a fake clock, in UTC.
func inBubble(t *testing.T, cfg Config, f func(b *bench)) {
	dir := t.TempDir()
	was := time.Local
	time.Local = time.UTC
	defer func() { time.Local = was }()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, dir: dir, path: filepath.Join(dir, "sip_server.log"), stderr: &output{}}
		if cfg.Path != "" {
			b.path = filepath.Join(dir, cfg.Path)
		}
		cfg.Path, cfg.Stderr = b.path, b.stderr
		b.log = Open(cfg)
		synctest.Wait()
		f(b)
		b.log.Close()
	})
}

// put writes one line and waits until the writer is idle.
func (b *bench) put(format string, args ...any) {
	b.t.Helper()
	if _, err := fmt.Fprintf(b.log, format+"\n", args...); err != nil {
		b.t.Fatalf("Write: %v", err)
	}
	synctest.Wait()
}

// names lists the files in the log's directory.
func (b *bench) names() []string {
	b.t.Helper()
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// want compares the files and what they hold, decompressed, with files: a name
// and its lines separated by spaces in each entry.
func (b *bench) want(files ...string) {
	b.t.Helper()
	var got []string
	for _, name := range b.names() {
		got = append(got, strings.TrimSpace(name+" "+strings.Join(strings.Fields(b.read(name)), " ")))
	}
	files = slices.Sorted(slices.Values(files))
	if !slices.Equal(got, files) {
		b.t.Errorf("at %v the directory holds\n  %s\nwant\n  %s", time.Now(), strings.Join(got, "\n  "), strings.Join(files, "\n  "))
	}
}

func (b *bench) read(name string) string {
	b.t.Helper()
	data, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.t.Fatal(err)
	}
	if !strings.HasSuffix(name, ".gz") {
		return string(data)
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
	if data, err = io.ReadAll(z); err != nil {
		b.t.Fatalf("%s: %v", name, err)
	}
	if beyond := func(r rune) bool { return r > 0xff }; z.Name+".gz" != name && !strings.ContainsFunc(name, beyond) {
		b.t.Errorf("%s says it holds %q", name, z.Name)
	}
	return string(data)
}

func (b *bench) wantStderr(want string) {
	b.t.Helper()
	got := strings.ReplaceAll(b.stderr.String(), b.dir, "DIR")
	if got != want {
		b.t.Errorf("standard error has\n%swant\n%s", got, want)
	}
}

// Eight days, one line at noon and one in the last millisecond of each: every
// file holds its own day, and seven days are kept besides today.
func TestEightDays(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		var want []string
		for n := 1; n <= 8; n++ {
			time.Sleep(12 * time.Hour)
			b.put("noon%d", n)
			time.Sleep(12*time.Hour - time.Millisecond)
			b.put("late%d", n)
			b.want(append(want, fmt.Sprintf("sip_server.log noon%d late%d", n, n))...)
			time.Sleep(time.Millisecond)
			synctest.Wait()
			want = append(want, fmt.Sprintf("sip_server.log.2000-01-%02d.gz noon%d late%d", n, n, n))
			if n == 8 {
				want = want[1:]
			}
			b.want(append(want, "sip_server.log")...)
		}
		b.wantStderr("")
	})
}

// A log of any name is rotated and compressed: gzip's own header has letters of Latin-1 alone.
func TestNames(t *testing.T) {
	for _, name := range []string{"protokoll grün.log", "通話.log", "\xff.log", "[a].log"} {
		inBubble(t, Config{Path: name}, func(b *bench) {
			b.put("one")
			time.Sleep(24 * time.Hour)
			b.put("two")
			b.want(name+" two", name+".2000-01-01.gz one")
			b.wantStderr("")
		})
	}
}

// A record belongs to the day it was written on, even if the writer takes it later.
func TestRecordsKeepTheirDay(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		time.Sleep(24*time.Hour - time.Nanosecond)
		synctest.Wait()
		fmt.Fprintln(b.log, "before")
		time.Sleep(time.Nanosecond)
		b.put("after")
		b.want("sip_server.log after", "sip_server.log.2000-01-01.gz before")
	})
}

// A quiet log makes no empty files, and old ones go at midnight all the same.
func TestQuietDays(t *testing.T) {
	inBubble(t, Config{Days: 2}, func(b *bench) {
		b.put("one")
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		b.want("sip_server.log", "sip_server.log.2000-01-01.gz one")
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		b.want("sip_server.log", "sip_server.log.2000-01-01.gz one")
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		b.want("sip_server.log")
	})
}

func TestRotationBySize(t *testing.T) {
	inBubble(t, Config{MaxSize: 10}, func(b *bench) {
		b.put("aaaa")
		b.put("bbbb") // 10 bytes are still within the size
		b.want("sip_server.log aaaa bbbb")
		b.put("cccc")
		b.want("sip_server.log cccc", "sip_server.log.2000-01-01.gz aaaa bbbb")
		b.put("a-line-longer-than-a-file") // has a file of its own
		b.put("dddd")
		b.want("sip_server.log dddd", "sip_server.log.2000-01-01.gz aaaa bbbb",
			"sip_server.log.2000-01-01.1.gz cccc", "sip_server.log.2000-01-01.2.gz a-line-longer-than-a-file")
		// Records that come in one batch are parted between lines.
		fmt.Fprint(b.log, "eeee\nffff\ngggg\n")
		synctest.Wait()
		b.want("sip_server.log ffff gggg", "sip_server.log.2000-01-01.gz aaaa bbbb",
			"sip_server.log.2000-01-01.1.gz cccc", "sip_server.log.2000-01-01.2.gz a-line-longer-than-a-file",
			"sip_server.log.2000-01-01.3.gz dddd eeee")
	})
	inBubble(t, Config{MaxSize: 10}, func(b *bench) {
		fmt.Fprint(b.log, "a-line-longer-than-a-file\nhhhh\n") // from whom its neighbours are parted, too
		synctest.Wait()
		b.want("sip_server.log hhhh", "sip_server.log.2000-01-01.gz a-line-longer-than-a-file")
	})
	inBubble(t, Config{MaxSize: 10}, func(b *bench) {
		b.put("aaaabbbb")
		if err := os.Remove(b.path); err != nil {
			t.Fatal(err)
		}
		b.put("cccc") // what somebody has taken away need not be rotated
		b.want("sip_server.log cccc")
		b.wantStderr("")
	})
}

// A restart goes on in the file of the same day, rotates the one of an earlier
// day, compresses what was left over, and touches nothing else.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.log")
	for name, text := range map[string]string{
		"x.log":                       "old\n",
		"x.log.2000-01-02":            "left over\n",
		"x.log.2000-01-01.1.gz.tmp":   "half",
		"x.log.2000-01-02.01":         "not ours\n",
		"x.log.bak":                   "not ours\n",
		"y.log.2000-01-01":            "not ours\n",
		"x.log.1999-12-20.gz":         "too old",
		"x.log.2000-01-02.notes.html": "not ours\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	modified := time.Date(2000, 1, 3, 12, 0, 0, 0, time.UTC)
	if err := os.Chtimes(path, modified, modified); err != nil {
		t.Fatal(err)
	}
	was := time.Local
	time.Local = time.UTC
	defer func() { time.Local = was }()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(2*24*time.Hour + 13*time.Hour)
		b := &bench{t: t, dir: dir, path: path, stderr: &output{}}
		others := []string{"x.log.2000-01-02.01 not ours", "x.log.2000-01-02.notes.html not ours", "x.log.bak not ours",
			"y.log.2000-01-01 not ours", "x.log.2000-01-02.gz left over"}
		for _, step := range []struct {
			line string
			wait time.Duration
			want []string
		}{
			{"same", 24 * time.Hour, []string{"x.log old same"}},
			{"next", 0, []string{"x.log.2000-01-03.gz old same", "x.log next"}},
		} {
			b.log = Open(Config{Path: path, Stderr: b.stderr})
			b.put("%s", step.line)
			if err := b.log.Close(); err != nil {
				t.Error(err)
			}
			b.want(append(step.want, others...)...)
			// The file system's clock is not the bubble's.
			now := time.Now()
			if err := os.Chtimes(path, now, now); err != nil {
				t.Fatal(err)
			}
			time.Sleep(step.wait)
		}
		b.wantStderr("")
	})
}

func TestMode(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.put("one")
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		for _, name := range b.names() {
			info, err := os.Stat(filepath.Join(b.dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if other := info.Mode().Perm() &^ fileMode; other != 0 {
				t.Errorf("%s has mode %v, want at most %o", name, info.Mode(), fileMode)
			}
		}
	})
}

func TestTooManyFiles(t *testing.T) {
	dir := t.TempDir()
	for n := 1; n <= maxFiles+3; n++ {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("x.log.2026-01-31.%d.gz", n)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &sweeper{path: filepath.Join(dir, "x.log"), days: 7}
	if err := s.sweep(time.Date(2026, 2, 1, 0, 0, 0, 0, time.Local)); err != nil {
		t.Fatal(err)
	}
	files, err := s.list()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != maxFiles || files[0].n != 4 {
		t.Errorf("%d files left, the first is number %d; want %d from number 4", len(files), files[0].n, maxFiles)
	}
}

// With Gather, records wait for others, but never past a half full queue.
func TestGather(t *testing.T) {
	inBubble(t, Config{Gather: 100 * time.Millisecond}, func(b *bench) {
		b.put("one")
		b.want("sip_server.log")
		time.Sleep(99 * time.Millisecond)
		b.put("two")
		b.want("sip_server.log")
		time.Sleep(time.Millisecond)
		synctest.Wait()
		b.want("sip_server.log one two")
		b.log.Write(append(bytes.Repeat([]byte("x"), maxQueued/2), '\n'))
		synctest.Wait()
		if held := b.read("sip_server.log"); len(held) < maxQueued/2 {
			t.Errorf("a half full queue waits: the file holds %d bytes", len(held))
		}
	})
}

// With negative Days the file is one for ever, and rotated files are left alone.
func TestNeverRotated(t *testing.T) {
	inBubble(t, Config{Days: -1, MaxSize: 10}, func(b *bench) {
		old := filepath.Join(b.dir, "sip_server.log.1999-01-01.gz")
		if err := os.WriteFile(old, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		b.put("first")
		time.Sleep(48 * time.Hour)
		b.put("second")
		if _, err := os.Stat(old); err != nil {
			t.Error(err)
		}
		if got := b.read("sip_server.log"); got != "first\nsecond\n" {
			t.Errorf("the file holds %q", got)
		}
	})
}
