package session

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clientTimers are the timers of RFC 3261 17.1, 16.6 and RFC 6026 by name: where they
// run, and which deadline they are.
var clientTimers = map[string]struct {
	invite bool
	states []State
	at     func(*Client) time.Time
}{
	"A": {true, []State{Calling}, func(c *Client) time.Time { return c.retransmit }},
	"B": {true, []State{Calling}, func(c *Client) time.Time { return c.end }},
	"C": {true, []State{Calling, Proceeding}, func(c *Client) time.Time { return c.c }},
	"D": {true, []State{Completed}, func(c *Client) time.Time { return c.end }},
	"E": {false, []State{Trying, Proceeding}, func(c *Client) time.Time { return c.retransmit }},
	"F": {false, []State{Trying, Proceeding}, func(c *Client) time.Time { return c.end }},
	"K": {false, []State{Completed}, func(c *Client) time.Time { return c.end }},
	"M": {true, []State{Accepted}, func(c *Client) time.Time { return c.end }},
}

// clientMachine has the events "start", "cancel", "abandon", a response's status, and "end", which
// is the end of the wait after a CANCEL (RFC 3261 9.1): that timer has no letter.
func clientMachine(c *Client, invite bool, timerC time.Duration) machine {
	return machine{
		transaction: c,
		event: func(now time.Time, name string) (Action, bool) {
			switch name {
			case "start":
				c.Start(now, invite, timerC)
				return 0, true
			case "cancel":
				c.Cancel(now)
				return 0, true
			case "abandon":
				c.Abandon()
				return 0, true
			case "end":
				if !c.Cancelled() || !c.end.Equal(now) || c.Tick(now.Add(-1)) != 0 {
					return 0, false
				}
				return c.Tick(now), true
			}
			status, err := strconv.Atoi(name)
			return c.Receive(now, status), err == nil
		},
		timer: func(name string) time.Time {
			x, ok := clientTimers[name]
			if !ok || x.invite != c.invite || !slices.Contains(x.states, c.State()) {
				return time.Time{}
			}
			return x.at(c)
		},
	}
}

// RFC 3261 figure 5 with RFC 6026 figure 4, and the proxy's timer C.
var inviteClientScripts = []struct{ name, script string }{
	{"no answer: timer A doubles without a limit, B ends after 64*T1", `
		0       start   -             calling
		0.5     A       send          calling
		1.5     A       send          calling
		3.5     A       send+silent   calling
		7.5     A       send          calling
		15.5    A       send          calling
		31.5    A       send          calling
		32      B       timeout+done  terminated`},

	{"abandoned before any response: sent twice at the most, and a late one can be cancelled", `
		0       start   -             calling
		0.5     A       send          calling
		1       abandon -             calling
		1.5     A       send          calling
		3.5     A       silent        calling     # not again; timer B goes on
		20      100     pass          proceeding
		20      cancel  -             proceeding
		21      abandon -             proceeding
		22      487     pass+ack      completed
		54      D       done          terminated`},

	{"abandoned, and nobody is there", `
		0       start   -             calling
		0.1     abandon -             calling
		0.5     A       send          calling
		1.5     A       send          calling
		3.5     A       silent        calling
		32      B       timeout+done  terminated`},

	{"abandoned when the silence has been told", `
		0       start   -             calling
		0.5     A       send          calling
		1.5     A       send          calling
		3.5     A       send+silent   calling
		4       abandon -             calling
		7.5     A       -             calling
		32      B       timeout+done  terminated`},

	{"answered at once", `
		0       start   -             calling
		0.01    200     pass          accepted
		32.1    M       done          terminated`},

	{"rings, is answered", `
		0       start   -             calling
		0.1     100     pass          proceeding  # timers A and B stop
		2       180     pass          proceeding
		3       180     pass          proceeding  # each one is news for the user
		9       200     pass          accepted    # C stops
		41      M       done          terminated`},

	{"a provisional response after retransmissions", `
		0       start   -             calling
		0.5     A       send          calling
		1.5     A       send          calling
		2       180     pass          proceeding
		33      200     pass          accepted    # well after B would have run out
		65      M       done          terminated`},

	{"2xx again, and of other forks: all pass, M is not prolonged", `
		0       start   -             calling
		0.2     299     pass          accepted
		0.7     299     pass          accepted
		1.7     200     pass          accepted
		3       180     -             accepted
		3       486     -             accepted
		32.1    200     pass          accepted
		32.2    M       done          terminated
		32.2    200     -             terminated`},

	{"refused: each copy of the response gets its ACK, D is not prolonged", `
		0       start   -             calling
		0.2     100     pass          proceeding
		4       486     pass+ack      completed
		4.5     486     ack           completed
		5.5     486     ack           completed
		7.5     603     ack           completed
		8       180     -             completed
		8       299     -             completed
		35.9    486     ack           completed
		36      D       done          terminated
		36      486     -             terminated`},

	{"refused at once", `
		0       start   -             calling
		0.3     300     pass+ack      completed
		32.3    D       done          terminated`},

	{"rings too long: C", `
		0       start   -             calling
		0.4     180     pass          proceeding
		180.4   C       expired       proceeding
		180.4   cancel  -             proceeding
		180.5   487     pass+ack      completed
		212.5   D       done          terminated`},

	{"C begins anew with 101 to 199, not with 100", `
		0       start   -             calling
		0.1     100     pass          proceeding
		100     101     pass          proceeding
		200     199     pass          proceeding
		300     100     pass          proceeding
		380     C       expired       proceeding
		380     cancel  -             proceeding
		412     end     expired+done  terminated`},

	{"answered just before C would fire: C stops", `
		0       start   -             calling
		0.4     180     pass          proceeding
		170     200     pass          accepted
		202     M       done          terminated`},

	{"refused just before C would fire: C stops", `
		0       start   -             calling
		0.4     180     pass          proceeding
		170     486     pass+ack      completed
		202     D       done          terminated`},

	{"100 alone: C runs from the start", `
		0       start   -             calling
		0.4     100     pass          proceeding
		180     C       expired       proceeding
		180     cancel  -             proceeding
		180.5   487     pass+ack      completed
		212.5   D       done          terminated`},

	{"a 180 beside the CANCEL of timer C does not prolong the wait", `
		0       start   -             calling
		0.4     180     pass          proceeding
		180.4   C       expired       proceeding
		180.4   cancel  -             proceeding
		182     180     pass          proceeding
		212.4   end     expired+done  terminated
		212.4   487     -             terminated`},

	{"cancelled: 487", `
		0       start   -             calling
		0.4     180     pass          proceeding
		5       cancel  -             proceeding
		5.1     487     pass+ack      completed
		5.6     487     ack           completed
		37.1    D       done          terminated`},

	{"cancelled, crossed by a 200", `
		0       start   -             calling
		0.4     180     pass          proceeding
		5       cancel  -             proceeding
		5.1     200     pass          accepted
		37.1    M       done          terminated`},

	{"cancelled, nothing follows; a second cancel does not prolong it", `
		0       start   -             calling
		0.4     180     pass          proceeding
		5       cancel  -             proceeding
		20      cancel  -             proceeding
		37      end     expired+done  terminated`},

	{"cancelled just before C would fire: C stops", `
		0       start   -             calling
		0.4     180     pass          proceeding
		170     cancel  -             proceeding
		202     end     expired+done  terminated`},

	{"C fires once, whether or not a CANCEL is sent", `
		0       start   -             calling
		0.4     180     pass          proceeding
		180.4   C       expired       proceeding`},

	{"after C another ring: C begins anew", `
		0       start   -             calling
		0.4     180     pass          proceeding
		180.4   C       expired       proceeding
		190     180     pass          proceeding
		370     C       expired       proceeding
		371     cancel  -             proceeding
		371.1   487     pass+ack      completed
		403.1   D       done          terminated`},

	{"cancelled too late: no effect", `
		0       start   -             calling
		0.1     200     pass          accepted
		20      cancel  -             accepted
		32.1    M       done          terminated
		33      cancel  -             terminated`},

	{"cancelled too late after a refusal: no effect", `
		0       start   -             calling
		0.1     486     pass+ack      completed
		20      cancel  -             completed
		32.1    D       done          terminated`},
}

func TestInviteClient(t *testing.T) {
	for _, s := range inviteClientScripts {
		t.Run(s.name, func(t *testing.T) {
			play(t, clientMachine(new(Client), true, 3*time.Minute), s.script)
		})
	}
}

// RFC 3261 16.8: "If the client transaction has not received a provisional response, the
// proxy MUST behave as if the transaction received a 408".
func TestTimerCBeforeB(t *testing.T) {
	play(t, clientMachine(new(Client), true, 10*time.Second), `
		0       start   -             calling
		0.5     A       send          calling
		1.5     A       send          calling
		3.5     A       send+silent   calling
		7.5     A       send          calling
		10      C       timeout+done  terminated`)
}

// RFC 3261 figure 6.
var otherClientScripts = []struct{ name, script string }{
	{"no answer: timer E doubles up to T2, F ends after 64*T1", `
		0       start   -             trying
		0.5     E       send          trying
		1.5     E       send          trying
		3.5     E       send+silent   trying
		7.5     E       send          trying
		11.5    E       send          trying
		15.5    E       send          trying
		19.5    E       send          trying
		23.5    E       send          trying
		27.5    E       send          trying
		31.5    E       send          trying
		32      F       timeout+done  terminated`},

	{"answered; copies are absorbed, K is not prolonged", `
		0       start   -             trying
		0.2     200     pass          completed
		0.7     200     -             completed
		1       100     -             completed
		5.1     404     -             completed
		5.2     K       done          terminated
		5.2     200     -             terminated`},

	{"refused, after retransmissions", `
		0       start   -             trying
		0.5     E       send          trying
		1.5     E       send          trying
		2       404     pass          completed
		7       K       done          terminated`},

	{"a provisional response: E goes on, from its next firing with T2, and F stays", `
		0       start   -             trying
		0.1     100     pass          proceeding
		0.5     E       send          proceeding
		4.5     E       send          proceeding
		6       180     pass          proceeding
		8.5     E       send          proceeding
		12.5    E       send          proceeding
		16.5    E       send          proceeding
		20.5    E       send          proceeding
		24.5    E       send          proceeding
		28.5    E       send          proceeding
		32      F       timeout+done  terminated`}, // 32.5 would be the next E

	{"abandoned after 3.5 s: not sent again, nor after a provisional response, and a late answer passes", `
		0       start   -             trying
		0.5     E       send          trying
		1.5     E       send          trying
		3.5     E       send+silent   trying
		3.5     abandon -             trying
		7.5     E       -             trying
		8       100     pass          proceeding
		20      200     pass          completed
		25      K       done          terminated`},

	{"abandoned, and nobody is there", `
		0       start   -             trying
		0.1     abandon -             trying
		0.5     E       send          trying
		1.5     E       send          trying
		3.5     E       silent        trying
		32      F       timeout+done  terminated`},

	{"a provisional response late in the row", `
		0       start   -             trying
		0.5     E       send          trying
		1.5     E       send          trying
		2       100     pass          proceeding
		3.5     E       send          proceeding
		7.5     E       send          proceeding
		9       200     pass          completed
		14      K       done          terminated`},
}

func TestOtherClient(t *testing.T) {
	for _, s := range otherClientScripts {
		t.Run(s.name, func(t *testing.T) {
			play(t, clientMachine(new(Client), false, 3*time.Minute), s.script)
		})
	}
}

// clientIn is a client transaction in a given state.
func clientIn(invite bool, s State) *Client {
	var c Client
	c.Start(noon, invite, TimerC)
	switch s {
	case Proceeding:
		c.Receive(noon, 180)
	case Accepted:
		c.Receive(noon, 200)
	case Completed:
		c.Receive(noon, 404)
	case Terminated:
		c.Receive(noon, 404)
		c.Tick(c.Deadline())
	}
	return &c
}

// Every response in every state.
func TestClientResponses(t *testing.T) {
	statuses := []int{100, 199, 200, 300, 486, 699}
	for _, row := range []struct {
		invite bool
		from   State
		want   string // one for each status
	}{
		{true, Calling, "pass/proceeding pass/proceeding pass/accepted pass+ack/completed pass+ack/completed pass+ack/completed"},
		{true, Proceeding, "pass/proceeding pass/proceeding pass/accepted pass+ack/completed pass+ack/completed pass+ack/completed"},
		{true, Completed, "-/completed -/completed -/completed ack/completed ack/completed ack/completed"},
		{true, Accepted, "-/accepted -/accepted pass/accepted -/accepted -/accepted -/accepted"},
		{true, Terminated, "-/terminated -/terminated -/terminated -/terminated -/terminated -/terminated"},
		{false, Trying, "pass/proceeding pass/proceeding pass/completed pass/completed pass/completed pass/completed"},
		{false, Proceeding, "pass/proceeding pass/proceeding pass/completed pass/completed pass/completed pass/completed"},
		{false, Completed, "-/completed -/completed -/completed -/completed -/completed -/completed"},
		{false, Terminated, "-/terminated -/terminated -/terminated -/terminated -/terminated -/terminated"},
	} {
		for i, want := range strings.Fields(row.want) {
			c := clientIn(row.invite, row.from)
			if c.State() != row.from {
				t.Fatalf("meant to be %s, is %s", row.from, c.State())
			}
			if waiting := row.from <= Proceeding; c.Waiting() != waiting {
				t.Errorf("%s: Waiting() = %v", row.from, c.Waiting())
			}
			act := c.Receive(noon, statuses[i])
			if got := actions(act) + "/" + c.State().String(); got != want {
				t.Errorf("invite %v, %s, %d: got %s, want %s", row.invite, row.from, statuses[i], got, want)
			}
		}
	}
}

// A tick that comes late does each thing once, and the end comes before what it ends.
func TestClientLateTick(t *testing.T) {
	second := func(s float64) time.Time { return noon.Add(time.Duration(s * float64(time.Second))) }
	for _, x := range []struct {
		name   string
		invite bool
		tick   float64
		want   Action
		next   float64 // seconds; 0: no deadline
	}{
		{"one retransmission, and the interval counts from it", true, 0.7, Send, 1.7},
		{"several retransmissions missed: one is made up for", true, 9, Send, 10},
		{"several retransmissions missed, not INVITE", false, 9, Send, 10},
		{"A and B both due", true, 40, Timeout | Done, 0},
		{"E and F both due", false, 40, Timeout | Done, 0},
		{"A, B and C all due", true, 4000, Timeout | Done, 0},
	} {
		var c Client
		c.Start(noon, x.invite, TimerC)
		if got := c.Tick(second(x.tick)); got != x.want {
			t.Errorf("%s: got %s, want %s", x.name, actions(got), actions(x.want))
		}
		var next time.Time
		if x.next > 0 {
			next = second(x.next)
		}
		if !c.Deadline().Equal(next) {
			t.Errorf("%s: next at %v, want %v", x.name, c.Deadline(), next)
		}
	}
}

func TestClientCancelled(t *testing.T) {
	for s, want := range map[State]bool{Calling: true, Proceeding: true, Accepted: false, Completed: false, Terminated: false} {
		c := clientIn(true, s)
		deadline := c.Deadline()
		c.Cancel(noon.Add(time.Second))
		if c.Cancelled() != want {
			t.Errorf("%s: Cancelled() = %v, want %v", s, c.Cancelled(), want)
		}
		if !want && !c.Deadline().Equal(deadline) {
			t.Errorf("%s: Cancel moved the deadline", s)
		}
	}
	// Against the rules, before any response: B stays as it is, and A runs until then.
	c := clientIn(true, Calling)
	c.Tick(noon.Add(31 * time.Second))
	c.Cancel(noon.Add(31 * time.Second))
	if got := c.Tick(noon.Add(32 * time.Second)); got != Expired|Done {
		t.Errorf("timer B after a CANCEL: %s", actions(got))
	}
}

func TestClientStartsAnew(t *testing.T) {
	for _, s := range []State{Calling, Proceeding, Accepted, Completed, Terminated} {
		c, fresh := clientIn(true, s), Client{}
		c.Cancel(noon)
		c.Start(noon, true, TimerC)
		fresh.Start(noon, true, TimerC)
		if *c != fresh {
			t.Errorf("started in %s: %+v, want %+v", s, *c, fresh)
		}
	}
}

// Whatever comes in whatever order, the transaction keeps to the arrows of its diagram,
// names no deadline that it does not act on, says Done once, and is silent after that. Left
// alone, it ends.
func TestClientAnyOrder(t *testing.T) {
	arrows := edges{
		Calling:    {Proceeding, Accepted, Completed, Terminated},
		Trying:     {Proceeding, Completed, Terminated},
		Proceeding: {Accepted, Completed, Terminated},
		Accepted:   {Terminated},
		Completed:  {Terminated},
	}
	rnd := rand.New(rand.NewPCG(3261, 17))
	statuses := []int{100, 180, 183, 199, 200, 202, 302, 404, 487, 503, 603}
	for walk := range 2000 {
		var c Client
		c.Start(noon, walk%2 == 0, TimerC)
		now, dones := noon, 0
		do := func(act Action, was State) {
			if !arrows.allow(was, c.State()) {
				t.Fatalf("walk %d: %s to %s", walk, was, c.State())
			}
			if was == Terminated && act != 0 {
				t.Fatalf("walk %d: %s after the end", walk, actions(act))
			}
			if act.Has(Done) != (was != Terminated && c.State() == Terminated) {
				t.Fatalf("walk %d: %s on the way from %s to %s", walk, actions(act), was, c.State())
			}
			if act.Has(Done) {
				dones++
			}
			if act == Expired {
				c.Cancel(now)
			}
			if (c.State() == Terminated) != c.Deadline().IsZero() {
				t.Fatalf("walk %d: %s with deadline %v", walk, c.State(), c.Deadline())
			}
		}
		for range rnd.IntN(12) {
			now = now.Add(time.Duration(rnd.Int64N(int64(20 * time.Second))))
			for !c.Deadline().IsZero() && !c.Deadline().After(now) {
				was, at := c.State(), c.Deadline()
				act := c.Tick(now)
				if act == 0 || c.Deadline().Equal(at) {
					t.Fatalf("walk %d: nothing came of the deadline in %s", walk, was)
				}
				do(act, was)
			}
			was := c.State()
			if rnd.IntN(5) == 0 && c.invite && was != Calling {
				c.Cancel(now)
				do(0, was)
				continue
			}
			do(c.Receive(now, statuses[rnd.IntN(len(statuses))]), was)
		}
		limit := now.Add(TimerC + 2*Lifetime)
		for !c.Deadline().IsZero() {
			was := c.State()
			now = c.Deadline()
			do(c.Tick(now), was)
		}
		if dones != 1 || now.After(limit) {
			t.Fatalf("walk %d: %d times Done, the last at %v", walk, dones, now.Sub(noon))
		}
	}
}

func TestClientAllocatesNothing(t *testing.T) {
	c := new(Client)
	n := testing.AllocsPerRun(100, func() {
		for _, status := range []int{200, 486} {
			c.Start(noon, true, TimerC)
			c.Tick(c.Deadline())
			c.Receive(noon, 180)
			c.Cancel(noon)
			c.Receive(noon, status)
			c.Tick(c.Deadline())
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
