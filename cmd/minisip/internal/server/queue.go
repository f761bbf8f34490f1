package server

import (
	"net/netip"
	"sync/atomic"
	"time"

	"minisip/cmd/minisip/internal/guard"
	"minisip/sipmsg"
)

// packet is one datagram with what Parse made of it. Packets are used again, and so is the message, at once or
// when the core gives back what it has kept.
type packet struct {
	msg        *sipmsg.Message
	buf        []byte // msg's
	err        error
	src, local netip.AddrPort
	came       time.Time
	shared     bool   // holds a place of the queue's shares
	slot       uint16 // which
}

// mostReused is how long the memory of a datagram may be that serves again. Longer ones are left to the garbage
// collector: a short message that the core keeps would keep all of it.
const mostReused = 4096

// newPacket gives a packet with a message, whose memory may have served before.
func (s *Server) newPacket() *packet {
	p := s.packets.Get().(*packet)
	if p.msg == nil {
		p.msg = s.messages.Get().(*sipmsg.Message)
		p.buf = p.msg.Bytes()
	}
	return p
}

// reuse takes back a packet that nobody looks at any more.
func (s *Server) reuse(p *packet) {
	if cap(p.buf) <= mostReused {
		s.packets.Put(p)
	}
}

// queue is where datagrams wait for the event loop. Their number is bounded, and so are their bytes in all.
type queue struct {
	packets chan *packet
	shares  *guard.Shares
	bytes   atomic.Int64
	most    int64
}

func newQueue(length int, bytes int64) *queue {
	return &queue{packets: make(chan *packet, length), shares: guard.NewShares(), most: bytes}
}

// put lets a datagram wait, and reports whether there was room. While there is overload, share is who sent it: nobody
// takes up more than his share.
func (q *queue) put(p *packet, overload bool, share netip.AddrPort) bool {
	if overload {
		if p.slot, p.shared = q.shares.Enter(share, cap(q.packets)-len(q.packets)); !p.shared {
			return false
		}
	}
	if q.bytes.Add(int64(len(p.buf))) <= q.most {
		select {
		case q.packets <- p:
			return true
		default:
		}
	}
	q.leave(p)
	return false
}

// leave gives back what p took up.
func (q *queue) leave(p *packet) {
	q.bytes.Add(-int64(len(p.buf)))
	if p.shared {
		q.shares.Leave(p.slot)
		p.shared = false
	}
}
