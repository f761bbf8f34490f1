package config

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// RFC 3261 16.6 step 11: Timer C "MUST be larger than 3 minutes".
const (
	defaultTimerC     = 3*time.Minute + 5*time.Second
	defaultMaxPending = 50
)

func setListen(c *Config, value string) error {
	const want = "IP:PORT or :PORT, several separated by commas"
	var addrs []netip.AddrPort
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimSpace(part)
		found, err := listenAddrs(part)
		if err != nil {
			return &mismatch{part, want}
		}
		for _, a := range found {
			if slices.ContainsFunc(addrs, func(b netip.AddrPort) bool { return collide(a, b) }) {
				return &mismatch{part, "each address and port once"}
			}
			addrs = append(addrs, a)
		}
	}
	c.Listen = addrs
	return nil
}

// collide says that two sockets cannot have these addresses: one of them may stand for all of its family.
func collide(a, b netip.AddrPort) bool {
	x, y := a.Addr(), b.Addr()
	return a.Port() == b.Port() && (x == y || x.Is4() == y.Is4() && (x.IsUnspecified() || y.IsUnspecified()))
}

// listenAddrs reads one entry; an entry without an address means every address
// of both families.
func listenAddrs(s string) ([]netip.AddrPort, error) {
	if port, ok := strings.CutPrefix(s, ":"); ok {
		n, err := parsePort(port)
		return []netip.AddrPort{
			netip.AddrPortFrom(netip.IPv4Unspecified(), n),
			netip.AddrPortFrom(netip.IPv6Unspecified(), n),
		}, err
	}
	a, err := netip.ParseAddrPort(s)
	if err != nil || a.Port() == 0 || a.Addr().IsMulticast() {
		return nil, strconv.ErrRange
	}
	return []netip.AddrPort{netip.AddrPortFrom(a.Addr().Unmap(), a.Port())}, nil
}

func parsePort(s string) (uint16, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil || n == 0 {
		return 0, strconv.ErrRange
	}
	return uint16(n), nil
}

// broadcast is RFC 919's: all hosts of a network, and no host.
var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

func setPublic(c *Config, value string) error {
	const want = "an IPv4 address, an IPv6 address, or one of each separated by a comma"
	var v4, v6 netip.Addr
	for _, part := range list(value) {
		a, err := netip.ParseAddr(part)
		a = a.Unmap()
		if err != nil || a.IsUnspecified() || a.IsMulticast() || a == broadcast || a.Zone() != "" {
			return &mismatch{part, want}
		}
		to := &v6
		if a.Is4() {
			to = &v4
		}
		if to.IsValid() {
			return &mismatch{value, want}
		}
		*to = a
	}
	c.Public4, c.Public6 = v4, v6
	return nil
}

func setRTP(c *Config, value string) error {
	const want = "two ports LO-HI from 1024 to 65535, HI at least 3 above LO, 4 if LO is odd"
	lo, hi, _ := strings.Cut(value, "-")
	low, err1 := parsePort(strings.TrimSpace(lo))
	high, err2 := parsePort(strings.TrimSpace(hi))
	// A call takes a pair of ports for each of its two sides; a pair begins with an even one.
	if err1 != nil || err2 != nil || low < 1024 || int(high) < (int(low)+1)&^1+3 {
		return &mismatch{value, want}
	}
	c.RTPLow, c.RTPHigh = low, high
	return nil
}

// setRealm takes what fits between the quotes of a challenge and between the
// colons of the user file.
func setRealm(c *Config, value string) error {
	bad := func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(`:"\`, r) }
	if value == "" || len(value) > 128 || strings.ContainsFunc(value, bad) {
		return &mismatch{value, `1 to 128 printable characters without a colon, a quote and a backslash`}
	}
	c.Realm = value
	return nil
}

func setDomains(c *Config, value string) error {
	var domains []string
	for _, part := range list(value) {
		d, ok := hostName(part)
		if !ok {
			return &mismatch{part, "host names or IP addresses separated by commas, without sip: and without a port"}
		}
		if !slices.Contains(domains, d) {
			domains = append(domains, d)
		}
	}
	c.Domains = domains
	return nil
}

// hostName returns a host as it stands in a SIP URI: lower case, IPv6 in brackets.
func hostName(s string) (string, bool) {
	inner := strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	if a, err := netip.ParseAddr(inner); err == nil && a.Zone() == "" {
		if a.Is6() {
			return "[" + a.String() + "]", true
		}
		return s, inner == s
	}
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	for label := range strings.SplitSeq(s, ".") {
		bad := func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789-_", r) }
		if label == "" || len(label) > 63 || strings.ContainsFunc(label, bad) {
			return "", false
		}
	}
	return s, len(s) <= 253
}

func setDigest(c *Config, value string) error {
	var algorithms []string
	for _, part := range list(value) {
		name := strings.ReplaceAll(strings.ToLower(part), "-", "")
		if name != "md5" && name != "sha256" || slices.Contains(algorithms, name) {
			return &mismatch{part, "md5 or sha256, each at most once, separated by commas"}
		}
		algorithms = append(algorithms, name)
	}
	if algorithms == nil {
		return &mismatch{value, "md5 or sha256, or both separated by a comma"}
	}
	c.Digest = algorithms
	return nil
}

func setICE(c *Config, value string) error {
	if value != "lite" && value != "strip" {
		return &mismatch{value, "lite or strip"}
	}
	c.ICE = value == "lite"
	return nil
}

func setHEP(c *Config, value string) error {
	if host, port, err := net.SplitHostPort(value); value != "" {
		if _, bad := parsePort(port); err != nil || bad != nil || host == "" {
			return &mismatch{value, "HOST:PORT of a server that takes HEP over UDP"}
		}
	}
	c.HEP = value
	return nil
}

func setDialAdmins(c *Config, value string) error {
	users := list(value)
	for _, u := range users {
		if u == "" || strings.Contains(u, ":") || strings.ContainsFunc(u, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return &mismatch{u, "user names separated by commas"}
		}
	}
	c.DialAdmins = users
	return nil
}

// list splits a value at its commas; an empty value has no parts.
func list(value string) []string {
	if strings.TrimSpace(value) == "" {
		return nil
	}
	parts := strings.Split(value, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// setStatus takes an address and a port, :PORT for all addresses, or nothing.
func setStatus(c *Config, value string) error {
	if value == "" {
		c.Status = netip.AddrPort{}
		return nil
	}
	if port, ok := strings.CutPrefix(value, ":"); ok {
		n, err := parsePort(port)
		if err != nil {
			return &mismatch{value, wantStatus}
		}
		c.Status = netip.AddrPortFrom(netip.IPv6Unspecified(), n)
		return nil
	}
	a, err := netip.ParseAddrPort(strings.Replace(value, "localhost:", "127.0.0.1:", 1))
	if err != nil || a.Port() == 0 || a.Addr().IsMulticast() {
		return &mismatch{value, wantStatus}
	}
	c.Status = a
	return nil
}

const wantStatus = `IP:PORT, :PORT for every address, or "" for none`

func setStatusPasswordFile(c *Config, value string) error {
	return setPath(&c.StatusPasswordFile, value)
}
