package proxy

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"minisip/nat"
	"minisip/sipmsg"
)

// fork forwards the request to all targets of one group: RFC 3261 16.6.
func (c *Core) fork(ctx *context, now time.Time, group []target) {
	for _, t := range group {
		if ctx.done {
			return
		}
		b := &branch{ctx: ctx, target: t}
		ctx.branches = append(ctx.branches, b)
		if status := c.forward(b, now); status != 0 {
			b.status = status
			ctx.ownStatus = status
		}
	}
	if !ctx.open() {
		ctx.noneLeft(now)
	}
}

// noneLeft ends the context, or goes on with the next group, when nothing was sent.
func (ctx *context) noneLeft(now time.Time) {
	switch {
	case ctx.done:
	case len(ctx.later) > 0:
		ctx.next(now)
	case ctx.bestStatus != 0:
		ctx.forwardBest(now)
	case ctx.ownStatus == 503:
		ctx.answer(now, 503, "", "Retry-After: 10\r\n")
	case ctx.ownStatus != 0:
		ctx.answer(now, ctx.ownStatus, "", "")
	default:
		ctx.forwardBest(now)
	}
}

// forward makes one branch's copy of the request and sends it. A status other than 0
// says why it could not.
func (c *Core) forward(b *branch, now time.Time) int {
	ctx := b.ctx
	b.key = clientKey{id: c.newID()}
	b.to, b.local, b.user = b.target.addr, b.target.local, b
	c.rewriteRequest(ctx.inbound(now), b.target.uri, b.target.routes)
	if ctx.initial && makesDialog(ctx.req.Method()) {
		c.recordRoute(ctx.req, ctx.local, b.local)
	}
	if status := c.relayRequest(b); status != 0 {
		return status
	}
	c.pushVia(ctx.req, b.local, b.key.id)
	size := len(ctx.req.Bytes()) + 512
	b.sent = ctx.req.AppendTo(make([]byte, 0, size))
	c.before = ctx.req.Bytes()
	b.start(c, now, ctx.invite)
	return 0
}

// rewriteRequest makes the edits that every forwarded request gets: RFC 3261 16.6 steps
// 2, 3, 6, and what NAT needs. routes are pushed in front.
func (c *Core) rewriteRequest(in *inbound, uri string, routes []string) {
	m := in.Message
	m.ResetEdits()
	nat.FixVia(m, in.src, c.cfg.Via)
	if uri != "" {
		m.SetRequestURI([]byte(uri))
	}
	if n, ok := m.MaxForwards(); ok {
		var digits [4]byte
		m.SetHeader(m.Index(sipmsg.MaxForwardsHdr), strconv.AppendInt(digits[:0], int64(max(n-1, 0)), 10))
	} else {
		m.Append("Max-Forwards", []byte("70"))
	}
	c.stripCredentials(m)
	removeRoutes(m, in.routes)
	if in.strict {
		m.Remove(lastValue(m, sipmsg.RouteHdr))
	}
	for i := len(routes) - 1; i >= 0; i-- {
		m.Prepend("Route", []byte(routes[i]))
	}
	if c.cfg.Contact && makesOrRefreshes(m.Method()) && m.Index(sipmsg.ContactHdr) >= 0 {
		nat.FixContact(m, in.src)
	}
}

// removeRoutes takes the first n Route values out: those that named us.
func removeRoutes(m *sipmsg.Message, n int) {
	for it := m.Values(sipmsg.RouteHdr); n > 0 && it.Next(); n-- {
		m.Remove(it.Value())
	}
}

func lastValue(m *sipmsg.Message, id sipmsg.ID) (v sipmsg.Value) {
	for it := m.Values(id); it.Next(); {
		v = it.Value()
	}
	return v
}

// targetURI makes a Request-URI of a Contact: RFC 3261 16.6 step 2 wants out what 19.1.1
// does not allow there, the headers and the method parameter.
func targetURI(contact string) string {
	uri, _, _ := strings.Cut(contact, "?")
	for at := 0; ; {
		i := strings.Index(strings.ToLower(uri[at:]), ";method=")
		if i < 0 {
			return uri
		}
		at += i
		end := strings.IndexByte(uri[at+1:], ';')
		if end < 0 {
			return uri[:at]
		}
		uri = uri[:at] + uri[at+1+end:]
	}
}

// makesDialog lists the requests that can create a dialog: there we record-route.
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

// recordRoute puts us into the dialog's route set: RFC 3261 16.6 step 4; with two values
// where the sides reach us at different addresses (RFC 5658). from is where the request
// came in, to where it goes out.
func (c *Core) recordRoute(m *sipmsg.Message, from, to netip.AddrPort) {
	in, out := c.advertised(from), c.advertised(to)
	if in != out {
		c.head = appendRoute(c.head[:0], in)
		m.Prepend("Record-Route", c.head)
	}
	c.head = appendRoute(c.head[:0], out)
	m.Prepend("Record-Route", c.head)
}

func appendRoute(dst []byte, at netip.AddrPort) []byte {
	dst = at.AppendTo(append(dst, "<sip:"...))
	return append(dst, ";lr>"...)
}

// pushVia puts our own Via on top: RFC 3261 16.6 step 8.
func (c *Core) pushVia(m *sipmsg.Message, local netip.AddrPort, id uint64) {
	b := append(c.head[:0], "SIP/2.0/UDP "...)
	b = c.advertised(local).AppendTo(b)
	b = append(b, ";rport;branch="...)
	c.head = appendBranch(b, id, c.loopHash(m))
	m.Prepend("Via", c.head)
}
