package proxy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"minisip/cmd/minisip/internal/diagnosis"
)

// thresholds of the verdict: those that the findings go by, so that they do not contradict it.
const (
	manyLost = diagnosis.Lossy
	jittery  = diagnosis.Jittery
	gone     = diagnosis.Gone   // without a packet at the end of a call
	tooShort = diagnosis.Judged // a call in which silence says nothing
	few      = diagnosis.Openers
)

// heard is what came from one side of a call, and what it takes to judge that.
type heard struct {
	Flow
	user        string
	signalled   netip.AddrPort // where its SDP says that it is
	pauses      bool           // so that silence says nothing
	answer, end time.Time      // between them the call was up; end is now while it is still up
	other       time.Time      // when the other side was heard last
}

// stopped says whether nothing has come for long at the end of a call from a side that was heard. One of which only a few
// packets came did not speak and pause, so it is judged sooner: when another side went on without it.
func (h *heard) stopped() bool {
	if h.Packets < few && min(h.other.Sub(h.Last), h.other.Sub(h.answer)) >= tooShort {
		return true
	}
	return h.end.Sub(h.Last) > gone
}

// grade is the verdict on one direction, the worst last.
type grade uint8

const (
	untold grade = iota // too short a call
	good
	choppy
	lossy
	stopped
	silent
)

// verdict says it in words.
func (h *heard) verdict() (grade, string) {
	switch {
	case h.Packets == 0 && h.end.Sub(h.answer) < tooShort:
		return untold, "too short to tell"
	case h.Packets == 0 && h.Oversize > 0:
		return silent, fmt.Sprintf("%d packets from %s were too large to be passed on", h.Oversize, h.user)
	case h.Packets == 0 && h.Strangers > 0:
		return silent, fmt.Sprintf("no packet ever came from %s: %s; %d packets from elsewhere were refused", h.user, h.signalled, h.Strangers)
	case h.Packets == 0:
		return silent, fmt.Sprintf("no packet ever came from %s: %s", h.user, h.signalled)
	case h.stopped() && !h.pauses:
		at := max(0, h.Last.Sub(h.answer)).Round(time.Second)
		return stopped, fmt.Sprintf("stopped at %02d:%02d", int(at.Minutes()), int(at.Seconds())%60)
	case diagnosis.Unsent(h.Packets, h.Undelivered):
		return lossy, fmt.Sprintf("%d of %d packets could not be sent on", h.Undelivered, h.Packets)
	case h.lossPercent() >= manyLost:
		return lossy, fmt.Sprintf("lossy: %.1f %% lost", round(h.lossPercent(), 2)) // as the record has it
	case h.MeanJitter >= jittery:
		return choppy, fmt.Sprintf("choppy: jitter %d ms", h.MeanJitter.Milliseconds())
	}
	return good, "fine"
}

// overall is the verdict on a call, of those on its directions: who could not be heard, or
// was heard badly, and from when on. Streams that were taken out count only where there is no other, and where
// there is audio it alone counts; where no media pass through us there is no verdict.
func overall(media []Direction) string {
	up := slices.ContainsFunc(media, func(d Direction) bool { return !d.left })
	audio := slices.ContainsFunc(media, func(d Direction) bool { return d.left != up && d.Kind == "audio" })
	counts := func(d *Direction) bool { return d.left != up && (!audio || d.Kind == "audio") }
	worst, heard := untold, false
	for i := range media {
		if d := &media[i]; counts(d) {
			worst, heard = max(worst, d.grade), heard || d.Packets > 0
		}
	}
	if worst == silent && !heard {
		return "silent from the start"
	}
	var parts []string
	for i := range media {
		d := &media[i]
		switch {
		case !counts(d) || d.grade != worst:
		case worst <= good:
			return d.Verdict
		case worst == silent:
			parts = append(parts, "one-way: nothing came from "+d.From)
		default:
			parts = append(parts, d.From+": "+d.Verdict)
		}
	}
	return strings.Join(parts, "; ")
}
