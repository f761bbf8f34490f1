package phone

import (
	"fmt"

	"minisip/sipmsg"
)

// request takes a request that came in.
func (p *Phone) request(m *sipmsg.Message) {
	p.mu.Lock()
	c := p.calls[string(m.CallID())]
	p.mu.Unlock()
	switch {
	case m.Method() == sipmsg.INVITE:
		p.invited(c, m)
	case m.Method() == sipmsg.ACK:
		if c != nil {
			c.onceAck.Do(func() { close(c.acked) })
		}
	case m.Method() == sipmsg.OPTIONS || m.Method() == sipmsg.NOTIFY:
		p.send(response(m, 200, "", "", ""), false)
	case c == nil:
		p.send(response(m, 481, "", "", ""), false)
	case m.Method() == sipmsg.BYE:
		p.send(response(m, 200, "", "", ""), false)
		c.end("hung up by the other side")
	case m.Method() == sipmsg.CANCEL:
		p.send(response(m, 200, p.tag, "", ""), false)
		if c.respond(487, "") {
			c.end("given up by the caller")
		}
	default:
		p.send(response(m, 501, "", "", ""), false)
	}
}

// invited takes an INVITE: a new call rings, a copy gets the last response again.
func (p *Phone) invited(c *Call, m *sipmsg.Message) {
	switch {
	case c != nil && c.invite != nil && m.ToTag() == nil:
		if last := c.last(); last != nil {
			p.send(last, true)
		}
		return
	case c != nil || m.ToTag() != nil:
		p.send(response(m, 488, "", "", ""), false) // to change a call is beyond this phone
		return
	case p.cfg.Caller != nil && string(m.FromTag()) != p.cfg.Caller.tag:
		p.send(response(m, 486, p.tag, "", ""), false)
		return
	}
	c, err := p.newCall(string(m.CallID()))
	if err != nil {
		p.send(response(m, 500, "", "", ""), false)
		return
	}
	c.invite, c.target, c.remote = m, contactOf(m), string(m.Get(sipmsg.FromHdr))
	for it := m.Values(sipmsg.RecordRouteHdr); it.Next(); {
		c.routes = append(c.routes, string(it.Value().Bytes))
	}
	p.keep(c) // before it is answered, and maybe over
	select {
	case p.ring <- c:
	default:
		p.send(response(m, 486, p.tag, "", ""), false)
		p.forget(c)
	}
}

// respond answers the INVITE of a call that came in. Where that has its final response already it does nothing and reports
// false: a call may be picked up and given up at the same time.
func (c *Call) respond(status int, body string) bool {
	p := c.phone
	text := response(c.invite, status, p.tag, p.contact(), body)
	p.mu.Lock()
	over := c.final
	if !over {
		c.response, c.final = text, status >= 200
	}
	p.mu.Unlock()
	if !over {
		p.send(text, false)
	}
	return !over
}

// response writes a response: RFC 3261 8.2.6. contact is a whole line; it goes into what makes a dialog,
// with the Record-Routes (12.1.1).
func response(m *sipmsg.Message, status int, tag, contact, body string) []byte {
	b := sipmsg.AppendResponse(nil, m, status, "", []byte(tag))
	if contact != "" && status < 300 {
		for i := range m.NumHeaders() {
			if m.Header(i).ID == sipmsg.RecordRouteHdr {
				b = m.AppendHeader(b, i)
			}
		}
		b = append(b, contact...)
	}
	if body == "" {
		return sipmsg.EndResponse(b)
	}
	return fmt.Appendf(b, "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}
