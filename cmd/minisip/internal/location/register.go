package location

import (
	"slices"
	"strings"
	"time"
	"unique"
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
	old := t.users[u.AOR]
	aor := u.AOR
	if len(old) > 0 {
		aor = old[0].AOR
	} else {
		aor = strings.Clone(aor)
	}
	next := t.next[:0]
	for _, b := range old {
		if !b.Expires.After(now) {
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
			s.b = &Binding{AOR: aor, ID: t.serial}
			u.Changes = append(u.Changes, Change{Event: Added, Binding: s.b})
		case s.c != nil:
			u.Changes = append(u.Changes, Change{Event: Refreshed, Binding: s.b, From: s.b.Source})
		}
		if s.c != nil {
			t.refresh(now, s.b, u, &s)
		}
		next = append(next, s.b)
	}
	slices.SortStableFunc(next, byPreference)
	if !slices.Equal(old, next) {
		t.setList(aor, slices.Clone(next))
	}
	clear(t.slots)
	clear(next)
	t.next = next
}

// refresh writes what u says about s into b.
func (t *Table) refresh(now time.Time, b *Binding, u *Update, s *slot) {
	moved := b.Source != u.Source || b.Contact != s.c.URI
	if moved {
		t.unlink(b)
	}
	b.setTexts(u, s.c)
	b.sip = s.sip
	b.Q, b.CSeq, b.RegID = s.c.Q, u.CSeq, s.c.RegID
	b.Source, b.Local = u.Source, u.Local
	b.NAT = b.NAT || u.NAT
	b.Registered, b.Expires = now, now.Add(s.ttl)
	t.expiry.schedule(b)
	if moved {
		t.link(b)
	}
}

const (
	maxText  = 2048 // bytes of text that one binding keeps
	maxAgent = 128  // of them of User-Agent; a longer one is cut
)

func textSize(u *Update, c *Contact) int {
	n := len(u.AOR) + len(u.CallID) + len(c.URI) + len(c.Params) + len(c.Instance)
	for _, p := range u.Path {
		n += len(p)
	}
	return n
}

// setTexts copies the strings into one piece of memory, where any of them changed. User agents
// are shared: there are few of them.
func (b *Binding) setTexts(u *Update, c *Contact) {
	if agent := u.UserAgent[:min(len(u.UserAgent), maxAgent)]; b.UserAgent != agent {
		b.agent = unique.Make(agent)
		b.UserAgent = b.agent.Value()
	}
	if b.Contact == c.URI && b.Params == c.Params && b.Instance == c.Instance &&
		b.CallID == u.CallID && slices.Equal(b.Path, u.Path) {
		return
	}
	var text strings.Builder
	text.Grow(textSize(u, c))
	put := func(s string) string {
		start := text.Len()
		text.WriteString(s)
		return text.String()[start:]
	}
	b.Contact, b.Params, b.CallID = put(c.URI), put(c.Params), put(u.CallID)
	if i := strings.Index(b.Params, c.Instance); i >= 0 {
		b.Instance = b.Params[i : i+len(c.Instance)]
	} else {
		b.Instance = put(c.Instance)
	}
	b.Path = nil
	for _, p := range u.Path {
		b.Path = append(b.Path, put(p))
	}
}
