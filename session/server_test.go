package session

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// serverTimers are the timers of RFC 3261 17.2 and RFC 6026 by name.
var serverTimers = map[string]struct {
	invite bool
	state  State
	at     func(*Server) time.Time
}{
	"G": {true, Completed, func(s *Server) time.Time { return s.retransmit }},
	"H": {true, Completed, func(s *Server) time.Time { return s.end }},
	"I": {true, Confirmed, func(s *Server) time.Time { return s.end }},
	"J": {false, Completed, func(s *Server) time.Time { return s.end }},
	"L": {true, Accepted, func(s *Server) time.Time { return s.end }},
}

// serverMachine has the events "start", "again" (the request once more), "ack", the status
// of a response that the user wants to send, "give-up", and "slow": the end of the wait for the first
// response (RFC 4320 4.1), a timer without a letter.
func serverMachine(s *Server, invite bool) machine {
	return machine{
		transaction: s,
		event: func(now time.Time, name string) (Action, bool) {
			switch name {
			case "start":
				s.Start(now, invite)
				return 0, true
			case "again":
				return s.Request(), true
			case "ack":
				return s.Ack(now), true
			case "give-up":
				s.GiveUp(now)
				return 0, true
			case "slow":
				if !s.slow.Equal(now) || s.Tick(now.Add(-1)) != 0 {
					return 0, false
				}
				return s.Tick(now), true
			}
			status, err := strconv.Atoi(name)
			return s.Respond(now, status), err == nil
		},
		timer: func(name string) time.Time {
			x, ok := serverTimers[name]
			if !ok || x.invite != s.invite || x.state != s.State() {
				return time.Time{}
			}
			return x.at(s)
		},
	}
}

// RFC 3261 figure 7 with RFC 6026 figure 5.
var inviteServerScripts = []struct{ name, script string }{
	{"answered: copies of the INVITE are absorbed, each 2xx goes out, L is not prolonged", `
		0       start   -             proceeding
		0       100     send          proceeding
		2       180     send          proceeding
		9       200     send          accepted
		9.1     again   -             accepted
		9.5     200     send          accepted    # the far side repeats it
		9.6     ack     pass          accepted
		10.5    202     send          accepted    # another fork
		11      180     -             accepted
		11      486     -             accepted
		40.9    again   -             accepted
		41      L       done          terminated
		41      again   -             terminated
		41      200     -             terminated
		41      ack     -             terminated`},

	{"copies of the INVITE get the last provisional response", `
		0       start   -             proceeding
		0.1     again   -             proceeding  # nothing was sent yet
		0.2     100     send          proceeding
		0.5     again   send          proceeding
		1.5     again   send          proceeding
		2       180     send          proceeding
		3.5     again   send          proceeding
		3.6     ack     -             proceeding  # there is nothing to acknowledge
		4       200     send          accepted
		36      L       done          terminated`},

	{"refused and acknowledged", `
		0       start   -             proceeding
		1       486     send          completed
		1.1     ack     -             confirmed
		1.2     ack     -             confirmed   # a copy, absorbed
		1.3     again   -             confirmed
		1.4     486     -             confirmed
		1.5     200     -             confirmed
		6.1     I       done          terminated
		6.2     ack     -             terminated`},

	{"refused, no ACK: timer G doubles up to T2, H ends after 64*T1", `
		0       start   -             proceeding
		1       486     send          completed
		1.5     G       send          completed
		2.5     G       send          completed
		4.5     G       send          completed
		8.5     G       send          completed
		12.5    G       send          completed
		16.5    G       send          completed
		20.5    G       send          completed
		24.5    G       send          completed
		28.5    G       send          completed
		32.5    G       send          completed
		33      H       timeout+done  terminated`},

	{"refused, the ACK comes late; copies of the INVITE do not move timer G", `
		0       start   -             proceeding
		0       407     send          completed
		0.3     again   send          completed
		0.5     G       send          completed
		0.6     again   send          completed
		1.5     G       send          completed
		2       ack     -             confirmed   # G and H stop
		7       I       done          terminated`},

	{"only the first final response counts", `
		0       start   -             proceeding
		0       603     send          completed
		0.1     486     -             completed
		0.2     200     -             completed
		0.3     180     -             completed
		0.4     ack     -             confirmed
		5.4     I       done          terminated`},

	{"the user takes his time: no timer runs", `
		0       start   -             proceeding
		0       100     send          proceeding
		3600    again   send          proceeding
		7200    404     send          completed
		7200.1  ack     -             confirmed
		7205.1  I       done          terminated`},
}

func TestInviteServer(t *testing.T) {
	for _, s := range inviteServerScripts {
		t.Run(s.name, func(t *testing.T) { play(t, serverMachine(new(Server), true), s.script) })
	}
}

// RFC 3261 figure 8.
var otherServerScripts = []struct{ name, script string }{
	{"answered; copies get the answer again, J is not prolonged", `
		0       start   -             trying
		0.2     200     send          completed
		0.5     again   send          completed
		1.5     again   send          completed
		1.6     404     -             completed
		1.7     100     -             completed
		32.1    again   send          completed
		32.2    J       done          terminated
		32.2    again   -             terminated`},

	{"copies before the first response are absorbed, later ones get it", `
		0       start   -             trying
		0.5     again   -             trying
		1.5     again   -             trying
		2       100     send          proceeding
		3.5     again   send          proceeding
		4       180     send          proceeding
		7.5     again   send          proceeding
		8       486     send          completed   # it is not repeated by us: no timer G
		11.5    again   send          completed
		40      J       done          terminated`},

	{"nothing comes for 3.5 s, when the client's timer E becomes T2: time for a 100", `
		0       start   -             trying
		0.5     again   -             trying
		1.5     again   -             trying
		3.5     slow    slow          trying
		3.5     100     send          proceeding
		7.5     again   send          proceeding
		9       200     send          completed
		41      J       done          terminated`},

	{"that 100 is for the user to send; a final response instead is as good", `
		0       start   -             trying
		3.5     slow    slow          trying
		3.6     again   -             trying
		4       503     send          completed
		36      J       done          terminated`},

	{"the user gives up: copies are still absorbed", `
		0       start   -             trying
		1       give-up -             completed
		1.5     again   -             completed
		2       200     -             completed
		33      J       done          terminated`},

	{"the user gives up after a 100, which copies get again", `
		0       start   -             trying
		3.5     slow    slow          trying
		3.5     100     send          proceeding
		20      give-up -             completed
		23.5    again   send          completed
		24      give-up -             completed
		52      J       done          terminated`},

	{"an ACK has no place here", `
		0       start   -             trying
		0.1     ack     -             trying
		0.2     404     send          completed
		0.3     ack     -             completed
		32.2    J       done          terminated`},
}

func TestOtherServer(t *testing.T) {
	for _, s := range otherServerScripts {
		t.Run(s.name, func(t *testing.T) { play(t, serverMachine(new(Server), false), s.script) })
	}
}

// serverIn is a server transaction in a given state. In Proceeding it has sent a
// provisional response.
func serverIn(invite bool, s State) *Server {
	var x Server
	x.Start(noon, invite)
	switch s {
	case Proceeding:
		x.Respond(noon, 180)
	case Accepted:
		x.Respond(noon, 200)
	case Completed:
		x.Respond(noon, 404)
	case Confirmed:
		x.Respond(noon, 404)
		x.Ack(noon)
	case Terminated:
		x.Respond(noon, 404)
		x.Ack(noon)
		x.Tick(x.Deadline())
	}
	return &x
}

// Every event in every state.
func TestServerEvents(t *testing.T) {
	events := []string{"again", "ack", "100", "199", "200", "299", "300", "486", "603"}
	for _, row := range []struct {
		invite bool
		from   State
		want   string // one for each event
	}{
		{true, Proceeding, "send/proceeding -/proceeding send/proceeding send/proceeding send/accepted send/accepted send/completed send/completed send/completed"},
		{true, Completed, "send/completed -/confirmed -/completed -/completed -/completed -/completed -/completed -/completed -/completed"},
		{true, Confirmed, "-/confirmed -/confirmed -/confirmed -/confirmed -/confirmed -/confirmed -/confirmed -/confirmed -/confirmed"},
		{true, Accepted, "-/accepted pass/accepted -/accepted -/accepted send/accepted send/accepted -/accepted -/accepted -/accepted"},
		{true, Terminated, "-/terminated -/terminated -/terminated -/terminated -/terminated -/terminated -/terminated -/terminated -/terminated"},
		{false, Trying, "-/trying -/trying send/proceeding send/proceeding send/completed send/completed send/completed send/completed send/completed"},
		{false, Proceeding, "send/proceeding -/proceeding send/proceeding send/proceeding send/completed send/completed send/completed send/completed send/completed"},
		{false, Completed, "send/completed -/completed -/completed -/completed -/completed -/completed -/completed -/completed -/completed"},
		{false, Terminated, "-/terminated -/terminated -/terminated -/terminated -/terminated -/terminated -/terminated -/terminated -/terminated"},
	} {
		for i, want := range strings.Fields(row.want) {
			s := serverIn(row.invite, row.from)
			if s.State() != row.from {
				t.Fatalf("meant to be %s, is %s", row.from, s.State())
			}
			if waiting := row.from <= Proceeding; s.Waiting() != waiting {
				t.Errorf("%s: Waiting() = %v", row.from, s.Waiting())
			}
			act, ok := serverMachine(s, row.invite).event(noon, events[i])
			if got := actions(act) + "/" + s.State().String(); !ok || got != want {
				t.Errorf("invite %v, %s, %s: got %s, want %s", row.invite, row.from, events[i], got, want)
			}
		}
	}
}

// A tick that comes late does each thing once, and H comes before G.
func TestServerLateTick(t *testing.T) {
	for _, x := range []struct {
		tick time.Duration
		want Action
		next time.Duration // 0: no deadline
	}{
		{700 * time.Millisecond, Send, 1700 * time.Millisecond},
		{9 * time.Second, Send, 10 * time.Second},
		{40 * time.Second, Timeout | Done, 0},
	} {
		s := serverIn(true, Completed)
		if got := s.Tick(noon.Add(x.tick)); got != x.want {
			t.Errorf("%v: got %s, want %s", x.tick, actions(got), actions(x.want))
		}
		var next time.Time
		if x.next > 0 {
			next = noon.Add(x.next)
		}
		if !s.Deadline().Equal(next) {
			t.Errorf("%v: next at %v, want %v", x.tick, s.Deadline(), next)
		}
	}
}

func TestServerStartsAnew(t *testing.T) {
	for _, state := range []State{Proceeding, Accepted, Completed, Confirmed, Terminated} {
		s, fresh := serverIn(true, state), Server{}
		s.Start(noon, false)
		fresh.Start(noon, false)
		if *s != fresh {
			t.Errorf("started in %s: %+v, want %+v", state, *s, fresh)
		}
	}
}

// Whatever comes in whatever order, the transaction keeps to the arrows of its diagram,
// takes one final response, says Done once, and is silent after that. Once answered, it
// ends by itself.
func TestServerAnyOrder(t *testing.T) {
	arrows := edges{
		Trying:     {Proceeding, Completed},
		Proceeding: {Accepted, Completed},
		Accepted:   {Terminated},
		Completed:  {Confirmed, Terminated},
		Confirmed:  {Terminated},
	}
	rnd := rand.New(rand.NewPCG(3261, 17))
	events := []string{"again", "ack", "100", "180", "200", "202", "301", "486"}
	for walk := range 2000 {
		var s Server
		m := serverMachine(&s, walk%2 == 0)
		m.event(noon, "start")
		now, answered, dones := noon, false, 0
		do := func(act Action, was State) {
			if !arrows.allow(was, s.State()) {
				t.Fatalf("walk %d: %s to %s", walk, was, s.State())
			}
			if was == Terminated && act != 0 {
				t.Fatalf("walk %d: %s after the end", walk, actions(act))
			}
			if act.Has(Done) != (was != Terminated && s.State() == Terminated) {
				t.Fatalf("walk %d: %s on the way from %s to %s", walk, actions(act), was, s.State())
			}
			if act.Has(Done) {
				dones++
			}
			idle := s.Waiting() && s.slow.IsZero() || s.State() == Terminated
			if idle != s.Deadline().IsZero() || !s.slow.IsZero() && s.State() != Trying {
				t.Fatalf("walk %d: %s with deadline %v", walk, s.State(), s.Deadline())
			}
		}
		for range rnd.IntN(16) {
			now = now.Add(time.Duration(rnd.Int64N(int64(8 * time.Second))))
			for !s.Deadline().IsZero() && !s.Deadline().After(now) {
				was, at := s.State(), s.Deadline()
				act := s.Tick(now)
				if act == 0 || s.Deadline().Equal(at) {
					t.Fatalf("walk %d: nothing came of the deadline in %s", walk, was)
				}
				do(act, was)
			}
			was, name := s.State(), events[rnd.IntN(len(events))]
			act, _ := m.event(now, name)
			if final := name[0] >= '2' && name[0] <= '6'; final && act.Has(Send) {
				if answered && was != Accepted {
					t.Fatalf("walk %d: a second final response in %s", walk, was)
				}
				answered = true
			}
			do(act, was)
		}
		if !answered {
			was := s.State()
			do(s.Respond(now, 500), was)
		}
		limit := Later(now.Add(Lifetime))
		for !s.Deadline().IsZero() {
			was := s.State()
			now = s.Deadline()
			do(s.Tick(now), was)
		}
		if dones != 1 || now.After(limit) {
			t.Fatalf("walk %d: %d times Done, the last at %v", walk, dones, now.Sub(noon))
		}
	}
}

func TestServerAllocatesNothing(t *testing.T) {
	s := new(Server)
	n := testing.AllocsPerRun(100, func() {
		for _, status := range []int{200, 486} {
			s.Start(noon, true)
			s.Respond(noon, 100)
			s.Request()
			s.Respond(noon, status)
			s.Tick(s.Deadline())
			s.Ack(noon)
			s.Tick(s.Deadline())
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The letters A to M are all there, each once.
func TestTimerNames(t *testing.T) {
	var names []string
	for name := range clientTimers {
		names = append(names, name)
	}
	for name := range serverTimers {
		names = append(names, name)
	}
	slices.Sort(names)
	if got := strings.Join(names, ""); got != "ABCDEFGHIJKLM" {
		t.Errorf("timers %s", got)
	}
	var scripts strings.Builder
	for _, all := range [][]struct{ name, script string }{
		inviteClientScripts, otherClientScripts, inviteServerScripts, otherServerScripts,
	} {
		for _, s := range all {
			scripts.WriteString(s.script + " ")
		}
	}
	fields := strings.Fields(scripts.String())
	for _, name := range names {
		if !slices.Contains(fields, name) {
			t.Errorf("timer %s never fires in a script", name)
		}
	}
}
