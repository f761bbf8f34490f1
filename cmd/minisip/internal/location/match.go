package location

import (
	"net/netip"

	"minisip/sipmsg"
)

// matches says whether Contact c of u, whose URI is uri, means the binding that s stands for.
func (t *Table) matches(s *slot, u *Update, c *Contact, uri *sipmsg.URI) bool {
	contact, instance, regID := s.identity()
	same := SameInstance(instance, c.Instance)
	differ := instance != "" && c.Instance != "" && !same ||
		regID != 0 && c.RegID != 0 && regID != c.RegID
	// Two instances, or two flows of one, are two bindings (RFC 5626 6). But one address and
	// port holds one phone, which may have forgotten its instance; unless a proxy stands before it.
	if differ && !s.samePlace(u) {
		return false
	}
	if c.Instance != "" && same && regID == c.RegID {
		// The key of RFC 5626, whatever the URI. Without a reg-id, RFC 5627 allows an instance several
		// Contacts in one request, and a removal means its URI.
		if regID != 0 || s.c == nil && c.Expires != 0 {
			return true
		}
	}
	return t.equalContact(contact, c.URI, uri) && !s.twoPhones(u, uri)
}

// identity returns what the binding is known by, with what this request has made of it so far.
func (s *slot) identity() (contact, instance string, regID uint32) {
	if s.c != nil {
		return s.c.URI, s.c.Instance, s.c.RegID
	}
	return s.b.Contact(), s.b.Instance(), s.b.RegID
}

// samePlace says that the binding and u came from the same address and port to the same of
// ours, directly: over one flow.
func (s *slot) samePlace(u *Update) bool {
	if s.c != nil {
		return len(u.Path) == 0
	}
	return s.b.Source() == u.Source && s.b.Local() == u.Local && len(u.Path) == 0 && len(s.b.Path()) == 0
}

// twoPhones is the exception to equality that Register describes.
func (s *slot) twoPhones(u *Update, uri *sipmsg.URI) bool {
	if s.c != nil || s.b.Source().Addr() == u.Source.Addr() || s.b.CallID() == u.CallID {
		return false
	}
	addr, _ := netip.ParseAddr(string(uri.Host)) // invalid, and so not the source, where it is a name
	return addr.Unmap() != u.Source.Addr()
}

// equalContact compares the URIs have and want, of which parsed is the latter.
func (t *Table) equalContact(have, want string, parsed *sipmsg.URI) bool {
	if have == want {
		return true
	}
	t.other = append(t.other[:0], have...)
	uri, err := sipmsg.ParseURI(t.other)
	return err == nil && sipmsg.EqualURI(&uri, parsed)
}
