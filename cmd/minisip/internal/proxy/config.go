package proxy

import (
	"cmp"
	"net/netip"
	"time"

	"minisip/cmd/minisip/internal/guard"
	"minisip/session"
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
