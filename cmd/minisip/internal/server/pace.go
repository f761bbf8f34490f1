//go:build linux && (amd64 || arm64)

package server

import "time"

// pace says when the reader of a socket looks at it. Waking up costs several times what a message
// does, so a busy server's sockets are looked at in ticks, for all that came in the meantime, as a network
// card's interrupts are held back. The more comes, the shorter they are; the longest is a packet of sound, 20 ms.
//
// A server that is not busy looks at once, and so does one where waiting gathers nothing: one phone after the
// other, each waiting for its answers. Ticking begins when the credit is used up, which grows by one look in
// the longest tick; where it turns out to gather nothing, the next credit is twice as large. The first tick is a
// short one: all phones may be coming back at once, and the socket holds only so much.
type pace struct {
	ticking bool          // looks are taken every tick; else as soon as something comes
	tick    time.Duration // while ticking
	credit  int           // looks that may still be taken at once
	burst   int           // credit when it is filled
	filled  time.Time
}

const (
	longTick  = 20 * time.Millisecond
	shortTick = longTick / 8
	lowBurst  = 16 // the messages of two calls
	highBurst = 1024
	few       = 6  // datagrams in the longest tick: fewer are none gathered
	enough    = 20 // datagrams in a tick: of twice as many half the tick would bring enough
	plenty    = 32 // datagrams in the shortest tick: at such a rate they gather by themselves
)

// came is told that something waits, and reports whether to look now. Otherwise ticking begins.
func (p *pace) came(now time.Time) bool {
	p.burst = max(p.burst, lowBurst)
	if earned := int64(now.Sub(p.filled) / longTick); earned > 0 {
		p.credit, p.filled = max(p.credit, int(min(int64(p.credit)+earned, int64(p.burst)))), now
	}
	if p.credit == 0 {
		p.ticking, p.tick = true, shortTick
		return false
	}
	p.credit--
	return true
}

// looked is told how many datagrams a look has found, none included. It may change the tick or end the ticking.
func (p *pace) looked(found int) {
	switch {
	case !p.ticking && found >= plenty, p.ticking && found >= plenty && p.tick == shortTick:
		p.ticking = false
		p.credit++ // this look was none too many
	case !p.ticking:
	case found <= 1, found < few && p.tick == longTick:
		p.ticking = false
		p.credit, p.burst = p.burst, min(2*p.burst, highBurst)
	default:
		if found >= few {
			p.burst = lowBurst
		}
		if found < enough {
			p.tick = min(2*p.tick, longTick)
		}
		for ; found >= 2*enough && p.tick > shortTick; found /= 2 {
			p.tick /= 2
		}
	}
}
