package proxy

import (
	"net/netip"
	"slices"
	"time"

	"minisip/cmd/minisip/internal/location"
	"minisip/cmd/minisip/internal/pack"
	"minisip/session"
)

// Keeper takes what has to outlive the process: records under a kind and a number, which
// Restore of another process's core understands. None of its methods may block.
type Keeper interface {
	// Keep takes a record, which is valid during the call, in the place of the one before.
	Keep(kind byte, id uint64, record []byte)
	// Drop says that there is no such record any more.
	Drop(kind byte, id uint64)
	// Flush ends a group of records that are kept together or not at all; with whole, every record has been given again
	// since anew was reported. It reports whether that is wanted now.
	Flush(whole bool) (anew bool)
}

// The kinds of records, in the order in which they can be restored.
const (
	keptBinding byte = 'b' // by the binding's ID
	keptCall    byte = 'c' // by the call's serial; established ones alone
	keptCore    byte = 'm' // one: what else there is
)

// saver gives the Keeper what has changed, a little later, so that what changes twice is given once.
type saver struct {
	core    *Core
	timer   session.Timer
	sweep   session.Timer
	changed []saved
	rest    []saved // of all there is, what is still to be given anew
	anew    bool
	serial  int64 // the newest call's that the Keeper knows; -1: it knows none
	buf     []byte
}

// saved is a binding or a call.
type saved struct {
	binding *location.Binding
	call    *call
}

const (
	saveAfter  = 200 * time.Millisecond
	sweepEvery = time.Second // looks for streams whose sources have moved

	// All there is is given in pieces, so that the loop is never held for long.
	saveAtOnce = 500
	saveEvery  = 10 * time.Millisecond
)

// unsaved notes that a binding has changed, or has gone.
func (c *Core) unsaved(b *location.Binding) {
	if c.cfg.Keeper == nil || b.Unsaved {
		return
	}
	b.Unsaved = true
	c.saver.note(saved{binding: b})
}

// changed notes that something about the call has, or that it ended.
func (k *call) changed() {
	if k.core.cfg.Keeper == nil || k.unsaved || !k.kept && !k.established() {
		return
	}
	k.unsaved = true
	k.core.saver.note(saved{call: k})
}

// established says whether the call outlives a restart.
func (k *call) established() bool {
	return (k.State == session.Up || k.State == session.Ending) && slices.ContainsFunc(k.dialogs, (*dialog).live)
}

func (s *saver) note(x saved) {
	s.changed = append(s.changed, x)
	s.arm(saveAfter)
}

func (s *saver) arm(d time.Duration) {
	if at := s.core.now.Add(d); s.timer.At().IsZero() || s.timer.At().After(at) {
		s.core.timers.Set(&s.timer, at)
	}
}

// SaveAll gives all there is to the Keeper anew, in pieces.
func (c *Core) SaveAll(now time.Time) {
	s := &c.saver
	c.now, s.anew, s.serial = now, true, -1
	s.rest = make([]saved, 0, c.where.Len()+c.sampler.calls)
	for b := range c.where.All() {
		s.rest = append(s.rest, saved{binding: b})
	}
	for k := range c.everyCall() {
		s.rest = append(s.rest, saved{call: k})
	}
	s.arm(saveEvery)
}

// SaveNow gives the Keeper what has changed, and all calls as they are now, at once: before the process ends. Where all there is
// was wanted anew, it gives that too: nobody comes to it later.
func (c *Core) SaveNow(now time.Time) {
	c.now = now
	for k := range c.everyCall() {
		k.changed()
	}
	s := &c.saver
	s.flush(now)
	for pieces := 1 + len(s.rest)/saveAtOnce; s.anew && pieces > 0; pieces-- { // not again and again, whatever becomes of it
		s.flush(now)
	}
}

// Expire implements session.Expirer.
func (s *saver) Expire(now time.Time) { s.flush(now) }

func (s *saver) flush(now time.Time) {
	c := s.core
	for i, x := range s.changed {
		s.save(x)
		s.changed[i] = saved{}
	}
	s.changed = s.changed[:0]
	n := min(len(s.rest), saveAtOnce)
	for _, x := range s.rest[:n] {
		s.save(x)
	}
	s.rest = s.rest[n:]
	if s.serial != c.callSeq {
		s.serial = c.callSeq
		s.buf = c.appendCore(s.buf[:0])
		c.cfg.Keeper.Keep(keptCore, 0, s.buf)
	}
	whole := s.anew && len(s.rest) == 0
	if whole {
		s.anew, s.rest = false, nil
	}
	if c.cfg.Keeper.Flush(whole) {
		c.SaveAll(now)
	}
	if s.anew {
		s.arm(saveEvery)
	}
}

// save gives the Keeper a binding or a call as it is now.
func (s *saver) save(x saved) {
	c, k := s.core, x.call
	switch b := x.binding; {
	case b != nil && c.where.Has(b):
		b.Unsaved = false
		s.buf = c.where.AppendRecord(s.buf[:0], b, c.cfg.Epoch)
		c.cfg.Keeper.Keep(keptBinding, b.ID, s.buf)
	case b != nil:
		b.Unsaved = false
		c.cfg.Keeper.Drop(keptBinding, b.ID)
	case k.established():
		k.unsaved, k.kept, k.moves = false, true, k.streamMoves()
		s.buf = k.appendRecord(s.buf[:0])
		c.cfg.Keeper.Keep(keptCall, uint64(k.serial), s.buf)
		if s.sweep.At().IsZero() {
			c.timers.Set(&s.sweep, c.now.Add(sweepEvery))
		}
	case k.kept:
		k.unsaved, k.kept = false, false
		c.cfg.Keeper.Drop(keptCall, uint64(k.serial))
	default:
		k.unsaved = false
	}
}

// sweeper finds the calls whose media come from elsewhere than they did: no message tells.
type sweeper saver

// Expire implements session.Expirer.
func (s *sweeper) Expire(now time.Time) {
	any := false
	for k := range s.core.everyCall() {
		if any = any || k.kept; k.kept && k.moves != k.streamMoves() {
			k.changed()
		}
	}
	if any {
		s.core.timers.Set(&s.sweep, now.Add(sweepEvery))
	}
}

// streamMoves counts how often the far ends of the call's streams have changed.
func (k *call) streamMoves() (n uint32) {
	for _, d := range k.dialogs {
		for s := range d.media.open() {
			n += s.Moves()
		}
	}
	return n
}

// appendCore appends what belongs to no binding and no call.
func (c *Core) appendCore(b []byte) []byte {
	b = pack.AppendInt(b, c.callSeq)
	former := slices.Concat(c.former, []netip.Addr{c.cfg.Public4, c.cfg.Public6})
	b = pack.AppendUint(b, uint64(len(former)))
	for _, ip := range former {
		b = pack.AppendAddr(b, ip)
	}
	return b
}

// restoreCore is the opposite.
func (c *Core) restoreCore(r *pack.Reader) {
	c.callSeq = max(c.callSeq, r.Int())
	for n := r.Uint(); n > 0 && r.More(); n-- {
		c.wasPublic(r.Addr())
	}
}

// maxFormer is how many addresses that phones were given once are still known as ours.
const maxFormer = 8

// wasPublic notes an address that phones were given: it stands in the Routes of their dialogs.
func (c *Core) wasPublic(ip netip.Addr) {
	if !ip.IsValid() || ip == c.cfg.Public4 || ip == c.cfg.Public6 || slices.Contains(c.former, ip) {
		return
	}
	if len(c.former) == maxFormer {
		c.former = slices.Delete(c.former, 0, 1)
	}
	c.former = append(c.former, ip)
}
