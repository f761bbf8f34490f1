package proxy

import (
	"fmt"
	"time"

	"minisip/session"
	"minisip/sipmsg"
)

// cancel takes a CANCEL: RFC 3261 16.10 and 9.2. Where it changes something, its copies get the same answer even when
// the INVITE is forgotten.
func (c *Core) cancel(in *inbound) {
	tx := c.cancelled(in)
	if tx == nil {
		status := 481
		if c.goesOn(in) {
			status = 200
		}
		c.refuseWith(in, status, "", "")
		return
	}
	c.reply(in, 200, "", "")
	if ctx := tx.ctx; ctx != nil && !ctx.done && !ctx.cancelled {
		ctx.cancelled = true
		ctx.later = nil
		ctx.why = reasonFields(in.Message)
		ctx.cancelBranches(in.now)
		if !ctx.open() {
			ctx.forwardBest(in.now)
		}
	}
}

// cancelled is the transaction of the INVITE that a CANCEL is for; nil: of none, or of somebody else's.
func (c *Core) cancelled(in *inbound) *serverTx {
	if in.Method() != sipmsg.CANCEL {
		return nil
	}
	c.key = session.AppendKey(c.key[:0], in.Message, inviteName, in.src.Addr())
	if tx := c.servers[string(c.key)]; tx != nil && tx.src == in.src {
		return tx
	}
	return nil
}

var inviteName = []byte("INVITE")

// goesOn says whether a CANCEL is for a request other than INVITE. RFC 3261 9.2: it "has no effect" on that, but
// "regardless of the method of the original request, as long as the CANCEL matched an existing transaction", it gets a 200.
func (c *Core) goesOn(in *inbound) bool {
	for m := sipmsg.BYE; m <= sipmsg.PUBLISH; m++ {
		c.key = session.AppendKey(c.key[:0], in.Message, []byte(m.String()), in.src.Addr())
		if c.servers[string(c.key)] != nil {
			return true
		}
		if status, _, _ := c.answers.find(c.key); status != 0 {
			return true
		}
	}
	return false
}

// cancelBranches stops all branches that have no final response.
func (ctx *context) cancelBranches(now time.Time) {
	if !ctx.invite {
		return // RFC 3261 9.1: "A CANCEL request SHOULD NOT be sent to cancel a request other than INVITE."
	}
	for _, b := range ctx.branches {
		if b.status == 0 {
			b.stop(now)
		}
	}
}

// stop sends CANCEL, now or, RFC 3261 9.1, when the first provisional response comes. A phone that has not answered
// anything is asked again till 3.5 s are over: it may ring, and its response be lost. Where the call was answered nowhere,
// nobody waits for it. Where another phone has answered, its 2xx may be on its way, and that is for the caller to have
// (RFC 3261 16.7 step 5), but not when three copies of the INVITE have brought nothing.
func (b *branch) stop(now time.Time) {
	b.wantsStop = true
	switch b.State() {
	case session.Proceeding:
		b.stopNow(now)
	case session.Calling:
		b.Abandon()
		b.core.timers.Set(&b.timer, b.Deadline())
		if ctx := b.ctx; ctx.initial && (!ctx.done || b.quiet) {
			b.forsake()
		}
	}
}

// forsake lets go of a phone that has not answered anything: its ports are free, and if it answers at
// last, it is hung up.
func (b *branch) forsake() {
	b.status = 487
	b.dropMedia()
}

func (b *branch) stopNow(now time.Time) {
	if !b.wantsStop || b.Cancelled() {
		return
	}
	b.Cancel(now)
	b.follow()
	c := b.ctx.core
	c.timers.Set(&b.timer, b.Deadline())
	tx := &clientTx{key: clientKey{b.key.id, true}, mark: b.mark, to: b.to, local: b.local, user: ignore{}}
	tx.sent = c.followUp(nil, b.sent, "CANCEL", nil, b.ctx.why)
	if tx.sent != nil {
		tx.start(c, now, false)
	}
}

// reasonFields are the Reason fields of a CANCEL, as lines, for those that follow from it: RFC 3326 2.
func reasonFields(m *sipmsg.Message) (lines []byte) {
	for i := range m.NumHeaders() {
		if h := m.Header(i); h.ID == sipmsg.ReasonHdr && len(lines)+len(h.Value) <= maxReasons {
			lines = m.AppendHeader(lines, i)
		}
	}
	return lines
}

const maxReasons = 512

// settledBy notes the answer that makes all other phones stop ringing. Told that the call was taken elsewhere,
// they do not count it as missed: RFC 3326 3.1.
func (ctx *context) settledBy(status int) {
	text := sipmsg.ReasonPhrase(status)
	if status < 300 {
		status, text = 200, "Call completed elsewhere"
	}
	ctx.why = fmt.Appendf(nil, "Reason: SIP;cause=%d;text=%q\r\n", status, text)
}
