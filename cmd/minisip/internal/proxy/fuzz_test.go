package proxy

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/guard"
)

// FuzzCore plays any sequence of datagrams and pauses: what phones send in good order, in
// bad order, from wrong addresses, mutated and made up. Whatever comes, no table grows
// beyond its cap, no response is answered, nothing panics, and a day later everything is
// forgotten and every stream closed.
func FuzzCore(f *testing.F) {
	for _, seed := range []string{
		"",
		"\x01\x01\x12\x00\x12\x01\x05\x08\x01\x12\x01\x05\x06\x12\x01",                   // a call, held, ended
		"\x01\x01\x12\x00\x22\x00\x07\x12\x01\x12\x07\x22\x01\x22\x87\x05",               // cancelled while two ring
		"\x01\x01\x12\x01\x22\x81\x05\x16\x02\x01\x0e\x07\x05",                           // two answers, BYE from one
		"\x01\x01\x12\x03\x09\x04\x12\x01\x09\x00\x12\x01\x12\x81\x05\x0e\x08",           // early media, PRACK, UPDATE, silence
		"\x01\x01\x0a\x00\x00\x0d\x20\x12\x00\x1a\x00\x00\x12\x02\x1a\x00\x00\x05",       // copies
		"\x01\x01\x12\x01\x05\x0a\x00\x03\x00\x30\x20\x00\x60\x00\x00\x90\x41\x0b\x03",   // mutations, bounces
		"\xa0\xb0\x81\x01\x0d\xff\x22\x00\x22\x81\x05\x06\x22\x01",                       // strict routers, a silent phone, the next one
		"\x01\x01\x4b\x03\x4b\x05\x4c\x13SIP/2.0 200 OK\r\n\r\n\x0f\x02\x12\x07\x19\x02", // a stranger; a subscription
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		s := newFuzzed(t)
		for range 200 {
			if !s.step(&script) {
				break
			}
			s.caps()
		}
		s.finish()
	})
}

// fuzzed is a world with small tables.
type fuzzed struct {
	*script
	sent map[string]bool // transactions of the core, by branch
}

const (
	fuzzTransactions = 60
	fuzzCalls        = 12
	fuzzContacts     = 3
)

func newFuzzed(t testing.TB) *fuzzed {
	s := &fuzzed{stage(t, 3, func(c *Config) {
		c.MaxTransactions, c.MaxCalls, c.MaxContacts, c.MaxPending = fuzzTransactions, fuzzCalls, fuzzContacts, 8
		c.Keepalive = 10 * time.Minute
		c.Bans = guard.Limits{Count: 6, Within: time.Minute, For: 10 * time.Minute}
	}), map[string]bool{}}
	s.relay.capacity, s.lawless = 20, true
	s.addPhone("666", "192.0.2.66:6666") // not in the user file
	s.phone("002c").claims = s.phone("002b").claims
	return s
}

// caps asserts that every table is within its limit.
func (s *fuzzed) caps() {
	s.t.Helper()
	c := s.core
	bindings := c.where.Len()
	for _, n := range []struct {
		name    string
		n, most int
	}{
		{"server transactions", len(c.servers) + c.answers.len(), fuzzTransactions},
		// Each may fork to all bindings, and each branch be cancelled; our own are BYEs and pings.
		{"client transactions", len(c.clients), 2*(fuzzTransactions+fuzzContacts) + 2*fuzzCalls + bindings + 3*maxWatching},
		{"subscriptions", len(c.subscribers.byKey), 2 * maxWatching},
		{"calls", c.sampler.calls, fuzzCalls},
		{"keys of calls", len(c.calls), fuzzCalls},
		{"accounts of users", len(c.usage), 2},
		{"accounts of NOTIFYs", len(c.notices), 4},
		{"less than no weight", -c.weight, 0},
		{"bindings", bindings, 2 * fuzzContacts},
		{"pingers", c.pingers.count, bindings},
		{"bindings that missed pings", c.missed, bindings},
		{"suspended", c.suspended, c.missed},
		{"hushed sources", len(c.hushed.named), maxNamed},
		{"known sources", c.sources.Len(), bindings + fuzzCalls*(1+maxDialogs)},
		{"charged sources", c.bans.Len(), len(s.phones)},
	} {
		if n.n > n.most {
			s.t.Fatalf("%d %s, cap %d", n.n, n.name, n.most)
		}
	}
}

// step takes some bytes of the input and does something with them: the low half of the
// first says what, the high half who.
func (s *fuzzed) step(input *[]byte) bool {
	next := func() byte {
		if len(*input) == 0 {
			return 0
		}
		b := (*input)[0]
		*input = (*input)[1:]
		return b
	}
	if len(*input) == 0 {
		return false
	}
	op := next()
	p := s.phones[int(op>>4)%len(s.phones)]
	w := &wish{}
	if op&0x80 != 0 {
		w.auth = p
	}
	switch op & 0x0f {
	case 0:
		reg := &wish{auth: p}
		if op&0x80 != 0 { // behind a strict router, and for the callers' second choice
			reg.fields = [][]string{{"Path", "<sip:" + p.addr.String() + ">"}, {"Supported", "path"}, {"Contact", p.contact() + ";q=0.5"}}
		}
		s.build(p, "REGISTER", reg)
	case 1:
		inv := &wish{auth: p, target: []string{"001", "002", "sip:002@192.0.2.1:5060", "777"}[next()%4]}
		if op&0x80 != 0 {
			inv.fields = [][]string{{"Session-Expires", "89"}}
		}
		s.build(p, "INVITE", inv)
	case 2, 3, 4:
		how := next()
		s.respond(p, []string{"180", "200", "486", "183", "503", "603", "401", "487"}[how%8], how&0x80 != 0)
	case 5:
		s.build(p, "ACK", w)
	case 6:
		s.build(p, "BYE", w)
	case 7:
		s.build(p, "CANCEL", w)
	case 8:
		w.sdp = []string{"audio", "hold", "inactive", "none"}[next()%4]
		s.build(p, "INVITE", w)
	case 9:
		s.build(p, []string{"UPDATE", "INFO", "NOTIFY", "REFER", "PRACK", "SUBSCRIBE", "FOO", "MESSAGE"}[next()%8], w)
	case 10:
		s.mutated(p, next)
	case 11:
		s.bounced(p, next())
	case 12:
		n := min(int(next()), len(*input))
		s.give(p, (*input)[:n])
		*input = (*input)[n:]
	case 13:
		s.pass(time.Duration(next()) * 40 * time.Millisecond)
	case 14:
		s.pass(time.Duration(next()) * 5 * time.Second)
	case 15:
		if how := next(); how < 200 {
			s.build(p, []string{"MESSAGE", "OPTIONS", "SUBSCRIBE", "PUBLISH"}[how%4], &wish{auth: p, target: "002"})
		} else {
			s.build(p, "SUBSCRIBE", &wish{auth: p, target: p.user, fields: [][]string{{"Event", "reg"}, {"Expires", strconv.Itoa(int(how-200) * 20)}}})
		}
		s.do("media")
	}
	return true
}

// build sends a request of a phone, where it has what the request needs.
func (s *fuzzed) build(p *phone, method string, w *wish) {
	outside := w.target != "" || method == "REGISTER"
	if !outside && method != "CANCEL" && len(p.dialogs) == 0 || method == "CANCEL" && p.sent["INVITE"] == nil {
		return
	}
	m := p.request(method, w)
	p.sending(m)
	s.give(p, m.bytes())
}

// respond answers the latest request, or the latest INVITE, of a phone.
func (s *fuzzed) respond(p *phone, status string, invite bool) {
	if p.last == nil {
		return
	}
	w := &wish{}
	if invite && p.got["INVITE"] != nil {
		w.to = "INVITE"
	}
	m := p.response(status, "", w)
	p.sending(m)
	s.give(p, m.bytes())
}

// mutated sends one of the phone's datagrams again, with some bytes changed.
func (s *fuzzed) mutated(p *phone, next func() byte) {
	if len(p.outbox) == 0 {
		return
	}
	b := p.outbox[len(p.outbox)-1-int(next())%len(p.outbox)].bytes()
	for range next() % 4 {
		at := (int(next())<<8 | int(next())) % len(b)
		switch with := next(); with {
		case 0:
			b = b[:at+1]
		case 1:
			b = append(b[:at:at], b[at/2:]...)
		default:
			b[at] = with
		}
	}
	s.give(p, b)
}

// bounced sends what a phone received back to the core, or another phone's latest message.
func (s *fuzzed) bounced(p *phone, which byte) {
	other := s.phones[int(which>>1)%len(s.phones)]
	switch {
	case which&1 == 0 && other.last != nil:
		s.give(p, other.last.bytes())
	case len(other.outbox) > 0:
		s.give(p, other.outbox[len(other.outbox)-1].bytes())
	}
}

// give delivers a datagram. A response whose branch is none of the core's must leave no
// trace: it is neither forwarded nor answered.
func (s *fuzzed) give(p *phone, datagram []byte) {
	s.events = nil
	s.send(p, datagram)
	if strings.HasPrefix(string(datagram), "SIP/2.0 ") && !s.sent[branchOf(readText(datagram))] {
		for _, e := range s.events[1:] {
			if e.from != "" {
				s.t.Fatalf("a stray response\n%s\nbrought about\n%s", datagram, e.text)
			}
		}
	}
	s.remember(s.events[1:])
}

// pass lets time go by: timers send requests too.
func (s *fuzzed) pass(d time.Duration) {
	s.events = nil
	s.advance(d)
	s.remember(s.events)
}

// remember notes the transactions of the core's requests.
func (s *fuzzed) remember(events []event) {
	for _, e := range events {
		if m := readText([]byte(e.text)); e.from != "" && m.isRequest() {
			s.sent[branchOf(m)] = true
		}
	}
}

// branchOf gives what the core knows its transactions by: the branch without the loop hash.
func branchOf(m *text) string {
	b := paramAfter(m.get("Via"), "branch=")
	return b[:min(len(b), len(branchPrefix)+16)]
}
