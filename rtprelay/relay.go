package rtprelay

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// ErrNoPorts says that every port pair is in use, at rest, or held by another
// program.
var ErrNoPorts = errors.New("rtprelay: no free ports")

const (
	defaultLow  = 10000
	defaultHigh = 20000
	defaultRest = 2 * time.Second
	defaultTOS  = 0xb8 // DSCP EF (RFC 3246, RFC 4594 4.1)

	// maxHeld is how many ports held by other programs one Open passes over.
	maxHeld = 64
)

// Config says what a relay may use. Its zero value is usable.
type Config struct {
	Low, High uint16        // ports, both included; both 0: 10000 to 20000
	Rest      time.Duration // of a port before it is used again; 0: 2 s, negative: none
	TOS       int           // IPv4 TOS and IPv6 traffic class of what is sent; 0: 0xb8 (EF), negative: the system's

	// Sockets are descriptors, bound already, by local address: taken, and out of the map, where
	// that address is to be bound. What waits in them is thrown away: it is late.
	Sockets map[netip.AddrPort]int

	// Crashed is told what a goroutine of a stream has panicked with, and where: that stream was
	// closed. It is called from any goroutine. Nil: the process ends, as ever.
	Crashed func(reason any, stack []byte)
}

// A Relay owns a range of ports and the streams that use them. Its methods
// may be called from any goroutine.
type Relay struct {
	tos     int
	start   time.Time
	sockets map[netip.AddrPort]int // inherited
	crashed func(reason any, stack []byte)
	legs    places

	mu      sync.Mutex
	ports   pool
	pairs   int
	streams map[uint16]*Stream // by the ports of their legs
	ended   []*Stream          // whose sockets are still open
	closer  *time.Timer        // closes them
	closeIn time.Duration      // how long the first of the next ones waits for it
	closed  bool
}

// New makes a relay. It opens no port yet.
func New(cfg Config) (*Relay, error) {
	if cfg.Low == 0 && cfg.High == 0 {
		cfg.Low, cfg.High = defaultLow, defaultHigh
	}
	if cfg.Rest == 0 {
		cfg.Rest = defaultRest
	}
	if cfg.TOS == 0 {
		cfg.TOS = defaultTOS
	}
	if cfg.TOS > 255 {
		return nil, fmt.Errorf("rtprelay: TOS %d is over 255", cfg.TOS)
	}
	r := &Relay{
		tos:     cfg.TOS,
		sockets: cfg.Sockets,
		crashed: cfg.Crashed,
		start:   time.Now(),
		ports:   newPool(cfg.Low, cfg.High, max(cfg.Rest, 0)),
		streams: make(map[uint16]*Stream),
		legs:    places{at: make(map[netip.AddrPort]struct{})},
	}
	r.pairs = r.ports.count
	if cfg.Low == 0 || r.pairs < 2 {
		return nil, fmt.Errorf("rtprelay: ports %d-%d do not hold the two pairs that one stream takes", cfg.Low, cfg.High)
	}
	r.closeIn = closeSoon
	r.closer = time.AfterFunc(r.closeIn, r.closeEnded) // finds nothing
	return r, nil
}

// Open opens the two legs of one media stream: four sockets, all bound, or
// none and an error, which is ErrNoPorts when the range is used up and
// net.ErrClosed after Close.
func (r *Relay) Open(caller, callee LegConfig) (*Stream, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, net.ErrClosed
	}
	s := newStream(r)
	now := r.now()
	held := 0
	for side, cfg := range [2]LegConfig{caller, callee} {
		if err := r.openLeg(s, Side(side), cfg, now, &held); err != nil {
			if side == int(Callee) {
				s.legs[Caller].close()
				r.ports.untake(s.legs[Caller].port)
			}
			return nil, err
		}
	}
	r.keep(s)
	s.start()
	return s, nil
}

// keep notes a stream that is open. The lock is held.
func (r *Relay) keep(s *Stream) {
	for i := range s.legs {
		l := &s.legs[i]
		r.streams[l.port] = s
		r.legs.add(l.local, l.port)
	}
}

// openLeg finds a port pair that can be bound. Ports that another program
// holds go to the end of the queue.
func (r *Relay) openLeg(s *Stream, side Side, cfg LegConfig, now time.Duration, held *int) error {
	for {
		port, ok := r.ports.take(now)
		if !ok || *held > maxHeld {
			if ok {
				r.ports.untake(port)
			}
			return ErrNoPorts
		}
		err := s.openLeg(side, cfg, port)
		if err == nil {
			return nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			r.ports.untake(port)
			return fmt.Errorf("rtprelay: port %d: %w", port, err)
		}
		*held++
		r.ports.put(port, now)
	}
}

// The sockets of ended streams wait to be closed together. Each closing is a system call that could
// block, for which Go's runtime wakes a thread that then looks after it for a while; for one call after another
// that cost more than all else at its end.
const (
	closeSoon = 100 * time.Millisecond
	closeLate = time.Second // where many end
	manyEnded = 8           // streams at one closing
	mostEnded = 64          // whose sockets wait
)

// release takes an ended stream's ports back. They rest for longer than its sockets stay
// open; where they do not rest, the sockets are closed at once.
func (r *Relay) release(s *Stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range s.legs {
		l := &s.legs[i]
		delete(r.streams, l.port)
		r.legs.remove(l.local, l.port)
		if l.former != nil {
			r.legs.remove(l.former.local, l.port)
		}
	}
	if r.closed || r.ports.rest <= closeLate {
		s.closeSockets()
	} else {
		r.ended = append(r.ended, s)
		switch len(r.ended) {
		case 1:
			r.closer.Reset(r.closeIn)
		case mostEnded:
			r.closer.Reset(0)
		}
	}
	now := r.now()
	for i := range s.legs {
		r.ports.put(s.legs[i].port, now)
	}
}

// closeEnded closes the sockets of the streams that have ended.
func (r *Relay) closeEnded() {
	r.mu.Lock()
	ended := r.ended
	r.ended = nil
	if r.closeIn = closeSoon; len(ended) >= manyEnded {
		r.closeIn = closeLate
	}
	r.mu.Unlock()
	for _, s := range ended {
		s.closeSockets()
	}
}

// Free returns how many port pairs are not in use, those at rest included.
func (r *Relay) Free() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ports.count
}

// Ready returns how many port pairs can be used now: not in use, and not at rest.
func (r *Relay) Ready() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ports.ready(r.now())
}

// Pairs returns how many port pairs there are.
func (r *Relay) Pairs() int { return r.pairs }

// InUse returns how many port pairs are in use.
func (r *Relay) InUse() int {
	return r.pairs - r.Free()
}

// Close closes all streams. The relay is of no use afterwards.
func (r *Relay) Close() {
	r.mu.Lock()
	r.closed = true
	open := make([]*Stream, 0, len(r.streams))
	for _, s := range r.streams {
		open = append(open, s)
	}
	r.mu.Unlock()
	for _, s := range open {
		s.Close()
	}
	r.closeEnded()
}

// now returns the time since the relay started. It is never 0, which stands
// for never.
func (r *Relay) now() time.Duration {
	return max(time.Since(r.start), 1)
}

// canonical writes an address the one way in which addresses are compared:
// no IPv4 inside IPv6, no zone.
func canonical(a netip.Addr) netip.Addr {
	return a.Unmap().WithZone("")
}
