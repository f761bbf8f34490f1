package session

import "time"

// Server is a server transaction, RFC 3261 17.2.
type Server struct {
	invite     bool
	answered   bool // a provisional or final response was sent
	state      State
	interval   time.Duration // of timer G
	retransmit time.Time     // timer G
	end        time.Time     // timer H, I, J or L
	slow       time.Time     // when a 100 is due, RFC 4320 4.1
}

// Start begins the transaction with its request.
func (t *Server) Start(now time.Time, invite bool) {
	*t = Server{invite: invite, state: Trying}
	if invite {
		t.state = Proceeding
	} else {
		t.slow = now.Add(Patience)
	}
}

// State gives the current state.
func (t *Server) State() State { return t.state }

// Deadline is when Tick wants to be called next; zero while the user has the word.
func (t *Server) Deadline() time.Time { return earliest(earliest(t.retransmit, t.end), t.slow) }

// Waiting says that no final response was sent yet.
func (t *Server) Waiting() bool { return t.state <= Proceeding }

// Respond takes the status of a response that the user wants to send; without Send in
// what it returns, the response has no place any more.
func (t *Server) Respond(now time.Time, status int) Action {
	switch {
	case !t.Waiting():
		// RFC 6026 7.1: in Accepted every 2xx of the user goes out.
		if t.state == Accepted && status >= 200 && status < 300 {
			return Send
		}
		return 0
	case status < 200:
		t.state = Proceeding
	case t.invite && status < 300:
		t.state, t.end = Accepted, Later(now.Add(Lifetime)) // timer L
	case t.invite:
		t.state, t.end = Completed, Later(now.Add(Lifetime)) // timer H
		t.interval, t.retransmit = T1, now.Add(T1)
	default:
		t.state, t.end = Completed, Later(now.Add(Lifetime)) // timer J
	}
	t.answered, t.slow = true, time.Time{}
	return Send
}

// GiveUp notes that the user will send no final response. RFC 4320 4.2: a 408 to anything but
// an INVITE would come too late for its sender. Copies of the request are absorbed as after one.
func (t *Server) GiveUp(now time.Time) {
	if t.Waiting() {
		t.state, t.slow, t.end = Completed, time.Time{}, Later(now.Add(Lifetime))
	}
}

// Request takes a retransmission of the request.
func (t *Server) Request() Action {
	if t.answered && (t.state == Proceeding || t.state == Completed) {
		return Send
	}
	// RFC 6026 7.1: in Accepted, retransmissions "will be absorbed by the machine without
	// changing its state".
	return 0
}

// Ack takes an ACK that matched. In Accepted it belongs to a 2xx and passes.
func (t *Server) Ack(now time.Time) Action {
	switch t.state {
	case Completed:
		if t.invite {
			t.state, t.retransmit, t.end = Confirmed, time.Time{}, Later(now.Add(T4)) // timer I
		}
	case Accepted:
		return Pass
	}
	return 0
}

// Tick acts on the first deadline that has come.
func (t *Server) Tick(now time.Time) Action {
	switch {
	case due(t.end, now):
		unacknowledged := t.invite && t.state == Completed
		t.state, t.retransmit, t.end = Terminated, time.Time{}, time.Time{}
		if unacknowledged {
			return Timeout | Done
		}
		return Done
	case due(t.retransmit, now):
		t.interval = min(2*t.interval, T2)
		t.retransmit = now.Add(t.interval)
		return Send
	case due(t.slow, now):
		t.slow = time.Time{}
		return Slow
	}
	return 0
}
