package trail

import (
	"net/netip"
	"slices"
	"time"

	"minisip/sipmsg"
)

// entry is a message but its text, which lies at pos. There is no pointer in it: the garbage
// collector need not look at the thousands that there are.
type entry struct {
	key         Key
	before      ID
	at          time.Duration // since the ring's first message
	pos         uint64
	prev        uint64 // the entry before it in its chain
	peer, local place
	size        uint32 // of the datagram
	sum         uint32
	status      uint16
	method      sipmsg.Method
	received    bool
	again       bool
}

// place is an address and port.
type place struct {
	ip   [16]byte
	port uint16
	zone uint8 // counts the ring's zones from 1; 0: none
	four bool
}

// pack makes an entry of a message.
func (r *ring) pack(m *Message) entry {
	return entry{
		key: m.Key, before: m.Before, at: m.At.Sub(r.base), peer: r.place(m.Peer), local: r.place(m.Local), size: uint32(len(m.Text)),
		status: uint16(m.Status), method: m.Method, received: m.Received, again: m.Again,
	}
}

// message gives an entry's message, its text valid until the next add.
func (r *ring) message(e *entry) Message {
	return Message{
		Key: e.key, Before: e.before, At: r.time(e), Peer: r.addr(&e.peer), Local: r.addr(&e.local), Text: r.textOf(e),
		Status: int(e.status), Method: e.method, Received: e.received, Again: e.again,
	}
}

// time is when a message was, by the monotonic clock where there is one: who sets the clock on the wall does not
// move what comes after away from what came before.
func (r *ring) time(e *entry) time.Time { return r.base.Add(e.at) }

// maxZones is how many interfaces a ring tells apart.
const maxZones = 255

func (r *ring) place(a netip.AddrPort) place {
	p := place{ip: a.Addr().As16(), port: a.Port(), four: a.Addr().Is4()}
	if zone := a.Addr().Zone(); zone != "" {
		i := slices.Index(r.zones, zone)
		if i < 0 && len(r.zones) < maxZones {
			i = len(r.zones)
			r.zones = append(r.zones, zone)
		}
		p.zone = uint8(i + 1)
	}
	return p
}

func (r *ring) addr(p *place) netip.AddrPort {
	ip := netip.AddrFrom16(p.ip)
	if p.four {
		ip = ip.Unmap()
	}
	if p.zone != 0 {
		ip = ip.WithZone(r.zones[p.zone-1])
	}
	return netip.AddrPortFrom(ip, p.port)
}
