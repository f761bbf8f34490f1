package rtprelay

import (
	"net/netip"
	"syscall"
)

// bind opens a socket, or takes the one that an earlier process has left.
func (r *Relay) bind(s *socket, at netip.AddrPort) error {
	if fd, ok := r.sockets[at]; ok {
		delete(r.sockets, at)
		if s.adopt(fd, at) == nil {
			if fd, ok := s.descriptor(); ok {
				mark(fd, at.Addr().Is6(), max(r.tos, 0)) // as this process was told to
			}
			return nil
		}
	}
	return s.open(at, r.tos)
}

// mark says how routers shall treat what a socket sends. On an IPv6 socket both options count: one is for mapped IPv4
// addresses. A system that refuses them still relays.
func mark(fd int, v6 bool, tos int) {
	setOption(fd, syscall.IPPROTO_IP, syscall.IP_TOS, tos)
	if v6 {
		setOption(fd, syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS, tos)
	}
}

// drain throws away what waits in a socket: sound of the time when nobody was there.
func drain(fd int) {
	const most = 10_000 // whatever goes on coming
	var b [1]byte
	for range most {
		if _, _, err := syscall.Recvfrom(fd, b[:], syscall.MSG_DONTWAIT); err != nil && err != syscall.EINTR {
			return
		}
	}
}

// Descriptors are those of the stream's sockets, to hand to the next process while this one
// still has them: those of one that is closed may be anybody's by now.
func (s *Stream) Descriptors() (fds []int) {
	s.mu.Lock() // the legs may move
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	for i := range s.legs {
		for _, e := range []*endpoint{&s.legs[i].rtp, &s.legs[i].rtcp} {
			if fd, ok := e.socket.descriptor(); ok {
				fds = append(fds, fd)
			}
		}
	}
	return fds
}
