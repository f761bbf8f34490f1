package proxy

import (
	"slices"
	"time"

	"minisip/session"
	"minisip/sipmsg"
)

// hangUp sends a BYE of our own to both sides of a dialog.
func (c *Core) hangUp(d *dialog, now time.Time) {
	for _, r := range [...]session.Role{session.Caller, session.Callee} {
		to, from := d.party(r), d.party(r.Other())
		c.ownRequest(now, ownRequest{
			method: "BYE", uri: c.remoteURI(now, to), from: from.Identity, to: to.Identity, callID: d.call.callID,
			cseq: max(1, from.CSeq+1), routes: to.Routes, dst: c.firstHop(to), local: to.Local, user: ignore{},
		})
	}
}

// hangUpOrphan ends a call that was answered after the caller had been told otherwise: each
// 2xx is acknowledged, and each dialog gets one BYE.
func (c *Core) hangUpOrphan(b *branch, in *inbound) {
	r := ownRequest{
		method: "ACK", uri: targetURI(string(contactOf(in.Message))), from: string(in.Get(sipmsg.FromHdr)),
		to: string(in.Get(sipmsg.ToHdr)), callID: string(in.CallID()), cseq: in.CSeq(),
		routes: c.routesTo(b, in), dst: in.src, local: b.local, user: ignore{},
	}
	c.ownRequest(in.now, r)
	tag := string(in.ToTag())
	if len(b.orphans) < maxDialogs && !slices.Contains(b.orphans, tag) {
		b.orphans = append(b.orphans, tag)
		r.method, r.cseq = "BYE", r.cseq+1
		c.ownRequest(in.now, r)
	}
}
