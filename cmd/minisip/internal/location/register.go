package location

import (
	"slices"
	"time"
)

// Register carries out one REGISTER (RFC 3261 10.3 steps 6 to 8) and returns the
// bindings that the address of record has then, in the order of Lookup, whatever their scheme; with
// no Contacts it is a query. All of it happens or, with an *Error, nothing:
//
//	"The binding updates MUST be committed (that is, made visible to
//	the proxy or redirect server) if and only if all binding updates and
//	additions succeed."
//
// Equal Contacts (RFC 3261 19.1.4) are one binding, unless the source IP and the Call-ID both
// differ and the Contact is not the source: those are two phones behind two NATs that
// have the same private address. Removal follows the same rule, so each phone removes its own binding.
//
// Register keeps copies of the strings it needs. An IPv4-mapped Source or Local counts as IPv4.
func (t *Table) Register(now time.Time, u *Update) ([]*Binding, error) {
	u.Changes = u.Changes[:0]
	u.Source, u.Local = canonical(u.Source), canonical(u.Local)
	if u.Star || len(u.Contacts) > 0 {
		t.slots = t.slots[:0]
		for _, b := range t.Bindings(now, u.AOR) {
			t.slots = append(t.slots, slot{b: b})
		}
		if err := t.plan(u); err != nil {
			return nil, err
		}
		t.commit(now, u)
	}
	return t.Bindings(now, u.AOR), nil
}

// commit makes the plan true. It cannot fail.
func (t *Table) commit(now time.Time, u *Update) {
	at := t.since(now)
	next := t.next[:0]
	for b := t.users[u.AOR]; b != nil; b = b.next {
		if b.expires <= at {
			next = append(next, b) // run out already: Expire's to report
		}
	}
	for _, s := range t.slots {
		switch {
		case s.gone && s.b == nil:
			continue
		case s.gone:
			t.drop(s.b)
			u.Changes = append(u.Changes, Change{Event: Removed, Binding: s.b})
			continue
		case s.b == nil:
			t.serial++
			s.b = newBinding(t.serial)
			u.Changes = append(u.Changes, Change{Event: Added, Binding: s.b})
		case s.c != nil:
			u.Changes = append(u.Changes, Change{Event: Refreshed, Binding: s.b, From: s.b.Source()})
		}
		if s.c != nil {
			t.refresh(at, s.b, u, &s)
		}
		next = append(next, s.b)
	}
	slices.SortStableFunc(next, byPreference)
	t.setList(u.AOR, next)
	clear(t.slots)
	clear(next)
	t.next = next
}

// refresh writes what u says about s into b.
func (t *Table) refresh(at time.Duration, b *Binding, u *Update, s *slot) {
	moved := b.Source() != u.Source || b.Contact() != s.c.URI
	if moved {
		t.unlink(b)
	}
	b.setTexts(u, s.c)
	b.sip = s.sip
	b.Q, b.CSeq, b.RegID = uint16(s.c.Q), u.CSeq, s.c.RegID
	b.NAT = b.NAT || u.NAT
	b.registered, b.seen, b.expires = at, at, at+s.ttl
	t.expiry.schedule(b)
	if moved {
		t.link(b)
	}
}
