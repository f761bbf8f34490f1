//go:build interop

package interop

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Where things are. The two private networks are the same on purpose.
const (
	serverIP = "198.51.100.10"
	natA     = "203.0.113.2"
	natB     = "192.0.2.2"
	phoneIP  = "192.168.1.2"
	publicIP = "198.18.0.2" // of who is behind no NAT
)

// prefix begins the names of this run's namespaces.
var prefix = fmt.Sprintf("ms%d-", os.Getpid())

// wire is a veth pair between two namespaces.
type wire struct {
	ns1, dev1, ip1 string
	ns2, dev2, ip2 string
}

var wires = []wire{
	{"srv", "eth0", serverIP + "/24", "isp", "srv", "198.51.100.1/24"},
	{"pub", "eth0", publicIP + "/24", "isp", "pub", "198.18.0.1/24"},
	{"nata", "wan", natA + "/24", "isp", "nata", "203.0.113.1/24"},
	{"natb", "wan", natB + "/24", "isp", "natb", "192.0.2.1/24"},
	{"a", "eth0", phoneIP + "/24", "nata", "lan", "192.168.1.1/24"},
	{"b", "eth0", phoneIP + "/24", "natb", "lan", "192.168.1.1/24"},
}

// routers forward; gateways names the default route of the others.
var (
	routers  = []string{"isp", "nata", "natb"}
	gateways = map[string]string{
		"srv": "198.51.100.1", "nata": "203.0.113.1", "natb": "192.0.2.1", "a": "192.168.1.1", "b": "192.168.1.1", "pub": "198.18.0.1",
	}
)

// masquerade is the NAT of a home router: every flow gets a random port, and nothing
// comes in that is no answer to what went out.
const masquerade = `
table ip home {
	chain out {
		type nat hook postrouting priority srcnat
		oifname "wan" masquerade fully-random
	}
	chain in {
		type filter hook input priority filter
		iifname "wan" ct state new,invalid drop
	}
	chain through {
		type filter hook forward priority filter
		iifname "wan" ct state new,invalid drop
	}
}
`

// newNetwork makes the namespaces srv, isp, nata, natb, a, b and pub, and takes them away when the test ends.
func newNetwork(t *testing.T) {
	t.Helper()
	need(t, "ip", "iproute2")
	need(t, "nft", "nftables")
	t.Cleanup(func() { remove(prefix) })
	for _, ns := range []string{"srv", "isp", "nata", "natb", "a", "b", "pub"} {
		command(t, "ip", "netns", "add", netns(ns))
		// IPv6 addresses count at once, so that nothing changes any more while a test runs (RFC 4862 5.4).
		shell(t, ns, "for i in all default; do echo 0 > /proc/sys/net/ipv6/conf/$i/accept_dad; done 2>/dev/null; true")
		command(t, "ip", "-n", netns(ns), "link", "set", "lo", "up")
	}
	for _, w := range wires {
		command(t, "ip", "link", "add", w.dev1, "netns", netns(w.ns1), "type", "veth", "peer", "name", w.dev2, "netns", netns(w.ns2))
		command(t, "ip", "-n", netns(w.ns1), "addr", "add", w.ip1, "dev", w.dev1)
		command(t, "ip", "-n", netns(w.ns2), "addr", "add", w.ip2, "dev", w.dev2)
		command(t, "ip", "-n", netns(w.ns1), "link", "set", w.dev1, "up")
		command(t, "ip", "-n", netns(w.ns2), "link", "set", w.dev2, "up")
	}
	for ns, gw := range gateways {
		command(t, "ip", "-n", netns(ns), "route", "add", "default", "via", gw)
	}
	for _, ns := range routers {
		shell(t, ns, "echo 1 > /proc/sys/net/ipv4/ip_forward")
	}
	for _, ns := range []string{"nata", "natb"} {
		shell(t, ns, "printf %s '"+masquerade+"' | nft -f -")
	}
}

// netns is the full name of one of the network's namespaces.
func netns(name string) string { return prefix + name }

// shell lets a shell in one of the network's namespaces do something.
func shell(t *testing.T, name, script string) {
	t.Helper()
	command(t, "ip", "netns", "exec", netns(name), "sh", "-c", script)
}

// remove takes away the namespaces that begin with prefix, and what still runs in them.
func remove(prefix string) {
	for _, ns := range namespaces() {
		if !strings.HasPrefix(ns, prefix) {
			continue
		}
		pids, _ := exec.Command("ip", "netns", "pids", ns).Output()
		for _, f := range strings.Fields(string(pids)) {
			if pid, err := strconv.Atoi(f); err == nil {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		exec.Command("ip", "netns", "del", ns).Run()
	}
}

// reap removes the namespaces of runs that were killed.
func reap() {
	ours := regexp.MustCompile(`^ms(\d+)-`)
	for _, ns := range namespaces() {
		if m := ours.FindStringSubmatch(ns); m != nil {
			if pid, err := strconv.Atoi(m[1]); err == nil && syscall.Kill(pid, 0) == syscall.ESRCH {
				remove(m[0])
			}
		}
	}
}

// namespaces lists the names of all network namespaces.
func namespaces() []string {
	out, _ := exec.Command("ip", "netns", "list").Output()
	var names []string
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); len(f) > 0 {
			names = append(names, f[0])
		}
	}
	return names
}
