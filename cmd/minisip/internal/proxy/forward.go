package proxy

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"minisip/nat"
	"minisip/sipmsg"
)

// fork forwards the request to all targets of one group: RFC 3261 16.6.
func (ctx *context) fork(now time.Time, group []target) {
	if ctx.breadth < len(group) {
		ctx.ownStatus, ctx.later = 440, nil // who is wanted less is not asked instead
		ctx.noneLeft(now)
		return
	}
	for i, t := range group {
		b := ctx.newBranch(t, share(ctx.breadth, i, len(group)))
		if status := b.forward(now); status != 0 && (status != unsendable || !b.nextFlow(now, status)) {
			b.status = status
			ctx.ownStatus = status
		}
	}
	if !ctx.open() {
		ctx.noneLeft(now)
	}
}

// maxBreadth is the Max-Breadth that RFC 5393 5.3.3 recommends, for requests that come without
// one and as the most that one may bring.
const maxBreadth = 60

// breadth is how many branches a request may have at a time, all proxies behind us counted.
func (in *inbound) breadth() int {
	i := in.Index(sipmsg.MaxBreadthHdr)
	if i < 0 {
		return maxBreadth
	}
	n, err := strconv.ParseUint(string(in.Header(i).Value), 10, 32)
	if err != nil {
		return maxBreadth
	}
	return int(min(n, maxBreadth))
}

// share divides breadth among branches that run in parallel: RFC 5393 5.3.3. A group of
// targets has all of it, since the groups before have ended (5.3.3.1).
func share(breadth, i, branches int) int {
	if i < breadth%branches {
		return breadth/branches + 1
	}
	return breadth / branches
}

// noneLeft ends the context, or goes on with the next group, when nothing was sent.
func (ctx *context) noneLeft(now time.Time) {
	switch {
	case ctx.done:
	case len(ctx.later) > 0:
		ctx.next(now)
	case ctx.bestStatus != 0 || ctx.ownStatus == 0:
		ctx.forwardBest(now)
	case ctx.ownStatus == 503:
		ctx.answer(now, 503, "Retry-After: 10\r\n")
	default:
		ctx.answer(now, ctx.ownStatus, ctx.warning)
	}
}

// forward makes one branch's copy of the request and sends it. A status other than 0
// says why it could not.
func (b *branch) forward(now time.Time) int {
	ctx := b.ctx
	c := ctx.core
	b.key = clientKey{id: c.newID()}
	b.to, b.local, b.user = b.target.addr, b.target.local, b
	in := ctx.inbound(now)
	b.routed = len(b.target.routes) > 0 || in.nextRoute() != nil
	c.rewriteRequest(in, b.target.uri, b.target.routes, b.breadth)
	if ctx.recordRoutes() {
		b.recorded = c.recordRoute(ctx.req, ctx.tx.local, b.local)
	}
	if status := b.relayRequest(); status != 0 {
		return status
	}
	c.pushVia(ctx.req, b.local, b.key.id)
	c.buf = ctx.req.AppendTo(c.buf[:0])
	b.sent = c.spare.copyOf(c.buf)
	b.mark = ctx.tx.mark
	c.madeOf(ctx.req.Bytes(), b.mark.id)
	if k := ctx.call; k != nil {
		k.course.Name(b.to, b.target.user)
	}
	switch {
	case !fitsUDP(b.to.Addr(), len(b.sent)), ctx.invite && c.follow.Parse(b.sent) != nil:
		// Of an INVITE that with our fields in it is more than we read, no CANCEL and no ACK could be made.
		b.dropMedia()
		return 513
	case !b.start(c, now, ctx.invite):
		// RFC 3261 16.9: "the proxy MUST behave as if the forwarded request received a 503", and what
		// that becomes upstream says 16.7 step 6.
		b.dropMedia()
		return unsendable
	}
	return 0
}

// unsendable is the status of a branch whose datagram no way leads to.
const unsendable = 500

// rewriteRequest makes the edits that every forwarded request gets: RFC 3261 16.6 steps
// 2, 3, 6, the Max-Breadth of RFC 5393 5.3.3, and what NAT needs. routes are pushed in front;
// an empty uri leaves the Request-URI, or what a strict router made of it.
func (c *Core) rewriteRequest(in *inbound, uri string, routes []string, breadth int) {
	m := in.Message
	m.ResetEdits()
	m.SetVersion()
	nat.FixVia(m, in.src, c.cfg.Via)
	in.setRoutes(uri, routes)
	if n, ok := m.MaxForwards(); ok {
		var digits [4]byte
		m.SetHeader(m.Index(sipmsg.MaxForwardsHdr), strconv.AppendInt(digits[:0], int64(max(n-1, 0)), 10))
	} else {
		m.Append("Max-Forwards", []byte("70"))
	}
	setBreadth(m, breadth)
	raiseInterval(m)
	c.stripCredentials(m)
	dropIdentities(m, in.sender)
	// A proxy on the way mends what is before it; its address in a Contact would be where no phone is, and in a
	// Request-URI it would read as that of a strict router (16.4).
	if c.cfg.Contact && makesOrRefreshes(m.Method()) && m.Index(sipmsg.ContactHdr) >= 0 && !hasTwoVias(m) {
		nat.FixContact(m, in.src)
	}
}

// setBreadth sees to it that m has a Max-Breadth, and that one.
func setBreadth(m *sipmsg.Message, breadth int) {
	var digits [4]byte
	value := strconv.AppendInt(digits[:0], int64(breadth), 10)
	switch i := m.Index(sipmsg.MaxBreadthHdr); {
	case i < 0:
		m.Append("Max-Breadth", value)
	case !bytes.Equal(m.Header(i).Value, value):
		m.SetHeader(i, value)
	}
}

// targetURI makes a Request-URI of a Contact: RFC 3261 16.6 step 2 wants out what 19.1.1
// does not allow there, the headers and the method parameter.
func targetURI(contact string) string {
	if !holdsMore(contact) {
		return contact
	}
	u, err := sipmsg.ParseURI([]byte(contact))
	if err != nil || !u.IsSIP() {
		return contact
	}
	if u.Headers != nil {
		contact = contact[:len(contact)-len("?")-len(u.Headers)]
	}
	if _, has := u.Param("method"); !has {
		return contact
	}
	var kept strings.Builder
	kept.WriteString(contact[:len(contact)-len(";")-len(u.Params)])
	for p := range strings.SplitSeq(string(u.Params), ";") {
		if name, _, _ := strings.Cut(p, "="); !strings.EqualFold(name, "method") {
			kept.WriteString(";" + p)
		}
	}
	return kept.String()
}

// holdsMore says whether a Contact may hold what a Request-URI must not.
func holdsMore(contact string) bool {
	for p := range strings.SplitSeq(contact, ";") {
		if len(p) >= len("method") && strings.EqualFold(p[:len("method")], "method") {
			return true
		}
	}
	return strings.IndexByte(contact, '?') >= 0
}

// recordRoutes says whether we put ourselves into the route set: by what may begin a dialog outside one. A
// NOTIFY begins one at the subscriber, though it has both tags. RFC 6665 4.3: "If a proxy wishes to see all of the
// SUBSCRIBE and NOTIFY requests for a given dialog, it MUST add a Record-Route header field to the initial
// SUBSCRIBE request and all NOTIFY requests."
func (ctx *context) recordRoutes() bool {
	m := ctx.req.Method()
	return m == sipmsg.NOTIFY || ctx.initial && makesDialog(m)
}

// makesDialog lists the requests that can create a dialog.
func makesDialog(m sipmsg.Method) bool {
	switch m {
	case sipmsg.INVITE, sipmsg.SUBSCRIBE, sipmsg.REFER, sipmsg.NOTIFY:
		return true
	}
	return false
}

// makesOrRefreshes lists the requests whose Contact is a dialog's remote target.
func makesOrRefreshes(m sipmsg.Method) bool {
	return makesDialog(m) || m == sipmsg.UPDATE || m == sipmsg.ACK || m == sipmsg.UnknownMethod
}

// pushVia puts our own Via on top: RFC 3261 16.6 step 8.
func (c *Core) pushVia(m *sipmsg.Message, local netip.AddrPort, id uint64) {
	c.head = c.appendVia(c.head[:0], local, id, c.loopHash(m))
	m.Prepend("Via", c.head)
}

// appendVia appends the value of our Via, with a branch of the number id.
func (c *Core) appendVia(b []byte, local netip.AddrPort, id uint64, loop uint32) []byte {
	b = c.advertised(local).AppendTo(append(b, "SIP/2.0/UDP "...))
	return appendBranch(append(b, ";rport;branch="...), id, loop)
}
