package location

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/pack"
	"minisip/sipmsg"
)

// records takes all that a table would have kept.
func records(t *Table) map[uint64]string {
	out := map[uint64]string{}
	for b := range t.All() {
		out[b.ID] = string(t.AppendRecord(nil, b, epoch))
	}
	return out
}

// TestRestore: another table answers as the one that the records are of, except that who has run out
// meanwhile is gone, and goes on counting.
func TestRestore(t *testing.T) {
	was, updates := fill(t, 300)
	for i := range 50 { // some have two phones, one of them with a Path and no instance
		i += 250
		u := phone(i)
		u.NAT = false
		u.CallID, u.Path, u.Source = fmt.Sprint("second ", i), []string{"<sip:192.0.2.9;lr>"}, netip.MustParseAddrPort("192.0.2.9:5060")
		u.Contacts[0] = Contact{URI: fmt.Sprintf("sip:%d@10.0.0.1", i), Q: 500, Expires: 2 * time.Hour}
		if _, err := was.Register(epoch.Add(time.Minute), u); err != nil {
			t.Fatal(err)
		}
		b := u.Changes[0].Binding
		b.Ping = Ping{Answered: true, Suspended: i%2 == 0}
		was.Seen(b, epoch.Add(40*time.Minute))
	}
	now := epoch.Add(75*time.Minute - time.Second) // half of those with an hour are gone
	is := New(Limits{})
	for id, record := range records(was) {
		b, err := is.Restore(now, id, epoch, record)
		if err != nil || b != nil && !is.Has(b) {
			t.Fatalf("binding %d: %v", id, err)
		}
	}
	was.Expire(now)
	if is.Len() != was.Len() || is.Len() != 150+50 || is.Users() != was.Users() {
		t.Fatalf("%d bindings of %d users, want %d of %d", is.Len(), is.Users(), was.Len(), was.Users())
	}
	for _, u := range updates {
		a, b := was.Lookup(now, u.AOR), is.Lookup(now, u.AOR)
		if len(a) != len(b) {
			t.Fatalf("%s has %d bindings, had %d", u.AOR, len(b), len(a))
		}
		for i := range a {
			if x, y := was.AppendRecord(nil, a[i], epoch), is.AppendRecord(nil, b[i], epoch); a[i].ID != b[i].ID || !bytes.Equal(x, y) {
				t.Fatalf("%d was %q\n%d is %q", a[i].ID, x, b[i].ID, y)
			}
			if a[i].NAT != b[i].NAT || a[i].Ping != b[i].Ping || !was.LastSeen(a[i]).Equal(is.LastSeen(b[i])) {
				t.Fatalf("%d: NAT %v, %+v, seen %v; was NAT %v, %+v, seen %v", a[i].ID,
					b[i].NAT, b[i].Ping, is.LastSeen(b[i]), a[i].NAT, a[i].Ping, was.LastSeen(a[i]))
			}
			uri, _ := sipmsg.ParseURI([]byte(a[i].Contact()))
			if is.FindContact(&uri).ID != a[i].ID {
				t.Errorf("%s is not found", a[i].Contact())
			}
		}
	}
	if a, b := was.Deadline(), is.Deadline(); !a.Equal(b) {
		t.Errorf("the next runs out at %v, want %v", b, a)
	}
	u := phone(100_000)
	if _, err := is.Register(now, u); err != nil || u.Changes[0].Binding.ID != 351 {
		t.Errorf("the next binding is number %d, %v", u.Changes[0].Binding.ID, err)
	}
}

// TestRestoreLimits: a clock that was set back prolongs nobody beyond what he may have, and nobody makes a
// table larger than it may be.
func TestRestoreLimits(t *testing.T) {
	was, _ := fill(t, 3)
	is := New(Limits{Total: 2})
	long := epoch.AddDate(-1, 0, 0)
	for id, record := range records(was) {
		if _, err := is.Restore(long, id, epoch, record); err != nil {
			t.Fatal(err)
		}
	}
	if is.Len() != 2 {
		t.Errorf("%d bindings", is.Len())
	}
	if last := long.Add(2 * time.Hour); is.Deadline().After(last) {
		t.Errorf("a binding lasts until %v, longer than %v", is.Deadline(), last)
	}
}

// TestRestoreBad: what is no record of a binding is refused, and leaves the table as it is.
func TestRestoreBad(t *testing.T) {
	was, updates := fill(t, 1)
	record := records(was)[1]
	is := New(Limits{})
	u := updates[0]
	text := func(s string) string { return string(pack.AppendString(nil, s)) }
	addrs := func(a ...netip.AddrPort) string { return string(pack.AppendAddrPort(nil, a...)) }
	for _, bad := range []string{"", "\x03", record[:20], "\xff" + record, record[:len(record)-1] + "\xff",
		strings.Replace(record, "sip:", "sip ", 1),
		strings.Replace(record, text(u.AOR), text(""), 1),
		strings.Replace(record, text(u.CallID), text(strings.Repeat("c", maxText)), 1),
		strings.Replace(record, addrs(u.Source, u.Local), addrs(netip.AddrPort{}, u.Local), 1),
		strings.Replace(record, addrs(u.Source, u.Local), addrs(u.Source, netip.AddrPort{}), 1),
	} {
		if b, err := is.Restore(epoch, 1, epoch, bad); b != nil || err == nil {
			t.Errorf("%q: %v, %v", bad, b, err)
		}
	}
	if is.Len() != 0 || is.Users() != 0 {
		t.Errorf("%d bindings", is.Len())
	}
}

// TestRestoreOld: a record that was kept before it said when the phone was last heard.
func TestRestoreOld(t *testing.T) {
	was, updates := fill(t, 1)
	b := updates[0].Changes[0].Binding
	was.Seen(b, epoch.Add(time.Minute))
	begin := epoch.Add(-time.Hour)
	record, _, found := strings.Cut(string(was.AppendRecord(nil, b, begin)), string(pack.AppendTime(nil, begin, was.LastSeen(b))))
	is := New(Limits{})
	old, err := is.Restore(epoch, 1, begin, record)
	if err != nil || !found {
		t.Fatal(err, found)
	}
	if at := is.LastSeen(old); !at.Equal(was.Registered(b)) {
		t.Errorf("last seen %v, registered %v", at, was.Registered(b))
	}
}

// BenchmarkRestore: 100,000 registrations, an op each.
func BenchmarkRestore(b *testing.B) {
	was, _ := fill(b, 100_000)
	kept := make([]string, 0, was.Len())
	for x := range was.All() {
		kept = append(kept, string(was.AppendRecord(nil, x, epoch)))
	}
	b.ReportAllocs()
	is := New(Limits{})
	for i := 0; b.Loop(); i++ {
		if i%len(kept) == 0 {
			is = New(Limits{})
		}
		if _, err := is.Restore(epoch, uint64(i), epoch, kept[i%len(kept)]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppendRecord is what a REGISTER costs more for being kept.
func BenchmarkAppendRecord(b *testing.B) {
	was, updates := fill(b, 1)
	x := was.Lookup(epoch, updates[0].AOR)[0]
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = was.AppendRecord(buf[:0], x, epoch)
	}
	b.SetBytes(int64(len(buf)))
}
