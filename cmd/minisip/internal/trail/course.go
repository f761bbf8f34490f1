package trail

import (
	"net/netip"
	"time"

	"minisip/sipmsg"
)

// Course is how a call went: its messages as steps, in order.
type Course struct {
	Call    string    // its number
	Begin   time.Time // of the first step
	Peers   []Peer    // whom we spoke with, in the order of their first message
	Steps   []Step
	Skipped int // steps in the middle that are not kept

	used int // by so many calls
}

// Peer is a phone, as a column of the ladder.
type Peer struct {
	Addr netip.AddrPort
	User string // "" where nobody has said
}

// Step is one message of a call.
type Step struct {
	Message ID
	after   uint32 // milliseconds since Begin
	sum     uint32
	Size    uint16
	Status  uint16 // 0: a request
	Method  sipmsg.Method
	Peer    uint8 // index into Peers
	flags   uint8
}

const (
	received = 1 << iota
	again
	withSDP
)

// Received says whether it came in.
func (s *Step) Received() bool { return s.flags&received != 0 }

// Again says whether it repeats an earlier one.
func (s *Step) Again() bool { return s.flags&again != 0 }

// SDP says whether it carried a session description.
func (s *Step) SDP() bool { return s.flags&withSDP != 0 }

// Addr is the phone that a step came from or went to.
func (c *Course) Addr(s *Step) netip.AddrPort { return c.Peers[s.Peer].Addr }

// At is when it was.
func (c *Course) At(s *Step) time.Time { return c.Begin.Add(time.Duration(s.after) * time.Millisecond) }

// Bounds of one course. Beyond them the steps in the middle go: how a call began and how
// it ended tells most.
const (
	maxSteps  = 100
	keepFirst = 60
	maxPeers  = 12 // the last stands for all others too
)

// add notes a message.
func (c *Course) add(m *Message, id ID, sum uint32) {
	s := Step{
		Message: id, after: uint32(max(0, m.At.Sub(c.Begin)).Milliseconds()), sum: sum, Method: m.Method, Status: uint16(m.Status),
		Size: uint16(min(len(m.Text), 65535)), Peer: c.peer(m.Peer),
	}
	if m.Received {
		s.flags |= received
	}
	if HasSDP(m.Text) {
		s.flags |= withSDP
	}
	if m.Again || c.repeats(&s) {
		s.flags |= again
	}
	if len(c.Steps) == maxSteps {
		copy(c.Steps[keepFirst:], c.Steps[keepFirst+1:])
		c.Steps = c.Steps[:maxSteps-1]
		c.Skipped++
	}
	c.Steps = append(c.Steps, s)
}

// repeats says whether an equal message went the same way before.
func (c *Course) repeats(s *Step) bool {
	for i := range c.Steps {
		if o := &c.Steps[i]; o.sum == s.sum && o.Size == s.Size && o.Peer == s.Peer && o.Received() == s.Received() {
			return true
		}
	}
	return false
}

// peer gives the column of an address.
func (c *Course) peer(addr netip.AddrPort) uint8 {
	for i := range c.Peers {
		if c.Peers[i].Addr == addr {
			return uint8(i)
		}
	}
	if len(c.Peers) == maxPeers {
		return maxPeers - 1
	}
	c.Peers = append(c.Peers, Peer{Addr: addr})
	return uint8(len(c.Peers) - 1)
}

// Name says whose address one is.
func (c *Course) Name(addr netip.AddrPort, user string) {
	if c != nil {
		c.Peers[c.peer(addr)].User = user
	}
}
