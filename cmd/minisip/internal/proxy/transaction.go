package proxy

import (
	"net/netip"
	"time"

	"minisip/session"
	"minisip/sipmsg"
)

// serverTx is a server transaction with its datagrams: RFC 3261 17.2.
type serverTx struct {
	session.Server
	core      *Core
	timer     session.Timer
	key       string
	mark      noted
	src       netip.AddrPort // where the request came from
	to, local netip.AddrPort // where responses go, and from which of our addresses
	last      []byte         // last response, for retransmissions
	ctx       *context       // nil where we answer ourselves
	owner     string         // the user whose account it is in
	weight    int            // of the request and of last
}

// freeTransactions is how many there can still be.
func (c *Core) freeTransactions() int {
	return c.cfg.MaxTransactions - c.weight - max(len(c.servers)+c.answers.len(), len(c.clients))
}

// room says whether there can be one more and still so many; if not, that counts as overload.
func (c *Core) room(reserve int) bool {
	if c.freeTransactions() > reserve {
		return true
	}
	c.drop(Overload)
	return false
}

// keyOf gives the key of a request's server transaction, in scratch space.
func (c *Core) keyOf(in *inbound) []byte {
	c.key = session.AppendKey(c.key[:0], in.Message, in.MethodName(), in.src.Addr())
	return c.key
}

// newServer opens the server transaction of in.
func (c *Core) newServer(in *inbound) *serverTx {
	tx := new(serverTx)
	tx.core, tx.mark, tx.src, tx.to, tx.local = c, in.mark, in.src, c.replyAddr(in), in.local
	tx.timer.Own(tx)
	tx.key = string(c.keyOf(in))
	c.servers[tx.key] = tx
	tx.Start(in.now, in.Method() == sipmsg.INVITE)
	c.timers.Set(&tx.timer, tx.Deadline())
	return tx
}

// roomFor says whether there can be a server transaction for a request that is forwarded for a user. Whoever has
// many under way leaves room for others, and everybody for the end of calls.
func (c *Core) roomFor(in *inbound, user string) bool {
	if in.Method() == sipmsg.BYE {
		return c.room(0)
	}
	if c.usage[user].busy(c.freeTransactions()) {
		c.drop(Overload)
		return false
	}
	return c.room(c.cfg.MaxTransactions / 16)
}

// ownedBy enters the transaction into a user's account.
func (tx *serverTx) ownedBy(user string) {
	if user != "" {
		tx.owner = user
		tx.core.usageOf(user).open++
	}
}

// again takes a request that matched; it reports whether the request goes on from here.
func (tx *serverTx) again(in *inbound) bool {
	var act session.Action
	if in.Method() == sipmsg.ACK {
		act = tx.Server.Ack(in.now)
	} else {
		tx.core.drop(Copy)
		act = tx.Server.Request()
	}
	tx.do(act)
	return act.Has(session.Pass)
}

// respond sends a response of ours or of the other side, if the transaction still takes
// one. The bytes are copied where they may be needed again.
func (tx *serverTx) respond(now time.Time, status int, response []byte) {
	if !tx.Server.Respond(now, status).Has(session.Send) {
		return
	}
	if tx.State() == session.Accepted {
		tx.weigh(-weightOf(tx.last))
		tx.forgetLast() // RFC 6026: the far side repeats its 2xx itself
	} else {
		tx.weigh(weightOf(response) - weightOf(tx.last))
		tx.last = tx.core.spare.replace(tx.last, response)
	}
	tx.core.send(tx.mark, tx.local, tx.to, response)
	tx.core.timers.Set(&tx.timer, tx.Deadline())
}

// do carries out what a copy of the request or a timer asks for.
func (tx *serverTx) do(act session.Action) {
	if act.Has(session.Send) && tx.last != nil {
		tx.core.sendAgain(tx.mark, tx.local, tx.to, tx.last)
	}
	if act.Has(session.Done) {
		tx.drop()
		return
	}
	tx.core.timers.Set(&tx.timer, tx.Deadline())
}

// giveUp lets the transaction end without a final response.
func (tx *serverTx) giveUp(now time.Time) {
	tx.GiveUp(now)
	tx.core.timers.Set(&tx.timer, tx.Deadline())
}

// drop forgets the transaction.
func (tx *serverTx) drop() {
	delete(tx.core.servers, tx.key)
	tx.weigh(-tx.weight)
	if tx.owner != "" {
		tx.core.usage[tx.owner].open--
		tx.core.dropUsage(tx.owner)
	}
	tx.core.timers.Stop(&tx.timer)
	tx.forgetLast()
}

func (tx *serverTx) forgetLast() {
	tx.core.spare.free(tx.last)
	tx.last = nil
}

// Expire implements session.Expirer.
func (tx *serverTx) Expire(now time.Time) {
	act := tx.Tick(now)
	if act.Has(session.Slow) && tx.ctx != nil {
		tx.ctx.trying(now)
		return
	}
	tx.do(act)
}

// response finds the transaction of a response. RFC 3261 16.7 with RFC 6026 8.9: one
// that matches none is not forwarded.
func (c *Core) response(in *inbound) {
	c.count.Responses++
	if c.cfg.Debug {
		c.debugReceived(in, nil)
	}
	id, ok := branchID(in.Via().Branch)
	tx := c.clients[clientKey{id, in.Method() == sipmsg.CANCEL}]
	c.noteReceived(in, false)
	switch {
	case ok && tx == nil && c.pong(in, id):
	case !ok || tx == nil || !tx.fits(in):
		c.drop(Stray)
	case in.src != tx.to && !tx.movedTo(in.src) && in.src.Addr() != tx.to.Addr():
		c.drop(Forged)
	default:
		tx.received(in)
		if b, ok := tx.user.(*branch); ok && b.ctx.call != nil {
			b.ctx.call.changed()
		}
	}
}

// send puts one datagram out; it reports false where no way leads there.
func (c *Core) send(m noted, local, to netip.AddrPort, b []byte) bool {
	return c.put(m, local, to, b, false)
}

// sendAgain puts one out that has been sent before.
func (c *Core) sendAgain(m noted, local, to netip.AddrPort, b []byte) {
	c.put(m, local, to, b, true)
}

func (c *Core) put(m noted, local, to netip.AddrPort, b []byte, again bool) bool {
	if c.cfg.Debug {
		c.debugSent(again, local, to, b, c.before)
	}
	c.noteSent(m, local, to, b, again)
	c.madeOf(nil, 0)
	if len(b) > safeSize {
		c.noteSize(to, b)
	}
	return c.out.Send(local, to, b)
}
