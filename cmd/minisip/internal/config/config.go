package config

import (
	"net/netip"
	"strings"
	"time"
)

// Config is everything minisip can be told. Parse fills it; every value in it
// has been checked.
type Config struct {
	Listen  []netip.AddrPort // where SIP is received; wildcards are 0.0.0.0 and ::
	Public4 netip.Addr       // IPv4 address written into messages; invalid: the one packets leave from
	Public6 netip.Addr       // the same for IPv6

	Realm      string   // digest realm
	Domains    []string // lower-case names and addresses served, IPv6 in brackets; none: any
	Users      string   // path of the user file; "": no file
	Digest     []string // "md5" and "sha256" in the order offered
	DialAdmins []string // users who may dial codes; none: every user

	Ban   Ban            // who fails to authenticate is banned
	Trust []netip.Prefix // never banned

	RTPLow, RTPHigh uint16 // first and last port of the relay
	DSCP            DSCP   // of what is sent

	Keepalive   time.Duration // between two pings of a phone behind NAT; 0: none are sent
	Timeout     time.Duration // without SIP and media until a call is ended
	HoldTimeout time.Duration // the same for a held call
	TimerC      time.Duration // RFC 3261 16.6 step 11: more than three minutes
	MaxPending  int           // unanswered calls of one user at a time

	ICE bool // towards phones that do ICE the relay is an ICE-lite agent; else it is taken out

	History            int            // bytes of memory for the newest messages
	State              string         // directory of what survives a restart; "": nothing is kept
	TraceDir           string         // directory of recordings; "": traces in State
	Log                string         // path of the log file; "": no log file
	LogDays            int            // days a rotated log file is kept
	LogSize            int64          // bytes at which the log file is rotated within a day
	CDR                string         // path of the call records, JSON lines; "": none
	HEP                string         // HOST:PORT of a Homer server; "": none
	Status             netip.AddrPort // of the status page; invalid: none
	StatusPasswordFile string         // "": no password is asked for

	Features Features
	Debug    bool // whole messages in the log instead of one line an event

	File  string   // the configuration file that was read; "": none
	Check bool     // say what would be done, and do nothing
	Notes []string // what was given twice or contradicts itself, a sentence each

	origin   map[string]setting // by option name: the setting that won
	wordFrom map[string]string  // by word: what decided it; absent: the default
}

// Ban says when a source address is banned; Count 0: never.
type Ban struct {
	Count  int           // failures within Within
	Within time.Duration // how long a failure counts
	For    time.Duration // how long a ban lasts
}

// Features are the five things that can be switched off for a comparison with a
// plain proxy.
type Features struct {
	Contact   bool // re_contact: the Contact's host and port become the source's
	SDP       bool // re_sdp: media goes through the relay
	Via       bool // re_via: received and rport are forced
	Duplicate bool // duplicate: copies of a request are not acted on twice
	Silent    bool // silent: unknown users get no answer
}

// String lists the words of the features that are on, or "none".
func (f Features) String() string {
	var names []string
	for _, w := range words {
		if w.feature != nil && *w.feature(&f) {
			names = append(names, w.name)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, " ")
}

// Given says whether anybody set the option called name, rather than its default.
func (c *Config) Given(name string) bool {
	s, ok := c.origin[name]
	return ok && !s.at.standard
}

// Fixed lists the options that have another value than at the start, and will have it only after the next one.
func (c *Config) Fixed(start *Config) (names []string) {
	for o := range options {
		if !o.live && c.origin[o.name].value != start.origin[o.name].value {
			names = append(names, o.name)
		}
	}
	return names
}
