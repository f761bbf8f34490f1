package server

// Ports is how many port pairs for media are free, those at rest included, and how many there
// are. It may be called from any goroutine.
func (s *Server) Ports() (free, all int) {
	free = s.relay.Free()
	return free, free + s.relay.InUse()
}
