package config

import (
	"strconv"
	"strings"
	"time"
)

func setKeepalive(c *Config, value string) error {
	if value == "0" {
		c.Keepalive = 0
		return nil
	}
	return setTime(&c.Keepalive, value, time.Second, time.Hour, "a time from 1s to 1h, or 0")
}

func setTimeout(c *Config, value string) error {
	return setTime(&c.Timeout, value, time.Second, 24*time.Hour, "a time from 1s to 24h")
}

func setHoldTimeout(c *Config, value string) error {
	return setTime(&c.HoldTimeout, value, time.Second, 7*24*time.Hour, "a time from 1s to 168h")
}

func setTime(to *time.Duration, value string, least, most time.Duration, want string) error {
	d, err := time.ParseDuration(value)
	if err != nil || d < least || d > most {
		return &mismatch{value, want}
	}
	*to = d
	return nil
}

func setLogDays(c *Config, value string) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > 3650 {
		return &mismatch{value, "a number of days from 1 to 3650"}
	}
	c.LogDays = n
	return nil
}

func setLogSize(c *Config, value string) error {
	n, ok := parseSize(value)
	if !ok || n < 64<<10 || n > 1<<40 {
		return &mismatch{value, "a size from 64K to 1024G"}
	}
	c.LogSize = n
	return nil
}

func setHistory(c *Config, value string) error {
	n, ok := parseSize(value)
	if !ok || n < 1<<20 || n > 1<<30 {
		return &mismatch{value, "a size from 1M to 1G"}
	}
	c.History = int(n)
	return nil
}

// parseSize reads a number of bytes with an optional K, M or G.
func parseSize(s string) (int64, bool) {
	shift := 0
	if i := strings.IndexByte("KMG", lastUpper(s)); i >= 0 {
		shift = 10 * (i + 1)
		s = s[:len(s)-1]
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || n > 1<<62>>shift {
		return 0, false
	}
	return int64(n) << shift, true
}

// lastUpper is the last byte of s in upper case; 0 if there is none.
func lastUpper(s string) byte {
	if s == "" {
		return 0
	}
	return strings.ToUpper(s[len(s)-1:])[0]
}

func setUsers(c *Config, value string) error    { return setPath(&c.Users, value) }
func setCDR(c *Config, value string) error      { return setPath(&c.CDR, value) }
func setLog(c *Config, value string) error      { return setPath(&c.Log, value) }
func setState(c *Config, value string) error    { return setPath(&c.State, value) }
func setTraceDir(c *Config, value string) error { return setPath(&c.TraceDir, value) }
func setFile(c *Config, value string) error     { return setPath(&c.File, value) }

// setPath takes any path; "" switches off what the path is for.
func setPath(to *string, value string) error {
	if strings.ContainsRune(value, 0) {
		return &mismatch{value, "a path"}
	}
	*to = value
	return nil
}

func setCheck(c *Config, _ string) error {
	c.Check = true
	return nil
}
