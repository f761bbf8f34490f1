package proxy

import (
	"bytes"
	"net/netip"
	"strconv"
	"time"

	"minisip/session"
	"minisip/sipmsg"
)

// clientKey finds a client transaction: RFC 3261 17.1.3. Branches that we make hold
// an unpredictable number.
type clientKey struct {
	id     uint64
	cancel bool
}

// clientUser is told what becomes of a request that was sent.
type clientUser interface {
	// responded gives a response that is new; in is valid during the call only.
	responded(tx *clientTx, in *inbound)
	// failed says that none will come: like a 408, or after a CANCEL a 487.
	failed(tx *clientTx, now time.Time, act session.Action)
}

// clientTx is a client transaction with its datagrams: RFC 3261 17.1.
type clientTx struct {
	session.Client
	core      *Core
	timer     session.Timer
	key       clientKey
	mark      noted
	to, local netip.AddrPort
	sent      []byte // the request
	weight    int
	user      clientUser
}

// start sends the request in tx.sent and opens the transaction. Where the request cannot be sent it reports false, and there is
// no transaction: RFC 3261 17.1.4. But one whose outcome nobody waits for, such as our own BYE or CANCEL, is repeated all the
// same: a way may open meanwhile.
func (tx *clientTx) start(c *Core, now time.Time, invite bool) bool {
	tx.core = c
	tx.timer.Own(tx)
	c.clients[tx.key] = tx
	tx.weigh(weightOf(tx.sent))
	tx.Client.Start(now, invite, c.cfg.TimerC)
	if !c.send(tx.mark, tx.local, tx.to, tx.sent) && tx.user != (ignore{}) {
		tx.drop()
		return false
	}
	c.timers.Set(&tx.timer, tx.Deadline())
	return true
}

// Expire implements session.Expirer.
func (tx *clientTx) Expire(now time.Time) {
	act := tx.Tick(now)
	b, forwarded := tx.user.(*branch)
	if forwarded && act.Has(session.Silent) && b.silent(now) {
		return
	}
	if act.Has(session.Send) {
		if forwarded {
			b.follow()
		}
		tx.core.sendAgain(tx.mark, tx.local, tx.to, tx.sent)
	}
	tx.settle(act)
	if act&(session.Timeout|session.Expired) != 0 {
		tx.user.failed(tx, now, act)
	}
}

// settle arms the timer anew, or forgets the transaction.
func (tx *clientTx) settle(act session.Action) {
	if act.Has(session.Done) {
		tx.drop()
		return
	}
	tx.core.timers.Set(&tx.timer, tx.Deadline())
}

// drop forgets the transaction before its time.
func (tx *clientTx) drop() {
	delete(tx.core.clients, tx.key)
	tx.weigh(-tx.weight)
	tx.core.timers.Stop(&tx.timer)
}

// received takes a response that matched.
func (tx *clientTx) received(in *inbound) {
	act := tx.Client.Receive(in.now, in.Status())
	if act.Has(session.Ack) {
		tx.ack(in)
	}
	tx.settle(act)
	if act.Has(session.Pass) {
		tx.user.responded(tx, in)
	}
}

// movedTo says whether a response from src comes from where the phone that the request went to has registered since.
func (tx *clientTx) movedTo(src netip.AddrPort) bool {
	b, ok := tx.user.(*branch)
	return ok && b.follow() && tx.to == src
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

// fits says whether a response is to the request that was sent: RFC 3261 17.1.3 wants the
// method of CSeq to match. One to a forwarded request must have a Via below ours, or it
// could not be forwarded (16.7 step 3), and one to a request of our own none (8.1.3.3). An INVITE's own bytes are let go once it is answered.
func (tx *clientTx) fits(in *inbound) bool {
	if _, forwarded := tx.user.(*branch); forwarded != hasTwoVias(in.Message) {
		return false
	}
	if len(tx.sent) == 0 {
		return in.Method() == sipmsg.INVITE
	}
	method, _, _ := bytes.Cut(tx.sent, []byte(" "))
	return bytes.Equal(method, in.MethodName())
}

func hasTwoVias(m *sipmsg.Message) bool {
	it := m.Values(sipmsg.ViaHdr)
	return it.Next() && it.Next()
}
