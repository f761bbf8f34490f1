package location

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"minisip/sipmsg"
)

// The model is the table again, written to be read: a plain list, searched from end to end,
// copied before each REGISTER and thrown away when that fails.
type model struct {
	perUser, total int
	list           []row
	linked         int // counts up, to tell who was where first
}

type row struct {
	aor, contact, callID, instance string
	place                          string // source and Contact when it was linked
	cseq, regID                    uint32
	q, linked                      int
	source                         netip.AddrPort
	path, suspended, nat           bool
	touched                        bool // by the REGISTER at hand
	expires, registered            time.Time
}

func uriOf(s string) *sipmsg.URI {
	u, err := sipmsg.ParseURI([]byte(s))
	if err != nil {
		panic(err)
	}
	return &u
}

// means says whether Contact c of u is the binding r.
func (r *row) means(u *Update, c *Contact) bool {
	twoInstances := r.instance != "" && c.Instance != "" && !strings.EqualFold(r.instance, c.Instance)
	twoFlows := r.regID != 0 && c.RegID != 0 && r.regID != c.RegID
	if (twoInstances || twoFlows) && (r.source != u.Source || r.path || u.Path != nil) {
		return false
	}
	if c.Instance != "" && strings.EqualFold(r.instance, c.Instance) && r.regID == c.RegID && (c.RegID != 0 || !r.touched && c.Expires != 0) {
		return true
	}
	if !sipmsg.EqualURI(uriOf(r.contact), uriOf(c.URI)) {
		return false
	}
	otherIP := r.source.Addr() != u.Source.Addr()
	otherCall := r.callID != u.CallID
	public := string(uriOf(c.URI).Host) == u.Source.Addr().String()
	return !otherIP || !otherCall || public
}

// register returns the status: 200 or that of the refusal.
func (m *model) register(now time.Time, u *Update) int {
	was := m.list
	m.list = slices.Clone(m.list)
	status := m.apply(now, u)
	if status != 200 {
		m.list = was
		return status
	}
	for i := range m.list {
		r := &m.list[i]
		if place := r.source.String() + r.contact; r.place != place {
			m.linked++
			r.place, r.linked = place, m.linked
		}
		r.touched = false
	}
	slices.SortStableFunc(m.list, func(a, b row) int {
		return cmp.Or(strings.Compare(a.aor, b.aor), b.q-a.q, b.registered.Compare(a.registered))
	})
	return 200
}

func (m *model) apply(now time.Time, u *Update) int {
	live, flows := 0, 0
	if u.Star {
		u.Contacts = []Contact{{URI: "*"}}
	}
	for _, c := range u.Contacts {
		if c.Expires > 0 && c.Expires < time.Minute {
			return 423
		}
		if c.Expires > 0 {
			live++
		}
		if c.RegID > 0 && c.Instance != "" && c.Expires > 0 {
			flows++
		}
		kept := -1
		for i := 0; i < len(m.list); i++ {
			r := &m.list[i]
			if r.aor != u.AOR || !u.Star && !r.means(u, &c) {
				continue
			}
			if !r.touched && r.callID == u.CallID && u.CSeq <= r.cseq {
				return 500
			}
			if c.Expires > 0 && kept < 0 {
				kept = i
				continue
			}
			m.list = slices.Delete(m.list, i, i+1)
			i--
		}
		if c.Expires == 0 {
			continue
		}
		if kept < 0 {
			m.list = append(m.list, row{aor: u.AOR})
			kept = len(m.list) - 1
		}
		r := &m.list[kept]
		r.contact, r.callID, r.cseq, r.instance, r.q = c.URI, u.CallID, u.CSeq, c.Instance, c.Q
		r.regID = c.RegID
		if r.instance == "" {
			r.regID = 0
		}
		r.source, r.path, r.nat = u.Source, u.Path != nil, r.nat || u.NAT
		r.registered, r.expires, r.touched = now, now.Add(c.Expires), true
	}
	if u.Star {
		u.Contacts = nil
	}
	if live > 1 && flows > 0 {
		return 400
	}
	return m.limit(u)
}

// limit makes room among the silent, the longest silent first, or refuses.
func (m *model) limit(u *Update) int {
	for {
		n, victim := 0, -1
		for i, r := range m.list {
			if r.aor != u.AOR {
				continue
			}
			n++
			if r.suspended && !r.touched && (victim < 0 || r.registered.Before(m.list[victim].registered)) {
				victim = i
			}
		}
		if n <= m.perUser {
			break
		}
		if victim < 0 {
			return 403
		}
		m.list = slices.Delete(m.list, victim, victim+1)
	}
	if len(m.list) > m.total {
		return 503
	}
	return 200
}

func (m *model) expire(now time.Time) (gone int) {
	n := len(m.list)
	m.list = slices.DeleteFunc(m.list, func(r row) bool { return !r.expires.After(now) })
	return n - len(m.list)
}

// find is FindContact.
func (m *model) find(uri *sipmsg.URI) *row {
	host, port := string(uri.Host), cmp.Or(uri.Port, 5060)
	var seen, written []*row
	for i := range m.list {
		r := &m.list[i]
		c := uriOf(r.contact)
		if !bytes.Equal(sipmsg.AppendUnescaped(nil, c.User), sipmsg.AppendUnescaped(nil, uri.User)) {
			continue
		}
		if r.source == netip.AddrPortFrom(netip.MustParseAddr(host), port) {
			seen = append(seen, r)
		}
		if string(c.Host) == host && cmp.Or(c.Port, 5060) == port {
			written = append(written, r)
		}
	}
	from := seen
	if len(from) == 0 {
		from = written
	}
	exact := slices.DeleteFunc(slices.Clone(from), func(r *row) bool { return !bytes.Equal(uriOf(r.contact).Params, uri.Params) })
	if len(exact) > 0 {
		from = exact
	}
	if len(from) == 0 {
		return nil
	}
	owner := slices.MinFunc(from, byLinked).aor
	from = slices.DeleteFunc(from, func(r *row) bool { return r.aor != owner })
	return slices.MinFunc(from, func(a, b *row) int { return cmp.Or(b.registered.Compare(a.registered), byLinked(a, b)) })
}

func byLinked(a, b *row) int { return a.linked - b.linked }

var pool = struct{ users, uris, calls, sources []string }{
	users: []string{"a", "b", "c"},
	uris: []string{
		"sip:x@192.168.1.5", "sip:x@192.168.1.5;i=1", "sip:x@192.168.1.5;i=2", "sip:x@192.168.1.5:5062",
		"sip:y@192.168.1.5", "sip:x@192.0.2.1", "sip:x@192.0.2.2:4000", "sip:%78@192.168.1.5",
	},
	calls:   []string{"c", "d", "e"},
	sources: []string{"192.0.2.1:5060", "192.0.2.1:4000", "192.0.2.2:5060", "192.0.2.2:4000"},
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func randomUpdate(r *rand.Rand) *Update {
	u := &Update{
		AOR: pick(r, pool.users), CallID: pick(r, pool.calls), CSeq: uint32(r.IntN(60)),
		Source: netip.MustParseAddrPort(pick(r, pool.sources)), NAT: r.IntN(3) == 0,
	}
	if r.IntN(4) == 0 {
		u.Path = []string{"<sip:edge;lr>"}
	}
	if u.Star = r.IntN(40) == 0; u.Star {
		return u
	}
	for range 1 + r.IntN(3) {
		u.Contacts = append(u.Contacts, Contact{
			URI: pick(r, pool.uris), Q: 500 * r.IntN(3), Instance: pick(r, []string{"", "", "I", "J", "j"}),
			RegID: pick(r, []uint32{0, 0, 1, 2}), Expires: pick(r, []time.Duration{0, 0, 60, 100, 300, 3600, 7200}) * time.Second,
		})
	}
	if r.IntN(30) == 0 {
		u.Contacts[0].Expires = 30 * time.Second
	}
	return u
}

// Under thousands of random REGISTERs, removals and leaps of the clock the table does what the model does.
func TestAgainstModel(t *testing.T) {
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		table := New(Limits{PerUser: 4, Total: 10})
		m := &model{perUser: 4, total: 10}
		now := epoch
		statuses := map[int]int{}
		for n := range 1500 {
			now = now.Add(time.Duration(r.IntN(20)) * time.Second)
			if got, want := len(table.Expire(now)), m.expire(now); got != want {
				t.Fatalf("seed %d, step %d: %d expired, want %d", seed, n, got, want)
			}
			what := "remove"
			if r.IntN(20) == 0 && len(m.list) > 0 {
				i := r.IntN(len(m.list))
				table.Remove(bindingOf(table, &m.list[i]))
				m.list = slices.Delete(m.list, i, i+1)
			} else if r.IntN(10) == 0 && len(m.list) > 0 {
				i := r.IntN(len(m.list))
				bindingOf(table, &m.list[i]).Ping.Suspended = true
				m.list[i].suspended = true
			} else {
				u := randomUpdate(r)
				what = fmt.Sprintf("%+v", u)
				before := dump(table)
				_, err := table.Register(now, u)
				status := 200
				if err != nil {
					status = err.(*Error).Status
				}
				statuses[status]++
				if want := m.register(now, u); status != want {
					t.Fatalf("seed %d, step %d: %s\n%d, want %d\n%s", seed, n, what, status, want, before)
				}
				if err != nil && before != dump(table) {
					t.Fatalf("seed %d, step %d: %s\nrefused, and changed the table", seed, n, what)
				}
			}
			compare(t, table, m, now, fmt.Sprintf("seed %d, step %d: %s", seed, n, what))
			check(t, table)
			if t.Failed() {
				t.FailNow()
			}
		}
		for _, status := range []int{200, 400, 403, 423, 500, 503} {
			if statuses[status] == 0 {
				t.Errorf("seed %d: never a %d; the test tests too little", seed, status)
			}
		}
	}
}

// bindingOf finds the table's binding for a row by what only it can have.
func bindingOf(table *Table, r *row) *Binding {
	i := slices.IndexFunc(table.list(r.aor), func(b *Binding) bool { return same(table, b, r) })
	return table.list(r.aor)[i]
}

func same(table *Table, b *Binding, r *row) bool {
	return b.AOR() == r.aor && b.Contact() == r.contact && b.CallID() == r.callID && b.CSeq == r.cseq && b.Instance() == r.instance &&
		b.RegID == r.regID && int(b.Q) == r.q && b.Source() == r.source && b.NAT == r.nat && b.Ping.Suspended == r.suspended &&
		len(b.Path()) > 0 == r.path && table.Expires(b).Equal(r.expires) && table.Registered(b).Equal(r.registered)
}

func compare(t *testing.T, table *Table, m *model, now time.Time, what string) {
	t.Helper()
	var got []*Binding
	for _, aor := range pool.users {
		got = append(got, table.Lookup(now, aor)...)
	}
	if !slices.EqualFunc(got, m.list, func(b *Binding, r row) bool { return same(table, b, &r) }) {
		t.Fatalf("%s\n got %s\nwant %+v", what, dump(table), m.list)
	}
	for _, s := range append(pool.uris, "sip:x@192.0.2.1:4000;i=1", "sip:y@192.0.2.2") {
		got, want := table.FindContact(uriOf(s)), m.find(uriOf(s))
		if (got == nil) != (want == nil) || got != nil && !same(table, got, want) {
			t.Fatalf("%s\nFindContact(%s) = %+v, want %+v", what, s, got, want)
		}
	}
	for _, s := range pool.sources {
		src := netip.MustParseAddrPort(s)
		there := slices.DeleteFunc(slices.Clone(m.list), func(r row) bool { return r.source != src })
		slices.SortFunc(there, func(a, b row) int { return a.linked - b.linked })
		if got := slices.Collect(table.AtSource(src)); !slices.EqualFunc(got, there, func(b *Binding, r row) bool { return same(table, b, &r) }) {
			t.Fatalf("%s\nAtSource(%s) = %v, want %+v", what, src, got, there)
		}
	}
	var deadline time.Time
	for _, r := range m.list {
		if deadline.IsZero() || r.expires.Before(deadline) {
			deadline = r.expires
		}
	}
	if !table.Deadline().Equal(deadline) {
		t.Fatalf("%s\nDeadline %v, want %v", what, table.Deadline(), deadline)
	}
}
