package proxy

import (
	"net/netip"
	"slices"

	"minisip/nat"
	"minisip/session"
	"minisip/sipmsg"
)

// findRoutes counts the Route values on top that name us: RFC 3261 16.4. With two
// Record-Routes (RFC 5658) there are two.
func (c *Core) findRoutes(in *inbound) {
	for it := in.Values(sipmsg.RouteHdr); it.Next(); in.routes++ {
		if !c.ourRoute(in, it.Value().Bytes, in.routes == 0) {
			break
		}
	}
	// RFC 3261 16.4: a strict router in front has put our own Record-Route into the
	// Request-URI, and the remote target behind all Route values.
	if in.Index(sipmsg.RouteHdr) < 0 {
		return
	}
	u := in.URI()
	if len(u.User) > 0 || !u.IsSIP() || !c.ours(in.local, u.Host, u.Port) {
		return
	}
	if in.inside() {
		// We record-route by address: a name is some phone's.
		_, in.strict = nat.ParseAddr(u.Host)
	} else {
		// So does a phone (8.1.1.1) that was given its outbound proxy without lr.
		last := lastValue(in.Message, sipmsg.RouteHdr).Bytes
		_, to, _ := readURI(last)
		in.strict = to.IsSIP() && len(to.User) > 0 && isStrict(string(last))
	}
	if in.strict {
		in.routes = min(in.routes, countValues(in.Message, sipmsg.RouteHdr)-1)
	}
}

func countValues(m *sipmsg.Message, id sipmsg.ID) (n int) {
	for it := m.Values(id); it.Next(); {
		n++
	}
	return n
}

// target is the Request-URI, or where a strict router has put it.
func (in *inbound) target() []byte {
	if in.strict {
		if raw, _, ok := readURI(lastValue(in.Message, sipmsg.RouteHdr).Bytes); ok {
			return raw
		}
	}
	return in.RequestURI()
}

// meant is the same, read.
func (in *inbound) meant() *sipmsg.URI {
	if in.strict {
		if u, err := sipmsg.ParseURI(in.target()); err == nil {
			return &u
		}
	}
	return in.URI()
}

// readURI reads the URI of a Contact, Route, Record-Route or Path value.
func readURI(value []byte) (raw []byte, u sipmsg.URI, ok bool) {
	a, err := sipmsg.ParseNameAddr(value)
	if err != nil {
		return nil, u, false
	}
	u, err = sipmsg.ParseURI(a.URI)
	return a.URI, u, err == nil
}

// ourRoute says whether a Route value names us. A host name that nobody listed as ours can
// only be so on top: there stands the outbound proxy that a phone was told to use.
func (c *Core) ourRoute(in *inbound, value []byte, top bool) bool {
	_, u, ok := readURI(value)
	if !ok || !u.IsSIP() || !c.ours(in.local, u.Host, u.Port) {
		return false
	}
	_, literal := nat.ParseAddr(u.Host)
	return literal || top || len(c.cfg.Domains) > 0
}

// nextRoute gives the first Route value behind ours, or nil.
func (in *inbound) nextRoute() []byte { return in.nextRouteValue().Bytes }

func (in *inbound) nextRouteValue() (v sipmsg.Value) {
	if in.strict && countValues(in.Message, sipmsg.RouteHdr) == in.routes+1 {
		return v // that one is the remote target
	}
	n := 0
	for it := in.Values(sipmsg.RouteHdr); it.Next(); n++ {
		if n == in.routes {
			return it.Value()
		}
	}
	return v
}

// routeOn decides where a request inside a dialog goes: what follows our Route is
// obeyed only if that side's own Record-Route or Path named it; else, where its packets
// come from.
func (c *Core) routeOn(in *inbound, peer *session.Party) (netip.AddrPort, bool) {
	next := in.nextRoute()
	if next == nil {
		return peer.Addr, true
	}
	for _, r := range peer.Routes {
		if sameRoute([]byte(r), next) {
			return c.along(r, peer.Addr), true
		}
	}
	return netip.AddrPort{}, false
}

// sameRoute compares the URIs of two Route values.
func sameRoute(a, b []byte) bool {
	_, u, ok := readURI(a)
	_, v, also := readURI(b)
	return ok && also && sipmsg.EqualURI(&u, &v)
}

// firstHop is where a request of our own to a side of a dialog goes.
func (c *Core) firstHop(to *session.Party) netip.AddrPort {
	if len(to.Routes) == 0 {
		return to.Addr
	}
	return c.along(to.Routes[0], to.Addr)
}

// along is the address a Route or Path value leads to, if that is on the machine whose packets
// come from addr; else addr. So nobody can aim us at a third party.
func (c *Core) along(route string, addr netip.AddrPort) netip.AddrPort {
	if at, ok := c.routeAddr(route); ok && at.Addr() == addr.Addr() {
		return at
	}
	return addr
}

// routeAddr is the address a Route or Path value leads to, if it is one that we may
// send to: never loopback, never ourselves, never a name.
func (c *Core) routeAddr(value string) (netip.AddrPort, bool) {
	_, u, ok := readURI([]byte(value))
	at, literal := literalAddr(&u)
	if !ok || !literal || !at.Addr().IsGlobalUnicast() || c.isOurs(at) {
		return netip.AddrPort{}, false
	}
	return at, true
}

// literalAddr is the address that a URI names, if its host is no name; the port is 5060 where none
// is written (RFC 3261 19.1.2).
func literalAddr(u *sipmsg.URI) (at netip.AddrPort, ok bool) {
	ip, ok := nat.ParseAddr(u.Host)
	port := u.Port
	if port == 0 {
		port = 5060
	}
	return netip.AddrPortFrom(ip.Unmap(), port), ok
}

// setRoutes takes the Route values that named us out of a request and pushes routes in
// front of what is left. The Request-URI becomes uri; where that is empty, it stays, or
// is what a strict router in front of us has made a Route.
func (in *inbound) setRoutes(uri string, routes []string) {
	m := in.Message
	if uri == "" {
		uri = string(in.target())
	}
	next := in.nextRouteValue()
	n := in.routes
	for it := m.Values(sipmsg.RouteHdr); n > 0 && it.Next(); n-- {
		m.Remove(it.Value())
	}
	if in.strict {
		m.Remove(lastValue(m, sipmsg.RouteHdr))
	}
	switch {
	case len(routes) > 0:
		uri, routes = throughStrict(uri, routes)
	case len(next.Bytes) > 0 && isStrict(string(next.Bytes)):
		var rest []string
		uri, rest = throughStrict(uri, []string{string(next.Bytes)})
		m.Remove(next)
		m.Append("Route", []byte(rest[0]))
	}
	if uri != string(in.RequestURI()) {
		m.SetRequestURI([]byte(uri))
	}
	for _, r := range slices.Backward(routes) {
		m.Prepend("Route", []byte(r))
	}
}

// isStrict says whether a Route value leads to a router of RFC 2543: it has no lr parameter.
func isStrict(route string) bool {
	_, u, ok := readURI([]byte(route))
	_, loose := u.Param("lr")
	return ok && !loose
}

// throughStrict makes what a strict router wants where the first of routes is one, RFC 3261
// 16.6 step 6 and 12.2.1.1: its URI is the Request-URI, and ours the last Route.
func throughStrict(uri string, routes []string) (string, []string) {
	if len(routes) == 0 || !isStrict(routes[0]) {
		return uri, routes
	}
	hop, _, _ := readURI([]byte(routes[0]))
	return targetURI(string(hop)), append(slices.Clone(routes[1:]), "<"+uri+">")
}

func lastValue(m *sipmsg.Message, id sipmsg.ID) (v sipmsg.Value) {
	for it := m.Values(id); it.Next(); {
		v = it.Value()
	}
	return v
}

// recordRoute puts us into the dialog's route set: RFC 3261 16.6 step 4; with two values
// where the sides reach us at different addresses (RFC 5658). from is where the request
// came in, to where it goes out. It gives the number of values that m has then.
func (c *Core) recordRoute(m *sipmsg.Message, from, to netip.AddrPort) (n int) {
	in, out := c.advertised(from), c.advertised(to)
	n = countValues(m, sipmsg.RecordRouteHdr) + 1
	if in != out {
		c.head = appendRoute(c.head[:0], in)
		m.Prepend("Record-Route", c.head)
		n++
	}
	c.head = appendRoute(c.head[:0], out)
	m.Prepend("Record-Route", c.head)
	return n
}

func appendRoute(dst []byte, at netip.AddrPort) []byte {
	dst = at.AppendTo(append(dst, "<sip:"...))
	return append(dst, ";lr>"...)
}
