package config

import (
	"strconv"
	"strings"
)

// DSCP is how routers shall treat what is sent: code points of RFC 2474 from 0 to 63; 0 is
// what packets have when nobody says anything.
type DSCP struct{ SIP, RTP int }

// codePoints are the names of RFC 2474, 2597, 3246, 5865 and 8622 that tc(8) knows too; af11 to
// af43 and cs0 to cs7 are made in codePoint.
var codePoints = map[string]int{"none": 0, "le": 1, "va": 44, "ef": 46}

// setDSCP reads one code point for SIP and perhaps one for RTP; none alone is for both.
func setDSCP(c *Config, value string) error {
	sip, rtp, both := strings.Cut(value, ",")
	if !both {
		if rtp = "ef"; strings.EqualFold(sip, "none") {
			rtp = sip
		}
	}
	var d DSCP
	var ok bool
	if d.SIP, ok = codePoint(sip); ok {
		d.RTP, ok = codePoint(rtp)
	}
	if !ok {
		return &mismatch{value, "one code point for SIP, or one for SIP and one for RTP separated by a comma: cs0 to cs7, af11 to af43, ef, va, le, a number up to 63, or none"}
	}
	c.DSCP = d
	return nil
}

// codePoint reads a name or a number.
func codePoint(s string) (n int, ok bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	if n, ok = codePoints[s]; ok {
		return n, true
	}
	digit := func(i, low, high int) int {
		if d := int(s[i]) - '0'; d >= low && d <= high {
			return d
		}
		return -1
	}
	switch {
	case len(s) == 3 && s[:2] == "cs": // RFC 2474 4.2.2: class selectors
		n = digit(2, 0, 7)
		return 8 * n, n >= 0
	case len(s) == 4 && s[:2] == "af": // RFC 2597 6: class and drop precedence
		class, drop := digit(2, 1, 4), digit(3, 1, 3)
		return 8*class + 2*drop, class > 0 && drop > 0
	}
	v, err := strconv.ParseUint(s, 10, 8)
	return int(v), err == nil && v < 64
}
