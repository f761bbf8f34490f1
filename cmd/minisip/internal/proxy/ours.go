package proxy

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"minisip/nat"
	"minisip/sipmsg"
)

// advertised is the address that phones shall use for our socket at local.
func (c *Core) advertised(local netip.AddrPort) netip.AddrPort {
	public := c.cfg.Public4
	if local.Addr().Is6() {
		public = c.cfg.Public6
	}
	if public.IsValid() {
		return netip.AddrPortFrom(public, local.Port())
	}
	return local
}

// knownAs says whether ip is the address by which phones know our socket at local, or knew it before -public changed.
func (c *Core) knownAs(local netip.AddrPort, ip netip.Addr) bool {
	return ip == c.advertised(local).Addr() || slices.Contains(c.former, ip)
}

// ours says whether host and port of a Via, Route or Request-URI name this proxy at the
// socket that in came to, or at any other. A name, not an address, is ours when it is
// one of the domains we serve: without -domain, any. So is an address in -domain.
func (c *Core) ours(local netip.AddrPort, host []byte, port uint16) bool {
	ip, ok := nat.ParseAddr(host)
	switch {
	case !ok:
		return c.servesName(host)
	case port == 0 && c.listed(ip.Unmap()):
		return true // whatever port a router in front of us has for that
	case port == 0:
		port = 5060
	}
	at := netip.AddrPortFrom(ip.Unmap(), port)
	return at == local || at == c.advertised(local) || c.isOurs(at)
}

// isOurs says whether datagrams sent to at would come back to us.
func (c *Core) isOurs(at netip.AddrPort) bool {
	if c.cfg.Ours(at) {
		return true
	}
	ip := at.Addr()
	public := ip == c.cfg.Public4 || ip == c.cfg.Public6 || slices.Contains(c.former, ip) || c.listed(ip)
	return public && c.cfg.Ours(netip.AddrPortFrom(netip.IPv4Unspecified(), at.Port()))
}

// listed says whether an address stands in -domain: there IPv6 has brackets, as in a URI.
func (c *Core) listed(ip netip.Addr) bool {
	if len(c.cfg.Domains) == 0 {
		return false
	}
	var room [64]byte
	text := room[:0]
	if ip.Is4() {
		text = ip.AppendTo(text)
	} else {
		text = append(ip.AppendTo(append(text, '[')), ']')
	}
	return slices.ContainsFunc(c.cfg.Domains, func(d string) bool { return d == string(text) })
}

// serves says whether a Request-URI names a host that we answer for: with -domain, one of
// those or an address of ours, else any.
func (c *Core) serves(in *inbound, uri *sipmsg.URI) bool {
	return len(c.cfg.Domains) == 0 || !uri.IsSIP() || c.ours(in.local, uri.Host, uri.Port)
}

// servesName says whether a host name is one that we serve: without -domain, any. With a dot at its end it is the same
// name, in its absolute form (RFC 1034 3.1).
func (c *Core) servesName(host []byte) bool {
	if len(c.cfg.Domains) == 0 {
		return true
	}
	host = bytes.TrimSuffix(host, []byte{'.'})
	for _, d := range c.cfg.Domains {
		if strings.EqualFold(d, string(host)) {
			return true
		}
	}
	return false
}
