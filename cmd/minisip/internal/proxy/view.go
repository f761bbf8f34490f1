package proxy

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"minisip/cmd/minisip/internal/trail"
	"minisip/session"
	"minisip/sipmsg"
)

// What an operator is shown are views: copies that whoever asked may keep. The JSON of a call
// is its [Record]'s with what follows.

// CallView is a call, live or past.
type CallView struct {
	ID    string  `json:"id"`
	State string  `json:"state"`
	Held  [2]bool `json:"held"` // by the caller, by the callee
	Record
	Media   []DirectionView `json:"media"`
	Columns []Column        `json:"columns,omitempty"` // of the ladder
	Steps   []StepView      `json:"steps,omitempty"`
	Skipped int             `json:"steps_skipped,omitempty"` // in the middle
}

// DirectionView is one direction of one stream with its course over time.
type DirectionView struct {
	Direction
	MOSNow  float64  `json:"mos_now,omitempty"`
	Samples []Sample `json:"samples,omitempty"` // the oldest first
}

// Sample is loss and jitter of one stretch of time.
type Sample struct {
	At     float64  `json:"t_s"`          // its end, since the answer
	Loss   *float64 `json:"loss_percent"` // null: no packet came
	Jitter float64  `json:"jitter_ms"`
}

// Column is a vertical line of a ladder.
type Column struct {
	Name string `json:"name"`
	Addr string `json:"addr,omitempty"`
}

// StepView is an arrow of a ladder.
type StepView struct {
	N       int       `json:"n"`
	Time    time.Time `json:"time"`
	AtMS    int64     `json:"t_ms"`
	From    int       `json:"from"` // columns
	To      int       `json:"to"`
	Kind    string    `json:"kind"`
	Label   string    `json:"label"`
	Again   bool      `json:"again"`
	Size    int       `json:"size"`
	Message string    `json:"message"` // "": its text is no longer kept
}

// view shows a live call; whole with its ladder.
func (k *call) view(now time.Time, whole bool) *CallView {
	r := k.recordAt(now)
	v := &CallView{ID: k.number, State: k.State.String(), Record: *r, Held: [2]bool{k.holds(session.Caller), k.holds(session.Callee)}}
	v.Findings = k.diagnose(r, now)
	v.Media = directionViews(r, nil)
	if whole {
		k.core.draw(v, k.course, now)
	}
	return v
}

// holds says whether a side has put the call on hold.
func (k *call) holds(side session.Role) bool {
	return slices.ContainsFunc(k.dialogs, func(d *dialog) bool { return d.live() && d.media.holds(side) })
}

// view shows a past call.
func (p *pastCall) view(c *Core, whole bool) *CallView {
	v := &CallView{ID: p.ID, State: session.Ended.String(), Record: *p.Record, Media: directionViews(p.Record, p.Tracks)}
	v.Findings = p.Findings
	if whole {
		c.draw(v, p.Course, p.Record.End)
	}
	return v
}

// directionViews joins directions with their tracks; of a live call each has its own.
func directionViews(r *Record, tracks []trail.Track) []DirectionView {
	out := make([]DirectionView, len(r.Media))
	for i := range r.Media {
		d := &out[i]
		d.Direction = r.Media[i]
		if d.Now != nil {
			d.MOSNow = d.Now.MOS
		}
		track := d.track
		if i < len(tracks) {
			track = &tracks[i]
		}
		if track == nil {
			continue
		}
		samples, each := track.Samples()
		for j, s := range samples {
			v := Sample{At: (time.Duration(j+1) * each).Seconds(), Jitter: float64(s.Jitter) / 10}
			if s.Loss != trail.Silent {
				loss := float64(s.Loss) / 100
				v.Loss = &loss
			}
			d.Samples = append(d.Samples, v)
		}
	}
	return out
}

// draw makes the ladder: the caller's columns on the left, then ours, then all others. Its times are by the clock
// as it is now.
func (c *Core) draw(v *CallView, course *trail.Course, now time.Time) {
	column := make([]int, len(course.Peers))
	left := func(i int) bool { return i == 0 || course.Peers[i].User == v.From && v.From != v.To }
	for _, want := range [...]bool{true, false} {
		for i, p := range course.Peers {
			if left(i) == want {
				column[i] = len(v.Columns)
				v.Columns = append(v.Columns, Column{cmp.Or(p.User, "?"), p.Addr.String()})
			}
		}
		if want {
			v.Columns = append(v.Columns, Column{Name: "minisip"})
		}
	}
	us := slices.Index(v.Columns, Column{Name: "minisip"})
	for i := range course.Steps {
		s := &course.Steps[i]
		step := StepView{Time: onWall(now, course.At(s)), From: us, To: column[s.Peer], Again: s.Again(), Size: int(s.Size)}
		if s.Received() {
			step.From, step.To = step.To, step.From
		}
		step.Kind, step.Label = labelOf(s.Method, int(s.Status), s.SDP())
		if c.trail.Has(s.Message) {
			step.Message = strconv.FormatUint(uint64(s.Message), 10)
		}
		v.Steps = append(v.Steps, step)
	}
	v.Skipped = course.Skipped
	v.addMedia(us)
	slices.SortStableFunc(v.Steps, func(a, b StepView) int { return a.Time.Compare(b.Time) })
	begin := onWall(now, course.Begin)
	if v.Begin.Before(begin) {
		begin = v.Begin // after a restart: the messages from before it are not kept, yet the call and its media are older
	}
	for i := range v.Steps {
		s := &v.Steps[i]
		s.N, s.AtMS = i+1, s.Time.Sub(begin).Milliseconds()
	}
}

// addMedia adds when the media of each direction began and ended.
func (v *CallView) addMedia(us int) {
	for i := range v.Record.Media {
		d := &v.Record.Media[i]
		from := v.columnOf(d, us)
		if from < 0 || d.Last == nil {
			continue
		}
		step := StepView{Time: d.first, From: from, To: us, Kind: "media-start", Label: cmp.Or(d.Codec, d.Kind) + " from " + d.From}
		v.Steps = append(v.Steps, step)
		if v.State == session.Ended.String() || d.grade == stopped || d.left {
			step.Time, step.Kind = *d.Last, "media-stop"
			v.Steps = append(v.Steps, step)
		}
	}
	if v.Why != "" {
		v.Steps = append(v.Steps, StepView{Time: v.End, From: us, To: us, Kind: "note", Label: v.Why})
	}
}

// columnOf is where the media of a direction begin: at the caller's first column, or at the phone
// that answered. Names alone do not tell, for users have several phones, and call themselves.
func (v *CallView) columnOf(d *Direction, us int) int {
	if d.side == session.Caller {
		return min(0, us-1) // -1: none of his messages is kept
	}
	others := v.Columns[us+1:]
	i := slices.IndexFunc(others, func(c Column) bool { return c.Addr == v.ToAddr })
	if i < 0 {
		i = slices.IndexFunc(others, func(c Column) bool { return c.Name == d.From })
	}
	if i < 0 {
		return -1
	}
	return us + 1 + i
}

// labelOf says in a few words what a message is.
func labelOf(m sipmsg.Method, status int, sdp bool) (kind, label string) {
	switch {
	case status == 0 && m == sipmsg.ACK:
		kind, label = "ack", "ACK"
	case status == 0:
		kind, label = "request", m.String()
	default:
		switch {
		case status < 200:
			kind = "provisional"
		case status < 300:
			kind = "success"
		default:
			kind = "failure"
		}
		label = strconv.Itoa(status) + " " + sipmsg.ReasonPhrase(status)
		if m != sipmsg.INVITE {
			label += " (" + m.String() + ")"
		}
	}
	if sdp {
		label += " sdp"
	}
	return kind, label
}

// LabelOf says in a few words what a message is.
func LabelOf(m *trail.Message) string {
	_, label := labelOf(m.Method, m.Status, trail.HasSDP(m.Text))
	return label
}
