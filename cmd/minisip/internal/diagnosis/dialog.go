package diagnosis

import (
	"fmt"
	"strconv"
	"time"
)

func whole(d time.Duration) string { return strconv.Itoa(int(d.Round(time.Second).Seconds())) }

// noACK is an answer that its phone repeats because no ACK came.
func noACK(c *Call) []Finding {
	if c.Answered.IsZero() || c.has(from(Caller, "ACK", 0)) && c.has(to(Callee, "ACK", 0)) {
		return nil
	}
	repeated := c.count(again(from(Callee, "INVITE", 200)))
	if repeated < 2 {
		return nil
	}
	if !c.Repairs.Contact && private(c.Callee.Contact) {
		return one(Error, "contact-private", "Switch re_contact on: minisip set re_contact on, or dial 996.",
			"The ACK of %s never came: it went to the Contact %s of %s, which cannot be reached from outside, and re_contact is off", c.Caller.User, c.Callee.Contact, c.Callee.User)
	}
	if !c.Repairs.Via && private(c.Caller.Via) {
		return one(Error, "via-private", "Switch re_via on: minisip set re_via on, or dial 992.",
			"The ACK of %s never came: our 200 went to port %d as its Via says, which its NAT does not know, and re_via is off", c.Caller.User, c.Caller.Addr.Port())
	}
	return one(Error, "ack-missing", "Capture at the phone of "+c.Caller.User+" whether the 200 arrives; a SIP ALG in its router should be off.",
		"%s answered, and the ACK of %s never came, though the 200 was sent %d times: our answers do not reach it, or its ACK does not reach us", c.Callee.User, c.Caller.User, repeated+1)
}

// A phone repeats its answer every T2, 4 s, in the end, until the ACK comes: RFC 3261 13.3.1.4. One that has stopped before
// enduring has got it, if late: packets are lost on the way, and not all.
const (
	nextAnswer = 4500 * time.Millisecond
	enduring   = 12 * time.Second
)

// ackNotHeard is an answer, the newest of the call, that its phone goes on to repeat although the ACK was passed on.
func ackNotHeard(c *Call) []Finding {
	var acked, last time.Time
	acks, late := 0, 0
	for i := range c.Steps {
		switch s := &c.Steps[i]; {
		case from(Callee, "INVITE", 200)(s) && !s.Again:
			acked, acks, late = time.Time{}, 0, 0
		case to(Callee, "ACK", 0)(s):
			if acks++; acks == 1 {
				acked = s.At
			}
		case from(Callee, "INVITE", 200)(s) && acks > 0 && s.At.Sub(acked) > time.Second:
			last = s.At
			late++
		}
	}
	if late < 2 || c.Now.Sub(last) > nextAnswer && last.Sub(acked) < enduring {
		return nil
	}
	times := "once"
	if acks > 1 {
		times = fmt.Sprintf("%d times", acks)
	}
	return one(Error, "ack-lost", "Look at the firewall and NAT in front of "+c.Callee.User+"; its Contact and its source should lead to the same phone.",
		"The phone of %s repeats its answer though the ACK went to %s %s: it does not get there", c.Callee.User, c.Callee.Addr, times)
}

// goodbyeLost is a BYE that nobody answers.
func goodbyeLost(c *Call) []Finding {
	if !c.Ended || c.Answered.IsZero() {
		return nil
	}
	for _, side := range [...]Side{Caller, Callee} {
		sent := c.count(to(side, "BYE", 0))
		if c.count(again(to(side, "BYE", 0))) < 3 || c.has(func(s *Step) bool { return s.Received && s.Side == side && s.Method == "BYE" && s.Status > 0 }) {
			continue
		}
		p := c.party(side)
		return one(Warning, "bye-lost", "See whether the phone of "+p.User+" lost its network, and whether it still shows the call.",
			"%s was told %d times that the call is over and never answered: the phone at %s is gone", p.User, sent, p.Addr)
	}
	return nil
}

// vanished is a call that fell silent.
func vanished(c *Call) []Finding {
	if c.End != Silence {
		return nil
	}
	return one(Error, "vanished", "If both phones were fine, look at what lies between them and this server; a longer silence is allowed with -timeout.",
		"Neither SIP nor media came from %s or %s any more, so the call was ended", c.Caller.User, c.Callee.User)
}

// holdForgotten is a call that ended on hold, silently.
func holdForgotten(c *Call) []Finding {
	side := Caller
	if c.Callee.Held {
		side = Callee
	}
	if !c.party(side).Held || c.End != Silence {
		return nil
	}
	return one(Warning, "hold-forgotten", "Resume calls that are on hold; how long one may be held is set with -hold-timeout.",
		"%s put the call on hold and never resumed it", c.party(side).User)
}

// Sizes of a datagram: RFC 3261 18.1.1 wants no request over 1300 bytes on UDP where the MTU is
// not known; over 1472 an Ethernet fragments it.
const fragments = 1472

// tooLarge is a message that grew over what one packet carries, and that got no answer.
func tooLarge(c *Call) []Finding {
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.Received || s.Status != 0 || s.Size <= fragments || s.Again {
			continue
		}
		repeats := c.count(func(o *Step) bool { return again(to(s.Side, s.Method, 0))(o) && o.Size == s.Size })
		answered := c.has(func(o *Step) bool { return o.Received && o.Side == s.Side && o.Method == s.Method && o.Status > 0 })
		if repeats >= 2 && !answered {
			p := c.party(s.Side)
			return one(Error, "request-too-large", "Switch codecs off that nobody needs, or ICE, so that the "+s.Method+" gets smaller; routers on the way must pass fragments.",
				"The %s to %s grew to %d bytes, more than one packet carries, and its fragments do not arrive: no answer after %d tries", s.Method, p.User, s.Size, repeats+1)
		}
	}
	return nil
}

// retransmissions on one side alone tell of packets lost there.
func retransmissions(c *Call) []Finding {
	lost := func(side Side) (n int) {
		return c.count(func(s *Step) bool { return s.Again && s.Side == side && s.Method != "ACK" })
	}
	a, b := lost(Caller), lost(Callee)
	side, n, other := Caller, a, b
	if b > a {
		side, n, other = Callee, b, a
	}
	if n < 4 || other > n/3 || c.Answered.IsZero() && c.Status == 0 {
		return nil
	}
	p := c.party(side)
	return one(Warning, "signalling-loss", "Look at the network of "+p.User+": Wi-Fi, mobile reception, a full uplink.",
		"%d messages to or from %s had to be repeated, and %d on the other side: packets are lost between this server and %s", n, p.User, other, p.Addr)
}

// alg is a phone that names its public address in one place and its private one in another. A router's ALG
// does that, and so do phones that read their address off our responses (PJSIP, by received and rport) or
// ask a STUN server. From here the two look alike, and both work, since we put the rest right.
func alg(c *Call) []Finding {
	for _, side := range [...]Side{Caller, Callee} {
		p := c.party(side)
		ip, sdp := p.Addr.Addr(), p.Signalled.Addr()
		var room [64]byte
		if string(ip.AppendTo(room[:0])) != p.Contact || unreachable(ip) {
			continue
		}
		behind := sdp.IsValid() && unreachable(sdp)
		if !behind && !private(p.Via) {
			continue
		}
		what := "its Via " + p.Via
		if behind {
			what = "its SDP " + sdp.String()
		}
		return one(Info, "sip-alg", "If nothing else explains it, switch SIP ALG (SIP helper, SIP passthrough) off in the router of "+p.User+": minisip does this repair, and whole.",
			"The Contact of %s says %s and %s: the phone has found out half of its address, or a SIP ALG on the way alters half of what it sends", p.User, ip, what)
	}
	return nil
}
