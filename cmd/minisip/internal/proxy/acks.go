package proxy

import (
	"time"

	"minisip/cmd/minisip/internal/pack"
	"minisip/session"
)

// acks is what a dialog knows of the ACKs of one side. The sides count their requests apart, so
// that the same number of the other one is another INVITE.
type acks struct {
	answered uint32    // CSeq of its latest INVITE that a 2xx has answered
	seq      uint32    // of its latest ACK that passed
	at       time.Time // when that was
}

// answer notes a 2xx to an INVITE; it may be a late copy, when another INVITE has been answered.
func (a *acks) answer(seq uint32) { a.answered = max(a.answered, seq) }

// fits says whether an ACK can be for a 2xx. RFC 3261 17.1.1.3: that for a refusal goes no
// further than the refusal came from, and ours may have left no state that takes it.
func (a *acks) fits(seq uint32) bool { return seq <= a.answered }

// again says whether the latest ACK is repeated.
func (a *acks) again(seq uint32) bool { return !a.at.IsZero() && a.seq == seq }

// acknowledged says whether any ACK has passed.
func (d *dialog) acknowledged() bool {
	return !d.acks[session.Caller].at.IsZero() || !d.acks[session.Callee].at.IsZero()
}

// appendAcks appends what older versions do not read: with them there was one ACK for both sides.
func (d *dialog) appendAcks(b []byte, epoch time.Time) []byte {
	callee := &d.acks[session.Callee]
	b = pack.AppendUint(b, uint64(d.acks[session.Caller].answered), uint64(callee.answered))
	b = pack.AppendTime(b, epoch, callee.at)
	return pack.AppendUint(b, uint64(callee.seq))
}

func (d *dialog) readAcks(r *pack.Reader, epoch time.Time) {
	caller, callee := &d.acks[session.Caller], &d.acks[session.Callee]
	if !r.More() { // an older version: what was answered is not higher than this
		caller.answered, callee.answered = d.call.caller.CSeq, d.callee.CSeq
		return
	}
	caller.answered, callee.answered = uint32(r.Uint()), uint32(r.Uint())
	callee.at, callee.seq = r.Time(epoch), uint32(r.Uint())
}
