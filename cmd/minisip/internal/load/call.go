//go:build linux

package main

import (
	"bytes"
	"slices"
	"strconv"
	"time"
)

// calling makes calls, each from the next caller to the next callee.
type calling struct {
	steps
	callees *agent
	hold    time.Duration
	calls   []call
	delays  []time.Duration
}

// call is what its caller knows of one.
type call struct {
	begin  time.Time
	dialog *dialog // nil: it is not answered yet
}

// dialog is what a 2xx told.
type dialog struct {
	target, to string
	routes     []string
	ack        []byte
}

// The steps of a call after the first two.
const (
	rings = iota + over + 1
	holds
	hangsUp
)

func newCalling(callers, callees *agent, o *options) *calling {
	c := &calling{steps: newSteps(callers, o.calls, o.rate), callees: callees, calls: make([]call, o.calls)}
	c.hold = time.Duration(o.concurrent) * time.Second / time.Duration(o.rate)
	return c
}

func (c *calling) play() *result {
	c.agent.play(c)
	return &c.result
}

// uri is whom a call is meant for.
func (c *calling) uri(work int) string {
	return string(append(c.callees.appendUser([]byte("sip:"), work%c.users), "@load"...))
}

func (c *calling) request(work int, method string, cseq int) *request {
	r := &request{method: method, uri: c.uri(work), user: work % c.users, work: work, cseq: cseq}
	r.to = "<" + r.uri + ">"
	if d := c.calls[work].dialog; d != nil {
		r.uri, r.to, r.routes = d.target, d.to, d.routes
	}
	return r
}

func (c *calling) invite(now time.Time, work, step int, credentials string) {
	r := c.request(work, "INVITE", step)
	r.credentials, r.contact, r.body = credentials, true, body
	c.advance(now, work, step, c.appendRequest(nil, r))
}

// receive implements player.
func (c *calling) receive(now time.Time, m []byte) {
	status, work, cseq, method, ok := response(m)
	if !ok || work >= len(c.work) {
		return
	}
	w := &c.work[work]
	d := c.calls[work].dialog
	switch invite := string(method) == "INVITE"; {
	case invite && status >= 200 && status < 300 && d != nil:
		c.result.repeated["ACK"]++
		c.send(work%c.users, d.ack)
	case invite && cseq == w.step, invite && cseq == toAccept && w.step == rings:
		c.answered(now, work, status, m)
	case invite && status >= 300 && cseq < w.step: // of an earlier step, repeated
		c.ack(work, cseq, m)
	case string(method) == "BYE" && w.step == hangsUp && status == 200:
		c.end(work, "")
	case string(method) == "BYE" && w.step == hangsUp && status > 200:
		c.end(work, "BYE: "+statusLine(m))
	}
}

// answered takes a response to the INVITE of the present step.
func (c *calling) answered(now time.Time, work, status int, m []byte) {
	w := &c.work[work]
	switch {
	case status < 200 && w.step == toAccept:
		w.step, w.tries = rings, 0
		c.timers.set(now.Add(lifetime), work, rings)
	case status < 200:
	case status < 300 && w.step != toChallenge:
		c.accepted(now, work, m)
	case status == 407 && w.step == toChallenge:
		c.ack(work, toChallenge, m)
		c.invite(now, work, toAccept, c.credentials(m, work%c.users, "INVITE", c.uri(work)))
	default:
		c.ack(work, min(w.step, toAccept), m)
		c.end(work, statusLine(m))
	}
}

// ack acknowledges a refusal: RFC 3261 17.1.1.3. It has the branch of the INVITE.
func (c *calling) ack(work, cseq int, m []byte) {
	r := c.request(work, "ACK", cseq)
	r.to = string(value(m, "To"))
	b := c.appendRequest(nil, r)
	c.send(r.user, bytes.Replace(b, []byte("z9hG4bK"+c.name+"ACK"), []byte("z9hG4bK"+c.name+"INVITE"), 1))
}

// accepted takes the first 2xx.
func (c *calling) accepted(now time.Time, work int, m []byte) {
	call := &c.calls[work]
	c.delays = append(c.delays, now.Sub(call.begin))
	_, rest, _ := bytes.Cut(value(m, "Contact"), []byte("<"))
	target, _, _ := bytes.Cut(rest, []byte(">"))
	call.dialog = &dialog{target: string(target), to: string(value(m, "To")), routes: routeSet(m)}
	call.dialog.ack = c.appendRequest(nil, c.request(work, "ACK", toAccept))
	c.send(work%c.users, call.dialog.ack)
	c.work[work].step = holds
	if c.hold > 0 {
		c.timers.set(now.Add(c.hold), work, holds)
		return
	}
	c.bye(now, work)
}

func (c *calling) bye(now time.Time, work int) {
	c.advance(now, work, hangsUp, c.appendRequest(nil, c.request(work, "BYE", toAccept+1)))
}

// tick implements player.
func (c *calling) tick(now time.Time) bool {
	c.due(now, func(work int) {
		c.calls[work].begin = now
		c.invite(now, work, toChallenge, "")
	})
	c.timers.due(now, func(work, step int) { c.expired(now, work, step) })
	return c.ended()
}

// expired takes a deadline of a call.
func (c *calling) expired(now time.Time, work, step int) {
	w := &c.work[work]
	if w.step != step {
		return
	}
	_, more := pause(max(1, w.tries))
	switch {
	case step == holds:
		c.bye(now, work)
	case step == rings || !more:
		c.end(work, "no answer in step "+strconv.Itoa(step))
	default:
		method, _, _ := bytes.Cut(w.sent, []byte(" "))
		c.result.repeated[string(method)]++
		c.again(now, work)
	}
}

// delay is how long the given share of the calls took from INVITE to 200, at most.
func (c *calling) delay(percent int) time.Duration {
	if len(c.delays) == 0 {
		return 0
	}
	slices.Sort(c.delays)
	return c.delays[(len(c.delays)-1)*percent/100].Round(10 * time.Microsecond)
}

func statusLine(m []byte) string {
	line, _, _ := bytes.Cut(m, []byte("\r\n"))
	return string(bytes.TrimPrefix(line, []byte("SIP/2.0 ")))
}
