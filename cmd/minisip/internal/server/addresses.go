package server

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"
)

// addresses knows at which addresses the sockets can be reached: a wildcard socket at all of the machine's, which
// are looked up again now and then. One that goes stays known as ours, since it stands in the Routes of dialogs and
// may come back. The loop owns it.
type addresses struct {
	known  map[netip.AddrPort]struct{}
	served map[netip.Addr]struct{} // that somebody reaches us at
	lost   []netip.Addr            // of those, the ones that the machine has no more
	newest netip.AddrPort          // where the newest datagram came
	looked time.Time
}

const (
	// lookEvery is how old the list of the machine's addresses may get.
	lookEvery = 10 * time.Second

	// maxServed bounds what a machine that gets one address after the other leaves behind.
	maxServed = 1024
)

// refresh looks the machine's addresses up, if that was long ago; it gives what the log should say.
func (a *addresses) refresh(now time.Time, sockets []*socket) []string {
	if a.known != nil && now.Sub(a.looked) < lookEvery {
		return nil
	}
	a.looked = now
	all, err := net.InterfaceAddrs()
	if err != nil && a.known != nil {
		return nil // as it was
	}
	var machine []netip.Addr
	for _, m := range all {
		if p, ok := m.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(p.IP); ok {
				machine = append(machine, ip.Unmap())
			}
		}
	}
	for ip := range a.served {
		if !slices.Contains(machine, ip) && routedHere(ip) {
			machine = append(machine, ip)
		}
	}
	return a.look(machine, sockets)
}

// routedHere says whether the system takes an address for its own, though no interface has it: all of 127.0.0.0/8, and what a
// route says is local, as behind load balancers that leave their address in what they pass on. Then packets can leave from it. No
// packet is sent to find out; Linux does the like for IPv4 alone.
func routedHere(ip netip.Addr) bool {
	const discard = 9 // any port would do
	conn, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)), net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, discard)))
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// look takes in which addresses the machine has.
func (a *addresses) look(machine []netip.Addr, sockets []*socket) (lines []string) {
	a.known = map[netip.AddrPort]struct{}{}
	if a.served == nil {
		a.served = map[netip.Addr]struct{}{}
	}
	for _, s := range sockets {
		a.known[s.local] = struct{}{}
		if !s.wildcard {
			a.served[s.local.Addr()] = struct{}{}
			continue
		}
		for _, ip := range machine {
			a.known[netip.AddrPortFrom(ip, s.local.Port())] = struct{}{}
		}
		for ip := range a.served {
			a.known[netip.AddrPortFrom(ip, s.local.Port())] = struct{}{}
		}
	}
	for ip := range a.served {
		there := slices.Contains(machine, ip) || ip.Zone() != "" // with a zone it has another form here
		i := slices.Index(a.lost, ip)
		switch {
		case !there && i < 0:
			a.lost = append(a.lost, ip)
			if a.newest.Addr() == ip {
				a.newest = netip.AddrPort{}
			}
			lines = append(lines, fmt.Sprintf("this machine has lost the address %s: who reaches minisip there cannot, until it is back", ip))
		case there && i >= 0:
			lines = append(lines, a.again(i))
		}
	}
	return lines
}

// again notes that the machine has a lost address once more, and says so.
func (a *addresses) again(i int) string {
	ip := a.lost[i]
	a.lost = slices.Delete(a.lost, i, i+1)
	return fmt.Sprintf("this machine has the address %s again", ip)
}

// came notes at which address a datagram reached us. If that was lost it is there again, and the answer must leave from
// it at once; then came gives what the log should say.
func (a *addresses) came(local netip.AddrPort) (line string) {
	if local == a.newest {
		return ""
	}
	a.newest = local
	if ip := local.Addr(); !ip.IsUnspecified() && len(a.served) < maxServed {
		a.served[ip] = struct{}{}
		a.known[local] = struct{}{} // the machine may have it since a moment ago
	}
	if i := slices.Index(a.lost, local.Addr()); i >= 0 {
		return a.again(i)
	}
	return ""
}

// gone says whether the machine has lost an address of ours.
func (a *addresses) gone(ip netip.Addr) bool { return len(a.lost) > 0 && slices.Contains(a.lost, ip) }

// has says whether datagrams to at reach us. An unspecified address asks for the port.
func (a *addresses) has(at netip.AddrPort) bool {
	if _, ok := a.known[at]; ok {
		return true
	}
	if at.Addr().IsUnspecified() {
		for k := range a.known {
			if k.Port() == at.Port() {
				return true
			}
		}
	}
	return false
}
