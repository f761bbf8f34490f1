//go:build linux && (amd64 || arm64)

package server

import "time"

// pace says when the reader of a socket looks at it. Waking up costs several times what a message
// does, so a busy server's sockets are looked at every interval, for all that came in the meantime, as a network
// card's interrupts are held back.
//
// A server that is not busy looks at once, and so does one where waiting gathers nothing: one phone after the
// other, each waiting for its answers. Ticking begins when the credit is used up, which grows by one look an
// interval; where it turns out to gather nothing, the next credit is twice as large.
type pace struct {
	ticking bool // looks are taken every interval; else as soon as something comes
	credit  int  // looks that may still be taken at once
	burst   int  // credit when it is filled
	filled  time.Time
}

const (
	interval = 8 * time.Millisecond
	shortest = 16   // burst: the messages of two calls
	longest  = 1024 // burst
	few      = 3    // datagrams in a tick: fewer are none gathered
	plenty   = 32   // datagrams in one look: at such a rate they gather by themselves
)

// came is told that something waits, and reports whether to look now. Otherwise ticking begins.
func (p *pace) came(now time.Time) bool {
	p.burst = max(p.burst, shortest)
	if earned := int64(now.Sub(p.filled) / interval); earned > 0 {
		p.credit, p.filled = int(max(int64(p.credit), min(int64(p.credit)+earned, int64(p.burst)))), now
	}
	p.ticking = p.credit == 0
	if p.ticking {
		return false
	}
	p.credit--
	return true
}

// looked is told how many datagrams a look has found, none included. It may end the ticking.
func (p *pace) looked(found int) {
	switch {
	case found >= plenty:
		p.ticking = false
		p.credit++ // this look was none too many
	case !p.ticking:
	case found < few:
		p.ticking = false
		p.credit, p.burst = p.burst, min(2*p.burst, longest)
	default:
		p.burst = shortest
	}
}
