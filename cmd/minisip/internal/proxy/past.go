package proxy

import (
	"slices"
	"strconv"
	"time"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/cmd/minisip/internal/trail"
	"minisip/session"
	"minisip/sipmsg"
)

// Past is a call that has ended, or an INVITE that we refused before it became a call, as it
// is remembered for whoever asks why. Its course may still grow for a few seconds.
type Past struct {
	Findings []diagnosis.Finding // those too that tell nothing new
	ID       string              // the call's number in the log; of a refused one "r" and a number
	Record   *Record
	Course   *trail.Course
	Tracks   []trail.Track // by direction, as Record.Media
	key      trail.Key
}

// found adds a finding; what is no more than Why says is not in the record.
func (p *Past) found(f diagnosis.Finding) {
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
	p := &Past{ID: k.number, Record: r, Course: k.course, key: c.trail.Key([]byte(k.callID))}
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

// refusedCall remembers an INVITE that we refused ourselves, answered just now. A phone that
// tries again with the same Call-ID is one entry.
func (c *Core) refusedCall(in *inbound, why diagnosis.Refusal) {
	if in.Method() != sipmsg.INVITE {
		return
	}
	r := &Record{
		CallID: string(in.CallID()), From: printable(c.claimed(in)), FromAddr: in.src.String(), To: printable(userOf(in.meant())),
		End: in.now, Why: "refused",
	}
	p := &Past{Record: r, Course: c.trail.Lately(in.now, in.mark.key), key: in.mark.key}
	p.Course.Name(in.src, r.From)
	r.Begin = p.Course.Begin
	f := c.factsOf(r, p.Course, said{}, said{})
	f.Ended, f.Refused, f.Caller.Addr = true, why, in.src
	p.Findings = diagnosis.Diagnose(f)
	if f.Status != 0 {
		r.Why = "refused: " + strconv.Itoa(f.Status) + " " + sipmsg.ReasonPhrase(f.Status)
	}
	list := &c.past.refused
	if i := slices.IndexFunc(*list, func(o *Past) bool { return o.key == p.key }); i >= 0 {
		p.ID = (*list)[i].ID
		*list = slices.Delete(*list, i, i+1)
	} else {
		c.past.refusals++
		p.ID = "r" + strconv.FormatInt(c.past.refusals, 10)
	}
	*list = appendBounded(*list, p, maxRefused)
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

// sampler looks at loss and jitter of all calls that are up, each once in SampleEvery; calls
// are spread over the time by their numbers, so that it never holds the loop.
type sampler struct {
	next  time.Time // when the next turn is; zero: never
	turn  int
	slots [samplerSlots][]*call // all calls that have not been forgotten, in no order
	calls int
	last  [samplerSlots]tally // what each turn found
}

// tally is media packets that came, and that were lost.
type tally struct{ packets, lost uint64 }

const (
	samplerSlots = 50
	samplerTick  = trail.SampleEvery / samplerSlots
)

func (s *sampler) slot(serial int64) *[]*call { return &s.slots[serial%samplerSlots] }

func (s *sampler) add(k *call, now time.Time) {
	slot := s.slot(k.serial)
	k.sampled = len(*slot)
	*slot = append(*slot, k)
	if s.calls++; s.calls == 1 {
		s.next = now.Add(samplerTick)
	}
}

func (s *sampler) remove(k *call) {
	slot := s.slot(k.serial)
	end := len(*slot) - 1
	last := (*slot)[end]
	(*slot)[k.sampled], last.sampled = last, k.sampled
	(*slot)[end] = nil
	*slot = (*slot)[:end]
	if s.calls--; s.calls == 0 {
		s.next = time.Time{}
	}
}

// run takes its turn, when it is time.
func (s *sampler) run(now time.Time) {
	if s.next.IsZero() || s.next.After(now) {
		return
	}
	found := &s.last[s.turn]
	*found = tally{}
	for _, k := range s.slots[s.turn] {
		k.sample(found, true)
	}
	s.turn = (s.turn + 1) % samplerSlots
	s.next = now.Add(samplerTick)
}

// rate is how many packets a second came lately, and how many of a hundred were lost.
func (s *sampler) rate() (perSecond, loss float64) {
	var sum tally
	for _, t := range s.last {
		sum.packets += t.packets
		sum.lost += t.lost
	}
	return round(float64(sum.packets)/trail.SampleEvery.Seconds(), 1), round(lossPercent(sum.packets, sum.lost), 2)
}

// sample looks at each direction: it counts what has come since the last sample and, where
// keep is set, takes one.
func (k *call) sample(found *tally, keep bool) {
	if k.State != session.Up && k.State != session.Ending {
		return
	}
	for _, d := range k.dialogs {
		if !d.confirmed {
			continue
		}
		for s := range d.media.open() {
			k.core.sample(s, found, keep)
		}
	}
}

func (c *Core) sample(s *relayedStream, found *tally, keep bool) {
	for side := range s.tracks {
		f := s.flow(session.Role(side))
		packets, lost := s.tracks[side].Since(f.Packets, f.Lost)
		found.packets += packets
		found.lost += lost
		c.count.Packets += packets
		c.count.PacketsLost += lost
		if keep {
			s.tracks[side].Add(f.Packets, f.Lost, f.Jitter)
		}
	}
}
