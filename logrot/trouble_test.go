package logrot

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A directory that is missing at the start is reported once; records wait for it.
func TestMissingDirectory(t *testing.T) {
	inBubble(t, Config{Path: "logs/x.log"}, func(b *bench) {
		b.put("one")
		time.Sleep(10 * time.Second)
		b.put("two")
		down := "log DIR/logs/x.log: cannot be opened: no such file or directory" +
			" (make the directory with mkdir -p DIR/logs); records wait in memory until it can\n"
		b.wantStderr(down)
		if err := os.Mkdir(filepath.Join(b.dir, "logs"), 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(retryEvery)
		synctest.Wait()
		b.wantStderr(down + "log DIR/logs/x.log: can be written again\n")
		if got := b.read("logs/x.log"); got != "one\ntwo\n" {
			t.Errorf("the file holds %q", got)
		}
	})
}

// A directory that is taken away and comes back costs no line that is written
// after the loss is seen, and that is a second later at most.
func TestDirectoryGoneAndBack(t *testing.T) {
	inBubble(t, Config{Path: "logs/x.log"}, func(b *bench) {
		logs := filepath.Join(b.dir, "logs")
		for round := range 2 {
			before := b.stderr.String()
			if err := os.Mkdir(logs, 0o700); err != nil {
				t.Fatal(err)
			}
			time.Sleep(retryEvery)
			synctest.Wait()
			b.put("up%d", round)
			if got, want := b.read("logs/x.log"), fmt.Sprintf("down%d\nup%d\n", round-1, round); !strings.HasSuffix(want, got) || got == "" {
				t.Errorf("round %d: the file holds %q, want %q", round, got, want)
			}
			if err := os.RemoveAll(logs); err != nil {
				t.Fatal(err)
			}
			time.Sleep(checkEvery)
			b.put("down%d", round)
			if said := strings.Count(b.stderr.String()[len(before):], "\n"); said != 2 {
				t.Errorf("round %d: %d lines on standard error, want the end of one trouble and the start of the next:\n%s", round, said, b.stderr)
			}
		}
	})
}

// /dev/full refuses every write with ENOSPC, as a full disk does.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.log")
	if err := os.Symlink("/dev/full", path); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, dir: dir, path: path, stderr: &output{}}
		b.log = Open(Config{Path: path, Stderr: b.stderr})
		b.put("one")
		time.Sleep(5 * time.Second)
		b.put("two")
		down := "log DIR/x.log: cannot be written: no space left on device (make room on its disk); records wait in memory until it can\n"
		b.wantStderr(down)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(retryEvery)
		synctest.Wait()
		b.put("three")
		b.want("x.log one two three")
		b.wantStderr(down + "log DIR/x.log: can be written again\n")
		b.log.Close()
	})
}

// What does not fit into the queue is counted, and said in the file where it
// would have stood.
func TestLostLines(t *testing.T) {
	inBubble(t, Config{Path: "logs/x.log"}, func(b *bench) {
		record := strings.Repeat("x", 1023) + "\n"
		b.put("first")
		const fits = maxQueued/1024 - 1
		for range fits + 3 {
			if n, err := b.log.Write([]byte(record)); n != len(record) || err != nil {
				t.Fatalf("Write: %d, %v", n, err)
			}
		}
		if err := os.Mkdir(filepath.Join(b.dir, "logs"), 0o700); err != nil {
			t.Fatal(err)
		}
		time.Sleep(retryEvery)
		synctest.Wait()
		b.put("last")
		want := "first\n" + strings.Repeat(record, fits) +
			"[2000-01-01 00:00:01] 3 lines lost: the log could not keep up\nlast\n"
		if got := b.read("logs/x.log"); got != want {
			t.Errorf("the file holds %d bytes ending in %q, want %d", len(got), got[max(0, len(got)-100):], len(want))
		}
	})
}

// What is wrong with old files, here that they are directories, is said in one line, however many they are, and so is its end.
func TestOldFilesRefused(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		for _, day := range []string{"01", "02", "03"} {
			if err := os.Mkdir(b.path+".2000-01-"+day, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		trouble := "log DIR/sip_server.log: old files cannot be compressed or removed: read DIR/sip_server.log.2000-01-01: is a directory, nor can 2 others\n"
		b.wantStderr(trouble)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		b.wantStderr(trouble)
		for _, day := range []string{"01", "02", "03"} {
			if err := os.Remove(b.path + ".2000-01-" + day); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		b.wantStderr(trouble + "log DIR/sip_server.log: old files can be compressed and removed again\n")
	})
}

// A rotation that is refused, here since the new name would be too long, leaves
// the log in use; it is said once and tried again no more than once a minute.
func TestRotationRefused(t *testing.T) {
	name := strings.Repeat("x", 250)
	inBubble(t, Config{Path: name, MaxSize: 10}, func(b *bench) {
		for n := range 4 {
			b.put("line%d", n)
			time.Sleep(rotateAgain)
		}
		b.want(name + " line0 line1 line2 line3")
		b.wantStderr("log DIR/" + name + ": cannot be rotated: file name too long; it goes on growing\n")
	})
}

func TestSymbolicLinkStays(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "link")
	if err := os.Symlink("real.log", path); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		b := &bench{t: t, dir: dir, path: path, stderr: &output{}}
		b.log = Open(Config{Path: path, MaxSize: 10, Stderr: b.stderr})
		b.put("line1")
		b.put("line2")
		b.log.Close()
		b.want("link line1 line2", "real.log line1 line2")
		b.wantStderr("log DIR/link: cannot be rotated: it is a symbolic link; it goes on growing\n")
	})
}

// logrotate's way: the file is moved, then the log is told.
func TestReopen(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		b.put("one")
		if err := os.Rename(b.path, b.path+".moved"); err != nil {
			t.Fatal(err)
		}
		b.put("two")
		b.log.Reopen()
		b.log.Reopen()
		b.put("three")
		b.want("sip_server.log three", "sip_server.log.moved one two")
		// Nobody has to write for the new file to be there.
		if err := os.Rename(b.path, b.path+".moved2"); err != nil {
			t.Fatal(err)
		}
		b.log.Reopen()
		synctest.Wait()
		b.want("sip_server.log", "sip_server.log.moved one two", "sip_server.log.moved2 three")
		// Whoever forgets to tell loses nothing either.
		b.put("four")
		if err := os.Rename(b.path, b.path+".moved3"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(checkEvery)
		b.put("five")
		b.want("sip_server.log five", "sip_server.log.moved one two", "sip_server.log.moved2 three", "sip_server.log.moved3 four")
		b.wantStderr("")
	})
}

func TestClose(t *testing.T) {
	inBubble(t, Config{}, func(b *bench) {
		for n := range 100 {
			fmt.Fprintf(b.log, "%d\n", n)
		}
		if err := b.log.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if got := strings.Count(b.read("sip_server.log"), "\n"); got != 100 {
			t.Errorf("%d lines after Close, want 100", got)
		}
		if _, err := b.log.Write([]byte("late\n")); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Write after Close: %v", err)
		}
		if err := b.log.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("second Close: %v", err)
		}
		b.log.Reopen() // has no effect and does no harm
	})
}

func TestCloseWhileDown(t *testing.T) {
	inBubble(t, Config{Path: "logs/x.log"}, func(b *bench) {
		b.put("12345")
		time.Sleep(retryEvery) // the writer has taken this one, and waits with it
		b.put("789")
		if err := b.log.Close(); err == nil || !strings.HasSuffix(err.Error(), "logs/x.log: 10 bytes could not be written") {
			t.Errorf("Close: %v", err)
		}
	})
}

// A reader that never reads blocks the writer, never the caller, and Close for
// two seconds only.
func TestCallerIsNeverBlocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	l := Open(Config{Path: path, Stderr: &output{}})
	line := []byte("a line of a log that nobody reads, and that is sixty bytes.\n")
	l.Write(bytes.Repeat(line, 1<<14)) // more than a pipe holds
	for taken := false; !taken; runtime.Gosched() {
		l.mu.Lock()
		taken = l.queue.bytes == 0
		l.mu.Unlock()
	}
	for range maxQueued/len(line) + 2 {
		l.Write(line)
	}
	l.mu.Lock()
	if l.queue.lost != 2 {
		t.Errorf("%d lines are lost, want the 2 that the queue has no room for", l.queue.lost)
	}
	l.mu.Unlock()
	if err := l.Close(); err == nil {
		t.Error("Close says that all was written")
	}
	io.Copy(io.Discard, in) // lets the writer end
	<-l.done
}

func TestManyWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.log")
	l := Open(Config{Path: path, MaxSize: 1 << 16, Stderr: &output{}})
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for n := range 500 {
				fmt.Fprintf(l, "writer %d line %d\n", w, n)
				if n%100 == 0 {
					l.Reopen()
				}
			}
		})
	}
	writers.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var w, n int
		if k, err := fmt.Sscanf(line, "writer %d line %d\n", &w, &n); k != 2 || err != nil {
			t.Fatalf("torn line %q", line)
		}
	}
}

func TestWriteAllocatesNothing(t *testing.T) {
	q := queue{spare: make([]byte, 0, maxSpare)}
	line := []byte("[2026-01-31 12:00:00] 001 registered\n")
	now := time.Now()
	q.add(line, dayOf(now))
	if n := testing.AllocsPerRun(1000, func() { q.add(line, dayOf(now)) }); n != 0 {
		t.Errorf("%v allocations a line, want 0", n)
	}
}

func BenchmarkWrite(b *testing.B) {
	l := Open(Config{Path: filepath.Join(b.TempDir(), "x.log"), Stderr: &output{}})
	defer l.Close()
	line := []byte("[2026-01-31 12:00:00] 001 -> 002: answered by 198.51.100.7:5060, media through the relay\n")
	b.ReportAllocs()
	for b.Loop() {
		l.Write(line)
	}
}
