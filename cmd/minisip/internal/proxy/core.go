package proxy

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/cmd/minisip/internal/guard"
	"minisip/cmd/minisip/internal/location"
	"minisip/cmd/minisip/internal/trail"
	"minisip/digest"
	"minisip/nat"
	"minisip/session"
	"minisip/sipmsg"
)

// Output is where the core's datagrams and words go. No datagram given may be kept.
type Output interface {
	// Send sends one datagram from our address local. It reports false where that is of no
	// use, now or later: no way leads there.
	Send(local, to netip.AddrPort, datagram []byte) bool
	// Log takes one line that an operator cares about.
	Log(line string)
	// Record takes the account of a call that has ended, to keep.
	Record(r *Record)
	// Reuse gives back a Message that Receive has kept, to hold another datagram. Not every one comes back: the garbage
	// collector takes the rest.
	Reuse(m *sipmsg.Message)
}

// Core is the registrar and proxy. It is not safe for concurrent use: one goroutine owns it.
type Core struct {
	cfg         Config
	out         Output
	relay       Relay
	users       *digest.Users
	auth        *digest.Server
	nonces      *digest.Checker
	where       *location.Table
	timers      session.Timers
	expiry      expiryTimer
	drops       dropReport
	servers     map[string]*serverTx
	answers     answers
	clients     map[clientKey]*clientTx
	calls       map[string]*call
	usage       map[string]*usage // by user
	weight      int               // of all transactions, beyond their number
	pingers     pingers
	subscribers subscribers
	notices     map[string]int                   // NOTIFYs under way, by account
	lastList    struct{ calls, users time.Time } // when the log was last given a list of them
	hushed      loggedOnce                       // where unknown users come from, in silent mode
	doubted     loggedOnce                       // where known ones do who get no answer for what others did there
	denied      loggedOnce                       // where wrong passwords do
	oversized   loggedOnce                       // where datagrams beyond safeSize have gone
	bans        *guard.Bans
	sources     *guard.Sources // of bindings, and of the sides of calls
	refusing    bool           // new calls
	refused     uint64         // of them
	count       Counters
	hist        Histograms
	trail       *trail.Recorder
	past        past
	changes     changeLog
	sampler     sampler
	dynamic     map[string]dynamicTypes // by their names
	now         time.Time               // of the event being handled
	traces      []*Trace
	callSeq     int64
	missed      int // bindings whose latest pings were not answered
	suspended   int // of them, those taken out of routing
	rnd         *rand.ChaCha8
	secret      [32]byte // keys the To tags
	loopSeed    uint32   // of the hash that tells a loop from a spiral

	date   []byte // the Date field of the second dateOf
	dateOf int64

	saver  saver
	spare  spare
	spent  []*sipmsg.Message // requests of contexts that are done: see reuseSpent
	former []netip.Addr      // that were -public before

	// Scratch space, in use only while one event is handled.
	in              inbound
	update          location.Update
	key, buf, head  []byte
	lines           []byte   // of the response in the making
	line            []byte   // for the log
	before          []byte   // what the next datagram sent was made of
	beforeID        trail.ID // the same, as it was noted
	sdpOut, bodyOut []byte
	sdp             nat.SDP
	sdpText         []byte // what sdp was read from; nil: it is not to be used again
	legs            []nat.Leg
	facts           diagnosis.Call
	follow, stored  sipmsg.Message
}

// New makes a core without any state. seed drives branches and tags; they are as
// unpredictable as it is.
func New(cfg Config, out Output, relay Relay, users *digest.Users, auth *digest.Server, seed [32]byte) *Core {
	cfg = cfg.withDefaults()
	c := &Core{
		cfg: cfg, out: out, relay: relay, users: users, auth: auth, nonces: auth.Checker(),
		where: location.New(location.Limits{
			PerUser: cfg.MaxContacts, MinExpires: cfg.MinExpires, MaxExpires: cfg.MaxExpires, DefaultExpires: cfg.DefaultExpires,
		}),
		servers: map[string]*serverTx{}, clients: map[clientKey]*clientTx{}, calls: map[string]*call{},
		trail: trail.New(cfg.History), past: past{ledger: ledger{memory: cfg.Ended}},
		usage: map[string]*usage{}, notices: map[string]int{}, oversized: loggedOnce{forGood: true}, dynamic: map[string]dynamicTypes{},
		rnd:  rand.NewChaCha8(seed),
		bans: guard.NewBans(cfg.Bans), sources: guard.NewSources(),
	}
	c.where.Watch(c.sources.Add, c.sources.Remove)
	c.rnd.Read(c.secret[:])
	c.loopSeed = uint32(c.rnd.Uint64())
	c.expiry.core = c
	c.expiry.timer.Own(&c.expiry)
	c.hist = newHistograms()
	c.answers = newAnswers(c)
	c.answers.timer.Own(&c.answers)
	c.pingers.core = c
	c.pingers.timer.Own(&c.pingers)
	c.drops.core = c
	c.drops.timer.Own(&c.drops)
	c.saver.core = c
	c.saver.timer.Own(&c.saver)
	c.saver.sweep.Own((*sweeper)(&c.saver))
	return c
}

// inbound is a message on its way through the core.
type inbound struct {
	*sipmsg.Message
	now        time.Time
	src, local netip.AddrPort
	mark       noted
	strict     bool         // by a strict router: the last Route is the remote target, the Request-URI ours (RFC 3261 16.4)
	routes     int          // how many Route values on top are ours
	kept       bool         // a response context holds on to the Message
	proof      proof        // what its credentials are worth
	sender     string       // the user whom a request that goes on comes from
	dialog     *dialog      // that a request belongs to, if known
	from       session.Role // which side of it sent the request
}

// Receive handles one datagram: m is what Parse made of it, err what Parse said. It
// reports whether the core keeps m, until Output's Reuse; otherwise m can be used again.
func (c *Core) Receive(now time.Time, local, src netip.AddrPort, m *sipmsg.Message, err error) (kept bool) {
	c.reuseSpent()
	c.in = inbound{Message: m, now: now, local: local, src: src}
	in := &c.in
	c.now = now
	c.madeOf(nil, 0)
	c.sdpText = nil
	if c.missed > 0 {
		c.heard(in)
	}
	switch {
	case err != nil && c.pinged(in, err):
	case err != nil:
		c.malformed(in, err)
	case m.IsRequest():
		c.request(in)
	default:
		c.response(in)
	}
	if in.dialog != nil {
		in.dialog.call.changed()
	}
	return in.kept
}

// Deadline is when Tick wants to be called next; zero for never.
func (c *Core) Deadline() time.Time {
	next := c.timers.Next()
	if s := c.sampler.next; !s.IsZero() && (next.IsZero() || s.Before(next)) {
		return s
	}
	return next
}

// Tick lets all timers run that are due.
func (c *Core) Tick(now time.Time) {
	c.now = now
	c.madeOf(nil, 0)
	c.timers.Run(now)
	c.sampler.run(now)
}

// request sorts a request by what RFC 3261 16.3, 17.2.3 and 12 make of it.
func (c *Core) request(in *inbound) {
	c.count.Requests[in.Method()]++
	if c.cfg.Debug {
		c.debugReceived(in, nil)
	}
	key := c.keyOf(in)
	tx := c.servers[string(key)]
	if tx == nil && c.replyAgain(in, key) {
		return
	}
	if tx != nil {
		c.noteReceived(in, in.Method() != sipmsg.ACK)
		if !tx.again(in) {
			return
		}
	}
	c.findDialog(in)
	if in.dialog == nil && c.cancelled(in) == nil && c.hush(in) {
		return
	}
	if tx == nil {
		c.noteReceived(in, false)
	}
	switch in.Method() {
	case sipmsg.ACK:
		c.ack(in)
		return
	case sipmsg.CANCEL:
		c.cancel(in)
		return
	}
	if c.shed(in) || c.refuse(in) {
		return
	}
	c.findRoutes(in)
	switch {
	case in.Method() == sipmsg.REGISTER:
		c.register(in)
	case in.inside():
		c.inDialog(in)
	case c.forUs(in):
		c.options(in)
	default:
		c.outside(in)
	}
}

// malformed answers what RFC 3261 16.3 step 1 lets it answer, and counts the rest.
func (c *Core) malformed(in *inbound, err error) {
	if c.cfg.Debug {
		c.debugReceived(in, err)
	}
	answer := in.CanReply() && in.Method() != sipmsg.ACK
	if answer && c.hush(in) {
		return // and counted there
	}
	c.drop(Malformed)
	switch {
	case !answer:
	case errors.Is(err, sipmsg.ErrVersion):
		c.refuseWith(in, 505, "", "")
	default:
		c.refuseWith(in, 400, reasonOf(err), "")
	}
}

// reasonOf makes a reason phrase of a parse error: the field, never what was in it.
func reasonOf(err error) string {
	var pe *sipmsg.ParseError
	if errors.As(err, &pe) && pe.Field != "" {
		return "Bad Request: " + pe.Field
	}
	return ""
}
