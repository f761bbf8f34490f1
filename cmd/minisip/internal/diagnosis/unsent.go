package diagnosis

import (
	"errors"
	"fmt"
	"syscall"
)

// Unsent says whether so much of what came was not sent on, since the system would not, that it is what the call suffers from.
func Unsent(packets, undelivered uint64) bool { return packets >= few && 2*undelivered >= packets }

// undelivered is sound that came, and that the system would not send on.
func undelivered(c *Call) (found []Finding) {
	for _, side := range [...]Side{Caller, Callee} {
		d, far := c.audio(side), c.audio(side.Other())
		if d == nil || far == nil || far.Packets == 0 || !Unsent(d.Packets, d.Undelivered) {
			continue
		}
		to := c.party(side.Other())
		why, next := c.whyUnsent(d.SendError, to)
		found = append(found, one(Error, "undelivered", next,
			"%d of %d packets of %s could not be sent on to %s: %s", d.Undelivered, d.Packets, c.party(side).User, to.User, why)...)
	}
	return found
}

// whyUnsent says why the system did not send to a side, and what to do about it.
func (c *Call) whyUnsent(err error, to *Party) (why, next string) {
	route := "its route there (ip route get " + to.Addr.Addr().String() + ")"
	switch {
	case errors.Is(err, syscall.EPERM):
		return "this server's own firewall refuses them", "Look at the firewall of this server (nft list ruleset), which must let UDP out from ports " + c.Ports + "."
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.ENOBUFS):
		return "this server's transmit queue is full", "Look at what fills this server's uplink or holds it up: traffic beside the calls, a shaper, a link that stands still (tc -s qdisc shows the queue)."
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this server has no route there", "Look at this server's addresses, and at " + route + "."
	case err == nil:
		why = "the system does not say why"
	default:
		why = fmt.Sprintf("the system says: %v", err)
	}
	return why, "Look at this server's network (ip -s link), at " + route + ", and at what its kernel has to say (dmesg)."
}
