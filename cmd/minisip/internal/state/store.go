package state

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
)

// Store keeps records. Keep, Drop, Flush, Renew and Close are for one goroutine, their owner.
type Store struct {
	dir    string
	report func(line string)
	epoch  time.Time
	loaded []Record

	// The owner's.
	batch   []byte
	records int       // in the batch
	void    bool      // something was lost since the last Renew
	stamped time.Time // when a time was written last

	queue   chan command
	waiting atomic.Int64  // bytes in the queue
	wanted  atomic.Bool   // all shall be written anew
	lost    atomic.Uint64 // records
	failing atomic.Bool   // what is lost now is lost until the disk can be written again
	spare   atomic.Pointer[[]byte]
	ended   chan struct{}
}

// command is what the owner tells the writer.
type command struct {
	data    []byte
	records int
	fresh   bool // before that: a new file, if this one has grown or is no good
	whole   bool // after that: all has been written since fresh
	small   *small
	stop    bool
}

// How much may wait for the disk.
const (
	queueLength = 4096
	queueBytes  = 64 << 20
)

// stampEvery is how old the newest time in the file may get: so much longer than it was may
// the absence after a crash seem.
const stampEvery = 5 * time.Second

// Epoch is where the times of all records are counted from. It stays what it is from one
// process to the next, whatever happens to the clock on the wall.
func (s *Store) Epoch() time.Time { return s.epoch }

// Loaded gives, once, what was kept, sorted by kind and id.
func (s *Store) Loaded() []Record {
	loaded := s.loaded
	s.loaded = nil
	return loaded
}

// Lost counts the records that could not be kept.
func (s *Store) Lost() uint64 { return s.lost.Load() }

// Failing says whether at present nothing can be kept.
func (s *Store) Failing() bool { return s.failing.Load() }

// small is a file that stands beside the journals.
type small struct {
	path string
	data []byte
	said bool // that it cannot be written
}

// Beside gives the bytes of a small file in the directory. Where there is none of that length, fresh is what it
// holds from now on; it is written again with the state when the directory was gone, or could not be written.
func (s *Store) Beside(name string, fresh []byte) []byte {
	f := &small{path: filepath.Join(s.dir, name), data: fresh}
	if old, err := os.ReadFile(f.path); err == nil && len(old) == len(fresh) {
		f.data = old
	}
	s.send(command{small: f})
	return f.data
}

// Keep says what the record of a key is now. It is valid during the call.
func (s *Store) Keep(k Key, record []byte) {
	s.batch = appendKeyed(s.batch, put, k, record)
	s.records++
}

// Drop says that there is no record of a key any more.
func (s *Store) Drop(k Key) {
	s.batch = appendKeyed(s.batch, dropped, k, nil)
	s.records++
}

// Flush lets what was said be written. With whole, it was all there is, since Renew.
func (s *Store) Flush(whole bool) {
	if now := time.Now(); len(s.batch) > 0 || now.Sub(s.stamped) >= stampEvery {
		s.stamped = now
		s.batch = appendFrame(s.batch, stamped, func(b []byte) []byte { return appendMoment(b, s.moment()) })
	}
	if len(s.batch) == 0 && !whole {
		return
	}
	if !s.send(command{data: s.batch, records: s.records, whole: whole && !s.void}) {
		s.void = true
		s.wanted.Store(true)
		s.lost.Add(uint64(s.records))
		s.batch, s.records = s.batch[:0], 0
		return
	}
	s.batch, s.records = nil, 0
	if b := s.spare.Swap(nil); b != nil {
		s.batch = (*b)[:0]
	}
}

// Renew says whether the owner shall say all there is anew, from now on; then, and not
// before, a Flush is whole.
func (s *Store) Renew() bool {
	if !s.wanted.Load() {
		return false
	}
	s.Flush(false)
	s.wanted.Store(false) // before the writer is told, who may want it once more from then on
	if !s.send(command{fresh: true}) {
		s.wanted.Store(true)
		return false
	}
	s.void = false
	s.batch = appendFrame(s.batch, begun, nil)
	return true
}

// send never waits.
func (s *Store) send(c command) bool {
	if s.waiting.Add(int64(len(c.data))) > queueBytes {
		s.waiting.Add(-int64(len(c.data)))
		return false
	}
	select {
	case s.queue <- c:
		return true
	default:
		s.waiting.Add(-int64(len(c.data)))
		return false
	}
}

// closeWait bounds Close: a disk that hangs shall not keep the process.
const closeWait = 5 * time.Second

// Close writes what was said, and lets another process have the directory.
func (s *Store) Close() {
	s.Flush(false)
	late := time.After(closeWait)
	select {
	case s.queue <- command{stop: true}:
	case <-late:
		return
	}
	select {
	case <-s.ended:
	case <-late:
	}
}
