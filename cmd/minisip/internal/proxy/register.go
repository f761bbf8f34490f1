package proxy

import (
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"minisip/cmd/minisip/internal/location"
	"minisip/nat"
	"minisip/sipmsg"
)

// register is the registrar: RFC 3261 10.3.
func (c *Core) register(in *inbound) {
	user := c.authenticate(in)
	if user == nil {
		return
	}
	aor := c.claimed(in)
	switch uri := in.URI(); {
	case string(aor) != user.Name:
		c.logf("%s from %s: user %s may not register as %s", in.MethodName(), in.src, user.Name, printable(aor))
		c.reply(in, 403, "", "")
		return
	case !c.serves(in, uri):
		c.logf("%s from %s (%s): %s is not served here", in.MethodName(), in.src, user.Name, printable(uri.Host))
		c.reply(in, 404, "", "")
		return
	case !c.servesTo(in):
		// 10.3 step 5: an address of record that is not valid for the domain gets 404.
		c.logf("%s from %s (%s): %s is not an address served here", in.MethodName(), in.src, user.Name, printable(in.To().URI))
		c.reply(in, 404, "", "")
		return
	}
	u := &c.update
	u.AOR, u.Source, u.Local, u.NAT = user.Name, in.src, in.local, nat.Behind(in.Message, in.src)
	if err := location.ReadRegister(in.Message, u); err != nil {
		c.refuseRegister(in, err)
		return
	}
	outbound, err := c.admit(in, u)
	if err != nil {
		c.refuseRegister(in, err)
		return
	}
	bindings, err := c.where.Register(in.now, u)
	if err != nil {
		c.refuseRegister(in, err)
		return
	}
	c.armExpiry()
	c.bound(in, bindings)
	for _, change := range u.Changes {
		c.noteChange(in, change)
	}
	c.replyBytes(in, 200, "", c.registered(in, bindings, outbound))
}

// servesTo says whether the address of record in a REGISTER is one of ours.
func (c *Core) servesTo(in *inbound) bool {
	uri, err := sipmsg.ParseURI(in.To().URI)
	return err == nil && c.serves(in, &uri)
}

func (c *Core) refuseRegister(in *inbound, err error) {
	var le *location.Error
	if !errors.As(err, &le) {
		c.reply(in, 400, "", "")
		return
	}
	header := ""
	if le.Status == 423 {
		header = "Min-Expires: " + strconv.Itoa(int(le.MinExpires/time.Second)) + "\r\n"
	}
	c.reply(in, le.Status, le.Reason, header)
}

// registered makes the fields of a 200 with all current bindings: RFC 3261 10.3 step 8.
func (c *Core) registered(in *inbound, bindings []*location.Binding, outbound bool) []byte {
	gruu := ""
	if slices.ContainsFunc(bindings, func(x *location.Binding) bool { return x.Instance() != "" }) {
		gruu = c.gruuOf(in)
	}
	b := c.lines[:0]
	for _, x := range bindings {
		b = append(append(append(b, "Contact: <"...), x.Contact()...), '>')
		if x.Params() != "" {
			b = append(append(b, ';'), x.Params()...)
		}
		if gruu != "" && x.Instance() != "" {
			b = append(location.AppendGRUU(append(b, `;pub-gruu="`...), gruu, x.Instance()), '"')
		}
		b = append(b, ";expires="...)
		b = append(strconv.AppendInt(b, secondsLeft(in.now, c.where.Expires(x)), 10), "\r\n"...)
	}
	// RFC 3327 5.3: the registrar "MUST include all Path values" in the 200.
	for it := in.Values(sipmsg.PathHdr); it.Next(); {
		b = append(append(append(b, "Path: "...), it.Value().Bytes...), "\r\n"...)
	}
	if outbound {
		b = append(b, "Require: outbound\r\n"...)
	}
	return c.appendDate(b, in.now)
}

// noteChange logs what an operator cares about: who came, moved and went, not refreshes.
func (c *Core) noteChange(in *inbound, change location.Change) {
	b := change.Binding
	c.tell(b, [...]string{location.Added: "registered", location.Refreshed: "refreshed", location.Removed: "unregistered"}[change.Event])
	c.unsaved(b)
	switch {
	case change.Event == location.Added:
		behind := ""
		if b.NAT {
			behind = " behind NAT"
		}
		c.say(appendText(b.Source().AppendTo(appendText(c.line[:0], b.AOR(), " registered from ")), behind))
	case change.Event == location.Removed:
		c.unbound(b)
		c.logf("%s unregistered from %s", b.AOR(), b.Source())
	case change.From != b.Source():
		c.logf("%s moved from %s to %s", b.AOR(), change.From, b.Source())
		if c.leftProxy(in.now, b.AOR(), change.From) {
			return
		}
		c.moveCalls(in, b.AOR(), change.From)
		c.moveSubscribers(in, b.AOR(), change.From)
	}
}

// leftProxy says that a user's phone has left a proxy (Path) behind which another one of his still is: whose calls those
// through it are, nobody can tell.
func (c *Core) leftProxy(now time.Time, user string, proxy netip.AddrPort) bool {
	return slices.ContainsFunc(c.where.Bindings(now, user), func(b *location.Binding) bool {
		return b.Source() == proxy && len(b.Path()) > 0
	})
}

// appendDate appends a Date field (RFC 3261 20.17), written anew once a second.
func (c *Core) appendDate(b []byte, now time.Time) []byte {
	if second := now.Unix(); second != c.dateOf || len(c.date) == 0 {
		c.dateOf = second
		c.date = now.UTC().AppendFormat(c.date[:0], "Date: Mon, 02 Jan 2006 15:04:05 GMT\r\n")
	}
	return append(b, c.date...)
}
