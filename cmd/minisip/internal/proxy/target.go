package proxy

import (
	"net/netip"
	"time"

	"minisip/cmd/minisip/internal/location"
	"minisip/nat"
	"minisip/sipmsg"
)

// remoteTargets finds the phone that a request inside a dialog is meant for. Calls follow a phone that gets another address,
// as from a NAT that forgot it. Of a subscription only the phones know: where nobody is at the address in its
// Contact any more, all phones of the user in To are asked, and those that do not know the dialog answer 481.
func (c *Core) remoteTargets(in *inbound) []target {
	if t, found := c.remoteTarget(in); found {
		return []target{t}
	}
	uri := in.meant()
	if m := in.Method(); m != sipmsg.SUBSCRIBE && m != sipmsg.NOTIFY || !uri.IsSIP() || c.ours(in.local, uri.Host, uri.Port) {
		return nil
	}
	targets, _ := c.routable(c.where.Lookup(in.now, string(userPart(in.To().URI))))
	return targets
}

// remoteTarget finds the binding that a request inside a dialog is meant for.
func (c *Core) remoteTarget(in *inbound) (t target, found bool) {
	raw := in.target()
	uri, err := sipmsg.ParseURI(raw)
	if err != nil {
		return t, false
	}
	b := c.phoneOf(in.now, &uri)
	if b == nil {
		return t, false
	}
	return c.targetAs(b, raw, &uri), true
}

// phoneOf is the phone that has a URI as its Contact, here or there.
func (c *Core) phoneOf(now time.Time, uri *sipmsg.URI) *location.Binding {
	if b := c.instance(now, uri, netip.AddrPort{}); b != nil {
		return b
	}
	if b := c.where.FindContact(uri); b != nil {
		return b
	}
	return c.phoneAt(uri)
}

// phoneAt is the phone that registered from the very address of a URI, directly. A phone may have another
// user part, or none, in the Contacts of its dialogs than in the one it registers; then the address
// says which phone it is, as re_contact wrote it.
func (c *Core) phoneAt(uri *sipmsg.URI) *location.Binding {
	at, literal := literalAddr(uri)
	if !literal || !uri.IsSIP() {
		return nil
	}
	for b := range c.where.AtSource(at) {
		if len(b.Path()) == 0 {
			return b
		}
	}
	return nil
}

// targetAs is a binding as the target of a request to a Contact that its phone has given out, which need not be the one it
// registered: RFC 3261 12.2.1.1 wants that URI, with its user part and its parameters. What re_contact put there for host and port
// becomes the phone's own again.
func (c *Core) targetAs(b *location.Binding, raw []byte, uri *sipmsg.URI) target {
	t := c.targetOf(b)
	if _, gruu := uri.Param("gr"); gruu {
		return t
	}
	if at, literal := literalAddr(uri); literal && at == b.Source() {
		raw = nat.AppendWithHost(nil, raw, []byte(b.Contact()))
	}
	t.uri = targetURI(string(raw))
	return t
}
