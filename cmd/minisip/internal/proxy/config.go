package proxy

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"minisip/cmd/minisip/internal/guard"
	"minisip/nat"
	"minisip/session"
	"minisip/sipmsg"
)

// Features are the words of the command line: what the proxy repairs and how it behaves.
type Features struct {
	Contact   bool // re_contact: rewrite Contact to the source address
	SDP       bool // re_sdp: relay media
	Via       bool // re_via: force received and rport
	Duplicate bool // suppress copies of messages
	Silent    bool // give unknown users no answer
	Debug     bool // log whole messages
}

// Words name the features on the command line, and wherever they are switched.
var Words = []string{"silent", "duplicate", "debug", "re_via", "re_sdp", "re_contact"}

// Word gives the feature that a word names; nil for any other word.
func (f *Features) Word(word string) *bool {
	switch word {
	case "silent":
		return &f.Silent
	case "duplicate":
		return &f.Duplicate
	case "debug":
		return &f.Debug
	case "re_via":
		return &f.Via
	case "re_sdp":
		return &f.SDP
	case "re_contact":
		return &f.Contact
	}
	return nil
}

// Config is what the core must know; zero durations and limits take their defaults.
type Config struct {
	Features
	ICE              bool // legs towards phones that do ICE are ICE-lite agents; else ICE is taken out
	Realm            string
	Domains          []string // what Request-URIs may name; empty: anything
	Public4, Public6 netip.Addr
	Ours             func(netip.AddrPort) bool // is this an address that our sockets listen on
	Keepalive        time.Duration             // 0: none
	Timeout          time.Duration             // of a call without SIP and media
	HoldTimeout      time.Duration
	TimerC           time.Duration
	DialAdmins       []string                 // who may dial service codes; empty: every user
	AddUser          func(name string) string // the command that adds a user, for the log; "": there is none; may be nil
	Bans             guard.Limits             // who fails to authenticate is banned; the zero value: nobody is
	MaxPending       int                      // unanswered calls a user
	MaxTransactions  int                      // of servers in all, and of clients
	MaxCalls         int
	MaxContacts      int // bindings a user
	MinExpires       time.Duration
	MaxExpires       time.Duration
	DefaultExpires   time.Duration
	Ports            string    // of the relay, in words
	History          []byte    // memory for the newest messages; nil: there is none for more than a few
	Ended            []byte    // memory for calls that have ended, LedgerSize for as many as are remembered; nil: for some hundred
	Keeper           Keeper    // takes what has to outlive the process; nil: nothing
	Epoch            time.Time // of the times in its records
}

func (c Config) withDefaults() Config {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&c.Timeout, 30*time.Second)
	def(&c.HoldTimeout, 2*time.Hour)
	def(&c.TimerC, session.TimerC)
	limit := func(n *int, v int) {
		if *n == 0 {
			*n = v
		}
	}
	limit(&c.MaxPending, 50)
	limit(&c.MaxTransactions, 500_000)
	limit(&c.MaxCalls, 50_000)
	c.Ports = cmp.Or(c.Ports, "of -rtp")
	if c.Ours == nil {
		c.Ours = func(netip.AddrPort) bool { return false }
	}
	return c
}

// advertised is the address that phones shall use for our socket at local.
func (c *Core) advertised(local netip.AddrPort) netip.AddrPort {
	public := c.cfg.Public4
	if local.Addr().Is6() {
		public = c.cfg.Public6
	}
	if public.IsValid() {
		return netip.AddrPortFrom(public, local.Port())
	}
	return local
}

// knownAs says whether ip is the address by which phones know our socket at local, or knew it before -public changed.
func (c *Core) knownAs(local netip.AddrPort, ip netip.Addr) bool {
	return ip == c.advertised(local).Addr() || slices.Contains(c.former, ip)
}

// ours says whether host and port of a Via, Route or Request-URI name this proxy at the
// socket that in came to, or at any other. A name, not an address, is ours when it is
// one of the domains we serve: without -domain, any. So is an address in -domain.
func (c *Core) ours(local netip.AddrPort, host []byte, port uint16) bool {
	ip, ok := nat.ParseAddr(host)
	switch {
	case !ok:
		return c.served(host)
	case port == 0 && c.listed(ip.Unmap()):
		return true // whatever port a router in front of us has for that
	case port == 0:
		port = 5060
	}
	at := netip.AddrPortFrom(ip.Unmap(), port)
	return at == local || at == c.advertised(local) || c.isOurs(at)
}

// isOurs says whether datagrams sent to at would come back to us.
func (c *Core) isOurs(at netip.AddrPort) bool {
	if c.cfg.Ours(at) {
		return true
	}
	ip := at.Addr()
	public := ip == c.cfg.Public4 || ip == c.cfg.Public6 || slices.Contains(c.former, ip) || c.listed(ip)
	return public && c.cfg.Ours(netip.AddrPortFrom(netip.IPv4Unspecified(), at.Port()))
}

// listed says whether an address stands in -domain: there IPv6 has brackets, as in a URI.
func (c *Core) listed(ip netip.Addr) bool {
	if len(c.cfg.Domains) == 0 {
		return false
	}
	var room [64]byte
	text := room[:0]
	if ip.Is4() {
		text = ip.AppendTo(text)
	} else {
		text = append(ip.AppendTo(append(text, '[')), ']')
	}
	return slices.ContainsFunc(c.cfg.Domains, func(d string) bool { return d == string(text) })
}

// serves says whether a Request-URI names a host that we answer for: with -domain, one of
// those or an address of ours, else any.
func (c *Core) serves(in *inbound, uri *sipmsg.URI) bool {
	return len(c.cfg.Domains) == 0 || !uri.IsSIP() || c.ours(in.local, uri.Host, uri.Port)
}

// served says whether a Request-URI's host is one that we answer for.
func (c *Core) served(host []byte) bool {
	if len(c.cfg.Domains) == 0 {
		return true
	}
	for _, d := range c.cfg.Domains {
		if strings.EqualFold(d, string(host)) {
			return true
		}
	}
	return false
}

// Reason says why a datagram got no further.
type Reason uint8

const (
	Malformed   Reason = iota // not SIP, cut short, contradictory
	UnknownUser               // silent: the user is not in the user file
	Copy                      // duplicate: acted on already
	Stray                     // a response or ACK that belongs to nothing
	Forged                    // a response or request from the wrong address
	Overload                  // a table is full
	Doubtful                  // from a source that is banned or guesses at names
	Scanner                   // silent: a tool of those who look for servers to abuse
	Short                     // a stranger's, so short that the answer would be far longer
	reasons
)

var reasonNames = [reasons]string{"malformed", "unknown user", "duplicate", "stray", "forged", "overload", "banned source", "scanner", "shorter than its answer"}

func (r Reason) String() string { return reasonNames[r] }

// Counters count what happened since the start.
type Counters struct {
	Requests  [sipmsg.PUBLISH + 1]uint64 // by method; 0: unknown ones
	Responses uint64
	Dropped   [reasons]uint64
	Calls     uint64
	Completed uint64 // calls that were answered
	Denied    uint64 // wrong passwords

	Packets, PacketsLost uint64 // of media
}

func (n *Counters) drop(r Reason) { n.Dropped[r]++ }

// Counters gives a copy.
func (c *Core) Counters() Counters { return c.count }

// Load is how many users are registered and how many calls are under way.
func (c *Core) Load() (users, calls int) {
	for k := range c.everyCall() {
		if k.State != session.Ended {
			calls++
		}
	}
	return c.where.Users(), calls
}

// Features are those in force now, what was dialled included.
func (c *Core) Features() Features { return c.cfg.Features }

// Reconfigure takes what can change while calls are up. Features change only where
// was, the configuration before, had others: what was dialled meanwhile stays otherwise.
func (c *Core) Reconfigure(at time.Time, was, now Config) {
	if was.Features != now.Features {
		c.cfg.Features = now.Features
	}
	now = now.withDefaults()
	c.cfg.Domains, c.cfg.DialAdmins, c.cfg.AddUser = now.Domains, now.DialAdmins, now.AddUser
	c.now = at
	c.rename(now.Public4, now.Public6)
	if now.Keepalive != c.cfg.Keepalive {
		c.pingers.setInterval(at, now.Keepalive)
	}
	c.retime(at, now.Timeout, now.HoldTimeout)
	c.cfg.TimerC, c.cfg.MaxPending = now.TimerC, now.MaxPending
	c.cfg.Bans = now.Bans
	c.bans.SetLimits(now.Bans)
}
