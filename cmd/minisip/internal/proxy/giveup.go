package proxy

// GiveUp ends what was begun with the message that was handled last, after an internal error: a request that
// is under way is answered with 500, so that nothing waits for it any more.
func (c *Core) GiveUp() {
	in := &c.in
	if in.Message == nil || !in.IsRequest() {
		return
	}
	switch tx := c.servers[string(c.keyOf(in))]; {
	case tx == nil || !tx.Waiting():
	case tx.ctx == nil:
		tx.drop()
	default:
		tx.ctx.answer(in.now, 500, "")
	}
}
