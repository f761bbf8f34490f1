package status

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Source is whom attempts and connections are counted of: an address, or with IPv6 a network,
// of which one person has all addresses.
func Source(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("") // with one there is no prefix
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, _ := addr.Prefix(bits)
	return p
}

// asker is where a request comes from. Of a proxy on this host that is what it has added last
// to X-Forwarded-For; all before that is the client's own word, and so is the whole field
// from anywhere else.
func asker(r *http.Request) netip.Addr {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	addr := peer.Addr()
	if said, err := netip.ParseAddr(hostOf(forwarded(r, "X-Forwarded-For"))); err == nil {
		addr = said
	}
	return addr.Unmap().WithZone("") // a zone could be any text
}

// overTLS says whether the browser speaks HTTPS, with us or with a proxy on this host.
func overTLS(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(forwarded(r, "X-Forwarded-Proto"), "https")
}

// forwarded is the last word of a list that a proxy on this host adds to.
func forwarded(r *http.Request, field string) string {
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err != nil || !peer.Addr().Unmap().IsLoopback() {
		return ""
	}
	list := strings.Join(r.Header.Values(field), ",")
	return strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:])
}

// from names the source of a request in the log.
func from(r *http.Request) string {
	if said := forwarded(r, "X-Forwarded-For"); said != "" {
		return asker(r).String() + " by way of " + r.RemoteAddr
	}
	return r.RemoteAddr
}

// hostOf is an address without the port and brackets that it may have.
func hostOf(s string) string {
	host, _, err := net.SplitHostPort(s)
	if err != nil {
		host = s
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}

// loopback says whether a Host field names this host's loopback.
func loopback(host string) bool {
	host = hostOf(host)
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.IsLoopback()
}
