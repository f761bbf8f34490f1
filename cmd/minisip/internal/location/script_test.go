package location

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// epoch is where the clock of every test stands at first.
var epoch = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// step is one REGISTER of a script and what it must lead to.
//
// req is "CALL-ID CSEQ SOURCE", then the Contacts, each behind a bar as "| URI [exp=S] [q=N] [inst=I] [reg=N]",
// or "| *". Words behind the source: "nat", "path=P", "to=" and the address of ours.
// want is the answer: "STATUS REASON", or the bindings as "URI S" (S seconds left), joined by ", ".
type step struct {
	at   int // seconds since epoch
	req  string
	want string
}

// parseStep reads step.req.
func parseStep(aor, req string) *Update {
	parts := strings.Split(req, "|")
	words := strings.Fields(parts[0])
	u := &Update{AOR: aor, CallID: words[0], CSeq: uint32(atoi(words[1])), Source: source(words[2])}
	for _, w := range words[3:] {
		if p, ok := strings.CutPrefix(w, "path="); ok {
			u.Path = append(u.Path, p)
		}
		if to, ok := strings.CutPrefix(w, "to="); ok {
			u.Local = source(to)
		}
		u.NAT = u.NAT || w == "nat"
	}
	for _, part := range parts[1:] {
		words := strings.Fields(part)
		if words[0] == "*" {
			u.Star = true
			continue
		}
		c := Contact{URI: words[0], Q: 1000, Expires: -1}
		for _, w := range words[1:] {
			key, value, _ := strings.Cut(w, "=")
			switch key {
			case "exp":
				c.Expires = time.Duration(atoi(value)) * time.Second
			case "q":
				c.Q = int(atoi(value))
			case "inst":
				c.Instance = value
			case "reg":
				c.RegID = uint32(atoi(value))
			default:
				panic("word " + w)
			}
		}
		u.Contacts = append(u.Contacts, c)
	}
	return u
}

// source reads "1" as 192.0.2.1:5060, "1:4000" with another port, or a whole address and port.
func source(s string) netip.AddrPort {
	if a, err := netip.ParseAddrPort(s); err == nil {
		return a
	}
	host, port, ok := strings.Cut(s, ":")
	if !ok {
		port = "5060"
	}
	return netip.MustParseAddrPort("192.0.2." + host + ":" + port)
}

func atoi(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

// answer writes the outcome of a Register as step.want does.
func answer(table *Table, now time.Time, bindings []*Binding, err error) string {
	var refused *Error
	if errors.As(err, &refused) {
		s := fmt.Sprintf("%d %s", refused.Status, refused.Reason)
		if refused.MinExpires > 0 {
			s += fmt.Sprintf(" (%v)", refused.MinExpires)
		}
		return s
	}
	var out []string
	for _, b := range bindings {
		out = append(out, fmt.Sprintf("%s %d", b.Contact(), int(table.Expires(b).Sub(now).Seconds())))
	}
	return strings.Join(out, ", ")
}

// play runs a script of one user and expires what is due before each step.
func play(t *testing.T, table *Table, aor string, script []step) {
	t.Helper()
	for _, s := range script {
		now := epoch.Add(time.Duration(s.at) * time.Second)
		table.Expire(now)
		before := dump(table)
		bindings, err := table.Register(now, parseStep(aor, s.req))
		if got := answer(table, now, bindings, err); got != s.want {
			t.Errorf("at %d s: %s\n got %s\nwant %s", s.at, s.req, got, s.want)
		}
		if err != nil && dump(table) != before {
			t.Errorf("at %d s: %s: refused, and changed the table\nfrom %s\n  to %s", s.at, s.req, before, dump(table))
		}
		check(t, table)
	}
}

// dump writes the whole table, user by user.
func dump(table *Table) string {
	var b strings.Builder
	for _, aor := range sortedUsers(table) {
		fmt.Fprintf(&b, "%s:", aor)
		for _, x := range table.list(aor) {
			fmt.Fprintf(&b, " [%s %q %s %d %s/%d %v from %v to %v by %q until %v since %v q %d nat %v]", x.Contact(), x.Params(),
				x.CallID(), x.CSeq, x.Instance(), x.RegID, x.Path(), x.Source(), x.Local(), x.UserAgent(),
				table.Expires(x).Sub(epoch), table.Registered(x).Sub(epoch), x.Q, x.NAT)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
