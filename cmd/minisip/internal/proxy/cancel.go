package proxy

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"minisip/session"
	"minisip/sipmsg"
)

// cancel takes a CANCEL: RFC 3261 16.10 and 9.2. It is answered without state, since
// every copy gets the same answer.
func (c *Core) cancel(in *inbound) {
	tx := c.cancelled(in)
	if tx == nil {
		c.refuseWith(in, 481, "", "")
		return
	}
	c.refuseWith(in, 200, "", "")
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

// stop sends CANCEL, now or, RFC 3261 9.1, when the first provisional response comes. A
// phone that has not answered anything is not asked again. Where the call was answered nowhere, nobody waits for
// it. Where another phone has answered, its 2xx may be on its way, and that is for the caller to have (RFC 3261 16.7
// step 5), but not when three copies of the INVITE would have brought nothing.
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

// ignore is the user of transactions whose outcome changes nothing.
type ignore struct{}

func (ignore) responded(*clientTx, *inbound)               {}
func (ignore) failed(*clientTx, time.Time, session.Action) {}

// ack acknowledges a final response other than 2xx: RFC 3261 17.1.1.3.
func (tx *clientTx) ack(in *inbound) {
	c := tx.core
	c.buf = c.followUp(c.buf[:0], tx.sent, "ACK", in.Get(sipmsg.ToHdr), nil)
	if len(c.buf) > 0 {
		c.send(tx.mark, tx.local, tx.to, c.buf)
	}
}

// followUp makes the CANCEL or the ACK that belongs to the INVITE in sent: same
// Request-URI, top Via, Route, From, Call-ID and CSeq number; To is that of the response
// for an ACK, else the request's; fields are more lines. It returns dst unchanged when sent is gone.
func (c *Core) followUp(dst, sent []byte, method string, to, fields []byte) []byte {
	m := &c.follow
	if len(sent) == 0 || m.Parse(sent) != nil {
		return dst
	}
	dst = append(append(append(append(dst, method...), ' '), m.RequestURI()...), " SIP/2.0\r\nVia: "...)
	dst = append(append(dst, m.ViaValue().Bytes...), "\r\n"...)
	for i := range m.NumHeaders() {
		h := m.Header(i)
		switch h.ID {
		case sipmsg.RouteHdr, sipmsg.FromHdr, sipmsg.CallIDHdr:
			dst = m.AppendHeader(dst, i)
		case sipmsg.ToHdr:
			if to == nil {
				to = h.Value
			}
		}
	}
	dst = append(append(append(dst, "To: "...), to...), "\r\nCSeq: "...)
	dst = strconv.AppendUint(dst, uint64(m.CSeq()), 10)
	dst = append(append(append(dst, ' '), method...), "\r\nMax-Forwards: 70\r\n"...)
	return sipmsg.EndResponse(append(dst, fields...))
}

// cutHeader splits one header line.
func cutHeader(line []byte) (name string, value []byte) {
	n, v, _ := bytes.Cut(line, []byte(":"))
	return string(bytes.TrimSpace(n)), bytes.TrimSpace(v)
}
