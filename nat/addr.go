package nat

import (
	"bytes"
	"net/netip"
)

// ParseAddr reads an IP literal without brackets, as netip.ParseAddr does, but allocates
// nothing for IPv4, nor for host names, which are not literals.
func ParseAddr(b []byte) (netip.Addr, bool) {
	if bytes.IndexByte(b, ':') < 0 {
		return parseIPv4(b)
	}
	a, err := netip.ParseAddr(string(b))
	return a, err == nil
}

// parseIP reads an IP literal as other hosts know the address.
func parseIP(b []byte) (netip.Addr, bool) {
	a, ok := ParseAddr(b)
	return plain(a), ok
}

func parseIPv4(b []byte) (netip.Addr, bool) {
	var quad [4]byte
	n, digits, octet := 0, 0, 0
	for i := 0; ; i++ {
		if i == len(b) || b[i] == '.' {
			if digits == 0 || n == 4 {
				return netip.Addr{}, false
			}
			quad[n] = byte(octet)
			n, digits, octet = n+1, 0, 0
			if i == len(b) && n == 4 {
				return netip.AddrFrom4(quad), true
			}
			if i == len(b) {
				return netip.Addr{}, false
			}
			continue
		}
		// A leading zero could be meant as octal: no literal.
		if b[i] < '0' || b[i] > '9' || digits > 0 && octet == 0 {
			return netip.Addr{}, false
		}
		octet = octet*10 + int(b[i]-'0')
		if digits++; octet > 255 {
			return netip.Addr{}, false
		}
	}
}

// plain is the address as other hosts know it: a mapped IPv4 address as IPv4, no zone.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func plainPort(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(plain(a.Addr()), a.Port())
}

// parseUint reads a decimal number of at most max.
func parseUint(b []byte, max int) (int, bool) {
	if len(b) == 0 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n = n*10 + int(c-'0'); n > max {
			return 0, false
		}
	}
	return n, true
}
