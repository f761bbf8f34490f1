package proxy

import (
	"strconv"
	"time"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/cmd/minisip/internal/trail"
	"minisip/sipmsg"
)

// pastCall is a call that has ended, or an INVITE that we refused before it became a call, as it
// is remembered for whoever asks why. Its course may still grow for a few seconds.
type pastCall struct {
	Findings []diagnosis.Finding // those too that tell nothing new
	ID       string              // the call's number in the log; of a refused one "r" and a number
	Record   *Record
	Course   *trail.Course
	Tracks   []trail.Track // by direction, as Record.Media
	key      trail.Key
}

// found adds a finding; what is no more than Why says is not in the record.
func (p *pastCall) found(f diagnosis.Finding) {
	p.Findings = append(p.Findings, f)
	if f.Severity != diagnosis.Info {
		p.Record.Findings = append(p.Record.Findings, f)
	}
}

// follow begins to keep what an operator may ask of a call, from its Call-ID's key.
func (k *call) follow(now time.Time, key trail.Key) {
	c := k.core
	k.course = c.trail.Begin(now, key)
	if k.course.Call == "" { // else it is a spiral's
		k.course.Call = k.number
	}
	c.sampler.add(k, now)
	c.changed(k.number)
}

// ended remembers a call that has just ended.
func (k *call) ended(r *Record, findings []diagnosis.Finding) {
	c := k.core
	p := &pastCall{ID: k.number, Record: r, Course: k.course, key: c.trail.Key([]byte(k.callID))}
	for _, f := range findings {
		p.found(f)
	}
	p.Tracks = make([]trail.Track, len(r.Media))
	for i := range r.Media {
		p.Tracks[i] = *r.Media[i].track // the stream forgets it
		r.Media[i].track = nil
	}
	c.past.add(p)
	c.changed(k.number)
}

// refusedCall remembers an INVITE that we refused ourselves, answered just now.
func (c *Core) refusedCall(in *inbound, why diagnosis.Refusal) {
	if in.Method() != sipmsg.INVITE {
		return
	}
	r := &Record{
		CallID: string(in.CallID()), From: printable(c.claimed(in)), FromAddr: in.src.String(), To: printable(userOf(in.meant())),
		End: in.now, Why: "refused",
	}
	p := &pastCall{Record: r, Course: c.trail.Lately(in.now, in.mark.key), key: in.mark.key}
	p.Course.Name(in.src, r.From)
	r.Begin = p.Course.Begin
	f := c.factsOf(r, p.Course, said{}, said{})
	f.Ended, f.Refused, f.Caller.Addr = true, why, in.src
	p.Findings = diagnosis.Diagnose(f)
	if f.Status != 0 {
		r.Why = "refused: " + strconv.Itoa(f.Status) + " " + sipmsg.ReasonPhrase(f.Status)
	}
	c.past.addRefused(p)
	c.changed(p.ID)
}

// whyNoTarget says why there was nobody to call.
func (c *Core) whyNoTarget(in *inbound, status int) diagnosis.Refusal {
	name := string(userOf(in.meant()))
	switch {
	case status == 404 && c.users.Lookup([]byte(name)) != nil:
		return diagnosis.WrongDomain
	case status == 404:
		return diagnosis.NoSuchUser
	case len(c.where.Lookup(in.now, name)) > 0:
		return diagnosis.NotAnswering
	}
	return diagnosis.NotRegistered
}

// tellFindings says in the log what went wrong with a call that has just ended.
func (k *call) tellFindings(r *Record) {
	for _, f := range r.Findings {
		k.core.logf("call %s: %s %s", k.number, f.Text, f.Next)
	}
}
