package location

import (
	"time"

	"minisip/sipmsg"
)

// slot is the plan for one binding during a Register: nothing of the table changes
// before the plan for all of them stands.
type slot struct {
	b    *Binding      // nil: to be added
	c    *Contact      // the Contact that touches it, nil: none does
	ttl  time.Duration // with c: until it runs out
	sip  bool          // with c: its URI is a sip or sips URI
	gone bool          // to be removed
}

// plan fills the slots, or refuses the request.
func (t *Table) plan(u *Update) error {
	if u.Star {
		if len(u.Contacts) > 0 {
			return errStar
		}
		for i := range t.slots {
			if err := t.slots[i].remove(u); err != nil {
				return err
			}
		}
		return nil
	}
	live, flows := 0, 0
	for i := range u.Contacts {
		c := &u.Contacts[i]
		if err := t.planContact(u, c); err != nil {
			return err
		}
		if c.Expires != 0 {
			live++
			if c.RegID != 0 {
				flows++
			}
		}
	}
	// RFC 5626 6: a flow registers alone. Of several Contacts that are to stay, none may have
	// a reg-id, or all of the request is refused.
	if live > 1 && flows > 0 {
		return errRegIDs
	}
	return t.enforceLimits()
}

// planContact is RFC 3261 10.3 step 7 for one Contact.
func (t *Table) planContact(u *Update, c *Contact) error {
	if c.Instance == "" {
		c.RegID = 0 // RFC 5626 6: a reg-id without an instance is ignored
	}
	ttl, err := t.interval(c.Expires)
	if err != nil {
		return err
	}
	if textSize(u, c) > maxText {
		return errTooLong
	}
	t.buf = append(t.buf[:0], c.URI...)
	uri, perr := sipmsg.ParseURI(t.buf)
	if perr != nil {
		return errContact
	}
	var kept *slot
	for i := range t.slots {
		s := &t.slots[i]
		if s.gone || !t.matches(s, u, c, &uri) {
			continue
		}
		if ttl > 0 && kept == nil {
			if err := s.checkOrder(u); err != nil {
				return err
			}
			kept = s
			continue
		}
		// Expires 0, or a second binding that this Contact replaces.
		if err := s.remove(u); err != nil {
			return err
		}
	}
	if ttl == 0 {
		return nil
	}
	if kept == nil {
		// Contacts beyond any chance are not even compared with each other.
		if len(t.slots) >= 2*t.limits.PerUser {
			return errTooMany
		}
		t.slots = append(t.slots, slot{})
		kept = &t.slots[len(t.slots)-1]
	}
	kept.c, kept.ttl, kept.sip = c, ttl, uri.IsSIP()
	return nil
}

// interval turns the interval asked for into the one given.
func (t *Table) interval(asked time.Duration) (time.Duration, error) {
	switch {
	case asked < 0:
		return t.limits.DefaultExpires, nil
	case asked > 0 && asked < time.Hour && asked < t.limits.MinExpires:
		// "If and only if the requested expiration interval is greater than zero
		// AND smaller than one hour AND less than a registrar-configured minimum, the
		// registrar MAY reject the registration with a response of 423"
		err := *errTooBrief
		err.MinExpires = t.limits.MinExpires
		return 0, &err
	}
	return min(asked, t.limits.MaxExpires), nil
}

// checkOrder lets a binding be touched only by a request that is not older than what made it:
// "If they are the same, the registrar compares the CSeq value. [...] If not [higher], the
// update MUST be aborted and the request fails." What this request adds itself passes.
func (s *slot) checkOrder(u *Update) error {
	if s.b != nil && s.b.CallID() == u.CallID && u.CSeq <= s.b.CSeq {
		return errOrder
	}
	return nil
}

func (s *slot) remove(u *Update) error {
	if err := s.checkOrder(u); err != nil {
		return err
	}
	s.gone = true
	return nil
}

// enforceLimits refuses a plan that adds bindings beyond a limit. A phone that starts anew with a new
// Contact each time would lock itself out until the old ones run out, so bindings that no
// longer answer make room first, the longest silent before the others.
func (t *Table) enforceLimits() error {
	live, growth := 0, 0 // bindings of the user, and by how many the table grows
	for i := range t.slots {
		switch s := &t.slots[i]; {
		case !s.gone:
			live++
			if s.b == nil {
				growth++
			}
		case s.b != nil:
			growth--
		}
	}
	for ; live > t.limits.PerUser; live-- {
		s := t.longestSilent()
		if s == nil {
			return errTooMany
		}
		s.gone = true
		growth--
	}
	if t.Len()+growth > t.limits.Total {
		return errFull
	}
	return nil
}

// longestSilent returns the slot of the suspended binding that was heard longest ago, or nil.
func (t *Table) longestSilent() (found *slot) {
	for i := range t.slots {
		s := &t.slots[i]
		if s.gone || s.c != nil || !s.b.Ping.Suspended {
			continue
		}
		if found == nil || s.b.seen < found.b.seen {
			found = s
		}
	}
	return found
}
