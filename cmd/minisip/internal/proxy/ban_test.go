package proxy

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/guard"
)

// The limits of bans change while minisip runs: who is trusted then is free at once, and without a limit all are.
func TestBanLimitsChange(t *testing.T) {
	trusted := netip.MustParsePrefix("198.51.100.0/24")
	for name, limits := range map[string]guard.Limits{
		"off":     {},
		"trusted": {Count: 2, Within: time.Minute, For: time.Hour, Trust: []netip.Prefix{trusted}},
	} {
		s := &script{newWorld(t)}
		s.cfg.Bans = guard.Limits{Count: 2, Within: time.Minute, For: time.Hour}
		s.do("phone 666 at 198.51.100.7:5060 user 001 password guess", "666: REGISTER")
		guess := func(n int) {
			for i := range n {
				if err := s.run("666: REGISTER auth", []string{fmt.Sprintf("Call-ID: guess-%d", i)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		guess(2)
		answered := func() bool {
			s.events = nil
			s.do("666: REGISTER")
			return slices.ContainsFunc(s.events, func(e event) bool { return e.from == "minisip" })
		}
		if answered() {
			t.Errorf("%s: a banned source is answered", name)
		}
		next := s.cfg
		next.Bans = limits
		s.core.Reconfigure(s.now, s.cfg, next)
		if !answered() {
			t.Errorf("%s: not answered after the change", name)
		}
		guess(3)
		if !answered() {
			t.Errorf("%s: banned again", name)
		}
	}
}
