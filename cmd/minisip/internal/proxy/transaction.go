package proxy

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"time"

	"minisip/nat"
	"minisip/session"
	"minisip/sipmsg"
)

// serverTx is a server transaction with its datagrams: RFC 3261 17.2.
type serverTx struct {
	session.Server
	core      *Core
	timer     session.Timer
	key       string
	src       netip.AddrPort // where the request came from
	to, local netip.AddrPort // where responses go, and from which of our addresses
	last      []byte         // last response, for retransmissions
	ctx       *context       // nil where we answer ourselves
}

// newServer opens the server transaction of in; nil when a table is full.
func (c *Core) newServer(in *inbound) *serverTx {
	if max(len(c.servers), len(c.clients)-len(c.pingers)) >= c.cfg.MaxTransactions {
		c.count.drop(Overload)
		return nil
	}
	tx := &serverTx{core: c, src: in.src, to: c.replyAddr(in), local: in.local}
	tx.timer.Own(tx)
	c.key = session.AppendKey(c.key[:0], in.Message, in.MethodName(), in.src.Addr())
	tx.key = string(c.key)
	c.servers[tx.key] = tx
	tx.Start(in.Method() == sipmsg.INVITE)
	return tx
}

// again takes a request that matched; it reports whether the request goes on from here.
func (tx *serverTx) again(in *inbound) bool {
	var act session.Action
	if in.Method() == sipmsg.ACK {
		act = tx.Server.Ack(in.now)
	} else {
		tx.core.count.drop(Copy)
		act = tx.Server.Request()
	}
	tx.do(act)
	return act.Has(session.Pass)
}

// respond sends a response of ours or of the other side, if the transaction still takes
// one. The bytes are copied where they may be needed again.
func (tx *serverTx) respond(now time.Time, status int, response []byte) bool {
	act := tx.Server.Respond(now, status)
	if !act.Has(session.Send) {
		return false
	}
	if tx.State() == session.Accepted {
		tx.last = nil // RFC 6026: the far side repeats its 2xx itself
		tx.core.send("sent", tx.local, tx.to, response)
	} else {
		tx.last = append(tx.last[:0], response...)
		tx.do(act)
	}
	tx.core.timers.Set(&tx.timer, tx.Deadline())
	return true
}

func (tx *serverTx) do(act session.Action) {
	if act.Has(session.Send) && tx.last != nil {
		tx.core.send("sent", tx.local, tx.to, tx.last)
	}
	if act.Has(session.Done) {
		tx.drop()
		return
	}
	tx.core.timers.Set(&tx.timer, tx.Deadline())
}

// drop forgets the transaction.
func (tx *serverTx) drop() {
	delete(tx.core.servers, tx.key)
	tx.core.timers.Stop(&tx.timer)
}

// Expire implements session.Expirer.
func (tx *serverTx) Expire(now time.Time) { tx.do(tx.Tick(now)) }

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
	to, local netip.AddrPort
	sent      []byte // the request
	user      clientUser
}

// start sends the request in tx.sent and opens the transaction.
func (tx *clientTx) start(c *Core, now time.Time, invite bool) {
	tx.core = c
	tx.timer.Own(tx)
	c.clients[tx.key] = tx
	tx.Client.Start(now, invite, c.cfg.TimerC)
	c.send("sent", tx.local, tx.to, tx.sent)
	c.timers.Set(&tx.timer, tx.Deadline())
}

// Expire implements session.Expirer.
func (tx *clientTx) Expire(now time.Time) {
	act := tx.Tick(now)
	if act.Has(session.Send) {
		tx.core.send("sent again", tx.local, tx.to, tx.sent)
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

// response finds the transaction of a response. RFC 3261 16.7 with RFC 6026 8.9: one
// that matches none is not forwarded.
func (c *Core) response(in *inbound) {
	c.count.Responses++
	if c.cfg.Debug {
		c.debugReceived(in, nil)
	}
	id, ok := branchID(in.Via().Branch)
	tx := c.clients[clientKey{id, in.Method() == sipmsg.CANCEL}]
	switch {
	case !ok || tx == nil:
		c.count.drop(Stray)
	case tx.user != nil && !tx.fits(in):
		c.count.drop(Stray)
	case in.src.Addr() != tx.to.Addr():
		c.count.drop(Forged)
	default:
		tx.received(in)
	}
}

// send puts one datagram out.
func (c *Core) send(what string, local, to netip.AddrPort, b []byte) {
	if c.cfg.Debug {
		c.debugSent(what, local, to, b, c.before)
	}
	c.before = nil
	c.out.Send(local, to, b)
}

// replyAddr is where responses to in go: RFC 3261 18.2.2 with RFC 3581 4.
func (c *Core) replyAddr(in *inbound) netip.AddrPort {
	v := in.Via()
	if c.cfg.Via || v.HasRPort {
		return in.src
	}
	port := v.Port
	if port == 0 {
		port = 5060
	}
	return netip.AddrPortFrom(in.src.Addr(), port)
}

// startResponse begins a response to in in scratch space, its To tag derived from the
// request, so that every copy of the request gets the same one (RFC 3261 8.2.7).
func (c *Core) startResponse(in *inbound, status int, reason string) []byte {
	in.ResetEdits()
	nat.FixVia(in.Message, in.src, c.cfg.Via)
	if reason == "" {
		reason = sipmsg.ReasonPhrase(status)
	}
	var tag []byte
	if status > 100 {
		tag = c.tagFor(in)
	}
	return sipmsg.AppendResponse(c.buf[:0], in.Message, status, reason, tag)
}

// refuseWith answers without keeping any state; header is a whole line or none.
func (c *Core) refuseWith(in *inbound, status int, reason, header string) {
	b := append(c.startResponse(in, status, reason), header...)
	c.buf = sipmsg.EndResponse(b)
	c.send("sent", in.local, c.replyAddr(in), c.buf)
}

// reply answers in a server transaction, for what must not be done twice.
func (c *Core) reply(in *inbound, status int, reason, header string) {
	b := append(c.startResponse(in, status, reason), header...)
	c.buf = sipmsg.EndResponse(b)
	c.replyBytes(in, status, c.buf)
}

// replyBytes sends a finished response in a new server transaction.
func (c *Core) replyBytes(in *inbound, status int, response []byte) {
	if tx := c.newServer(in); tx != nil {
		tx.respond(in.now, status, response)
		return
	}
	c.send("sent", in.local, c.replyAddr(in), response)
}

const hexDigits = "0123456789abcdef"

// branchPrefix is the magic cookie of RFC 3261 8.1.1.7 before our two numbers.
const branchPrefix = "z9hG4bK"

// appendBranch appends a branch: the cookie, the transaction's number, and the hash
// by which a loop is told from a spiral (RFC 5393 4.2).
func appendBranch(dst []byte, id uint64, loop uint32) []byte {
	dst = append(dst, branchPrefix...)
	dst = appendHex(dst, id, 16)
	return appendHex(dst, uint64(loop), 8)
}

func appendHex(dst []byte, v uint64, digits int) []byte {
	for i := digits - 1; i >= 0; i-- {
		dst = append(dst, hexDigits[v>>(4*i)&15])
	}
	return dst
}

// branchID reads the transaction's number out of a branch of ours.
func branchID(branch []byte) (uint64, bool) {
	if len(branch) != len(branchPrefix)+24 || string(branch[:len(branchPrefix)]) != branchPrefix {
		return 0, false
	}
	return parseHex(branch[len(branchPrefix):][:16])
}

// branchLoop reads the loop hash out of a branch of ours.
func branchLoop(branch []byte) (uint64, bool) {
	if _, ok := branchID(branch); !ok {
		return 0, false
	}
	return parseHex(branch[len(branchPrefix)+16:])
}

func parseHex(b []byte) (v uint64, ok bool) {
	for _, d := range b {
		switch {
		case d >= '0' && d <= '9':
			v = v<<4 | uint64(d-'0')
		case d >= 'a' && d <= 'f':
			v = v<<4 | uint64(d-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

// newID gives an unpredictable number that no client transaction has.
func (c *Core) newID() uint64 {
	for {
		id := c.rnd.Uint64()
		if c.clients[clientKey{id: id}] == nil {
			return id
		}
	}
}

// token gives 64 random bits for a tag or Call-ID of our own.
func (c *Core) token() string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], c.rnd.Uint64())
	return string(appendHex(nil, binary.BigEndian.Uint64(b[:]), 16))
}

// fits says whether a response is to the request that was sent: RFC 3261 17.1.3 wants the
// method of CSeq to match.
func (tx *clientTx) fits(in *inbound) bool {
	sent, _, _ := bytes.Cut(tx.sent, []byte(" "))
	return len(sent) == 0 || bytes.Equal(sent, in.MethodName())
}
