package proxy

import (
	"bytes"
	"net/netip"

	"minisip/cmd/minisip/internal/trail"
	"minisip/sipmsg"
)

// Every message is noted as it came and as it went: package trail says for how long.

// noted ties a datagram to what is noted of its Call-ID.
type noted struct {
	key    trail.Key
	id     trail.ID // of the message as it came
	method sipmsg.Method
}

// madeOf says what the next datagram sent is made of.
func (c *Core) madeOf(text []byte, id trail.ID) { c.before, c.beforeID = text, id }

// noteReceived notes a message that came.
func (c *Core) noteReceived(in *inbound, again bool) {
	in.mark = noted{key: c.trail.Key(in.CallID()), method: in.Method()}
	m := trail.Message{
		Key: in.mark.key, At: in.now, Peer: in.src, Local: in.local, Received: true, Again: again, Method: in.Method(),
		Text: in.Bytes(),
	}
	if !in.IsRequest() {
		m.Status = in.Status()
	}
	in.mark.id = c.trail.Note(&m)
	if len(c.traces) > 0 {
		c.traceReceived(in)
	}
}

// noteSent notes a message that goes out.
func (c *Core) noteSent(m noted, local, to netip.AddrPort, b []byte, again bool) {
	method, status := startOf(b, m.method)
	c.trail.Note(&trail.Message{
		Key: m.key, At: c.now, Peer: to, Local: local, Again: again, Method: method, Status: status, Before: c.beforeID, Text: b,
	})
	if len(c.traces) > 0 {
		c.traceSent(m.key, local, to, b)
	}
}

// startOf reads the start line of a message of ours: of a response the status, of a request the
// method, where it is not the one that the request it belongs to has.
func startOf(b []byte, method sipmsg.Method) (sipmsg.Method, int) {
	const response = "SIP/2.0 "
	if len(b) > len(response)+3 && string(b[:len(response)]) == response {
		d := b[len(response):]
		return method, int(d[0]-'0')*100 + int(d[1]-'0')*10 + int(d[2]-'0')
	}
	for _, own := range ownMethods {
		if bytes.HasPrefix(b, own.name) {
			return own.method, 0
		}
	}
	return method, 0
}

// ownMethods are those of requests that begin with us, or are made of another request.
var ownMethods = []struct {
	name   []byte
	method sipmsg.Method
}{
	{[]byte("ACK "), sipmsg.ACK}, {[]byte("CANCEL "), sipmsg.CANCEL}, {[]byte("BYE "), sipmsg.BYE},
	{[]byte("OPTIONS "), sipmsg.OPTIONS}, {[]byte("NOTIFY "), sipmsg.NOTIFY},
}
