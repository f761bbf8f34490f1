package diagnosis

import (
	"fmt"
	"net/netip"
	"time"
)

// Judged is how long a call must have been up for its silence to tell anything. Verdicts go by it too.
const Judged = 2 * time.Second

// audio gives what came from a side, of its first audio stream; nil where there is none.
func (c *Call) audio(side Side) *Direction {
	for i := range c.Media {
		if d := &c.Media[i]; d.Side == side && d.Kind == "audio" {
			return d
		}
	}
	return nil
}

// up is how long the call has been up.
func (c *Call) up() time.Duration {
	if c.Answered.IsZero() {
		return 0
	}
	return c.Now.Sub(c.Answered)
}

// secureOneSide is SRTP that only one phone wants.
func secureOneSide(c *Call) []Finding {
	if c.Answered.IsZero() || !c.Caller.SDP || !c.Callee.SDP || c.Caller.Secure == c.Callee.Secure {
		return nil
	}
	who, other := &c.Caller, &c.Callee
	if c.Callee.Secure {
		who, other = other, who
	}
	return one(Error, "srtp-one-side", "Switch SRTP on in both phones, or off in both.",
		"%s encrypts its sound (SRTP) and %s does not: each hears noise, or nothing", who.User, other.User)
}

// noMedia is a call in which nothing was heard at all.
func noMedia(c *Call) []Finding {
	if c.up() < Judged {
		return nil
	}
	if len(c.Media) == 0 {
		if c.Repairs.SDP || !c.Caller.Signalled.IsValid() {
			return nil
		}
		for _, p := range [...]*Party{&c.Caller, &c.Callee} {
			if at := p.Signalled.Addr(); at.IsValid() && unreachable(at) && !unreachable(p.Addr.Addr()) {
				return one(Error, "media-private", "Switch re_sdp on: minisip set re_sdp on, or dial 994; it holds for the next call.",
					"%s wants its sound at %s, which cannot be reached from outside, and re_sdp is off, so it does not pass through here", p.User, p.Signalled)
			}
		}
		return nil
	}
	a, b := c.audio(Caller), c.audio(Callee)
	if a == nil || b == nil || a.Packets+b.Packets > 0 || a.Strangers+b.Strangers > 0 || a.Oversize+b.Oversize > 0 {
		return nil
	}
	if c.byWord(Caller) && c.byWord(Callee) {
		return nil
	}
	if a.Other+b.Other > 0 {
		for side, d := range [...]*Direction{a, b} {
			p := c.party(Side(side))
			if d.Other+d.RTCP == 0 && unreachable(p.Signalled.Addr()) && !unreachable(p.Addr.Addr()) {
				return one(Error, "no-keys", "Switch ICE on in the phone of "+p.User+"; or keys in SDP (SDES) instead of DTLS on in both.",
					"%s spoke DTLS or STUN and no packet ever came from %s, wanted at %s: it waits to be spoken to first, which its NAT does not let happen", c.party(Side(side).Other()).User, p.User, p.Signalled)
			}
		}
		return one(Error, "no-keys", "See that both phones have the same kind of encryption, or none.",
			"The phones spoke DTLS or STUN and never sent sound: they did not agree on keys")
	}
	if a.RTCP+b.RTCP > 0 {
		return one(Error, "no-sound", "See that neither phone is mute, and whether one of them still believes that the call is held.",
			"No sound came from %s or %s in %s s, though reports on it (RTCP) did, so the way here is open", c.Caller.User, c.Callee.User, whole(c.up()))
	}
	return one(Error, "no-media", "Open UDP ports "+c.Ports+" in the firewall of this server and at its provider; behind a router set -public and forward them.",
		"No packet came from %s or %s in %s s: something keeps media from this server", c.Caller.User, c.Callee.User, whole(c.up()))
}

// oneWay is a side that was never heard, while the other was.
func oneWay(c *Call) (found []Finding) {
	if c.up() < Judged {
		return nil
	}
	for _, side := range [...]Side{Caller, Callee} {
		d, far := c.audio(side), c.audio(side.Other())
		if d == nil || far == nil || d.Packets > 0 {
			continue
		}
		p := c.party(side)
		if d.Oversize > 0 {
			found = append(found, oversize(Error, d, p)...)
			continue
		}
		if d.Strangers > 0 {
			return one(Error, "media-elsewhere", "Its media must leave from the address that it signals from: switch off STUN, VPN or a second network in the phone of "+p.User+".",
				"%d packets for %s came from %s and were refused: it signals from %s, so they may be anybody's", d.Strangers, p.User, d.Stranger, p.Addr.Addr())
		}
		if far.Packets == 0 || c.byWord(side) {
			continue
		}
		if d.RTCP > 0 {
			found = append(found, one(Error, "one-way", "See that the phone of "+p.User+" is not mute and its microphone on, and whether it believes that the call is held.",
				"No sound ever came from %s, only reports on it (RTCP), while %s was heard: the way is open, and the phone sends none", p.User, c.party(side.Other()).User)...)
			continue
		}
		next := "See that the microphone is on and not muted, and that the firewall in front of " + p.User + " lets UDP out to ports " + c.Ports + "."
		found = append(found, one(Error, "one-way", next,
			"No packet ever came from %s, wanted at %s, while %s was heard: its firewall or NAT keeps them, or the phone sends none", p.User, p.Signalled, c.party(side.Other()).User)...)
	}
	return found
}

// oversize is sound in packets that the relay does not pass on. They look lost.
func oversize(s Severity, d *Direction, p *Party) []Finding {
	return one(s, "media-too-large", "Set a shorter packet time (ptime) in the phone of "+p.User+", or a codec of fewer bits: a packet of media may have 2048 bytes.",
		"%d packets of %s were too large to be passed on", d.Oversize, p.User)
}

// deaf is a side that spoke late, and could not be sent to before: its SDP names an address that it does not signal from, as
// that behind its NAT, so that its first packet alone says where it is.
func deaf(c *Call) (found []Finding) {
	for _, side := range [...]Side{Caller, Callee} {
		d, far := c.audio(side), c.audio(side.Other())
		if d == nil || far == nil || far.Packets == 0 || d.Unaddressed < few || c.up() < Judged {
			continue
		}
		late, p := far.First.Sub(c.Answered), c.party(side.Other())
		if late < Judged {
			continue
		}
		found = append(found, one(Warning, "deaf-at-first", "See that the phone of "+p.User+" sends from the start, be it silence: no suppression of silence (VAD), no mute that stops its packets.",
			"%s heard nothing for %s s, since it said nothing: its SDP names %s, and where it really is only its first packet tells", p.User, whole(late), p.Signalled)...)
	}
	return found
}

// Gone is how long a side may be silent before it has stopped; one of which came fewer packets than Openers did not
// speak and pause, they opened its NAT, so that it is judged sooner.
const (
	Gone    = 10 * time.Second
	Openers = 10
)

// quiet says whether a side that was heard is no more. far is the other one.
func (c *Call) quiet(d, far *Direction) bool {
	if d.Packets < Openers && !c.byWord(d.Side) && min(far.Last.Sub(d.Last), far.Last.Sub(c.Answered)) >= Judged {
		return true
	}
	return c.Now.Sub(d.Last) > Gone
}

// stoppedMedia is a side that was heard, and then no more.
func stoppedMedia(c *Call) (found []Finding) {
	for _, side := range [...]Side{Caller, Callee} {
		d, far := c.audio(side), c.audio(side.Other())
		held := c.Caller.Held || c.Callee.Held
		if d == nil || far == nil || d.Packets == 0 || held || !c.quiet(d, far) || c.End == Silence {
			continue
		}
		p := c.party(side)
		if far.Packets > 0 && far.Last.Sub(d.Last) < Gone && c.Now.Sub(d.Last) > Gone {
			found = append(found, one(Warning, "media-stopped", "Look at this server's network at that time.", "No packet from either side since %s", clock(d.Last))...)
			return found
		}
		if d.Heard.Sub(d.Last) >= Judged && c.Now.Sub(d.Heard) < Gone {
			found = append(found, one(Warning, "media-stopped", "See whether "+p.User+" is muted, or the phone believes that the call is held.",
				"No sound from %s since %s, though other packets of its phone come (reports, keepalives): the way here is open", p.User, clock(d.Last))...)
			continue
		}
		found = append(found, one(Error, "media-stopped", "See whether the phone of "+p.User+" changed its network, was muted, or lost its NAT's mapping.",
			"No packet from %s since %s, while the other side went on", p.User, clock(d.Last))...)
	}
	return found
}

// strangers are packets from elsewhere beside those that count.
func strangers(c *Call) []Finding {
	for _, side := range [...]Side{Caller, Callee} {
		if d := c.audio(side); d != nil && d.Packets > 0 && d.Strangers > 50 && c.rebound(d) == "" && !d.moved() {
			return one(Warning, "strangers", "If sound dropped out, the phone changes its address while it speaks: look at its network. If not, somebody tries to get in, in vain.",
				"%d packets for the call came from %s, which is not %s, and were refused", d.Strangers, d.Stranger, c.party(side).User)
		}
	}
	return nil
}

// rebound gives the port from which what is missing of a side's sound came, "" for none: a NAT has given it a new
// one, and what comes from there is refused until the old one has been silent for 2 s.
func (c *Call) rebound(d *Direction) string {
	home := func(at string) bool {
		from, err := netip.ParseAddrPort(at)
		return err == nil && from.Addr() == c.party(d.Side).Addr.Addr()
	}
	switch {
	case d.wentOn() && home(d.Source):
		return d.Source
	case d.Strangers > 50 && d.LossPercent >= Lossy && home(d.Stranger):
		return d.Stranger
	}
	return ""
}

// moved says the same of a phone that goes on from another address: what was refused at first is listened to now.
func (d *Direction) moved() bool {
	return d.wentOn() || d.Stranger != "" && d.Stranger == d.Source && d.Strangers > 50 && d.LossPercent >= Lossy
}

// wentOn says whether most of what is missing was refused while a side went on from elsewhere, whoever else was refused then.
func (d *Direction) wentOn() bool {
	missing := d.Last.Sub(d.First).Seconds() * d.LossPercent / 100
	return d.Rebinds > 0 && d.LossPercent >= Lossy && missing < 4*float64(d.Rebinds)
}

// Bounds of what is heard as bad. Verdicts go by the exported ones too.
const (
	Lossy   = 3.0 // percent
	Jittery = 50 * time.Millisecond
	distant = 600 * time.Millisecond
	poor    = 3.1
)

// bad is sound that came, and not well.
func bad(c *Call) (found []Finding) {
	for _, side := range [...]Side{Caller, Callee} {
		d := c.audio(side)
		if d == nil || d.Packets < 100 {
			continue
		}
		p := c.party(side)
		score := ""
		if d.MOS > 0 {
			score = fmt.Sprintf(" (MOS %.1f)", d.MOS)
		}
		switch {
		case d.LossPercent >= Lossy && d.Oversize >= few:
			found = append(found, oversize(Warning, d, p)...)
		case c.rebound(d) != "":
			found = append(found, one(Warning, "nat-rebound", "Look at the router of "+p.User+": it started anew, changed its uplink, or forgets ports that are in use.",
				"%.1f %% of what %s said is missing: its NAT gave it another port in the middle of the call, %s", d.LossPercent, p.User, c.rebound(d))...)
		case d.moved():
			found = append(found, one(Warning, "phone-moved", "Look at the network of "+p.User+": it changed, from Wi-Fi to mobile data or the like, and the phone did not say so by a re-INVITE, which leaves no gap.",
				"%.1f %% of what %s said is missing: it changed its address in the middle of the call, to %s, where its sound has come from since", d.LossPercent, p.User, d.Source)...)
		case d.LossPercent >= Lossy:
			found = append(found, one(Warning, "loss", "Look at the uplink of "+p.User+": Wi-Fi, mobile reception, uploads at the same time.",
				"%.1f %% of what %s said was lost on its way here%s", d.LossPercent, p.User, score)...)
		case d.Jitter >= Jittery:
			found = append(found, one(Warning, "jitter", "Look for uploads beside the call at "+p.User+", and for Wi-Fi far from its access point.",
				"Packets of %s came in bursts, %d ms apart%s", p.User, d.Jitter.Milliseconds(), score)...)
		case d.RTT >= distant:
			found = append(found, one(Warning, "delay", "A server nearer to "+p.User+" would help; a VPN or satellite on the way would explain it.",
				"Packets to %s and back take %d ms: the two will talk into each other's words", p.User, d.RTT.Milliseconds())...)
		case d.MOS > 0 && d.MOS < poor:
			found = append(found, one(Warning, "poor", "Another codec may help: PCMU, PCMA, G722 or Opus.", "%s sounded poor%s", p.User, score)...)
		}
	}
	return found
}
