//go:build linux && (amd64 || arm64)

package server

import "time"

// pace says when the reader of a socket looks at it. Waking up costs several times what a message
// does, so a busy server's sockets are looked at every interval, for all that came in the meantime, as a network
// card's interrupts are held back. A server that is not busy looks at once: looks may come in a burst
// before the interval counts, so that all messages of a call or two pass without delay.
type pace struct {
	ticking bool // looks are taken every interval; else as soon as something comes
	credit  int  // looks that may still be taken at once
	filled  time.Time
}

const (
	interval = 8 * time.Millisecond // also of how long one more look is earned: 125 a second pass without delay
	burst    = 16                   // credit at most
	plenty   = 32                   // datagrams in one look: at such a rate they gather by themselves
)

// came is told that something waits, and reports whether to look now. Otherwise ticking begins.
func (p *pace) came(now time.Time) bool {
	if earned := int64(now.Sub(p.filled) / interval); earned > 0 {
		p.credit, p.filled = int(min(int64(p.credit)+earned, burst)), now
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
	case found == 0:
		p.ticking = false
	case found >= plenty:
		p.ticking = false
		p.credit = min(p.credit+1, burst) // this look was none too many
	}
}
