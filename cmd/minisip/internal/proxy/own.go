package proxy

import (
	"net/netip"
	"strconv"
	"time"

	"minisip/session"
	"minisip/sipmsg"
)

// ownRequest is a request that we originate: BYE for a dead call, a NOTIFY. Empty fields are left out.
type ownRequest struct {
	method, uri, from, to, callID string
	cseq                          uint32
	routes                        []string
	header                        string // more lines
	body                          string
	dst, local                    netip.AddrPort
	user                          clientUser
}

// ownRequest sends r in a client transaction of its own; an ACK has none.
func (c *Core) ownRequest(now time.Time, r ownRequest) {
	if r.uri == "" {
		r.uri = "sip:" + r.dst.String()
	}
	r.uri, r.routes = throughStrict(r.uri, r.routes)
	mark := noted{key: c.trail.Key([]byte(r.callID))}
	tx := &clientTx{key: clientKey{id: c.newID()}, mark: mark, to: r.dst, local: r.local, user: r.user}
	b := make([]byte, 0, 512+len(r.body))
	b = append(append(append(append(b, r.method...), ' '), r.uri...), " SIP/2.0\r\nVia: "...)
	b = append(c.appendVia(b, r.local, tx.key.id, 0), "\r\n"...)
	for _, v := range r.routes {
		b = append(append(append(b, "Route: "...), v...), "\r\n"...)
	}
	b = append(append(append(b, "From: "...), r.from...), "\r\nTo: "...)
	b = append(append(append(b, r.to...), "\r\nCall-ID: "...), r.callID...)
	b = strconv.AppendUint(append(b, "\r\nCSeq: "...), uint64(r.cseq), 10)
	b = append(append(append(b, ' '), r.method...), "\r\nMax-Forwards: 70\r\n"...)
	b = append(b, r.header...)
	if r.body == "" {
		b = sipmsg.EndResponse(b)
	} else {
		b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(r.body)), 10)
		b = append(append(b, "\r\n\r\n"...), r.body...)
	}
	if r.method == "ACK" {
		c.send(mark, r.local, r.dst, b)
		return
	}
	tx.sent = b
	if !tx.start(c, now, false) {
		r.user.failed(tx, now, session.Timeout|session.Done) // RFC 3261 17.1.4
	}
}
