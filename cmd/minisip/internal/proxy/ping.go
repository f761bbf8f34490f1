package proxy

import (
	"bytes"
	"errors"

	"minisip/sipmsg"
)

// pinged takes what a phone sends to keep its way to us open, and is no SIP: RFC 5626 4.4. It
// is answered only where a binding registered from, so that nobody gets a datagram from
// us for one that he did not send; from anywhere else it is not SIP like the rest.
func (c *Core) pinged(in *inbound, err error) bool {
	data := in.Bytes() // without line ends in front
	stun := isSTUN(data)
	padding := len(data) <= maxPadding && len(bytes.Trim(data, "\x00")) == 0
	if !stun && !padding || !c.atAnyBinding(in) {
		return false
	}
	c.buf = c.buf[:0]
	var pe *sipmsg.ParseError
	switch {
	case stun:
		c.buf = appendSTUN(c.buf, data, in.src)
	case len(data) == 0 && errors.As(err, &pe) && pe.Offset == len("\r\n\r\n"):
		// RFC 5626 4.4.1: the ping is a double CRLF, the pong a single one. That is for TCP, but
		// phones do it over UDP too. No pong can be taken for a ping.
		c.buf = append(c.buf, "\r\n"...)
	}
	if len(c.buf) > 0 {
		c.out.Send(in.local, in.src, c.buf)
	}
	return true
}

// maxPadding is the most zeros that phones are known to send for a keepalive.
const maxPadding = 4

// atAnyBinding says whether a datagram comes from where somebody has registered.
func (c *Core) atAnyBinding(in *inbound) bool {
	for range c.where.AtSource(in.src) {
		return true
	}
	return false
}
