package diagnosis

import "fmt"

// refusal explains calls that we refused ourselves.
func refusal(c *Call) []Finding {
	from, callee := c.Caller.User, c.Callee.User
	switch c.Refused {
	case NoSuchUser:
		return one(Error, "no-such-user", "Dial a user of the user file, or add it: minisip user add "+callee+".",
			"%s called %s, and the user file has no such user", from, callee)
	case NotOffered:
		return one(Error, "algorithm-not-offered", "Offer what the phone can do: -digest sha256,md5; or update its software.",
			"The phone of %s has the right password, but answered with an algorithm that -digest does not offer", from)
	case OtherURI:
		return one(Error, "other-uri", "Look for what changes numbers or addresses on the way from the phone (a SIP ALG in its router: switch it off), or update the phone's software.",
			"The phone of %s has the right password, but answered the challenge for another address than the one that it calls", from)
	case NotRegistered:
		return one(Error, "not-registered", "See whether the phone of "+callee+" shows itself registered: server, user name, password; then the log for what it sent.",
			"No phone of %s is registered", callee)
	case NotAnswering:
		return one(Error, "phone-gone", "See whether the phone of "+callee+" is on and has a network; it rings again with the next sign of life.",
			"The phone of %s is registered, but has not answered three pings in a row: it is off, or its NAT forgot it", callee)
	case NotHimself:
		return one(Error, "not-himself", "Put the same name into user name and authentication name of the phone at "+c.Caller.Addr.String()+".",
			"The phone at %s has the password of one user and calls as another: %s", c.Caller.Addr, from)
	case ForeignRoute:
		return one(Error, "foreign-route", "Remove the outbound proxy from the phone's settings, or set it to this server.",
			"%s wants the call to go on over another server, which minisip does not do", from)
	case ForeignCall:
		return one(Error, "foreign-call", "A call is taken over by who has a part in it, or was referred there by one who has.",
			"%s wanted to take over or join a call of others", from)
	case WrongDomain:
		return one(Error, "wrong-domain", "Add the name to -domain, or put a listed one into the phone.",
			"%s called %s at a host that -domain does not list", from, callee)
	case TooMany:
		return one(Error, "too-many-calls", "See in the log which limit it was; unanswered calls end by themselves after three minutes.",
			"%s has too many calls under way", from)
	case NoPorts:
		return one(Error, "no-ports", "Give more with -rtp LO-HI and open them in the firewall; a call takes four ports for each stream.",
			"All ports of the relay (%s) were in use", c.Ports)
	case NoSockets:
		return one(Error, "no-sockets", "The log has the system's words. Too many open files: raise LimitNOFILE= in the unit, or ulimit -n.",
			"The system gave the relay no sockets for the call's media")
	case BadOffer:
		return one(Error, "bad-sdp", badSDP,
			"The phone of %s offers media by SDP that cannot be read", from)
	case BadAnswer:
		return one(Error, "bad-sdp", badSDP,
			"The phone of %s answers by SDP that cannot be read", callee)
	}
	return nil
}

const badSDP = "The log names the line. Update the phone's software; what changes SDP on the way (a SIP ALG in a router) can be to blame too."

// wrongSecret is a phone whose digest does not fit.
func wrongSecret(c *Call) []Finding {
	if c.Refused != WrongPassword {
		return nil
	}
	times := c.challenges()
	often := "twice"
	if times > 2 {
		often = fmt.Sprintf("%d times", times)
	}
	if times < 2 {
		often = "once"
	}
	return one(Error, "wrong-password", "Type the password of "+c.Caller.User+" into the phone again; a new one: minisip user passwd "+c.Caller.User+".",
		"Challenged %s, and the answer of %s did not fit: the phone has a wrong password, or a wrong authentication name", often, c.Caller.User)
}

// challenges is how often the caller was challenged. Nothing is kept of a challenge, so a copy of an INVITE, whose 407 has not
// arrived, gets one of its own.
func (c *Call) challenges() int {
	asked := c.count(func(s *Step) bool { return from(Caller, "INVITE", 0)(s) && !s.Again })
	return min(c.count(to(Caller, "INVITE", 407)), asked)
}

// authLoop is a phone that answers each challenge and never gets in, its password being right.
func authLoop(c *Call) []Finding {
	times := c.challenges()
	if times < 4 || c.Refused == WrongPassword || c.Refused == OtherURI || c.Refused == NotOffered {
		return nil
	}
	return one(Error, "auth-loop", "See that the phone does not change its address between two messages, and that only one server answers at this address; update its software.",
		"%s was challenged %d times in one call: each nonce was too old, or made for another address, when it came back", c.Caller.User, times)
}

// refusedByPhone explains the final response of the called phone.
func refusedByPhone(c *Call) []Finding {
	if c.Refused != NotRefused || c.Status < 300 || !c.Answered.IsZero() || c.End == Cancelled || c.End == Operator {
		return nil
	}
	if c.Status == 482 || c.Status == 483 {
		return one(Error, "loop", "Look for diversions: A to B and B back to A.", "The call went in a circle (%d)", c.Status)
	}
	if !c.has(from(Callee, "INVITE", c.Status)) {
		return nil // it was not the phone's
	}
	callee := c.Callee.User
	switch c.Status {
	case 486, 600:
		return one(Info, "busy", "", "%s was busy (%d)", callee, c.Status)
	case 603, 403:
		return one(Info, "declined", "Do not disturb, a block list or a press on the red key: the phone of "+callee+" knows.", "The phone of %s declined the call (%d)", callee, c.Status)
	case 480:
		return one(Info, "unavailable", "Look at the phone of "+callee+": do not disturb, or logged out on its display.", "The phone of %s is there, and not available (480)", callee)
	case 404, 410, 484, 604:
		return one(Error, "phone-knows-no-user", "Compare the phone's account with its registration: it may have two.", "The phone at %s says that it has no user %s (%d)", c.Callee.Addr, callee, c.Status)
	case 301, 302, 305, 380:
		return one(Warning, "redirected", "If that phone does not call on, take the diversion out at the phone of "+callee+".", "The phone of %s diverts calls (%d), which the caller's phone has to follow by itself", callee, c.Status)
	case 401, 407:
		return one(Error, "phone-asks-password", "Switch off authentication of incoming calls in the phone of "+callee+".", "The phone of %s wants a password from who calls it (%d)", callee, c.Status)
	case 415, 488, 606:
		next := "Switch one common codec on in both phones, PCMU or PCMA, and SRTP on in both or off in both: minisip neither transcodes nor encrypts."
		if c.Caller.Secure != c.Callee.Secure && c.Callee.SDP || c.Caller.Secure {
			next = "Switch SRTP on in both phones, or off in both; then see that they have a codec in common."
		}
		return one(Error, "no-common-codec", next, "The phone of %s takes nothing of what %s offers (%d): no codec or no encryption in common", callee, c.Caller.User, c.Status)
	case 420, 421:
		return one(Error, "extension-required", "Switch off in one phone what the other lacks: 100rel, timers, preconditions.", "One phone insists on a SIP extension that the other does not have (%d)", c.Status)
	case 422:
		return one(Error, "session-timer", "Set the session interval in the phone of "+c.Caller.User+" to half an hour, or off.", "The session timer of %s is shorter than %s allows (422)", c.Caller.User, callee)
	case 408, 487:
		return nil // unanswered says more
	}
	switch {
	case c.Status >= 500 && c.Status < 600:
		return one(Error, "phone-failed", "Restart the phone of "+callee+", and look for newer software.", "The phone of %s could not handle the call (%d)", callee, c.Status)
	default:
		return one(Warning, "refused", "The phone of "+callee+" may say more on its display.", "The phone of %s refused the call (%d)", callee, c.Status)
	}
}

// unanswered explains calls that rang in vain, or not at all.
func unanswered(c *Call) []Finding {
	if !c.Answered.IsZero() || !c.Ended || c.Refused != NotRefused {
		return nil
	}
	callee := c.Callee.User
	silent := c.has(to(Callee, "INVITE", 0)) && !c.has(func(s *Step) bool { return s.Received && s.Side == Callee })
	switch tried := c.count(again(to(Callee, "INVITE", 0))); {
	case silent && tried >= 3:
		return one(Error, "phone-unreachable",
			"See whether the phone is on. If it comes back after registering again, its NAT forgets it too soon: a shorter -keepalive.",
			"The phone of %s at %s answered none of %d INVITEs: it is off, or its NAT forgot it", callee, c.Callee.Addr, tried+1)
	case c.Status == 408 || c.Status == 487 && c.End == Normal:
		return one(Info, "no-answer", "", "Nobody took the call at %s", callee)
	case c.End == Cancelled && !c.Rang.IsZero():
		return one(Info, "given-up", "", "%s hung up after %s seconds of ringing", c.Caller.User, whole(c.Now.Sub(c.Rang)))
	case c.End == Cancelled:
		return one(Info, "given-up", "", "%s hung up before it rang at %s", c.Caller.User, callee)
	}
	return nil
}
