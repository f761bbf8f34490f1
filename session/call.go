package session

import (
	"net/netip"
	"time"
)

// Role names a side of a call.
type Role uint8

const (
	Caller Role = iota
	Callee
)

// Other is the far side.
func (r Role) Other() Role { return 1 - r }

func (r Role) String() string {
	if r == Caller {
		return "caller"
	}
	return "callee"
}

// Party is what a proxy knows of one side of a dialog (RFC 3261 12).
type Party struct {
	User     string         // address of record
	Tag      string         // its dialog tag
	Identity string         // its From or To value, tag included
	Contact  string         // remote target: the URI as the phone wrote it
	Routes   []string       // Path or Record-Route values on its side of us, nearest first
	Addr     netip.AddrPort // where its packets really come from
	Local    netip.AddrPort // our address that they come to
	CSeq     uint32         // highest in its requests
	Away     bool           // it has moved, and only pings of the call's own keep its way open
}

// CallState is how far a call has come.
type CallState uint8

const (
	Inviting CallState = iota
	Ringing
	Up
	Ending // a BYE is under way
	Ended
)

var callStateNames = [...]string{"inviting", "ringing", "up", "ending", "ended"}

func (s CallState) String() string { return callStateNames[s] }

// Call is the course of one call: what began with an INVITE and ends with a BYE, a
// failure, or silence.
type Call struct {
	State                            CallState
	Created, Rang, Answered, EndedAt time.Time
	Why                              string // how it ended
	touched                          time.Time
}

// Begin notes the INVITE.
func (c *Call) Begin(now time.Time) { c.State, c.Created, c.touched = Inviting, now, now }

// Ring notes a provisional response other than 100; it says whether it is the first.
func (c *Call) Ring(now time.Time) bool {
	c.touched = now
	if c.State != Inviting {
		return false
	}
	c.State, c.Rang = Ringing, now
	return true
}

// Answer notes a 2xx; it says whether it is the first.
func (c *Call) Answer(now time.Time) bool {
	c.touched = now
	if c.State >= Up {
		return false
	}
	c.State, c.Answered = Up, now
	return true
}

// End notes how the call ended; it says whether that is news.
func (c *Call) End(now time.Time, why string) bool {
	if c.State == Ended {
		return false
	}
	c.State, c.EndedAt = Ended, now
	if c.Why == "" {
		c.Why = why
	}
	return true
}

// Touch notes a SIP message inside the dialog.
func (c *Call) Touch(now time.Time) { c.touched = now }

// Silent says whether an answered call has been without SIP and media for limit at now,
// media being when the last packet passed; if not, next is when to ask again.
func (c *Call) Silent(now, media time.Time, limit time.Duration) (over bool, next time.Time) {
	last := c.touched
	if media.After(last) {
		last = media
	}
	next = last.Add(limit)
	return !next.After(now), next
}
