package rtprelay

import (
	"sort"
	"time"
)

// A pool hands out port pairs: RTP on the even port, RTCP on the next one
// (RFC 3550 11). It is a queue: ports come back at the tail and leave at the
// head, so the one that rested longest is always taken first.
//
// Times are durations since the relay started.
type pool struct {
	rest  time.Duration
	queue []restingPort // a ring
	head  int
	count int
}

type restingPort struct {
	port  uint16
	ready time.Duration // when it may be used again
}

// newPool makes a pool of all pairs within low and high, both included.
func newPool(low, high uint16, rest time.Duration) pool {
	p := pool{rest: rest}
	for port := (int(low) + 1) &^ 1; port+1 <= int(high); port += 2 {
		p.queue = append(p.queue, restingPort{port: uint16(port)})
	}
	p.count = len(p.queue)
	return p
}

// take removes the port that rested longest, if it rested long enough.
func (p *pool) take(now time.Duration) (port uint16, ok bool) {
	if p.count == 0 || p.queue[p.head].ready > now {
		return 0, false
	}
	port = p.queue[p.head].port
	p.head = (p.head + 1) % len(p.queue)
	p.count--
	return port, true
}

// put gives a used port back; it rests before it is taken again.
func (p *pool) put(port uint16, now time.Duration) {
	p.queue[(p.head+p.count)%len(p.queue)] = restingPort{port, now + p.rest}
	p.count++
}

// ready is how many ports have rested long enough.
func (p *pool) ready(now time.Duration) int {
	return sort.Search(p.count, func(i int) bool { return p.queue[(p.head+i)%len(p.queue)].ready > now })
}

// untake gives back a port that nobody was told of; it needs no rest and
// keeps its place at the head.
func (p *pool) untake(port uint16) {
	p.head = (p.head + len(p.queue) - 1) % len(p.queue)
	p.queue[p.head] = restingPort{port: port}
	p.count++
}

// claim takes a certain port out of the queue. It reports false if it is not there.
func (p *pool) claim(port uint16) bool {
	for i := range p.count {
		if p.queue[(p.head+i)%len(p.queue)].port != port {
			continue
		}
		for ; i > 0; i-- { // those before it keep their order
			p.queue[(p.head+i)%len(p.queue)] = p.queue[(p.head+i-1)%len(p.queue)]
		}
		p.head = (p.head + 1) % len(p.queue)
		p.count--
		return true
	}
	return false
}
