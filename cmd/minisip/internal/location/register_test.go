package location

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestRegister(t *testing.T) {
	const a, b = "sip:a@10.0.0.1", "sip:a@10.0.0.2"
	tests := []struct {
		name   string
		script []step
	}{
		{"query", []step{
			{0, "c 1 1", ""},
			{0, "c 2 1 | " + a, a + " 3600"},
			{10, "other 1 2", a + " 3590"},
		}},
		{"refresh and run out", []step{
			{0, "c 1 1 | " + a + " exp=100", a + " 100"},
			{50, "c 2 1 | " + a + " exp=100", a + " 100"},
			{149, "q 1 1", a + " 1"},
			{150, "q 1 1", ""},
		}},
		{"interval: default, shortened, too brief", []step{
			{0, "c 1 1 | " + a, a + " 3600"},
			{0, "c 2 1 | " + a + " exp=4294967295", a + " 7200"},
			{0, "c 3 1 | " + a + " exp=59", "423 Interval Too Brief (1m0s)"},
			{0, "c 3 1 | " + a + " exp=60", a + " 60"},
			{0, "c 4 1 | " + a + " exp=0", ""},
		}},
		{"several Contacts, one request", []step{
			{0, "c 1 1 | " + a + " q=500 exp=60 | " + b + " exp=70", b + " 70, " + a + " 60"},
			{1, "c 2 1 | " + a + " exp=0 | " + b + " exp=80", b + " 80"},
		}},
		{"one bad Contact spoils all", []step{
			{0, "c 1 1 | " + a, a + " 3600"},
			{0, "c 2 1 | " + a + " exp=0 | " + b + " exp=5", "423 Interval Too Brief (1m0s)"},
			{0, "c 2 1 | " + b + " | sip:", "400 Bad Contact"},
			{0, "c 2 1 | " + b + " | sip:x@10.0.0.9;" + strings.Repeat("p", 2048), "400 Contact Too Long"},
			{0, "q 1 1", a + " 3600"},
		}},
		{"CSeq must rise under one Call-ID", []step{
			{0, "c 5 1 | " + a, a + " 3600"},
			{1, "c 5 1 | " + a, "500 Registration Out Of Order"},
			{1, "c 4 1 | " + a + " exp=0", "500 Registration Out Of Order"},
			{1, "c 4 1 | " + b + " | " + a, "500 Registration Out Of Order"},
			{1, "c 6 1 | " + a + " exp=60", a + " 60"},
		}},
		{"another Call-ID: the phone restarted", []step{
			{0, "c 5 1 | " + a, a + " 3600"},
			{1, "d 1 1 | " + a + " exp=60", a + " 60"},
			{2, "c 1 1 | " + a + " exp=0", ""},
		}},
		{"* removes all", []step{
			{0, "c 1 1 | " + a, a + " 3600"},
			{0, "d 9 2 | " + b, a + " 3600, " + b + " 3600"},
			{1, "d 9 2 | *", "500 Registration Out Of Order"},
			{1, "d 10 2 | *", ""},
			{1, "d 11 2 | *", ""},
		}},
		{"* stands alone", []step{
			{0, "c 1 1 | " + a, a + " 3600"},
			{0, "c 2 1 | * | " + a + " exp=0", "400 Contact * Needs Expires 0 Alone"},
		}},
		{"removing what is not there", []step{
			{0, "c 1 1 | " + a + " exp=0", ""},
			{0, "c 2 1 | " + a + " exp=0 | " + b, b + " 3600"},
		}},
		{"one Contact twice: the last counts", []step{
			{0, "c 1 1 | " + a + " exp=60 | " + a + " exp=90", a + " 90"},
			{0, "c 2 1 | " + a + " exp=60 | " + a + " exp=0", ""},
			{0, "c 3 1 | " + a + " exp=0 | " + a + " exp=60", a + " 60"},
		}},
		{"equal is RFC 3261 19.1.4", []step{
			{0, "c 1 1 | sip:%61@PHONE.example;x=1", "sip:%61@PHONE.example;x=1 3600"},
			{0, "c 2 1 | sip:a@phone.example exp=60", "sip:a@phone.example 60"},
			{0, "c 3 1 | sip:A@phone.example exp=70", "sip:a@phone.example 60, sip:A@phone.example 70"},
			{0, "c 4 1 | sip:a@phone.example:5060 exp=80", "sip:a@phone.example 60, sip:A@phone.example 70, sip:a@phone.example:5060 80"},
		}},
		{"best q first, then the latest", []step{
			{0, "c 1 1 | " + a, a + " 3600"},
			{1, "d 1 2 | " + b, b + " 3600, " + a + " 3599"},
			{2, "e 1 3 | sip:a@10.0.0.3 q=100", b + " 3599, " + a + " 3598, sip:a@10.0.0.3 3600"},
			{3, "c 2 1 | " + a, a + " 3600, " + b + " 3598, sip:a@10.0.0.3 3599"},
		}},
		{"other schemes are kept", []step{
			{0, "c 1 1 | mailto:a@example.com | tel:+1", "mailto:a@example.com 3600, tel:+1 3600"},
			{0, "c 2 1 | mailto:a@example.com exp=0", "tel:+1 3600"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { play(t, New(Limits{}), "a", tt.script) })
	}
}

// Which Contact means which binding.
func TestWhichBinding(t *testing.T) {
	const a, b = "sip:a@192.168.1.5", "sip:a@192.168.1.6"
	tests := []struct {
		name   string
		script []step
	}{
		{"two phones behind two NATs, one private address", []step{
			{0, "c 1 1 | " + a, a + " 3600"},
			{0, "d 1 2 | " + a + " exp=60", a + " 3600, " + a + " 60"},
			{0, "d 2 2 | " + a + " exp=70", a + " 3600, " + a + " 70"},
			{0, "d 3 2 | " + a + " exp=0", a + " 3600"},
			{0, "e 1 3 | " + a + " exp=0", a + " 3600"},
		}},
		{"same Call-ID: one phone that changed networks", []step{
			{0, "c 1 1 | " + a, a + " 3600"},
			{0, "c 2 2 | " + a + " exp=60", a + " 60"},
		}},
		{"same source IP: one phone that restarted", []step{
			{0, "c 1 1:4000 | " + a, a + " 3600"},
			{0, "d 1 1:4001 | " + a + " exp=60", a + " 60"},
		}},
		{"the Contact is the source: a public address is one phone", []step{
			{0, "c 1 1 | sip:a@192.0.2.2", "sip:a@192.0.2.2 3600"},
			{0, "d 1 2 | sip:a@192.0.2.2 exp=60", "sip:a@192.0.2.2 60"},
		}},
		{"an IPv4-mapped source is the IPv4 one", []step{
			{0, "c 1 [::ffff:192.0.2.1]:5060 | " + a, a + " 3600"},
			{0, "d 1 1 | " + a + " exp=60", a + " 60"},
		}},
		{"instance and reg-id replace, whatever the URI", []step{
			{0, "c 1 1 | " + a + " inst=I reg=1", a + " 3600"},
			{0, "d 1 2 | " + b + " inst=I reg=1 exp=60", b + " 60"},
			{0, "d 2 2 path=p | " + b + " inst=I reg=2 exp=70", b + " 60, " + b + " 70"},
		}},
		{"an instance in another case is the same", []step{
			{0, "c 1 1 | " + a + " inst=I reg=1", a + " 3600"},
			{0, "d 1 2 | " + b + " inst=i reg=1 exp=60", b + " 60"},
			{0, "d 2 2 | " + b + " inst=I reg=1 exp=0", ""},
		}},
		{"two flows of one instance", []step{
			{0, "c 1 1 path=p | " + a + " inst=I reg=1", a + " 3600"},
			{0, "c 1 1 path=q | " + a + " inst=I reg=2 exp=60", a + " 3600, " + a + " 60"},
			{0, "c 2 1 path=q | " + b + " inst=I reg=2 exp=0", a + " 3600"},
		}},
		{"two flows from one socket, to two addresses of ours", []step{
			{0, "c 1 1 to=201 | " + a + " inst=I reg=1", a + " 3600"},
			{0, "c 1 1 to=202 | " + a + " inst=I reg=2 exp=60", a + " 3600, " + a + " 60"},
		}},
		{"one flow at a time", []step{
			{0, "c 1 1 | " + a + " inst=I reg=1 | " + b + " inst=I reg=2", "400 A Flow Registers Alone"},
			{0, "c 1 1 | " + a + " inst=I reg=1 | " + b, "400 A Flow Registers Alone"},
			{0, "c 1 1 | " + a + " inst=I reg=1 | " + b + " inst=I reg=2 exp=0", a + " 3600"},
		}},
		{"an instance without reg-id replaces its like", []step{
			{0, "c 1 1 | " + a + " inst=I", a + " 3600"},
			{0, "d 1 2 | " + b + " inst=I exp=60", b + " 60"},
			{0, "e 1 3 | sip:a@192.168.1.7 inst=J exp=70", b + " 60, sip:a@192.168.1.7 70"},
		}},
		{"an instance may have two Contacts in one request", []step{
			{0, "c 1 1 | " + a + " inst=I | " + b + " inst=I exp=60", a + " 3600, " + b + " 60"},
			{0, "c 2 1 | " + a + " inst=I | " + b + " inst=I exp=70", a + " 3600, " + b + " 70"},
		}},
		{"removal without reg-id means the URI", []step{
			{0, "c 1 1 | " + a + " inst=I", a + " 3600"},
			{0, "c 2 1 | " + b + " inst=I | " + a + " inst=I exp=0", b + " 3600"},
			{0, "c 3 1 | " + a + " inst=I exp=0", b + " 3600"},
			{0, "c 4 1 | " + b + " inst=I exp=0", ""},
		}},
		{"a reg-id without instance is ignored", []step{
			{0, "c 1 1 | " + a + " reg=1", a + " 3600"},
			{0, "c 2 1 | " + a + " reg=2 exp=60", a + " 60"},
		}},
		{"a phone that starts to name its instance", []step{
			{0, "c 1 1 | " + a, a + " 3600"},
			{0, "d 1 1 | " + a + " inst=I reg=1 exp=60", a + " 60"},
		}},
		{"two instances at one private address are two phones", []step{
			{0, "c 1 1:4000 | " + a + " inst=I", a + " 3600"},
			{0, "d 1 1:4001 | " + a + " inst=J exp=60", a + " 3600, " + a + " 60"},
		}},
		{"but at one source they are one that forgot its instance", []step{
			{0, "c 1 1 | " + a + " inst=I", a + " 3600"},
			{0, "d 1 1 | " + a + " inst=J exp=60", a + " 60"},
		}},
		{"which a proxy before them says nothing about", []step{
			{0, "c 1 1 path=p | " + a + " inst=I", a + " 3600"},
			{0, "d 1 1 path=p | " + a + " inst=J exp=60", a + " 3600, " + a + " 60"},
		}},
		{"one Contact that means two bindings makes them one", []step{
			{0, "c 1 1 | " + a + " inst=I", a + " 3600"},
			{0, "d 1 1 | " + b, a + " 3600, " + b + " 3600"},
			{0, "d 2 1 | " + b + " inst=I exp=60", b + " 60"},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { play(t, New(Limits{}), "a", tt.script) })
	}
}

func TestLimits(t *testing.T) {
	t.Run("of time", func(t *testing.T) {
		table := New(Limits{MinExpires: 2 * time.Hour, MaxExpires: 3 * time.Hour, DefaultExpires: 4 * time.Hour})
		play(t, table, "a", []step{
			{0, "c 1 1 | sip:1@h exp=3599", "423 Interval Too Brief (2h0m0s)"},
			{0, "c 1 1 | sip:1@h exp=3600", "sip:1@h 3600"}, // an hour is never too brief
			{0, "c 2 1 | sip:1@h", "sip:1@h 10800"},
			{0, "c 3 1 | sip:1@h exp=20000", "sip:1@h 10800"},
		})
		play(t, New(Limits{MinExpires: 3 * time.Hour}), "a", []step{{0, "c 1 1 | sip:1@h exp=20000", "sip:1@h 10800"}})
	})
	t.Run("of one user", func(t *testing.T) {
		table := New(Limits{PerUser: 2})
		play(t, table, "a", []step{
			{0, "c 1 1 | sip:1@h | sip:2@h", "sip:1@h 3600, sip:2@h 3600"},
			{0, "c 2 1 | sip:3@h", "403 Too Many Contacts"},
			{0, "c 2 1 | sip:1@h exp=0 | sip:3@h", "sip:2@h 3600, sip:3@h 3600"},
			{0, "c 3 1 | sip:2@h exp=60", "sip:2@h 60, sip:3@h 3600"},
			{0, "c 4 1 | sip:4@h | sip:5@h | sip:6@h | sip:7@h", "403 Too Many Contacts"},
			{60, "c 4 1 | sip:4@h", "sip:4@h 3600, sip:3@h 3540"},
			{60, "c 5 1 | sip:5@h | sip:6@h | sip:7@h | sip:8@h | sip:9@h | sip:10@h", "403 Too Many Contacts"},
		})
		if n := len(table.slots); n > 4 {
			t.Errorf("%d Contacts were compared with each other", n)
		}
	})
	t.Run("of the table", func(t *testing.T) {
		table := New(Limits{Total: 2})
		play(t, table, "a", []step{{0, "c 1 1 | sip:1@h | sip:2@h", "sip:1@h 3600, sip:2@h 3600"}})
		play(t, table, "b", []step{{0, "c 1 1 | sip:1@h", "503 Registrar Full"}})
		play(t, table, "a", []step{{0, "c 2 1 | sip:3@h | sip:3@h exp=0 | sip:4@h", "503 Registrar Full"}})
		play(t, table, "a", []step{
			{0, "c 2 1 | sip:1@h exp=0 | sip:3@h", "sip:2@h 3600, sip:3@h 3600"},
			{0, "c 3 1 | sip:2@h exp=0", "sip:3@h 3600"},
		})
		play(t, table, "b", []step{{0, "c 1 1 | sip:1@h", "sip:1@h 3600"}})
	})
	t.Run("of text", func(t *testing.T) {
		long := strings.Repeat("x", maxText)
		for name, u := range map[string]*Update{
			"address of record": {AOR: long, Contacts: []Contact{{URI: "sip:1@h"}}},
			"Call-ID":           {CallID: long, Contacts: []Contact{{URI: "sip:1@h"}}},
			"parameters":        {Contacts: []Contact{{URI: "sip:1@h", Params: long}}},
			"instance":          {Contacts: []Contact{{URI: "sip:1@h", Instance: long}}},
			"Path":              {Path: slices.Repeat([]string{"sip:p1"}, maxText/len("sip:p1\n")+1), Contacts: []Contact{{URI: "sip:1@h"}}},
		} {
			if _, err := New(Limits{}).Register(epoch, u); err != errTooLong {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("the silent make room", func(t *testing.T) {
		table := New(Limits{PerUser: 3})
		play(t, table, "a", []step{{0, "c 1 1 | sip:1@h | sip:2@h | sip:3@h", "sip:1@h 3600, sip:2@h 3600, sip:3@h 3600"}})
		for i, b := range table.Lookup(epoch, "a") {
			b.Ping.Suspended = i > 0
			table.Seen(b, epoch.Add(-time.Duration(i)*time.Minute))
		}
		play(t, table, "a", []step{
			{0, "d 1 1 | sip:4@h", "sip:1@h 3600, sip:2@h 3600, sip:4@h 3600"},
			{0, "d 2 1 | sip:2@h | sip:5@h", "403 Too Many Contacts"},
			{0, "d 2 1 | sip:5@h", "sip:1@h 3600, sip:4@h 3600, sip:5@h 3600"},
			{0, "d 3 1 | sip:6@h", "403 Too Many Contacts"},
		})
	})
}

func TestChanges(t *testing.T) {
	table := New(Limits{})
	for _, s := range []struct{ req, want string }{
		{"c 1 1 | sip:1@h | sip:2@h", "added sip:1@h, added sip:2@h"},
		{"c 2 7:99 | sip:2@h exp=0 | sip:1@h | sip:3@h", "refreshed sip:1@h from 192.0.2.1:5060, removed sip:2@h, added sip:3@h"},
		{"c 2 7:99 | sip:4@h | sip:1@h", ""},
		{"c 3 7:99 | sip:4@h | sip:4@h exp=0", ""},
		{"c 3 7:99", ""},
		{"c 3 7:99 | *", "removed sip:1@h, removed sip:3@h"},
	} {
		u := parseStep("a", s.req)
		u.Changes = []Change{{Event: Removed, Binding: new(Binding)}}
		table.Register(epoch, u)
		var got []string
		for _, c := range u.Changes {
			line := []string{"added", "refreshed", "removed"}[c.Event] + " " + c.Binding.Contact()
			if c.From.IsValid() {
				line += " from " + c.From.String()
			}
			got = append(got, line)
		}
		if g := strings.Join(got, ", "); g != s.want {
			t.Errorf("%s\n got %s\nwant %s", s.req, g, s.want)
		}
	}
}

// What a binding keeps of its REGISTERs, and what a later one changes.
func TestBindingFields(t *testing.T) {
	table := New(Limits{})
	u := &Update{
		AOR: "a", CallID: "c", CSeq: 7, Source: source("1"), Local: netip.MustParseAddrPort("[::ffff:203.0.113.1]:5060"),
		Path: []string{"<sip:p1;lr>", "<sip:p2;lr>"}, UserAgent: strings.Repeat("phone ", 30), NAT: true,
		Contacts: []Contact{{URI: "sip:a@10.0.0.1", Params: `q=0.5;+sip.instance="<urn:x>"`, Instance: "<urn:x>", RegID: 3, Q: 500, Expires: time.Minute}},
	}
	list, err := table.Register(epoch, u)
	if err != nil {
		t.Fatal(err)
	}
	b := list[0]
	want := `[sip:a@10.0.0.1 "q=0.5;+sip.instance=\"<urn:x>\"" c 7 <urn:x>/3 [<sip:p1;lr> <sip:p2;lr>] from 192.0.2.1:5060 to 203.0.113.1:5060 by "` +
		u.UserAgent[:128] + `" until 1m0s since 0s q 500 nat true]`
	if got := dump(table); got != "a: "+want+"\n" {
		t.Errorf("got  a: %s\nwant %s", got, want)
	}

	b.Ping.Misses, b.Ping.Answered = 2, true
	u.CSeq, u.NAT, u.Path, u.UserAgent = 8, false, nil, "other"
	u.Contacts[0].Params, u.Contacts[0].Q = "", 1000
	again, err := table.Register(epoch.Add(time.Second), u)
	if err != nil || len(again) != 1 || again[0] != b {
		t.Fatalf("refreshed: %v, %v; want the same binding", again, err)
	}
	want = `[sip:a@10.0.0.1 "" c 8 <urn:x>/3 [] from 192.0.2.1:5060 to 203.0.113.1:5060 by "other" until 1m1s since 1s q 1000 nat true]`
	if got := dump(table); got != "a: "+want+"\n" {
		t.Errorf("got  a: %s\nwant %s", got, want)
	}
	if b.Ping.Misses != 2 || !b.Ping.Answered {
		t.Errorf("Register changed the keepalive: %+v", b.Ping)
	}
}

// A list once returned never changes, whatever happens to the table.
func TestListsAreStable(t *testing.T) {
	table := New(Limits{})
	play(t, table, "a", []step{{0, "c 1 1 | sip:1@h exp=60 | sip:2@h | sip:3@h", "sip:1@h 60, sip:2@h 3600, sip:3@h 3600"}})
	list := table.Lookup(epoch, "a")
	kept := slices.Clone(list)
	play(t, table, "a", []step{
		{1, "d 1 1 | sip:3@h", "sip:3@h 3600, sip:1@h 59, sip:2@h 3599"},
		{2, "e 1 1 | sip:2@h exp=0", "sip:3@h 3599, sip:1@h 58"},
		{60, "f 1 1 | sip:4@h", "sip:4@h 3600, sip:3@h 3541"},
	})
	table.Remove(table.Lookup(epoch, "a")[0])
	table.Expire(epoch.Add(24 * time.Hour))
	if !slices.Equal(list, kept) {
		t.Errorf("the list changed: %v, was %v", list, kept)
	}
	if table.Len() != 0 || table.Users() != 0 {
		t.Errorf("%d bindings, %d users left", table.Len(), table.Users())
	}
}

// REGISTERs of different users may come in any order: the table is the same.
func TestOrderOfUsersDoesNotMatter(t *testing.T) {
	var want string
	for first := range 20 {
		table := New(Limits{})
		for i := range 20 {
			n := (first + i*7) % 20
			for cseq := 1; cseq <= 2; cseq++ {
				u := parseStep(fmt.Sprintf("u%02d", n), fmt.Sprintf("c%d %d %d | sip:%d@10.0.0.1 exp=%d | sip:x@10.0.0.2 q=%d", n, cseq, n+1, n, 100+n, n*50))
				if _, err := table.Register(epoch, u); err != nil {
					t.Fatal(err)
				}
			}
		}
		check(t, table)
		if got := dump(table); want == "" {
			want = got
		} else if got != want {
			t.Fatalf("beginning with user %d:\n%s\nwant\n%s", first, got, want)
		}
	}
}
