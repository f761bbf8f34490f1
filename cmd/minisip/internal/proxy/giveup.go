package proxy

import "minisip/session"

// GiveUp ends what was begun with the message that was handled last, after an internal error: a request that
// is under way is answered with 500, so that nothing waits for it any more.
func (c *Core) GiveUp() {
	in := &c.in
	if in.Message == nil || !in.IsRequest() {
		return
	}
	c.key = session.AppendKey(c.key[:0], in.Message, in.MethodName(), in.src.Addr())
	switch tx := c.servers[string(c.key)]; {
	case tx == nil || !tx.Waiting():
	case tx.ctx == nil:
		tx.drop()
	default:
		tx.ctx.answer(in.now, 500, "", "")
	}
}
