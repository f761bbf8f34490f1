package server

import (
	"net"
	"net/netip"
	"time"
)

// addresses knows at which addresses the sockets can be reached: a wildcard socket at
// all of the machine's, which are looked up again now and then. The loop owns it.
type addresses struct {
	known  map[netip.AddrPort]struct{}
	looked time.Time
}

// lookEvery is how old the list of the machine's addresses may get.
const lookEvery = time.Minute

func (a *addresses) refresh(now time.Time, sockets []*socket) {
	if a.known != nil && now.Sub(a.looked) < lookEvery {
		return
	}
	a.looked = now
	a.known = map[netip.AddrPort]struct{}{}
	var machine []net.Addr
	for _, s := range sockets {
		a.known[s.local] = struct{}{}
		if s.wildcard && machine == nil {
			machine, _ = net.InterfaceAddrs()
		}
		for _, m := range machine {
			if p, ok := m.(*net.IPNet); ok && s.wildcard {
				if ip, ok := netip.AddrFromSlice(p.IP); ok {
					a.known[netip.AddrPortFrom(ip.Unmap(), s.local.Port())] = struct{}{}
				}
			}
		}
	}
}

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
