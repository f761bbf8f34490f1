package session

import "time"

// Client is a client transaction, RFC 3261 17.1. The zero value is not ready: use Start.
type Client struct {
	invite     bool
	cancelled  bool
	abandoned  bool
	state      State
	interval   time.Duration // the next one of timer A or E
	retransmit time.Time     // timer A or E
	end        time.Time     // timer B, D, F, K or M
	c          time.Time     // timer C
	timerC     time.Duration
}

// Start begins the transaction; its owner has just sent the request. timerC bounds the
// wait for a final response to an INVITE from its last provisional one on.
func (t *Client) Start(now time.Time, invite bool, timerC time.Duration) {
	*t = Client{invite: invite, state: Trying, interval: T1, timerC: timerC}
	t.retransmit = now.Add(T1)
	t.end = now.Add(Lifetime)
	if invite {
		t.state = Calling
		t.c = now.Add(timerC)
	}
}

// State gives the current state.
func (t *Client) State() State { return t.state }

// Deadline is when Tick wants to be called next; zero once terminated.
func (t *Client) Deadline() time.Time {
	return earliest(earliest(t.retransmit, t.end), t.c)
}

// Waiting says that no final response came yet.
func (t *Client) Waiting() bool { return t.state <= Proceeding }

// Receive takes a response's status.
func (t *Client) Receive(now time.Time, status int) Action {
	if t.invite {
		return t.receiveInvite(now, status)
	}
	if !t.Waiting() {
		return 0
	}
	if status < 200 {
		t.state = Proceeding
		// RFC 3261 17.1.2.2: in Proceeding, timer E is T2.
		t.interval = T2
		return Pass
	}
	t.state, t.retransmit, t.end = Completed, time.Time{}, Later(now.Add(T4)) // timer K
	return Pass
}

func (t *Client) receiveInvite(now time.Time, status int) Action {
	switch {
	case t.Waiting() && status < 200:
		t.state, t.retransmit = Proceeding, time.Time{}
		// RFC 3261 16.7 step 2: a 101-199 response resets timer C. After a CANCEL, the
		// wait for the final response is not prolonged.
		if !t.cancelled {
			t.end = time.Time{}
			if status > 100 {
				t.c = now.Add(t.timerC)
			}
		}
		return Pass
	case t.Waiting() && status < 300:
		t.state, t.retransmit, t.c = Accepted, time.Time{}, time.Time{}
		t.end = Later(now.Add(Lifetime)) // timer M
		return Pass
	case t.Waiting():
		t.state, t.retransmit, t.c = Completed, time.Time{}, time.Time{}
		t.end = Later(now.Add(Lifetime)) // timer D
		return Pass | Ack
	case t.state == Accepted && status >= 200 && status < 300:
		// RFC 6026 7.2: 2xx retransmissions and those of other forks pass to the user.
		return Pass
	case t.state == Completed && status >= 300:
		return Ack
	}
	return 0
}

// Cancel notes that a CANCEL was sent, which RFC 3261 9.1 allows from the first provisional
// response on. Without a final response within 64*T1 the transaction counts as cancelled;
// to cancel again does not prolong that, nor does it prolong timer B. After a final response
// Cancel changes nothing.
func (t *Client) Cancel(now time.Time) {
	if !t.Waiting() {
		return
	}
	t.cancelled = true
	t.c = time.Time{}
	t.end = earliest(t.end, now.Add(Lifetime))
}

// Abandon keeps timer A or E from sending the request again once Patience is over; its owner is told then that all
// is Silent. It is for a request that nobody waits for any more, but to which no response has come, so that RFC 3261 9.1
// does not allow a CANCEL yet. Till then it is sent as before: the only response may be lost, and a phone that
// rings brings it again with the next copy. Later Abandon changes nothing.
func (t *Client) Abandon() { t.abandoned = t.state < Proceeding }

// Cancelled says whether Cancel was called in time.
func (t *Client) Cancelled() bool { return t.cancelled }

// Tick acts on the first deadline that has come. After Expired alone the owner sends a
// CANCEL and calls Cancel: nothing else bounds the wait any more.
func (t *Client) Tick(now time.Time) Action {
	switch {
	// RFC 3261 16.8: if timer C fires before any provisional response, "the proxy MUST
	// behave as if the transaction received a 408", just as after timer B.
	case due(t.end, now), t.state == Calling && due(t.c, now):
		waiting := t.Waiting()
		t.stop()
		switch {
		case waiting && t.cancelled:
			return Expired | Done
		case waiting:
			return Timeout | Done
		}
		return Done
	case due(t.c, now):
		t.c = time.Time{}
		return Expired
	case due(t.retransmit, now):
		act := Send
		if t.interval == 4*T1 { // which in Proceeding it never is
			act |= Silent
		}
		t.retransmit = now.Add(t.next())
		if t.abandoned && t.interval > 4*T1 {
			act &^= Send
			t.retransmit = time.Time{}
		}
		return act
	}
	return 0
}

// next doubles the retransmission interval: timer A without a limit, E up to T2.
func (t *Client) next() time.Duration {
	t.interval *= 2
	if !t.invite && t.interval > T2 {
		t.interval = T2
	}
	return t.interval
}

func (t *Client) stop() {
	t.state = Terminated
	t.retransmit, t.end, t.c = time.Time{}, time.Time{}, time.Time{}
}
