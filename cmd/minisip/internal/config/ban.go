package config

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// maxBan bounds the failures that are kept in mind for one address.
const maxBan = 1000

// setBan reads "10/1m,1h": ten failures within a minute ban an address for an hour.
func setBan(c *Config, value string) error {
	const want = "failures from 1 to 1000, a slash, within what time (1s to 24h), a comma, for how long (1s to 8760h), or off"
	if value == "off" {
		c.Ban = Ban{}
		return nil
	}
	count, rest, _ := strings.Cut(value, "/")
	within, lasts, _ := strings.Cut(rest, ",")
	n, err := strconv.Atoi(count)
	if err != nil || n < 1 || n > maxBan {
		return &mismatch{value, want}
	}
	b := Ban{Count: n}
	if setTime(&b.Within, within, time.Second, 24*time.Hour, want) != nil || setTime(&b.For, lasts, time.Second, 365*24*time.Hour, want) != nil {
		return &mismatch{value, want}
	}
	c.Ban = b
	return nil
}

// setTrust reads networks, and addresses alone.
func setTrust(c *Config, value string) error {
	var trust []netip.Prefix
	for _, part := range list(value) {
		p, err := netip.ParsePrefix(part)
		if ip, alone := netip.ParseAddr(part); alone == nil && ip.Zone() == "" {
			p, err = netip.PrefixFrom(ip, ip.BitLen()), nil
		}
		if err != nil || p.Addr().Is4In6() {
			return &mismatch{part, "networks as ADDRESS/BITS, or addresses, separated by commas"}
		}
		trust = append(trust, p.Masked())
	}
	c.Trust = trust
	return nil
}
