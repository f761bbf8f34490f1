package rtprelay

import "net/netip"

// former is where a leg was before it moved.
type former struct {
	local     netip.Addr
	rtp, rtcp socket
}

func (f *former) close() {
	f.rtp.close()
	f.rtcp.close()
}

// MoveTo has the leg that faces side at another address of ours, on the same ports: that is where the side
// reaches us now. What comes to the address before is heard as well until the leg moves again, since the side is yet
// to be told. It gives the address that the leg has now; where there is an error, the old one.
func (s *Stream) MoveTo(side Side, local netip.Addr) (netip.Addr, error) {
	r, l := s.relay, &s.legs[side]
	r.mu.Lock()
	defer r.mu.Unlock()
	s.mu.Lock()
	left, err := l.moveTo(local.Unmap())
	at := l.local
	s.mu.Unlock()
	if left != nil {
		left.close()
	}
	return at, err
}

// moveTo gives what is to be closed when the stream's lock is not held any more.
func (l *leg) moveTo(local netip.Addr) (left *former, err error) {
	s := l.rtp.stream
	if s.closed || !local.IsValid() || local == l.local {
		return nil, nil
	}
	next := former{local: local}
	if l.former != nil && l.former.local == local {
		next = *l.former // back again
	} else {
		if err := s.relay.bind(&next.rtp, l.at(local, l.port)); err != nil {
			return nil, err
		}
		if err := s.relay.bind(&next.rtcp, l.at(local, l.port+1)); err != nil {
			next.rtp.close()
			return nil, err
		}
		left = l.former
		s.relay.legs.add(local, l.port)
		if left != nil {
			s.relay.legs.remove(left.local, l.port)
		}
		go l.rtp.run(next.rtp)
		go l.rtcp.run(next.rtcp)
	}
	l.former = &former{l.local, l.rtp.socket, l.rtcp.socket}
	l.local, l.v4, l.rtp.socket, l.rtcp.socket = local, local.Is4(), next.rtp, next.rtcp
	l.rtp.aim()
	l.rtcp.aim()
	s.moves.Add(1)
	return left, nil
}
