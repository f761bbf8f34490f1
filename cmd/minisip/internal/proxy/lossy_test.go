package proxy

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// air is a network that loses, repeats and reorders datagrams, with phones that repeat theirs as RFC 3261 17 says.
type air struct {
	*script
	rnd     *rand.Rand
	flights flights
	agents  map[string]*agent // by phone
	lost    int
	again   int // repetitions by phones
}

// flight is a datagram on its way, or a timer of a phone.
type flight struct {
	at   time.Time
	land func()
}

type flights []flight

func (f flights) Len() int           { return len(f) }
func (f flights) Less(i, j int) bool { return f[i].at.Before(f[j].at) }
func (f flights) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *flights) Push(x any)        { *f = append(*f, x.(flight)) }
func (f *flights) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}

// after does something when d has passed.
func (a *air) after(d time.Duration, f func()) {
	heap.Push(&a.flights, flight{a.now.Add(d), f})
}

// fly lets a datagram arrive within 10 to 210 ms, so that others overtake it; one in ten never does, one in ten twice.
func (a *air) fly(land func()) {
	copies := 1
	switch a.rnd.IntN(10) {
	case 0:
		copies = 0
		a.lost++
	case 1:
		copies = 2
	}
	for range copies {
		a.after(10*time.Millisecond+time.Duration(a.rnd.Int64N(int64(200*time.Millisecond))), land)
	}
}

// Send implements Output.
func (a *air) Send(_, to netip.AddrPort, datagram []byte) bool {
	m := readText(datagram)
	if p := a.at(to); p != nil {
		a.fly(func() { a.agents[p.name].receive(m) })
	}
	return true
}

// run lets everything happen until nothing is left to.
func (a *air) run() {
	for len(a.flights) > 0 {
		next := a.flights[0]
		if at := a.core.Deadline(); !at.IsZero() && at.Before(next.at) {
			a.now = at
			a.core.Tick(at)
			continue
		}
		heap.Pop(&a.flights)
		a.now = next.at
		next.land()
	}
}

// agent is a phone that does by itself what a call needs.
type agent struct {
	air     *air
	p       *phone
	calls   string           // whom it calls when it has registered; "": nobody
	asking  *repeating       // the request that waits for its answer
	answers map[string]*text // given, by branch and method
	ringing *repeating       // the 200 that waits for its ACK
	ack     []byte           // of its call
	went    string           // how its call did: the last status, or what never came
	over    bool             // its call was hung up
}

// repeating is a message that is sent until somebody says that it has come.
type repeating struct {
	m     *text
	gap   time.Duration
	most  time.Duration
	until time.Time
	done  bool
}

const (
	t1     = 500 * time.Millisecond
	t2     = 4 * time.Second
	giveUp = 64 * t1
)

func (g *agent) transmit(m *text) {
	b := m.bytes()
	g.air.fly(func() { g.air.deliver(g.p.addr, b) })
}

// repeat sends m now and again.
func (g *agent) repeat(m *text, most time.Duration) *repeating {
	r := &repeating{m: m, gap: t1, most: most, until: g.air.now.Add(giveUp)}
	g.transmit(m)
	g.air.after(r.gap, func() { g.next(r) })
	return r
}

func (g *agent) next(r *repeating) {
	switch {
	case r.done:
		return
	case !g.air.now.Before(r.until):
		g.went = "no answer to " + r.m.first
		return
	}
	g.air.again++
	g.transmit(r.m)
	r.gap = min(2*r.gap, r.most)
	g.air.after(r.gap, func() { g.next(r) })
}

// ask sends a request of the phone's until its answer comes.
func (g *agent) ask(method string, w *wish) {
	m := g.p.request(method, w)
	g.p.sending(m)
	most := t2
	if method == "INVITE" {
		most = giveUp
	}
	g.asking = g.repeat(m, most)
}

func (g *agent) receive(m *text) {
	if m.isRequest() {
		g.asked(m)
		return
	}
	r := g.asking
	switch {
	case r == nil || m.get("CSeq") != r.m.get("CSeq"):
		if m.method() == "INVITE" && m.status() == "200" && g.ack != nil { // the 200 once more: the ACK was lost
			g.air.fly(func() { g.air.deliver(g.p.addr, g.ack) })
		}
	case m.status() < "200":
		if m.method() == "INVITE" {
			r.done = true
			g.air.after(3*time.Minute, func() {
				if g.asking == r {
					g.went = "nothing after " + m.first
				}
			})
		}
	default:
		r.done, g.asking = true, nil
		g.answered(m)
	}
}

// answered goes on after the final answer to what the phone asked.
func (g *agent) answered(m *text) {
	method := m.method()
	g.p.receive(m)
	g.went = m.status()
	switch {
	case m.status() == "401" || m.status() == "407":
		if method == "INVITE" {
			g.transmit(g.p.request("ACK", &wish{}))
		}
		w := &wish{auth: g.p}
		if method == "INVITE" {
			w.target = g.calls
		}
		g.ask(method, w)
	case m.status() != "200":
		if method == "INVITE" {
			g.transmit(g.p.request("ACK", &wish{}))
		}
	case method == "REGISTER" && g.calls != "":
		g.air.after(giveUp, func() { g.ask("INVITE", &wish{target: g.calls}) })
	case method == "INVITE":
		ack := g.p.request("ACK", &wish{})
		g.ack = ack.bytes()
		g.transmit(ack)
		g.air.after(10*time.Second, func() { g.ask("BYE", &wish{}) })
	case method == "BYE":
		g.over = true
	}
}

// asked answers what others ask.
func (g *agent) asked(m *text) {
	key := paramAfter(m.get("Via"), "branch=") + m.method()
	switch {
	case m.method() == "ACK":
		if g.ringing != nil {
			g.ringing.done = true
		}
		return
	case g.answers[key] != nil:
		g.transmit(g.answers[key])
		return
	}
	g.p.receive(m)
	if m.method() == "INVITE" {
		g.transmit(g.p.response("180", "Ringing", &wish{}))
	}
	ok := g.p.response("200", "OK", &wish{})
	g.p.sending(ok)
	g.answers[key] = ok
	switch m.method() {
	case "INVITE":
		g.ringing = g.repeat(ok, t2)
	case "BYE":
		g.over = true
		g.transmit(ok)
	default:
		g.transmit(ok)
	}
}

// phoneFor adds a phone that calls another one, or waits.
func (a *air) phoneFor(user, ip, calls string) {
	a.do("phone " + user + " at " + ip + ":5060")
	a.agents[user] = &agent{air: a, p: a.phone(user), calls: calls, answers: map[string]*text{}}
}

// TestLossyNetwork: over a network that loses one datagram in ten, brings one in ten twice and lets them overtake one another,
// everybody registers and every call is set up and hung up, and nothing stays behind.
func TestLossyNetwork(t *testing.T) {
	const pairs = 100
	for seed := range uint64(5) {
		a := &air{script: &script{newWorld(t)}, rnd: rand.New(rand.NewPCG(seed, 1)), agents: map[string]*agent{}}
		a.quiet = true
		for i := range pairs {
			a.phoneFor(fmt.Sprintf("a%d", i), fmt.Sprintf("198.51.100.%d", i+1), fmt.Sprintf("b%d", i))
			a.phoneFor(fmt.Sprintf("b%d", i), fmt.Sprintf("192.0.2.%d", i+1), "")
		}
		a.start().out = a
		for _, p := range a.phones {
			g := a.agents[p.name]
			a.after(time.Duration(a.rnd.Int64N(int64(time.Second))), func() { g.ask("REGISTER", &wish{}) })
		}
		a.run()
		for name, g := range a.agents {
			if !g.over {
				t.Errorf("seed %d: the call of %s was not hung up: %s", seed, name, g.went)
			}
		}
		n := a.core.Counters()
		t.Logf("seed %d: %d calls, %d answered; %d datagrams lost, %d repeated by phones", seed, n.Calls, n.Completed, a.lost, a.again)
		if n.Calls != pairs || n.Completed != pairs {
			t.Errorf("seed %d: %d calls, %d answered, want %d", seed, n.Calls, n.Completed, pairs)
		}
		a.core.out = a.world
		a.finish()
	}
}
