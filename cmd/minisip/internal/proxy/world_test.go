package proxy

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"

	"minisip/digest"
	"minisip/sipmsg"
)

// epoch is when every test begins.
var epoch = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// The addresses of the core.
var (
	ours4 = netip.MustParseAddrPort("203.0.113.1:5060")
	ours6 = netip.MustParseAddrPort("[2001:db8::1]:5060")
)

const testRealm = "mini_sip_proxy"

// world is a core with its clock, the phones around it, and a record of what happens.
type world struct {
	t          testing.TB
	cfg        Config
	core       *Core
	relay      *fakeRelay
	begin, now time.Time
	users      map[string]string  // user: password
	algorithms []digest.Algorithm // of challenges; none: MD5
	phones     []*phone
	events     []event
	quiet      bool       // nothing is recorded
	records    bool       // accounts of calls are shown
	nowhere    netip.Addr // cannot be reached
	lawless    bool       // phones may send anything, so less holds for what goes out
	names      names
	shown      map[string]bool // datagrams that the record holds already

	held map[*sipmsg.Message]bool // the core keeps them

	disk  *fakeKeeper
	after func() // each step
}

// event is one thing that happened: a datagram on its way or a line of words.
type event struct {
	at       time.Duration
	from, to string // of a datagram; empty for a line
	addr     netip.AddrPort
	text     string
}

// all are the features that are on when no word is given.
var all = Features{Contact: true, SDP: true, Via: true, Duplicate: true, Silent: true}

func newWorld(t testing.TB) *world {
	w := &world{t: t, begin: epoch, now: epoch, users: map[string]string{}, names: names{map[string]string{}, map[string]int{}}, shown: map[string]bool{}, held: map[*sipmsg.Message]bool{}}
	w.relay = &fakeRelay{note: w.note}
	w.cfg = Config{
		Features: all, ICE: true, Realm: testRealm,
		Ours: func(at netip.AddrPort) bool {
			return at == ours4 || at == ours6 || at.Addr().IsUnspecified() && at.Port() == 5060
		},
		AddUser: func(name string) string {
			if strings.ContainsFunc(name, unicode.IsControl) {
				return "" // no user file holds it
			}
			return "minisip user add " + name
		},
		History: make([]byte, 64<<10),
	}
	return w
}

// start makes the core; the configuration and the users stand from then on.
func (w *world) start() *Core {
	if w.core != nil {
		return w.core
	}
	users, err := digest.ParseUsers("users.conf", nil, testRealm)
	if err != nil {
		w.t.Fatal(err)
	}
	for name, password := range w.users {
		if err := users.AddJSON(fmt.Appendf(nil, "{%q: %q}", name, password)); err != nil {
			w.t.Fatal(err)
		}
	}
	auth := digest.NewServer(digest.Config{Realm: testRealm, Key: []byte("key"), Algorithms: w.algorithms, Start: w.begin})
	w.core = New(w.cfg, w, w.relay, users, auth, [32]byte{1})
	return w.core
}

// Send implements Output: the phone at that address gets the datagram.
func (w *world) Send(local, to netip.AddrPort, datagram []byte) bool {
	name := to.String()
	if to.Addr() == w.nowhere {
		w.note("no way leads to " + name)
		return false
	}
	if !w.lawless {
		w.check(datagram)
	}
	p := w.at(to)
	if p != nil {
		name = p.name
	}
	from := "minisip"
	if want := ourSide(to); local != want {
		from = fmt.Sprintf("minisip(%s)", local)
	}
	w.record(event{from: from, to: name, addr: to, text: string(datagram)})
	if p != nil {
		p.receive(readText(datagram))
	}
	return true
}

// check asserts what holds for every datagram of the core.
func (w *world) check(datagram []byte) {
	w.t.Helper()
	if string(datagram) == "\r\n" {
		return // the answer to a keepalive
	}
	m := readText(datagram)
	if m.get("Content-Type") == reginfoType {
		var document struct {
			Version *int `xml:"version,attr"`
		}
		if err := xml.Unmarshal([]byte(m.body), &document); err != nil || document.Version == nil {
			w.t.Errorf("no reginfo: %v\n%s", err, datagram)
		}
	}
	ours := strings.Contains(m.get("Via"), "branch=z9hG4bK") && len(paramAfter(m.get("Via"), "branch=z9hG4bK")) == 24
	switch {
	case m.get("Content-Length") != fmt.Sprint(len(m.body)) && m.get("Content-Length")+m.body != "":
		w.t.Errorf("Content-Length %q over a body of %d bytes:\n%s", m.get("Content-Length"), len(m.body), datagram)
	case m.isRequest() != ours:
		w.t.Errorf("our own Via is on top of a response, or not on top of a request:\n%s", datagram)
	case m.isRequest() && strings.Contains(m.get("Proxy-Authorization")+m.get("Authorization"), testRealm):
		w.t.Errorf("credentials for our realm go out:\n%s", datagram)
	}
}

// Log implements Output.
func (w *world) Log(line string) {
	if i := strings.IndexFunc(line, func(r rune) bool { return r != '\n' && r != '\t' && unicode.IsControl(r) }); i >= 0 {
		w.t.Errorf("a terminal would obey what stands in the log at %d: %q", i, line)
	}
	w.note("log: " + line)
}

// Record implements Output.
func (w *world) Record(r *Record) {
	if !w.records {
		return
	}
	b, err := json.Marshal(r)
	if err != nil {
		w.t.Error(err)
	}
	w.note("record: " + string(b))
}

// Debug implements Output.
// unheard is what of an Output a test does not look at.
type unheard struct{}

func (unheard) Log(string)            {}
func (unheard) Record(*Record)        {}
func (unheard) Reuse(*sipmsg.Message) {}

func (w *world) note(line string) { w.record(event{text: line}) }

func (w *world) record(e event) {
	if !w.quiet {
		e.at = w.now.Sub(w.begin)
		w.events = append(w.events, e)
	}
}

// send gives the core a datagram of phone p.
func (w *world) send(p *phone, datagram []byte) {
	w.record(event{from: p.name, to: "minisip", addr: p.addr, text: string(datagram)})
	w.deliver(p.addr, datagram)
}

func (w *world) deliver(src netip.AddrPort, datagram []byte) (kept bool) {
	m := new(sipmsg.Message)
	err := m.Parse([]byte(string(datagram)))
	if kept = w.start().Receive(w.now, ourSide(src), src, m, err); kept {
		w.held[m] = true
		return true
	}
	spoil(m)
	return false
}

// Reuse implements Output.
func (w *world) Reuse(m *sipmsg.Message) {
	if !w.held[m] {
		w.t.Error("a message comes back that is not out")
	}
	delete(w.held, m)
	spoil(m)
}

// spoil makes whoever looks at a message notice that it is not his any more.
func spoil(m *sipmsg.Message) {
	b := m.Bytes()
	for i := range b {
		b[i] = '!'
	}
	*m = sipmsg.Message{}
}

// advance lets time pass, with every timer on the way.
func (w *world) advance(d time.Duration) {
	end := w.now.Add(d)
	core := w.start()
	for next := core.Deadline(); !next.IsZero() && !next.After(end); next = core.Deadline() {
		w.now = w.now.Add(next.Sub(w.now)) // by the clock as it is now
		core.Tick(w.now)
	}
	w.now = end
}

// ourSide is our address as who is at the other end sees it.
func ourSide(far netip.AddrPort) netip.AddrPort {
	if far.Addr().Is4() {
		return ours4
	}
	return ours6
}

func (w *world) at(addr netip.AddrPort) *phone {
	for _, p := range w.phones {
		if p.addr == addr {
			return p
		}
	}
	return nil
}

func (w *world) phone(name string) *phone {
	for _, p := range w.phones {
		if p.name == name {
			return p
		}
	}
	w.t.Fatalf("no phone called %q", name)
	return nil
}

// addPhone makes a phone whose user is in the user file.
func (w *world) addPhone(name, at string) *phone {
	p := &phone{
		world: w, name: name, user: name, password: "secret-" + name, addr: netip.MustParseAddrPort(at),
		sent: map[string]*text{}, got: map[string]*text{}, answer: map[string]*text{}, tags: map[string]string{},
	}
	p.claims, p.rtp = p.addr, netip.AddrPortFrom(p.addr.Addr(), 4000)
	w.phones = append(w.phones, p)
	return p
}

// finish lets everything run out and asserts that nothing stays behind.
func (w *world) finish() {
	w.t.Helper()
	w.quiet = true
	if w.disk != nil {
		w.survives()
	}
	w.advance(25 * time.Hour)
	if left := w.leftovers(); left != "" {
		w.t.Errorf("a day later there is still: %s", left)
	}
}

// leftovers names the tables of the core that are not empty.
func (w *world) leftovers() string {
	c := w.start()
	var b strings.Builder
	for _, n := range []struct {
		name string
		n    int
	}{
		{"server transactions", len(c.servers)}, {"answers", c.answers.len() + len(c.answers.blocks)}, {"client transactions", len(c.clients)},
		{"weight of transactions", c.weight}, {"bytes of answers", c.answers.size},
		{"calls", len(c.calls)}, {"accounts of users", len(c.usage)},
		{"pingers", c.pingers.count}, {"known sources", c.sources.Len()}, {"bindings that missed pings", c.missed}, {"suspended", c.suspended}, {"bindings", c.where.Len()}, {"notices", len(c.notices)}, {"subscriptions", len(c.subscribers.byKey) + len(c.subscribers.of) + len(c.subscribers.by)},
		{"timers", c.timers.Len()}, {"open streams", w.relay.open},
		{"records of bindings", w.disk.count(keptBinding)}, {"records of calls", w.disk.count(keptCall)},
	} {
		if n.n != 0 {
			fmt.Fprintf(&b, "%d %s; ", n.n, n.name)
		}
	}
	return b.String()
}
