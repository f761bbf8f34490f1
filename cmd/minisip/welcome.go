package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/server"
	"minisip/digest"
)

// welcome prints what a person types into the phones, and what is to be known at start.
func welcome(w io.Writer, cfg *config.Config, srv *server.Server, users *digest.Users, created []digest.Account, notes []string) {
	at := phoneAddress(cfg, srv.Addresses())
	fmt.Fprintf(w, "minisip %s\n\n", version)
	if len(created) > 0 {
		fmt.Fprintf(w, "Made %s with two accounts. Type one of them into each phone:\n\n", cfg.Users)
		for _, a := range created {
			fmt.Fprintf(w, "    server    %s\n    user      %s\n    password  %s\n\n", shortAddress(at), a.Name, a.Password)
		}
		fmt.Fprintf(w, "The passwords are shown only now. More users: minisip user add NAME, then kill -HUP %d\n", os.Getpid())
	} else {
		fmt.Fprintf(w, "Server for the phones: %s (users: %d, from %s)\n", shortAddress(at), users.Len(), usersFrom(cfg))
	}
	fmt.Fprintf(w, "Public address: %s, SIP on UDP port %d, media on UDP ports %d-%d\n", at.Addr(), at.Port(), cfg.RTPLow, cfg.RTPHigh)
	fmt.Fprintf(w, "Features on: %s\n", featureList(proxyConfig(cfg).Features))
	switch ip := at.Addr(); {
	case ip.IsLoopback():
		fmt.Fprintf(w, "Warning: %s is reached from this machine only. For phones elsewhere the machine needs a\n"+
			"network address (see: ip address); give that with -listen, or leave -listen out.\n", ip)
	case ip.IsPrivate() || ip.IsLinkLocalUnicast() || sharedSpace.Contains(ip):
		fmt.Fprintf(w, "Warning: %s is a private address: phones elsewhere cannot reach it. If a router in front\n"+
			"forwards the ports to this machine, give the router's public address with -public IP.\n", ip)
	}
	for _, n := range cfg.Notes {
		fmt.Fprintf(w, "Note: %s\n", n)
	}
	for _, n := range notes {
		fmt.Fprintln(w, n)
	}
}

// sharedSpace is RFC 6598's, behind a provider's NAT.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// phoneAddress is the address that phones shall use: -public, else the one bound, else
// the one that packets to the Internet leave from.
func phoneAddress(cfg *config.Config, bound []netip.AddrPort) netip.AddrPort {
	for _, at := range bound {
		public := cfg.Public4
		if at.Addr().Is6() {
			public = cfg.Public6
		}
		if public.IsValid() {
			return netip.AddrPortFrom(public, at.Port())
		}
	}
	for _, at := range bound {
		if !at.Addr().IsUnspecified() {
			return at
		}
		if ip := outbound(at.Addr()); ip.IsValid() {
			return netip.AddrPortFrom(ip, at.Port())
		}
	}
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if bound[0].Addr().Is6() {
		loopback = netip.IPv6Loopback()
	}
	return netip.AddrPortFrom(loopback, bound[0].Port())
}

// outbound asks the routing table which address of wildcard's family packets to the
// Internet leave from; none is sent. It is invalid where the machine has none.
func outbound(wildcard netip.Addr) netip.Addr {
	network, to := "udp4", "192.0.2.1:9"
	if wildcard.Is6() {
		network, to = "udp6", "[2001:db8::1]:9"
	}
	if conn, err := net.Dial(network, to); err == nil {
		defer conn.Close()
		if a, ok := conn.LocalAddr().(*net.UDPAddr); ok {
			return a.AddrPort().Addr().Unmap()
		}
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		p, ok := a.(*net.IPNet)
		if !ok || !p.IP.IsGlobalUnicast() {
			continue
		}
		if ip, _ := netip.AddrFromSlice(p.IP); ip.Unmap().Is6() == wildcard.Is6() {
			return ip.Unmap()
		}
	}
	return netip.Addr{}
}

// shortAddress leaves SIP's own port out, as phones do.
func shortAddress(at netip.AddrPort) string {
	return strings.TrimSuffix(at.String(), ":5060")
}
