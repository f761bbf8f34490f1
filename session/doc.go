// Package session holds the state of SIP signalling as pure state machines: nothing
// here reads a clock, sends a datagram or starts a goroutine. Each machine is told what
// happened and when, answers with the Actions to take, and names its next Deadline.
//
// It implements
//
//   - the INVITE and non-INVITE client transactions, RFC 3261 17.1, with the Accepted
//     state of RFC 6026 7.2 and timers A, B, D, E, F, K and M, and the proxy's timer C
//     (RFC 3261 16.6 step 11);
//   - the INVITE and non-INVITE server transactions, RFC 3261 17.2, with the Accepted
//     state of RFC 6026 7.1 and timers G, H, I, J and L, and the wait after which RFC 4320
//     4.1 wants a 100;
//   - the matching of requests to server transactions, RFC 3261 17.2.3, for branches with
//     the magic cookie and for RFC 2543 ones (AppendKey);
//   - the calls a proxy follows: what it knows of either side of a dialog (RFC 3261 12),
//     how far the call has come, and when it has been silent for too long;
//   - Timers, a queue of deadlines.
//
// Only unreliable transports are meant: over UDP no timer is zero, and a transport error
// is no event, since the timers tell of a silent peer as well. Sending, the 100 within 200 ms
// (RFC 3261 17.2.1), the response context of a forking proxy, offer and answer, and the
// media itself belong to the packages above.
package session

import "time"

// The base timers of RFC 3261 17.1.1.1 and 17.1.2.2.
const (
	T1 = 500 * time.Millisecond // round trip estimate
	T2 = 4 * time.Second        // longest interval between retransmissions
	T4 = 5 * time.Second        // how long a message stays in the network

	// Lifetime is 64*T1: timers B, F, H, J, L and M, and D ("at least 32 seconds"). Those after which a
	// transaction is only forgotten end up to a tenth of a second later: see Later.
	Lifetime = 64 * T1

	// Patience is how long a request other than INVITE waits for its first response. RFC 4320
	// 4.1: not before "the amount of time it takes a client transaction's Timer E to be reset
	// to T2", and no later, "an SIP element MUST respond to a non-INVITE request with a
	// Status-Code of 100 (Trying)". A client that has heard nothing for so long says so.
	Patience = T1 + 2*T1 + 4*T1

	// TimerC is how long a proxied INVITE may ring without news. RFC 3261 16.6
	// step 11: "The timer MUST be larger than 3 minutes."
	TimerC = 3*time.Minute + 5*time.Second
)

// Action is what a transaction asks its owner to do; several may be set.
type Action uint8

const (
	// Send: a client sends its request again, a server its last response.
	Send Action = 1 << iota
	// Pass: the message is news for the transaction's user.
	Pass
	// Ack: the client sends the ACK that belongs to a final response other than 2xx.
	Ack
	// Timeout: the other side did not answer (timers B, F and H; C before any response).
	Timeout
	// Expired: timer C ran out after a provisional response, or nothing final followed a
	// CANCEL.
	Expired
	// Done: the transaction has ended and can be forgotten.
	Done
	// Slow: a request other than INVITE has waited so long that the server's user owes it a 100.
	Slow
	// Silent, beside Send unless the request was abandoned: Patience is over, and three copies of the request
	// have brought nothing.
	Silent
)

// Has says whether all of b is set.
func (a Action) Has(b Action) bool { return a&b == b }

// State is a transaction's state, by the names of RFC 3261 17 and RFC 6026.
type State uint8

const (
	Calling State = iota // INVITE client
	Trying               // non-INVITE
	Proceeding
	Completed
	Accepted  // INVITE, after a 2xx (RFC 6026)
	Confirmed // INVITE server, after the ACK
	Terminated
)

var stateNames = [...]string{"calling", "trying", "proceeding", "completed", "accepted", "confirmed", "terminated"}

func (s State) String() string { return stateNames[s] }

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func due(t, now time.Time) bool { return !t.IsZero() && !t.After(now) }
