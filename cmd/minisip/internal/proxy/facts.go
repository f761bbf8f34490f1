package proxy

import (
	"bytes"
	"math/bits"
	"net/netip"
	"slices"
	"strings"
	"time"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/cmd/minisip/internal/trail"
	"minisip/nat"
	"minisip/session"
	"minisip/sipmsg"
)

// What package diagnosis is told of a call: the words, the messages, what their SDP said, and
// the media.

// diagnose finds out what went wrong with a call, up to a time, which is its end if it ended.
func (k *call) diagnose(r *Record, at time.Time) []diagnosis.Finding {
	c := k.core
	var callee said
	d := k.main(at)
	if d != nil {
		callee = d.said
	}
	f := c.factsOf(r, k.course, k.said, callee)
	f.Now, f.Ended, f.End, f.Refused = at, k.State == session.Ended, k.ending, k.refusal
	f.Rang, f.Answered = k.Rang, k.Answered
	f.Caller.Addr, f.Caller.Contact, f.Caller.Via = k.caller.Addr, c.hostOf(k.caller.Contact), k.via
	if d != nil {
		f.Callee.User, f.Callee.Addr, f.Callee.Contact = d.callee.User, d.callee.Addr, c.hostOf(d.callee.Contact)
		f.Caller.Held, f.Callee.Held = d.media.holds(session.Caller), d.media.holds(session.Callee)
		c.signalled(f, d.media)
	}
	for i := range r.Media {
		if d := &r.Media[i]; !d.left {
			f.Media = append(f.Media, factOf(d))
		}
	}
	return diagnosis.Diagnose(f)
}

// main is the dialog that the call is judged by: the one answered longest, or the first.
func (k *call) main(at time.Time) *dialog {
	if d := k.longest(at); d != nil && !k.Answered.IsZero() {
		return d
	}
	if len(k.dialogs) > 0 {
		return k.dialogs[0]
	}
	return nil
}

// factsOf says what the record and the course of a call tell, in scratch space, and what its sides have said where
// that is known.
func (c *Core) factsOf(r *Record, course *trail.Course, caller, callee said) *diagnosis.Call {
	f := &c.facts
	*f = diagnosis.Call{
		Begun: r.Begin, Now: r.End, Ports: c.cfg.Ports,
		Repairs: diagnosis.Repairs{Contact: c.cfg.Contact, SDP: c.cfg.SDP, Via: c.cfg.Via},
		Steps:   f.Steps[:0], Media: f.Media[:0],
	}
	f.Caller.User, f.Callee.User = r.From, printable(r.To)
	sides := [...]said{diagnosis.Caller: caller, diagnosis.Callee: callee}
	for i := range course.Steps {
		s := &course.Steps[i]
		step := diagnosis.Step{
			At: course.At(s), Side: sideOf(course, s, r), Received: s.Received(), Method: s.Method.String(), Status: int(s.Status),
			Again: s.Again(), Size: int(s.Size),
		}
		f.Steps = append(f.Steps, step)
		p := &f.Caller
		switch step.Side {
		case diagnosis.Callee:
			p = &f.Callee
		case diagnosis.Elsewhere:
			continue
		}
		if !p.Addr.IsValid() {
			p.Addr = course.Addr(s)
		}
		if s.Received() && s.SDP() && !sides[step.Side].sdp {
			_, body, _ := bytes.Cut(c.trail.Text(s.Message), []byte("\r\n\r\n"))
			sides[step.Side] = c.readSDP(body)
		}
		if s.Method == sipmsg.INVITE && step.Side == diagnosis.Caller && !s.Received() && s.Status >= 200 && s.Status != 401 && s.Status != 407 {
			f.Status = int(s.Status)
		}
	}
	i := speech(sides[diagnosis.Caller], sides[diagnosis.Callee])
	sides[diagnosis.Caller].tell(&f.Caller, i)
	sides[diagnosis.Callee].tell(&f.Callee, i)
	return f
}

// sideOf says whose message a step is.
func sideOf(course *trail.Course, s *trail.Step, r *Record) diagnosis.Side {
	switch p := course.Peers[s.Peer]; {
	case s.Peer == 0 || p.User == r.From && r.From != r.To:
		return diagnosis.Caller
	case p.User != "":
		return diagnosis.Callee
	}
	return diagnosis.Elsewhere
}

// said is what the first SDP of one side wanted; a call remembers it for as long as it is remembered itself.
type said struct {
	sdp           bool
	audio, secure streamSet
	mute, deaf    streamSet // it sends nothing; it wants nothing
	at            netip.AddrPort
}

// streamSet has bit i for stream i, of nat.MaxStreams.
type streamSet uint16

func (s *streamSet) set(i int, is bool) {
	if is {
		*s |= 1 << i
	}
}

func (s streamSet) has(i int) bool { return s>>i&1 != 0 }

// speech is the stream that the call is judged by: the first that is audio and not refused. Phones that would rather
// encrypt offer two, with keys and without, and one of them is refused.
func speech(caller, callee said) int {
	for _, s := range [...]streamSet{caller.audio & callee.audio, caller.audio, callee.audio} {
		if s != 0 {
			return bits.TrailingZeros16(uint16(s))
		}
	}
	return 0
}

// hear notes what a message that has just come wants of the media, if none before it of this side did.
func (s *said) hear(c *Core, in *inbound) {
	if !s.sdp {
		*s = c.readSDP(in.Body())
	}
}

// tell says to the diagnosis what it wanted of stream i.
func (s *said) tell(p *diagnosis.Party, i int) {
	if s.sdp {
		p.SDP, p.Secure, p.Mute, p.Deaf, p.Signalled = true, s.secure.has(i), s.mute.has(i), s.deaf.has(i), s.at
	}
}

// readSDP reads the body of a message.
func (c *Core) readSDP(body []byte) (s said) {
	i := bytes.Index(body, []byte("v=0"))
	if i < 0 || c.parseSDP(body[i:]) != nil {
		return s
	}
	for i := range c.sdp.Streams {
		st := &c.sdp.Streams[i]
		s.sdp = true
		s.secure.set(i, bytes.Contains(st.Proto, []byte("SAVP")))
		s.mute.set(i, st.Direction == nat.RecvOnly || st.Direction == nat.Inactive)
		s.deaf.set(i, st.Hold)
		speaks := st.Port != 0 && string(st.Media) == "audio"
		if i == 0 || speaks && s.audio == 0 {
			s.at = netip.AddrPortFrom(st.Addr, st.Port)
		}
		s.audio.set(i, speaks)
	}
	return s
}

// signalled takes where media are wanted from a dialog's own state, which outlives messages.
func (c *Core) signalled(f *diagnosis.Call, md *media) {
	if md == nil || len(md.streams) == 0 {
		return
	}
	i := max(0, slices.IndexFunc(md.streams, func(s relayedStream) bool { return s.Stream != nil && s.kind == "audio" }))
	for side, p := range [...]*diagnosis.Party{&f.Caller, &f.Callee} {
		if at := md.streams[i].peers[side].RTP; at.IsValid() {
			p.Signalled = at
		}
	}
}

func factOf(d *Direction) diagnosis.Direction {
	f := diagnosis.Direction{
		Side: diagnosis.Caller, Kind: d.Kind, Packets: d.Packets, LossPercent: d.LossPercent,
		Jitter: time.Duration(d.JitterMS * float64(time.Millisecond)), RTT: time.Duration(d.RTTMS * float64(time.Millisecond)),
		MOS: d.MOS, First: d.first, Heard: d.heard, Strangers: d.Strangers, Stranger: d.Stranger, Other: d.other, RTCP: d.rtcp,
		Types: d.PayloadTypes, Foreign: d.foreign, Source: d.Source, Rebinds: d.Rebinds,
		Oversize: d.Oversize, Unaddressed: d.Unaddressed, Undelivered: d.Undelivered, SendError: d.sendError,
	}
	if d.side == session.Callee {
		f.Side = diagnosis.Callee
	}
	if d.Last != nil {
		f.Last = later(*d.Last, d.due)
	}
	return f
}

// hostOf is the host of a URI as it was written.
func (c *Core) hostOf(uri string) string {
	c.key = append(c.key[:0], uri...)
	u, err := sipmsg.ParseURI(c.key)
	if err != nil {
		return ""
	}
	host := bytes.Trim(u.Host, "[]")
	i := strings.Index(uri, string(host)) // be it in its user part: the text is the same
	return uri[i : i+len(host)]
}
