package server

import (
	"net/netip"

	"minisip/cmd/minisip/internal/guard"
)

// Bans lists the sources that are banned, the latest first. It may be called from any goroutine.
func (s *Server) Bans() []guard.Ban { return s.core.Bans().List(s.now()) }

// Unban lets a source go that is banned; of IPv6 its whole /64. It reports false where ip was
// not banned. It may be called from any goroutine.
func (s *Server) Unban(ip netip.Addr) bool {
	lifted := s.core.Bans().Lift(s.now(), ip)
	if lifted {
		s.cfg.Log("the ban of " + ip.String() + " was lifted")
	}
	return lifted
}
