package proxy

import (
	"bytes"

	"minisip/cmd/minisip/internal/guard"
	"minisip/digest"
	"minisip/sipmsg"
)

// hush decides whether a request outside a call, and no CANCEL of one, gets no answer at all: in silent mode, one of a user who
// is not in the user file or of a scanner; and from a source that is banned, or that has asked for so many users
// who do not exist that it must be guessing, what comes from no phone that we know there.
func (c *Core) hush(in *inbound) bool {
	if c.cfg.Silent && isScanner(in.Get(sipmsg.UserAgentHdr)) {
		c.drop(Scanner)
		c.charge(in, guard.Failure{User: c.claimed(in), Why: "the scanner " + printable(in.Get(sipmsg.UserAgentHdr))})
		return true
	}
	name := c.notifier(in)
	known := len(name) > 0 && c.users.Lookup(name) != nil
	doubtful := c.doubts(in, name)
	switch {
	case c.cfg.Silent && !known:
		c.drop(UnknownUser)
		if c.hushed.news(in.now, in.src.Addr()) {
			c.logf("silent: %s from %s as %q gets no answer: %s",
				printable(in.MethodName()), in.src, printable(name), c.noSuchUser(name))
		}
		c.charge(in, guard.Failure{User: name, Unknown: true, Why: "no such user: " + printable(name)})
	case doubtful:
		c.drop(Doubtful)
		if !c.refusedProof(in) && known && c.doubted.news(in.now, in.src.Addr()) {
			why, ip := "users who do not exist were asked for from there", in.src.Addr()
			if c.bans.Banned(in.now, ip) {
				why = "it is banned"
			}
			c.logf("%s from %s as %s gets no answer: %s (minisip ban del %s)", printable(in.MethodName()), in.src, printable(name), why, ip)
		}
	default:
		return false
	}
	return true
}

// noSuchUser says so, with the way out where there is one: what was claimed may be no
// name, or one too long for the log.
func (c *Core) noSuchUser(name []byte) string {
	if c.cfg.AddUser != nil && len(name) > 0 && len(name) <= maxPrintable {
		if command := c.cfg.AddUser(string(name)); command != "" {
			return "no such user (" + command + ")"
		}
	}
	return "no such user"
}

// doubts says whether a request gets no answer because its IP is banned or guesses at names. It is judged by the user whose
// password is tried, whatever From says: what a phone may do as itself it may not do with somebody else's name.
//
//   - Who is registered from that very address and port goes on as ever. So does who has not failed there, but where names
//     are guessed at only if he is known there.
//   - Who is registered from that IP, and may be back at another port, is challenged; if it is banned, his tries are counted.
//   - Anybody else hears nothing unless his credentials are right at once. So neither silence nor an answer tells which names
//     exist, nor does the time that it takes: credentials are verified whoever it is.
func (c *Core) doubts(in *inbound, name []byte) bool {
	ip := in.src.Addr()
	banned, guesses := c.bans.Banned(in.now, ip), c.cfg.Silent && c.bans.Guesses(in.now, ip)
	if !banned && !guesses {
		return false
	}
	cred, proves := c.proving(in)
	tried := cred.Username
	if !proves {
		tried = name
	}
	failed := c.bans.Failed(ip, tried)
	lives := c.livesAt(in, tried)
	switch {
	case c.atBinding(in, tried), !failed && (!guesses || lives || c.sources.Has(in.src)):
		return false
	case !proves:
		return !lives
	case lives && !banned:
		return false
	case lives && !c.nonces.Ours(in.now, ip, cred.Nonce):
		// Who forges an address uses up no tries there. A phone whose nonce is too old has to hear that it is that alone, or
		// it takes its password for wrong (RFC 7616 3.3).
		in.proof = proof{judged: true, verdict: digest.Stale}
		return false
	case lives:
		return !c.bans.Try(in.now, ip)
	}
	right := c.judge(in).verdict >= digest.Stale
	known := c.users.Lookup(tried) != nil
	return banned && known && !c.bans.Try(in.now, ip) || !right
}

// livesAt says whether a user has a binding at the IP that a request comes from.
func (c *Core) livesAt(in *inbound, name []byte) bool {
	for _, b := range c.where.Lookup(in.now, string(name)) {
		if b.Source().Addr() == in.src.Addr() {
			return true
		}
	}
	return false
}

// charge charges the source of a request with a failure, and says so when it is banned for that.
func (c *Core) charge(in *inbound, f guard.Failure) {
	if in.Method() == sipmsg.ACK {
		return // it belongs to a request that was charged
	}
	f.Attempt = in.CallID()
	if l := &c.cfg.Bans; c.bans.Charge(in.now, in.src.Addr(), f) {
		ip := in.src.Addr()
		c.logf("%s is banned for %s: %d failures within %s, the last: %s (minisip ban del %s)", ip, l.For, l.Count, l.Within, f.Why, ip)
	}
}

// Bans are the sources that are banned. They may be used by other goroutines.
func (c *Core) Bans() *guard.Bans { return c.bans }

// Sources are the addresses that have a binding or are a side of a call. They may be used by
// other goroutines.
func (c *Core) Sources() *guard.Sources { return c.sources }

// scanners are how the User-Agents of tools begin that look for servers to abuse; no phone's does.
var scanners = [...][]byte{
	[]byte("friendly-scanner"), []byte("friendly-request"), []byte("sipvicious"), []byte("sipcli"), []byte("sundayddr"),
	[]byte("sip-scan"), []byte("sipscan"), []byte("siparmyknife"), []byte("iwar"), []byte("smap"), []byte("pplsip"), []byte("vaxsipuseragent"),
}

func isScanner(agent []byte) bool {
	for _, s := range scanners {
		if len(agent) >= len(s) && bytes.EqualFold(agent[:len(s)], s) {
			return true
		}
	}
	return false
}
