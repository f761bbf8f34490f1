package proxy

import (
	"time"

	"minisip/cmd/minisip/internal/trail"
	"minisip/session"
)

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
		s.next = session.Later(now.Add(samplerTick))
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
	if s.next = s.next.Add(samplerTick); !s.next.After(now) {
		s.next = session.Later(now)
	}
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
