package location

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"minisip/sipmsg"
)

func sortedUsers(table *Table) []string {
	var users []string
	for aor := range table.users {
		users = append(users, aor)
	}
	slices.Sort(users)
	return users
}

// check asserts what holds of every table: all ways to a binding agree, and nothing else is kept.
func check(t *testing.T, table *Table) {
	t.Helper()
	listed := map[*Binding]bool{}
	for aor := range table.users {
		list := table.list(aor)
		if !slices.IsSortedFunc(list, byPreference) {
			t.Errorf("user %s: bindings out of order", aor)
		}
		for _, b := range list {
			if b.AOR() != aor || listed[b] {
				t.Errorf("user %s lists a binding of %s, or twice", aor, b.AOR())
			}
			listed[b] = true
		}
	}
	n := 0
	for b := range table.All() {
		if !listed[b] {
			t.Errorf("binding %s of %s is in no list", b.Contact(), b.AOR())
		}
		n++
	}
	if n != table.Len() || n != len(listed) || table.Users() != len(table.users) {
		t.Errorf("%d bindings by All, %d by Len, %d in lists", n, table.Len(), len(listed))
	}
	for i, e := range table.expiry.heap {
		if int(e.b.place) != i+1 {
			t.Errorf("binding %s at %d of the heap says %d", e.b.Contact(), i, e.b.place-1)
		}
		if i > 0 && e.at < table.expiry.heap[(i-1)/arity].at {
			t.Errorf("heap out of order at %d", i)
		}
		if e.at > e.b.expires {
			t.Errorf("binding %s would be found too late", e.b.Contact())
		}
	}
	for i := range table.index {
		checkIndex(t, table, &table.index[i])
	}
}

// checkIndex asserts that the rings of x are rings, and hold all bindings, but for those whose Contact is written
// as it is seen: they are in one of the two indexes.
func checkIndex(t *testing.T, table *Table, x *index) {
	t.Helper()
	found, n := 0, 0
	for b := range table.All() {
		if keys := table.keysOf(b); x.which != byWritten || keys[byWritten] != keys[bySeen] {
			n++
		}
	}
	for key, head := range x.heads {
		for b := head; ; {
			l := &b.links[x.which]
			if table.keysOf(b)[x.which] != key || b.place == 0 || l.next.links[x.which].prev != b {
				t.Fatalf("index %d: ring of %s is broken", x.which, b.Contact())
			}
			found++
			if b = l.next; b == head {
				break
			}
		}
	}
	if found != n {
		t.Errorf("index %d holds %d bindings of %d", x.which, found, n)
	}
}

func TestLookup(t *testing.T) {
	table := New(Limits{})
	play(t, table, "a", []step{{0, "c 1 1 | sip:1@h exp=60 q=200 | mailto:a@h | sips:2@h exp=70 q=100",
		"mailto:a@h 3600, sip:1@h 60, sips:2@h 70"}})
	for _, tt := range []struct {
		aor  string
		at   time.Duration
		want string
	}{
		{"a", 0, "sip:1@h 60, sips:2@h 70"}, // nothing can be sent to mailto
		{"a", 59 * time.Second, "sip:1@h 1, sips:2@h 11"},
		{"a", 60 * time.Second, "sips:2@h 10"}, // run out, before Expire comes by
		{"a", 70 * time.Second, ""},
		{"A", 0, ""}, // case counts
		{"", 0, ""},
	} {
		now := epoch.Add(tt.at)
		if got := answer(table, now, table.Lookup(now, tt.aor), nil); got != tt.want {
			t.Errorf("Lookup(%q) after %v: %s, want %s", tt.aor, tt.at, got, tt.want)
		}
	}
}

// A binding that has run out is gone for Register too, even before Expire removes it.
func TestRegisterBeforeExpire(t *testing.T) {
	table := New(Limits{PerUser: 1})
	now := epoch
	register := func(req, want string) {
		t.Helper()
		list, err := table.Register(now, parseStep("a", req))
		if got := answer(table, now, list, err); got != want {
			t.Errorf("%s: got %s, want %s", req, got, want)
		}
		check(t, table)
	}
	register("c 5 1 | sip:1@h exp=60", "sip:1@h 60")
	now = now.Add(time.Minute)
	register("c 5 1", "")
	register("c 5 1 | *", "")
	register("c 5 1 | sip:1@h exp=60", "sip:1@h 60")
	if got := len(table.Expire(now)); got != 1 || table.Len() != 1 {
		t.Errorf("Expire removed %d, left %d", got, table.Len())
	}
	register("q 1 1", "sip:1@h 60")
}

func TestExpire(t *testing.T) {
	table := New(Limits{})
	if !table.Deadline().IsZero() || table.Expire(epoch) != nil {
		t.Error("an empty table has a deadline, or something to expire")
	}
	for i, s := range []int{300, 100, 200, 100, 60} {
		aor := fmt.Sprint("u", i)
		play(t, table, aor, []step{{0, fmt.Sprintf("c 1 1 | sip:%s@h exp=%d", aor, s), fmt.Sprintf("sip:%s@h %d", aor, s)}})
	}
	// A refresh moves the deadline, a shorter interval too.
	play(t, table, "u4", []step{{0, "c 2 1 | sip:u4@h exp=400", "sip:u4@h 400"}})
	play(t, table, "u0", []step{{0, "c 2 1 | sip:u0@h exp=90", "sip:u0@h 90"}})
	var log []string
	for range 4 {
		now := table.Deadline()
		if early := table.Expire(now.Add(-1)); early != nil {
			t.Errorf("expired %d before the deadline", len(early))
		}
		var names []string
		for _, b := range table.Expire(now) {
			names = append(names, b.AOR())
			if table.Has(b) {
				t.Error("an expired binding is still in the table")
			}
			table.Remove(b) // nothing to do
		}
		slices.Sort(names)
		log = append(log, fmt.Sprint(int(now.Sub(epoch).Seconds()), names))
		check(t, table)
	}
	if got, want := strings.Join(log, " "), "90 [u0] 100 [u1 u3] 200 [u2] 400 [u4]"; got != want {
		t.Errorf("expired %s, want %s", got, want)
	}
	if !table.Deadline().IsZero() || table.Users() != 0 {
		t.Error("something is left")
	}
}

// Whoever leaves, in whatever order, the others run out in theirs.
func TestExpireAfterRemoval(t *testing.T) {
	const n = 300
	table := New(Limits{})
	var all []*Binding
	for i := range n {
		u := parseStep(fmt.Sprint(i), fmt.Sprintf("c 1 1 | sip:%d@h exp=%d", i, 60+i*7919%1000))
		if _, err := table.Register(epoch, u); err != nil {
			t.Fatal(err)
		}
		all = append(all, u.Changes[0].Binding)
	}
	for i := range n / 2 {
		table.Remove(all[i*211%n])
		check(t, table)
	}
	gone := table.Expire(epoch.Add(time.Hour))
	if len(gone) != n/2 || !slices.IsSortedFunc(gone, func(a, b *Binding) int { return int(a.expires - b.expires) }) {
		t.Errorf("%d ran out, or not in order", len(gone))
	}
}

// Who goes through a table in steps meets each binding once.
func TestPart(t *testing.T) {
	table, _ := fill(t, 20)
	met := map[*Binding]int{}
	for i := 0; i < 30; i += 7 {
		n := 0
		for b := range table.Part(i, 7) {
			met[b]++
			n++
		}
		if want := max(0, min(7, 20-i)); n != want {
			t.Errorf("%d from the %d-th on, want %d", n, i, want)
		}
	}
	if len(met) != 20 {
		t.Errorf("%d of 20 bindings were met", len(met))
	}
	for range table.Part(0, 7) {
		break // a loop may end early
	}
}

// Who watches knows how many bindings each source has.
func TestWatch(t *testing.T) {
	table, count := New(Limits{}), map[netip.AddrPort]int{}
	table.Watch(func(a netip.AddrPort) { count[a]++ }, func(a netip.AddrPort) { count[a]-- })
	for _, s := range []struct{ aor, req string }{
		{"a", "c 1 1 | sip:a@h"},
		{"b", "c 1 1 | sip:b@h | sip:b2@h"},
		{"a", "c 2 1 | sip:a@h"}, // a refresh
		{"a", "c 3 2 | sip:a@h"}, // the phone moves
		{"b", "c 2 1 | sip:b@h exp=0"},
		{"b", "c 3 1 | sip:b2@h exp=60"},
	} {
		if _, err := table.Register(epoch, parseStep(s.aor, s.req)); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(count); got != "map[192.0.2.1:5060:1 192.0.2.2:5060:1]" {
		t.Error(got)
	}
	table.Expire(epoch.Add(time.Minute))
	if got := fmt.Sprint(count); got != "map[192.0.2.1:5060:0 192.0.2.2:5060:1]" {
		t.Error(got)
	}
}

// Many that run out together go a thousand at a time.
func TestExpireIsBounded(t *testing.T) {
	table := New(Limits{})
	for i := range 2500 {
		if _, err := table.Register(epoch, parseStep(fmt.Sprint(i), fmt.Sprintf("c 1 1 | sip:%d@h exp=60", i))); err != nil {
			t.Fatal(err)
		}
	}
	now := epoch.Add(time.Hour)
	for _, want := range []int{1000, 1000, 500, 0} {
		if got := len(table.Expire(now)); got != want {
			t.Errorf("Expire removed %d, want %d", got, want)
		}
		check(t, table)
	}
}

func TestAtSource(t *testing.T) {
	table := New(Limits{})
	play(t, table, "a", []step{{0, "c 1 1:1000 | sip:a@10.0.0.1", "sip:a@10.0.0.1 3600"}})
	play(t, table, "b", []step{{1, "c 1 1:1000 | sip:b@10.0.0.1", "sip:b@10.0.0.1 3600"}})
	at := func(s string) string {
		var names []string
		for b := range table.AtSource(source(s)) {
			names = append(names, b.AOR())
		}
		return strings.Join(names, " ")
	}
	for _, tt := range []struct{ src, want string }{
		{"1:1000", "a b"},
		{"[::ffff:192.0.2.1]:1000", "a b"},
		{"1:1001", ""},
		{"2:1000", ""},
	} {
		if got := at(tt.src); got != tt.want {
			t.Errorf("at %s: %q, want %q", tt.src, got, tt.want)
		}
	}
	// The phone moves.
	play(t, table, "a", []step{{2, "c 2 2:2000 | sip:a@10.0.0.1", "sip:a@10.0.0.1 3600"}})
	if got := at("1:1000") + ", " + at("2:2000"); got != "b, a" {
		t.Errorf("after the move: %s", got)
	}
	for range table.AtSource(source("2:2000")) {
		break // a loop may end early
	}
}

// Of many bindings at one source, each look yields some, and in the end all have been met equally often.
func TestAtSourceOfMany(t *testing.T) {
	const many = 3 * maxRing / 2
	table := New(Limits{})
	for i := range many {
		name := fmt.Sprint(i)
		play(t, table, name, []step{{0, "c 1 1:1000 | sip:" + name + "@10.0.0.1", "sip:" + name + "@10.0.0.1 3600"}})
	}
	met := map[string]int{}
	for look := range 6 {
		n := 0
		for b := range table.AtSource(source("1:1000")) {
			met[b.AOR()]++
			n++
		}
		if n != maxRing {
			t.Errorf("look %d yields %d", look, n)
		}
		for range table.AtSource(source("1:1000")) {
			break // which moves nothing on
		}
	}
	for i := range many {
		if n := met[fmt.Sprint(i)]; n != 4 {
			t.Errorf("binding %d was met %d times in 6 looks, want 4", i, n)
		}
	}
}

func TestFindContact(t *testing.T) {
	table := New(Limits{})
	for _, s := range []struct{ aor, req string }{
		{"001", "c 1 1:4000 | sip:001@192.168.1.5:5062;rinstance=aa"},
		{"002", "c 1 2:4000 | sip:002@192.168.1.5:5062;rinstance=bb"},
		{"003", "c 1 3:4000 | sip:%7aoiper@[2001:DB8::1]"},
		{"004", "c 1 4 | sips:x@Phone.Example"},
		// Two users, one Contact; the first has registered it from two networks.
		{"101", "c 1 11 | sip:phone@10.0.0.9;i=1"},
		{"101", "d 1 12 | sip:phone@10.0.0.9;i=2"},
		{"102", "e 1 13 | sip:phone@10.0.0.9;i=3"},
	} {
		if _, err := table.Register(epoch, parseStep(s.aor, s.req)); err != nil {
			t.Fatal(err)
		}
		epoch2 := epoch.Add(time.Second)
		if s.aor == "101" && strings.HasPrefix(s.req, "d") {
			table.Register(epoch2, parseStep(s.aor, "d 2 12 | sip:phone@10.0.0.9;i=2"))
		}
	}
	check(t, table)
	for _, tt := range []struct{ uri, want string }{
		{"sip:001@192.168.1.5:5062;rinstance=aa", "001 192.0.2.1:4000"}, // as written
		{"sip:001@192.168.1.5:5062", "001 192.0.2.1:4000"},
		{"sip:%30%301@192.168.1.5:5062", "001 192.0.2.1:4000"}, // another spelling
		{"sip:001@192.0.2.1:4000", "001 192.0.2.1:4000"},       // as re_contact writes it
		{"sip:001@192.168.1.5", ""},
		{"sip:001@192.0.2.1:4001", ""},
		{"sip:001@192.0.2.2:4000", ""},
		{"sip:002@192.168.1.5:5062", "002 192.0.2.2:4000"},
		{"sip:003@192.168.1.5:5062", ""}, // the Contact's user part, not the user's name
		{"sip:zoiper@[2001:db8:0::1]:5060", "003 192.0.2.3:4000"},
		{"sip:Zoiper@[2001:db8::1]", ""}, // case counts in the user part
		{"sip:zoiper@192.0.2.3:4000", "003 192.0.2.3:4000"},
		{"sips:x@phone.EXAMPLE", "004 192.0.2.4:5060"},
		{"sips:x@phone.example:5061", "004 192.0.2.4:5060"},
		{"sips:x@other.example", ""},
		{"sips:x@phone.example:5060", ""},
		{"sip:x@192.0.2.4", "004 192.0.2.4:5060"},
		{"sip:phone@10.0.0.9;i=3", "102 192.0.2.13:5060"}, // the parameters tell
		{"sip:phone@10.0.0.9;i=1", "101 192.0.2.11:5060"},
		{"sip:phone@10.0.0.9", "101 192.0.2.12:5060"},   // who was first; his latest
		{"sip:phone@192.0.2.13", "102 192.0.2.13:5060"}, // the source tells
		{"sip:phone@192.0.2.11;i=9", "101 192.0.2.11:5060"},
		{"tel:001", ""},
	} {
		uri, err := sipmsg.ParseURI([]byte(tt.uri))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if b := table.FindContact(&uri); b != nil {
			got = b.AOR() + " " + b.Source().String()
		}
		if got != tt.want {
			t.Errorf("FindContact(%s) = %q, want %q", tt.uri, got, tt.want)
		}
	}
}

// Nobody takes over a Contact by registering it.
func TestContactKeepsItsOwner(t *testing.T) {
	table := New(Limits{})
	play(t, table, "bob", []step{{0, "c 1 1 | sip:bob@192.168.1.5", "sip:bob@192.168.1.5 3600"}})
	play(t, table, "mallory", []step{{1, "d 1 66 | sip:bob@192.168.1.5 | sip:bob@192.0.2.1",
		"sip:bob@192.168.1.5 3600, sip:bob@192.0.2.1 3600"}})
	for _, s := range []string{"sip:bob@192.168.1.5", "sip:bob@192.0.2.1"} {
		uri, _ := sipmsg.ParseURI([]byte(s))
		if b := table.FindContact(&uri); b == nil || b.AOR() != "bob" {
			t.Errorf("FindContact(%s) = %+v, want bob's", s, b)
		}
	}
}
