package proxy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"minisip/nat"
	"minisip/session"
	"minisip/sipmsg"
)

// hangUp sends a BYE of our own to both sides of a dialog.
func (c *Core) hangUp(d *dialog, now time.Time) {
	c.sendBye(d, session.Caller, now)
	c.sendBye(d, session.Callee, now)
}

// sendBye sends one to a side.
func (c *Core) sendBye(d *dialog, side session.Role, now time.Time) {
	to, from := d.party(side), d.party(side.Other())
	c.ownRequest(now, ownRequest{
		method: "BYE", uri: c.remoteURI(now, to), from: from.Identity, to: to.Identity, callID: d.call.callID,
		cseq: max(1, from.CSeq+1), routes: to.Routes, dst: c.firstHop(to), local: to.Local, user: ignore{},
	})
}

// hangUpOrphan ends a call that was answered after the caller had been told otherwise: each
// 2xx is acknowledged, and each dialog gets one BYE.
func (b *branch) hangUpOrphan(in *inbound) {
	c := b.ctx.core
	callee := session.Party{User: b.target.user, Contact: string(contactOf(in.Message)), Addr: in.src}
	r := ownRequest{
		method: "ACK", uri: c.remoteURI(in.now, &callee), from: string(in.Get(sipmsg.FromHdr)),
		to: string(in.Get(sipmsg.ToHdr)), callID: string(in.CallID()), cseq: in.CSeq(),
		routes: b.routesTo(in), dst: in.src, local: b.local, user: ignore{},
	}
	if r.body = b.refusal(in); r.body != "" {
		r.header = "Content-Type: application/sdp\r\n"
	}
	c.ownRequest(in.now, r)
	r.header, r.body = "", ""
	tag := string(in.ToTag())
	if len(b.orphans) < maxDialogs && !slices.Contains(b.orphans, tag) {
		b.orphans = append(b.orphans, tag)
		r.method, r.cseq = "BYE", r.cseq+1
		c.ownRequest(in.now, r)
	}
}

// refusal is our answer to the offer in a 2xx, "" where it has none. RFC 3261 13.2.2.4: the ACK "MUST" have an answer
// then. This one has port 0 for each stream, which refuses it (RFC 3264 6).
func (b *branch) refusal(in *inbound) string {
	c := b.ctx.core
	offer, ok := nat.FindSDP(in.Message)
	if !ok || c.follow.Parse(b.sent) != nil || c.parseSDP(offer.SDP()) != nil {
		return ""
	}
	if _, offered := nat.FindSDP(&c.follow); offered {
		return "" // then the 2xx has the answer
	}
	family, at := "IP4", c.advertised(b.local).Addr()
	if at.Is6() {
		family = "IP6"
	}
	var answer strings.Builder
	fmt.Fprintf(&answer, "v=0\r\no=- 1 1 IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n", family, at, family, at)
	for i := range c.sdp.Streams {
		st := &c.sdp.Streams[i]
		fmt.Fprintf(&answer, "m=%s 0 %s %s\r\n", st.Media, st.Proto, st.Formats)
	}
	return answer.String()
}
