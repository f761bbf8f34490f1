package location

import (
	"fmt"
	"slices"
	"time"

	"minisip/cmd/minisip/internal/pack"
	"minisip/sipmsg"
)

// AppendRecord appends what of b outlives the process, for Restore. Fields are only ever added, at the end.
func (t *Table) AppendRecord(dst []byte, b *Binding, epoch time.Time) []byte {
	dst = pack.AppendString(dst, b.AOR(), b.Contact(), b.Params(), b.CallID(), b.Instance(), b.UserAgent())
	dst = pack.AppendStrings(dst, b.Path())
	dst = pack.AppendAddrPort(dst, b.Source(), b.Local())
	dst = pack.AppendTime(dst, epoch, t.Expires(b), t.Registered(b))
	dst = pack.AppendUint(dst, uint64(b.Q), uint64(b.CSeq), uint64(b.RegID))
	dst = pack.AppendBool(dst, b.NAT)
	dst = pack.AppendTime(dst, epoch, t.LastSeen(b))
	return pack.AppendBool(dst, b.Ping.Answered, b.Ping.Suspended)
}

// Restore enters the binding of a record under the id that it had, into a table that has not got
// it. One that has run out meanwhile is left out, and nil; an error says that the record is no good.
func (t *Table) Restore(now time.Time, id uint64, epoch time.Time, record string) (*Binding, error) {
	r := pack.NewReader(record)
	u := Update{AOR: r.String()}
	c := Contact{URI: r.String(), Params: r.String()}
	u.CallID, c.Instance, u.UserAgent, u.Path = r.String(), r.String(), r.String(), r.Strings()
	u.Source, u.Local = r.AddrPort(), r.AddrPort()
	expires, registered := r.Time(epoch), r.Time(epoch)
	b := newBinding(id)
	b.Q, b.CSeq, b.RegID, b.NAT = uint16(r.Uint()), uint32(r.Uint()), uint32(r.Uint()), r.Bool()
	seen := r.Time(epoch)
	b.Ping = Ping{Answered: r.Bool(), Suspended: r.Bool()}
	uri, err := sipmsg.ParseURI([]byte(c.URI))
	switch {
	case !r.OK() || u.AOR == "" || !u.Source.IsValid() || !u.Local.IsValid() || textSize(&u, &c) > maxText:
		return nil, fmt.Errorf("location: binding %d: the record cannot be read", id)
	case err != nil:
		return nil, fmt.Errorf("location: binding %d: Contact: %w", id, err)
	case !expires.After(now) || t.Len() >= t.limits.Total:
		return nil, nil
	}
	if seen.IsZero() {
		seen = registered
	}
	at := t.since(now)
	b.registered, b.seen = registered.Sub(t.base), seen.Sub(t.base)
	// Whatever a clock did, nobody stays longer than he may.
	b.expires = min(expires.Sub(t.base), at+t.limits.MaxExpires)
	b.setTexts(&u, &c)
	b.sip = uri.IsSIP()
	list := append(slices.Clone(t.list(u.AOR)), b)
	slices.SortStableFunc(list, byPreference)
	t.setList(u.AOR, list)
	t.expiry.schedule(b)
	t.link(b)
	t.serial = max(t.serial, id)
	return b, nil
}

// Has says whether b is still in the table.
func (t *Table) Has(b *Binding) bool { return b.place != 0 }
