package proxy

import (
	"net/netip"

	"minisip/nat"
	"minisip/sipmsg"
)

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

// refuseWith answers without keeping any state but what takes the ACK; header is a whole line or none.
func (c *Core) refuseWith(in *inbound, status int, reason, header string) {
	c.expectAck(in, status, reason, []byte(header))
	b := append(c.startResponse(in, status, reason), header...)
	c.buf = sipmsg.EndResponse(b)
	c.sendBack(in)
}

// expectAck sees to it that the ACK of a refusal that has no transaction ends here (RFC 3261 17.2.1). Its To tag
// says that it is for us, but inside a dialog that tag is the other side's. A call knows by CSeq what its ACKs are for;
// where none is known, the INVITE is remembered if its ACK would be let through: see ackWithoutCall.
func (c *Core) expectAck(in *inbound, status int, reason string, fields []byte) {
	if in.Method() != sipmsg.INVITE || len(in.ToTag()) == 0 || in.dialog != nil {
		return
	}
	if c.freeTransactions() > 0 && c.atBinding(in, c.claimed(in)) {
		c.answers.keep(in.now, c.keyOf(in), status, reason, fields)
	}
}

// amplified is how much longer than a stranger's request the answer to it may be.
const amplified = 2

// sendBack sends the response in c.buf, which leaves no state. An address that nobody has proved to be the
// sender's own gets no answer that is much longer than what came: no phone's request is so short, but that of
// somebody who has forged the address of his victim (RFC 3261 26.3.2.4) is.
func (c *Core) sendBack(in *inbound) {
	if c.amplifies(in) {
		c.drop(Short)
		return
	}
	c.send(in.mark, in.local, c.replyAddr(in), c.buf)
}

// amplifies says whether the response in c.buf is more than in may bring.
func (c *Core) amplifies(in *inbound) bool {
	return len(c.buf) > amplified*len(in.Bytes()) && !c.sources.Has(in.src)
}

// reply answers what must not be done twice: copies of the request get the same answer. fields are whole
// lines or none.
func (c *Core) reply(in *inbound, status int, reason, fields string) {
	c.replyBytes(in, status, reason, append(c.lines[:0], fields...))
}

// replyBytes does the same; fields may lie in c.lines.
func (c *Core) replyBytes(in *inbound, status int, reason string, fields []byte) {
	c.lines = fields
	b := append(c.startResponse(in, status, reason), fields...)
	c.buf = sipmsg.EndResponse(b)
	// The last quarter of the table is for what is forwarded: without a transaction this answer is
	// only given anew, not again.
	const forwarded = 4
	switch room := c.room(c.cfg.MaxTransactions / forwarded); {
	case !room:
		c.expectAck(in, status, reason, fields)
	case in.Method() == sipmsg.INVITE:
		c.newServer(in).respond(in.now, status, c.buf)
		return
	default:
		c.answers.keep(in.now, c.keyOf(in), status, reason, fields)
	}
	c.send(in.mark, in.local, c.replyAddr(in), c.buf)
}

// replyAgain answers a copy of a request under key that reply has answered; it reports whether it is one, or the ACK.
func (c *Core) replyAgain(in *inbound, key []byte) bool {
	status, reason, fields := c.answers.find(key)
	if status == 0 {
		return false
	}
	if in.Method() == sipmsg.ACK {
		c.noteReceived(in, false)
		return true
	}
	c.drop(Copy)
	c.noteReceived(in, true)
	b := append(c.startResponse(in, status, reason), fields...)
	c.buf = sipmsg.EndResponse(b)
	c.sendAgain(in.mark, in.local, c.replyAddr(in), c.buf)
	return true
}
