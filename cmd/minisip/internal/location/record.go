package location

import (
	"fmt"
	"slices"
	"time"
	"unique"

	"minisip/cmd/minisip/internal/pack"
	"minisip/sipmsg"
)

// AppendRecord appends what of b outlives the process, for Restore. Fields are only ever added, at the end.
func (b *Binding) AppendRecord(dst []byte, epoch time.Time) []byte {
	dst = pack.AppendString(dst, b.AOR)
	dst = pack.AppendString(dst, b.Contact)
	dst = pack.AppendString(dst, b.Params)
	dst = pack.AppendString(dst, b.CallID)
	dst = pack.AppendString(dst, b.Instance)
	dst = pack.AppendString(dst, b.UserAgent)
	dst = pack.AppendStrings(dst, b.Path)
	dst = pack.AppendAddrPort(dst, b.Source)
	dst = pack.AppendAddrPort(dst, b.Local)
	dst = pack.AppendTime(dst, epoch, b.Expires)
	dst = pack.AppendTime(dst, epoch, b.Registered)
	dst = pack.AppendUint(dst, uint64(b.Q))
	dst = pack.AppendUint(dst, uint64(b.CSeq))
	dst = pack.AppendUint(dst, uint64(b.RegID))
	dst = pack.AppendBool(dst, b.NAT)
	dst = pack.AppendTime(dst, epoch, b.Ping.LastSeen)
	dst = pack.AppendBool(dst, b.Ping.Answered)
	return pack.AppendBool(dst, b.Ping.Suspended)
}

// Restore enters the binding of a record under the id that it had, into a table that has not got
// it. One that has run out meanwhile is left out, and nil; an error says that the record is no good.
func (t *Table) Restore(now time.Time, id uint64, epoch time.Time, record string) (*Binding, error) {
	r := pack.NewReader(record)
	b := &Binding{
		ID: id, AOR: r.String(), Contact: r.String(), Params: r.String(), CallID: r.String(), Instance: r.String(),
	}
	// Few strings last: one for all of this binding's, one for each model of phone.
	b.agent = unique.Make(r.String())
	b.UserAgent = b.agent.Value()
	b.Path = r.Strings()
	b.Source, b.Local = r.AddrPort(), r.AddrPort()
	b.Expires, b.Registered = r.Time(epoch), r.Time(epoch)
	b.Q, b.CSeq, b.RegID, b.NAT = int(r.Uint()), uint32(r.Uint()), uint32(r.Uint()), r.Bool()
	b.Ping = Ping{LastSeen: r.Time(epoch), Answered: r.Bool(), Suspended: r.Bool()}
	uri, err := sipmsg.ParseURI([]byte(b.Contact))
	switch {
	case !r.OK() || b.AOR == "" || !b.Source.IsValid() || !b.Local.IsValid():
		return nil, fmt.Errorf("location: binding %d: the record cannot be read", id)
	case err != nil:
		return nil, fmt.Errorf("location: binding %d: Contact: %w", id, err)
	case !b.Expires.After(now) || t.Len() >= t.limits.Total:
		return nil, nil
	}
	// Whatever a clock did, nobody stays longer than he may.
	if most := now.Add(t.limits.MaxExpires); b.Expires.After(most) {
		b.Expires = most
	}
	b.sip = uri.IsSIP()
	list := t.users[b.AOR]
	if len(list) > 0 {
		b.AOR = list[0].AOR
	}
	list = append(slices.Clone(list), b)
	slices.SortStableFunc(list, byPreference)
	t.setList(b.AOR, list)
	t.expiry.schedule(b)
	t.link(b)
	t.serial = max(t.serial, id)
	return b, nil
}

// Has says whether b is still in the table.
func (t *Table) Has(b *Binding) bool { return b.place != 0 }
