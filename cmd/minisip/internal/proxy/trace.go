package proxy

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"minisip/cmd/minisip/internal/trail"
	"minisip/session"
	"minisip/sipmsg"
)

// Trace is shown all that passes of one call or one user, for an engineer who must see and
// hear it. While there is none, nobody pays for it.
type Trace struct {
	What  string // a user's name, the number of a call or its Call-ID
	Media bool

	// Show takes one datagram, SIP with what is secret masked. It must neither wait nor keep
	// the datagram; media are shown by goroutines of their own.
	Show Tap

	// Over is called, in the core's goroutine, when the call of a trace is gone; of a user's
	// trace never. It must not wait.
	Over func()

	user string // "": a call's
	keys map[trail.Key]struct{}
}

// Tap takes a datagram: when and where it passed, and what it was.
type Tap = func(at time.Time, from, to netip.AddrPort, datagram []byte)

const (
	maxTraces    = 8
	maxTraceKeys = 10_000 // Call-IDs of one trace
)

// ErrNothingToTrace says that a trace names neither a user nor a call.
var ErrNothingToTrace = errors.New("there is no such user, and no such call is up")

// Trace begins a trace. What is still kept of the messages of a call that is up is shown
// first: they hold the SDP that tells which ports its media use.
func (c *Core) Trace(t *Trace) error {
	if len(c.traces) >= maxTraces {
		return fmt.Errorf("%d traces are under way, and no more are made at once", maxTraces)
	}
	t.keys = map[trail.Key]struct{}{}
	if c.users.Lookup([]byte(t.What)) != nil {
		t.user = t.What
	}
	var traced []*call
	for k := range c.everyCall() {
		if k.State != session.Ended && t.means(k) {
			traced = append(traced, k)
		}
	}
	if t.user == "" && len(traced) == 0 {
		return ErrNothingToTrace
	}
	slices.SortFunc(traced, bySerial)
	c.traces = append(c.traces, t)
	for _, k := range traced {
		t.follow(c.trail.Key([]byte(k.callID)))
		k.showPast(t)
		k.join(t)
	}
	return nil
}

// Untrace ends a trace.
func (c *Core) Untrace(t *Trace) {
	c.traces = slices.DeleteFunc(c.traces, func(o *Trace) bool { return o == t })
	for k := range c.everyCall() {
		if i := slices.Index(k.traces, t); i >= 0 {
			k.traces = slices.Delete(k.traces, i, i+1)
			k.tapAll()
		}
	}
}

// means says whether a trace is of a call.
func (t *Trace) means(k *call) bool {
	if t.user == "" {
		return t.What == k.number || t.What == k.callID
	}
	return k.caller.User == t.user || k.dialled == t.user ||
		slices.ContainsFunc(k.dialogs, func(d *dialog) bool { return d.callee.User == t.user })
}

// follow adds a Call-ID to those whose messages are shown.
func (t *Trace) follow(key trail.Key) {
	if len(t.keys) < maxTraceKeys {
		t.keys[key] = struct{}{}
	}
}

// showPast shows what is still kept of a call's messages.
func (k *call) showPast(t *Trace) {
	for i := range k.course.Steps {
		m := k.core.trail.Get(k.course.Steps[i].Message)
		switch {
		case m == nil:
		case m.Received:
			t.Show(m.At, m.Peer, m.Local, trail.MaskForPrograms(m.Text))
		default:
			t.Show(m.At, m.Local, m.Peer, trail.MaskForPrograms(m.Text))
		}
	}
}

// traceCall has the traces that mean a new call join it.
func (c *Core) traceCall(k *call) {
	for _, t := range c.traces {
		if t.means(k) {
			k.join(t)
		}
	}
}

// join shows a trace the call's media from now on.
func (k *call) join(t *Trace) {
	k.traces = append(k.traces, t)
	k.tapAll()
}

// tapAll brings the taps of all the call's streams to what its traces ask for. Those of a
// branch without a dialog are reached once it has one.
func (k *call) tapAll() {
	for _, d := range k.dialogs {
		d.media.tap()
	}
}

// tap brings the taps of the streams to what the call's traces ask for.
func (md *media) tap() {
	for s := range md.open() {
		s.Tap(md.call.tap())
	}
}

// tap shows a datagram of media to all traces that want it; nil: none does.
func (k *call) tap() Tap {
	var show []Tap
	for _, t := range k.traces {
		if t.Media {
			show = append(show, t.Show)
		}
	}
	if show == nil {
		return nil
	}
	return func(at time.Time, from, to netip.AddrPort, b []byte) {
		for _, f := range show {
			f(at, from, to, b)
		}
	}
}

// traceReceived shows a message that came to the traces that it concerns.
func (c *Core) traceReceived(in *inbound) {
	for _, t := range c.traces {
		_, known := t.keys[in.mark.key]
		if !known && t.user != "" && (t.isUser(in.From()) || t.isUser(in.To())) {
			t.follow(in.mark.key)
			known = true
		}
		if known {
			t.Show(in.now, in.src, in.local, trail.MaskForPrograms(in.Bytes()))
		}
	}
}

// isUser says whether a From or To value names the trace's user.
func (t *Trace) isUser(a *sipmsg.NameAddr) bool {
	return string(userPart(a.URI)) == t.user
}

// traceSent shows a message that goes out to the traces that it concerns.
func (c *Core) traceSent(key trail.Key, local, to netip.AddrPort, b []byte) {
	for _, t := range c.traces {
		if _, known := t.keys[key]; known {
			t.Show(c.now, local, to, trail.MaskForPrograms(b))
		}
	}
}

// traceOver tells the traces of a call that it is gone.
func (k *call) traceOver() {
	for _, t := range k.traces {
		if t.user == "" && t.Over != nil {
			t.Over()
		}
	}
}
