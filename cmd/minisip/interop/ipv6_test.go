//go:build interop

package interop

import (
	"strings"
	"testing"
	"time"
)

// Where things are on IPv6.
const (
	serverIPv6 = "2001:db8:1::10"
	publicIPv6 = "2001:db8:2::2"
)

// hasIPv6 gives the server and pub addresses of IPv6, and a way between them.
func hasIPv6(t *testing.T) {
	t.Helper()
	for _, w := range []wire{
		{"srv", "eth0", serverIPv6, "isp", "srv", "2001:db8:1::1"},
		{"pub", "eth0", publicIPv6, "isp", "pub", "2001:db8:2::1"},
	} {
		command(t, "ip", "-n", netns(w.ns1), "addr", "add", w.ip1+"/64", "dev", w.dev1, "nodad")
		command(t, "ip", "-n", netns(w.ns2), "addr", "add", w.ip2+"/64", "dev", w.dev2, "nodad")
		command(t, "ip", "-n", netns(w.ns1), "-6", "route", "add", "default", "via", w.ip2)
	}
	shell(t, "isp", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding")
}

// TestIPv6: a phone on IPv6 talks with another one, calls and is called, and is called by one behind a NAT on IPv4. (baresip 1.0
// takes the kind of address in o=, which stays as the caller wrote it, for that of the media; linphonec takes c=.)
func TestIPv6(t *testing.T) {
	newNetwork(t)
	hasIPv6(t)
	accounts, file := accountsOf("001", "002", "003")
	s := startServer(t, file)
	six := func(user string) account {
		a := accounts[user]
		a.server = "[" + serverIPv6 + "]"
		return a
	}
	a := startBaresip(t, netns("a"), accounts["001"], 440)
	b := startLinphone(t, netns("pub"), six("002"), 880, strings.NewReplacer("use_ipv6=0", "use_ipv6=1"))
	c := startBaresip(t, netns("pub"), six("003"), 1320, setup{config: "prefer_ipv6 yes\nnet_interface eth0\n"})
	for _, p := range []phone{a, b, c} {
		p.registered(t)
	}
	for _, pair := range []struct {
		caller, callee, ender phone
		from, to              string
	}{{a, b, a, a.user, b.user}, {a, b, b, a.user, b.user}, {c, b, b, c.user, b.user}, {b, c, b, b.user, c.user}} {
		before := len(s.ends(pair.from, pair.to))
		talk(t, pair.caller, pair.callee, pair.ender, pair.to, 2*time.Second)
		s.logsEnd(t, pair.from, pair.to, before)
	}
	s.freesPorts(t)
}
