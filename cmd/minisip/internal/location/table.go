package location

import (
	"cmp"
	"hash/maphash"
	"iter"
	"net/netip"
	"slices"
	"time"
)

// Table holds the bindings of all users. One goroutine owns it.
type Table struct {
	limits Limits

	base time.Time // the times of bindings are counted from here, by the monotonic clock where there is one

	users  map[string]*Binding // the first of each address of record in the order of Lookup, the others chained
	index  [numIndexes]index
	expiry expiry

	came, went func(source netip.AddrPort)

	serial uint64 // of the newest binding

	seed            maphash.Seed
	key, other, buf []byte     // scratch for keys and URIs
	slots           []slot     // scratch for Register: the plan
	next            []*Binding // scratch for Register: the list to be
}

// New returns an empty table.
func New(l Limits) *Table {
	l.setDefaults()
	t := &Table{limits: l, users: make(map[string]*Binding), seed: maphash.MakeSeed()}
	for i := range t.index {
		t.index[i] = index{which: i, heads: make(map[uint64]*Binding)}
	}
	return t
}

// Watch names who is told of each binding the source that it has from now on, and the one that it no longer has.
func (t *Table) Watch(came, went func(source netip.AddrPort)) { t.came, t.went = came, went }

// Lookup returns the bindings to which a request for aor can be sent: those that have
// not run out and whose Contact is a sip or sips URI, the best q first, then the latest registered.
// The list belongs to the table: it is to be read, and stays as it is. Suspended bindings are in it.
func (t *Table) Lookup(now time.Time, aor string) []*Binding {
	at := now.Sub(t.base)
	return keep(t.list(aor), func(b *Binding) bool { return b.sip && b.expires > at })
}

// Bindings returns all bindings of aor that have not run out: what a 200 to REGISTER lists.
func (t *Table) Bindings(now time.Time, aor string) []*Binding {
	at := now.Sub(t.base)
	return keep(t.list(aor), func(b *Binding) bool { return b.expires > at })
}

// list gives all bindings of aor, in order. Who got a list may keep it: it does not change.
func (t *Table) list(aor string) []*Binding {
	first := t.users[aor]
	switch {
	case first == nil:
		return nil
	case first.next == nil:
		return first.alone[:]
	}
	list := make([]*Binding, 0, 4)
	for b := first; b != nil; b = b.next {
		list = append(list, b)
	}
	return list
}

// keep returns the bindings of list that are ok; list itself where all are.
func keep(list []*Binding, ok func(*Binding) bool) []*Binding {
	for i, b := range list {
		if ok(b) {
			continue
		}
		kept := slices.Clone(list[:i])
		for _, b := range list[i+1:] {
			if ok(b) {
				kept = append(kept, b)
			}
		}
		return kept
	}
	return list
}

// Len returns the number of bindings, those included that Expire has yet to remove.
func (t *Table) Len() int { return len(t.expiry.heap) }

// Users returns the number of addresses of record that have a binding.
func (t *Table) Users() int { return len(t.users) }

// All yields every binding, in an order that depends on the history of the
// table alone and has no meaning. The loop body must not change the table.
func (t *Table) All() iter.Seq[*Binding] {
	return func(yield func(*Binding) bool) {
		for _, e := range t.expiry.heap {
			if !yield(e.b) {
				return
			}
		}
	}
}

// Part yields at most n bindings from the i-th on, in the order of All, for who goes through a
// large table in steps. Where the table changes between two, a binding may be met twice or not.
func (t *Table) Part(i, n int) iter.Seq[*Binding] {
	return func(yield func(*Binding) bool) {
		heap := t.expiry.heap
		for _, e := range heap[min(i, len(heap)):min(i+n, len(heap))] {
			if !yield(e.b) {
				return
			}
		}
	}
}

// Deadline returns the time at which the next binding runs out, zero if there is none.
func (t *Table) Deadline() time.Time {
	if b := t.expiry.first(); b != nil {
		return t.Expires(b)
	}
	return time.Time{}
}

// since is now as bindings have it. The base moves with a clock that is set, so that times
// are shown by the clock as it is.
func (t *Table) since(now time.Time) time.Duration {
	if t.base.IsZero() {
		t.base = now
	}
	d := now.Sub(t.base)
	t.base = now.Add(-d)
	return d
}

// Expires is when b runs out.
func (t *Table) Expires(b *Binding) time.Time { return t.base.Add(b.expires) }

// Registered is when the last REGISTER of b came.
func (t *Table) Registered(b *Binding) time.Time { return t.base.Add(b.registered) }

// LastSeen is when anything last came from the phone: a REGISTER, or what Seen was told.
func (t *Table) LastSeen(b *Binding) time.Time { return t.base.Add(b.seen) }

// Seen notes that something came from the phone.
func (t *Table) Seen(b *Binding, now time.Time) { b.seen = t.since(now) }

// maxExpire bounds the work of one Expire, so that a hundred thousand phones that
// went away together do not hold the caller's loop.
const maxExpire = 1000

// Expire removes the bindings that have run out and returns them, the earliest first. It
// removes at most 1,000 at a time: where more are due, Deadline stays in the past.
func (t *Table) Expire(now time.Time) []*Binding {
	at := t.since(now)
	var gone []*Binding
	for len(gone) < maxExpire {
		b := t.expiry.due(at)
		if b == nil {
			break
		}
		t.Remove(b)
		gone = append(gone, b)
	}
	return gone
}

// Remove takes b out of the table. A binding that is no longer in it is left alone.
func (t *Table) Remove(b *Binding) {
	if b.place == 0 {
		return
	}
	t.drop(b)
	t.setList(b.AOR(), keep(t.list(b.AOR()), func(o *Binding) bool { return o != b }))
}

// drop takes b out of everything but its user's list.
func (t *Table) drop(b *Binding) {
	t.expiry.remove(b)
	t.unlink(b)
}

// setList makes list the bindings of aor.
func (t *Table) setList(aor string, list []*Binding) {
	if len(list) == 0 {
		delete(t.users, aor)
		return
	}
	for i, b := range list[1:] {
		list[i].next = b
	}
	list[len(list)-1].next = nil
	t.users[list[0].AOR()] = list[0] // the key's bytes are those of a binding that is there
}

// byPreference orders a user's bindings: RFC 3261 16.6 tries them by q; of equal q the latest
// registered comes first, being the likeliest to be there.
func byPreference(a, b *Binding) int {
	return cmp.Or(cmp.Compare(b.Q, a.Q), cmp.Compare(b.registered, a.registered))
}
