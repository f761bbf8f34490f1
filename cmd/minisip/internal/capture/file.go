package capture

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Limits bound a file. Zero values are the defaults.
type Limits struct {
	Bytes int64         // 0: 64 MB, minutes of a call each way
	Time  time.Duration // 0: 10 minutes
}

const (
	defaultBytes = 64 << 20
	defaultTime  = 10 * time.Minute

	// waiting bounds what waits to be written.
	waiting = 1 << 20
)

// Summary is what has become of a file.
type Summary struct {
	Path    string
	Packets uint64
	Dropped uint64 // they came faster than the disk took them
	Bytes   int64
	Why     string // it ended
	Failed  bool   // not all of it could be written
}

func (s Summary) String() string {
	line := fmt.Sprintf("%s: %d packets, %d bytes: %s", s.Path, s.Packets, s.Bytes, s.Why)
	if s.Dropped > 0 {
		line += fmt.Sprintf(" (%d packets came too fast and are missing)", s.Dropped)
	}
	return line
}

// File is a capture that is being written. Its methods may be called from any goroutine.
type File struct {
	limits Limits
	begun  time.Time // times in the file are by the clock as it was then, also when somebody sets it
	wake   chan struct{}
	done   chan struct{}

	mu      sync.Mutex
	pending []byte // whole records
	over    bool
	sum     Summary
}

// Create begins a file in a directory, which is made if need be. The name must not be taken.
func Create(dir, name string, limits Limits) (*File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, name)
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return begin(out, path, limits), nil
}

func begin(out io.WriteCloser, path string, limits Limits) *File {
	if limits.Bytes <= 0 {
		limits.Bytes = defaultBytes
	}
	if limits.Time <= 0 {
		limits.Time = defaultTime
	}
	f := &File{limits: limits, begun: time.Now(), wake: make(chan struct{}, 1), done: make(chan struct{}), pending: fileHeader()}
	f.sum = Summary{Path: path, Bytes: int64(len(f.pending))}
	f.rouse()
	go f.write(out)
	return f
}

// Packet takes a datagram. It never waits for the disk.
func (f *File) Packet(at time.Time, from, to netip.AddrPort, payload []byte) {
	most := recordHead + ipv6Header + udpHeader + len(payload)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.over:
		return
	case f.sum.Bytes+int64(most) > f.limits.Bytes:
		f.end(fmt.Sprintf("its limit of %d bytes is reached", f.limits.Bytes))
		return
	case len(f.pending)+most > waiting:
		f.sum.Dropped++
		return
	}
	before := len(f.pending)
	f.pending = appendRecord(f.pending, f.begun.Add(at.Sub(f.begun)), from, to, payload)
	f.sum.Packets++
	f.sum.Bytes += int64(len(f.pending) - before)
	if before == 0 {
		f.rouse()
	}
}

// End ends the file and says why, once; Done tells when all has been written.
func (f *File) End(why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.end(why)
}

func (f *File) end(why string) {
	if !f.over {
		f.over, f.sum.Why = true, why
		f.rouse()
	}
}

// Done is closed when the file is complete.
func (f *File) Done() <-chan struct{} { return f.done }

// Summary is what has become of the file so far.
func (f *File) Summary() Summary {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sum
}

func (f *File) rouse() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// write moves what is pending to the file until that has ended.
func (f *File) write(out io.WriteCloser) {
	defer close(f.done)
	timer := time.NewTimer(f.limits.Time)
	defer timer.Stop()
	var spare []byte
	for {
		select {
		case <-f.wake:
		case <-timer.C:
			f.End(fmt.Sprintf("its limit of %s is reached", f.limits.Time))
		}
		f.mu.Lock()
		batch, over := f.pending, f.over
		f.pending = spare[:0]
		f.mu.Unlock()
		if _, err := out.Write(batch); err != nil {
			f.fail(err)
			over = true
		}
		spare = batch
		if over {
			if err := out.Close(); err != nil {
				f.fail(err)
			}
			return
		}
	}
}

// fail ends the file because the disk does not take it, whatever has ended it before.
func (f *File) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.over, f.sum.Failed, f.sum.Why = true, true, fmt.Sprintf("it cannot be written: %v", err)
}
