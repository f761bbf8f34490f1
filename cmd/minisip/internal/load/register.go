//go:build linux

package main

import "time"

// registering lets the users of an agent register, one after the other.
type registering struct {
	steps
	first int // number of the first in its Call-ID, so that none comes twice
}

func newRegistering(a *agent, first, n, rate int) *registering {
	return &registering{newSteps(a, n, rate), first}
}

func (r *registering) play() *result {
	r.agent.play(r)
	return &r.result
}

// register sends the REGISTER of a step.
func (r *registering) register(now time.Time, work, step int, credentials string) {
	user := work % r.users
	r.advance(now, work, step, r.appendRequest(nil, &request{
		method: "REGISTER", uri: "sip:load", user: user, work: r.first + work, cseq: step,
		to: "<sip:" + string(r.appendUser(nil, user)) + "@load>", credentials: credentials, contact: true,
	}))
}

// receive implements player.
func (r *registering) receive(now time.Time, m []byte) {
	status, work, cseq, _, ok := response(m)
	work -= r.first
	if !ok || work < 0 || work >= len(r.work) || cseq != r.work[work].step || status < 200 {
		return
	}
	switch step := r.work[work].step; {
	case step == toChallenge && status == 401:
		r.register(now, work, toAccept, r.credentials(m, work%r.users, "REGISTER", "sip:load"))
	case step == toAccept && status == 200:
		r.end(work, "")
	default:
		r.end(work, statusLine(m))
	}
}

// tick implements player.
func (r *registering) tick(now time.Time) bool {
	r.due(now, func(work int) { r.register(now, work, toChallenge, "") })
	r.timers.due(now, func(work, step int) {
		if r.work[work].step != step {
			return
		}
		if _, more := pause(r.work[work].tries); !more {
			r.end(work, "no answer")
			return
		}
		r.result.repeated["REGISTER"]++
		r.again(now, work)
	})
	return r.ended()
}
