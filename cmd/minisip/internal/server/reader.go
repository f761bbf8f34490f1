package server

import (
	"net/netip"
	"time"

	"minisip/cmd/minisip/internal/guard"
	"minisip/digest"
)

// reader takes the datagrams of one socket, parses them and hands them to the event loop. It never
// waits for the loop: what finds no room is dropped and counted, as the network would.
//
// Where the loop keeps up, all of them go to it in the order they came. Where it does not, those go
// first that come from an address with a binding or a call, or bring a nonce that we gave to their IP:
// a forged source never saw one. Everybody else has the second queue, from which the loop takes what it has
// time for. In both, nobody gets more than his share: in the first each address, in the second each IP.
// What is no SIP is then dropped before anybody has parsed it.
type reader struct {
	*Server
	bans    *guard.Bans
	sources *guard.Sources
	nonces  *digest.Checker
}

// keepingUp is how many datagrams may wait before there is overload: they are handled within
// a few milliseconds.
const keepingUp = 64

// take takes one datagram; b is valid during the call.
func (r *reader) take(b []byte, src, local netip.AddrPort) {
	defer r.survive(b, src)
	now := r.now()
	overload := len(r.first.packets)+len(r.rest.packets) > keepingUp
	q, share := r.first, src
	switch {
	case !overload && !r.bans.Banned(now, src.Addr()) || r.sources.Has(src):
	default:
		look := guard.LookAt(b)
		if !r.passes(now, src, look) {
			r.health.banned.Add(1)
			return
		}
		if !overload {
			break
		}
		if look == guard.Rubbish {
			r.health.dropped.Add(1)
			return
		}
		share = netip.AddrPortFrom(src.Addr(), 0)
		if look != guard.Proving || !r.nonces.Ours(now, src.Addr(), guard.Nonce(b)) {
			q = r.rest
		}
	}
	p := r.newPacket()
	p.buf = append(p.buf[:0], trimmed(b)...)
	p.src, p.local, p.came = src, local, now
	p.err = p.msg.Parse(p.buf)
	if !q.put(p, overload, share) {
		r.health.dropped.Add(1)
		r.reuse(p)
	}
}

// trimmed is a datagram without most of the line ends in front of it, which mean nothing (RFC 3261 7.5) and would be kept with a
// message that is kept, uncounted. So many stay that nothing becomes a ping that was none (RFC 5626 4.4.1).
func trimmed(b []byte) []byte {
	const stay = len("\r\n\r\n\r\n")
	n := 0
	for n < len(b) && (b[n] == '\r' || b[n] == '\n') {
		n++
	}
	return b[max(0, n-stay):]
}

// passes says whether a datagram from an unknown address is looked at as far as bans go. From a banned one
// requests are, so many a second: a phone that shares the address with an attacker may prove itself.
func (r *reader) passes(now time.Time, src netip.AddrPort, look guard.Look) bool {
	if !r.bans.Banned(now, src.Addr()) {
		return true
	}
	return (look == guard.Bare || look == guard.Proving) && r.bans.Pass(now, src, look == guard.Proving)
}
