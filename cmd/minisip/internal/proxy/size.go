package proxy

import (
	"bytes"
	"net/netip"
)

// RFC 3261 18.1.1: a request larger than 1,300 bytes, where the path's MTU is not known, "MUST
// be sent using an RFC 2914 congestion controlled transport protocol". Here is none, so it goes
// over UDP, in fragments where it must, and the log says so once for each IP address.
const safeSize = 1300

// noteSize logs a datagram that may not pass in one packet.
func (c *Core) noteSize(to netip.AddrPort, b []byte) {
	if c.oversized.news(c.now, to.Addr()) {
		what, _, _ := bytes.Cut(b, []byte("\r\n"))
		what, _ = bytes.CutPrefix(what, []byte("SIP/2.0 "))
		what, _, _ = bytes.Cut(what, []byte(" "))
		c.logf("%s of %d bytes to %s: over %d it may travel in IP fragments, which some routers drop (not logged again for this address)",
			printable(what), len(b), to, safeSize)
	}
}

// fitsUDP says whether a message of n bytes goes into one UDP datagram to an address. IPv4's
// header counts in its length, IPv6's does not.
func fitsUDP(to netip.Addr, n int) bool {
	const udp, ip4 = 8, 20
	if to.Is4() {
		return n <= 65535-udp-ip4
	}
	return n <= 65535-udp
}
