//go:build linux

package main

import "time"

// paced hands out pieces of work at a rate.
type paced struct {
	begin      time.Time
	all, given int
	rate       int
}

// due gives the numbers of the pieces that are to begin now.
func (p *paced) due(now time.Time, begin func(work int)) {
	if p.begin.IsZero() {
		p.begin = now
	}
	for due := int(now.Sub(p.begin).Seconds() * float64(p.rate)); p.given < p.all && p.given <= due; p.given++ {
		begin(p.given)
	}
}

// registering lets the users of an agent register, one after the other.
type registering struct {
	*agent
	paced
	result result
	work   []registration
	first  int // number of the first in its Call-ID, so that none comes twice
}

type registration struct {
	step  int
	tries int
	sent  []byte
}

// The steps of a registration.
const (
	toChallenge = iota + 1
	toAccept
	over
)

func newRegistering(a *agent, first, n, rate int) *registering {
	r := &registering{agent: a, first: first, paced: paced{all: n, rate: rate}, work: make([]registration, n)}
	r.result = result{repeated: map[string]int{}, why: map[string]int{}}
	return r
}

func (r *registering) play() *result {
	r.agent.play(r)
	return &r.result
}

func (r *registering) request(work int, credentials string) []byte {
	user := work % r.users
	return r.appendRequest(nil, &request{
		method: "REGISTER", uri: "sip:load", user: user, work: r.first + work, cseq: r.work[work].step,
		to: "<sip:" + string(r.appendUser(nil, user)) + "@load>", credentials: credentials, contact: true,
	})
}

func (r *registering) advance(now time.Time, work, step int, credentials string) {
	w := &r.work[work]
	w.step, w.tries = step, 0
	w.sent = r.request(work, credentials)
	r.again(now, work)
}

// again sends the latest request.
func (r *registering) again(now time.Time, work int) {
	w := &r.work[work]
	w.tries++
	r.send(work%r.users, w.sent)
	wait, _ := pause(w.tries)
	r.timers.set(now.Add(wait), work, w.step)
}

func (r *registering) end(work int, why string) {
	r.work[work] = registration{step: over}
	if why == "" {
		r.result.done++
		return
	}
	r.result.failed++
	r.result.why[why]++
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
		r.advance(now, work, toAccept, r.credentials(m, work%r.users, "REGISTER", "sip:load"))
	case step == toAccept && status == 200:
		r.end(work, "")
	default:
		r.end(work, statusLine(m))
	}
}

// tick implements player.
func (r *registering) tick(now time.Time) bool {
	r.paced.due(now, func(work int) { r.advance(now, work, toChallenge, "") })
	r.timers.due(now, func(work, step int) {
		if work >= len(r.work) || r.work[work].step != step {
			return
		}
		if _, more := pause(r.work[work].tries); !more {
			r.end(work, "no answer")
			return
		}
		r.result.repeated["REGISTER"]++
		r.again(now, work)
	})
	return r.result.done+r.result.failed == r.all
}
