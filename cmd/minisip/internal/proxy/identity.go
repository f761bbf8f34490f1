package proxy

import (
	"bytes"
	"fmt"

	"minisip/session"
	"minisip/sipmsg"
)

// identities are the fields by which a phone says who it is, beside From, and which most phones show in its place:
// RFC 3325 and what came before.
var identities = [...][]byte{[]byte("P-Asserted-Identity"), []byte("P-Preferred-Identity"), []byte("Remote-Party-ID")}

// dropIdentities takes out of a message what says that its sender is somebody else. RFC 3325 5: what an element that
// is not trusted asserts is removed, and no phone is trusted; of what it says of itself nothing is lost.
func dropIdentities(m *sipmsg.Message, sender string) {
	for i := range m.NumHeaders() {
		if h := m.Header(i); h.ID == sipmsg.Other && isIdentity(h.Name) && !identifies(h.Value, sender) {
			m.RemoveHeader(i)
		}
	}
}

func isIdentity(name []byte) bool {
	for _, field := range identities {
		if len(name) == len(field) && bytes.EqualFold(name, field) {
			return true
		}
	}
	return false
}

// identifies says whether an identity is a user's. One that cannot be read, or a list, is nobody's.
func identifies(value []byte, user string) bool {
	a, err := sipmsg.ParseNameAddr(value)
	return err == nil && string(userPart(a.URI)) == user
}

// keepsName says whether a request inside a dialog calls its sender what he has been called there from the beginning, or
// by his own name. RFC 4916 lets a side take another name as it talks, and phones that know it show that: nobody has
// proved to bear it. A BYE is obeyed whatever its From says.
func (c *Core) keepsName(in *inbound, p *session.Party) bool {
	if in.Method() == sipmsg.BYE || string(in.Get(sipmsg.FromHdr)) == p.Identity {
		return true
	}
	name := string(c.claimed(in))
	if name == p.User {
		return true
	}
	was, err := sipmsg.ParseNameAddr([]byte(p.Identity))
	return err == nil && name == string(userPart(was.URI))
}

// notifier is the user who a request without a call says it comes from. What a SUBSCRIBE or REFER was sent to may be a
// Contact, as of a conference, and then the NOTIFY has that as From: it speaks for the user whose phone is there.
func (c *Core) notifier(in *inbound) []byte {
	claimed := c.claimed(in)
	if in.Method() != sipmsg.NOTIFY || len(in.ToTag()) == 0 || c.users.Lookup(claimed) != nil {
		return claimed
	}
	uri, err := sipmsg.ParseURI(in.From().URI)
	if err != nil {
		return claimed
	}
	if b := c.phoneOf(in.now, &uri); b != nil {
		return []byte(b.AOR())
	}
	return claimed
}

// identity is how the callee is called in a dialog that a response makes: by its To, whose URI "MUST equal" that of the
// request (RFC 3261 8.2.6.2). Who takes another name there is called as the caller called him.
func (ctx *context) identity(in *inbound) []byte {
	to, called := in.To().URI, in.To().URI
	if ctx.req != nil {
		called = ctx.req.To().URI
	} else if others := ctx.call.dialogs; len(others) > 0 {
		if was, err := sipmsg.ParseNameAddr([]byte(others[0].callee.Identity)); err == nil {
			called = was.URI
		}
	}
	if bytes.Equal(to, called) || bytes.Equal(userPart(to), userPart(called)) {
		return in.Get(sipmsg.ToHdr)
	}
	return fmt.Appendf(nil, "<%s>;tag=%s", called, in.ToTag())
}
