package logrot

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

const (
	retryEvery = time.Second     // while the file cannot be written
	closeWait  = 2 * time.Second // Close gives up on a disk that hangs
)

// Config says where the log goes and how much of it is kept.
type Config struct {
	Path    string
	Days    int       // rotated files of this many days before today are kept; 0: 7; negative: never rotated
	MaxSize int64     // bytes at which a file is rotated within its day; 0: never
	Stderr  io.Writer // where trouble is said, a line each; nil: os.Stderr

	// Gap is the line that stands where records were lost, for a file in which not any line may stand: how many were,
	// and when that was seen; nil: a sentence.
	Gap func(seen time.Time, lost uint64) string

	// Gather is how long a record waits for others, to be written in one go; 0: not
	// at all. A busy program saves most of its writes by it.
	Gather time.Duration
}

// A Log is a log file. Its methods may be called from any goroutine.
type Log struct {
	path   string
	gather time.Duration
	wake   chan struct{} // holds one token when the writer has something to do soon
	hurry  chan struct{} // holds one token when it has something to do now
	stop   chan struct{} // closed by Close
	done   chan struct{} // closed when the goroutines have ended
	err    error         // what Close reports; to be read after done

	mu     sync.Mutex // never held over I/O
	queue  queue
	closed bool
}

// Open starts a log. It does not fail: a file that cannot be opened is reported
// on standard error and tried again until it can.
func Open(cfg Config) *Log {
	if cfg.Days == 0 {
		cfg.Days = 7
	}
	if cfg.Stderr == nil {
		cfg.Stderr = os.Stderr
	}
	if cfg.Gap == nil {
		cfg.Gap = gap
	}
	l := &Log{
		path:   cfg.Path,
		gather: cfg.Gather,
		wake:   make(chan struct{}, 1),
		hurry:  make(chan struct{}, 1),
		stop:   make(chan struct{}),
		done:   make(chan struct{}),
		queue:  queue{gap: cfg.Gap},
	}
	r := &reporter{path: cfg.Path, w: cfg.Stderr}
	s := &sweeper{path: cfg.Path, days: cfg.Days, report: r, wake: make(chan struct{}, 1), stop: l.stop}
	f := &file{path: cfg.Path, maxSize: cfg.MaxSize, report: r, rotated: s.poke, whole: cfg.Days < 0}
	var both sync.WaitGroup
	both.Go(func() { l.run(f, s) })
	if !f.whole {
		both.Go(s.run)
	}
	go func() {
		both.Wait()
		close(l.done)
	}()
	return l
}

// Write queues one record, which ends with a newline, and returns at once. It
// fails only after Close; a record that finds the queue full is lost, and the file says so.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return 0, os.ErrClosed
	}
	first := l.queue.bytes == 0
	l.queue.add(p, dayOf(time.Now()))
	switch {
	case l.gather == 0 || l.queue.bytes > maxQueued/2:
		poke(l.hurry)
	case first:
		poke(l.wake)
	}
	return len(p), nil
}

// Reopen makes records from now on go to a newly opened file, after somebody
// else has moved the old one away.
func (l *Log) Reopen() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue.reopen(dayOf(time.Now()))
	poke(l.hurry)
}

// Close writes what is queued and ends the log. It waits for at most two
// seconds; its error says that not everything was written.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return os.ErrClosed
	}
	l.closed = true
	close(l.stop)
	l.mu.Unlock()
	select {
	case <-l.done:
		return l.err
	case <-time.After(closeWait):
		return fmt.Errorf("log %s: could not be written within %v", l.path, closeWait)
	}
}

// run is the writer. It owns f and the batches that it took from the queue.
func (l *Log) run(f *file, s *sweeper) {
	var pending []batch
	var today day
	timer := time.NewTimer(0)
	defer timer.Stop()
	for stopping := false; !stopping; {
		select {
		case <-l.wake:
			if !f.down {
				timer.Reset(l.gather)
			}
			continue
		case <-l.hurry:
			if f.down {
				continue // until the timer says so
			}
		case <-timer.C:
		case <-l.stop:
			stopping = true
		}
		pending = l.drain(f, pending)
		now := time.Now()
		if d := dayOf(now); len(pending) == 0 && (d != today || f.down) {
			f.write(&batch{day: d}, now)
			if d != today {
				today = d
				s.poke()
			}
		}
		if len(pending) > 0 || f.down {
			timer.Reset(retryEvery)
		} else {
			timer.Reset(nextMidnight(now).Sub(now))
		}
	}
	l.mu.Lock()
	pending = append(pending, l.queue.take(time.Now())...)
	l.mu.Unlock()
	l.err = f.close(pending)
}

// drain writes the pending batches and all that is queued, and returns those
// that could not be written.
func (l *Log) drain(f *file, pending []batch) []batch {
	for {
		now := time.Now()
		for len(pending) > 0 {
			if !f.write(&pending[0], now) {
				return pending
			}
			l.mu.Lock()
			l.queue.recycle(pending[0].data)
			l.mu.Unlock()
			pending = pending[1:]
		}
		l.mu.Lock()
		pending = l.queue.take(now)
		l.mu.Unlock()
		if len(pending) == 0 {
			return nil
		}
	}
}

// poke puts a token into a channel that holds one.
func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
