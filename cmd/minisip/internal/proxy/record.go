package proxy

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/cmd/minisip/internal/emodel"
	"minisip/cmd/minisip/internal/trail"
	"minisip/session"
)

// Record is the account of an ended call, as the CDR file holds it: one JSON object.
type Record struct {
	Call     int64       `json:"call"`
	CallID   string      `json:"call_id"`
	From     string      `json:"from"`
	FromAddr string      `json:"from_addr"`
	To       string      `json:"to"`
	ToAddr   string      `json:"to_addr,omitempty"` // where it was answered
	Begin    time.Time   `json:"begin"`
	Ring     *time.Time  `json:"ring,omitempty"`
	Answer   *time.Time  `json:"answer,omitempty"`
	End      time.Time   `json:"end,omitzero"`
	Seconds  float64     `json:"seconds"` // from answer to end
	Why      string      `json:"why"`
	Verdict  string      `json:"verdict,omitempty"` // on the media, in words
	Media    []Direction `json:"media,omitempty"`

	Findings []diagnosis.Finding `json:"findings,omitempty"` // but those that say no more than Why

	rang, answered time.Time // what Ring and Answer point to
}

// Direction is one direction of one stream, over the whole call and, while it is up, now.
type Direction struct {
	Stream       int        `json:"stream"` // counts m= lines from 1
	Kind         string     `json:"kind"`   // audio, video ...
	Codec        string     `json:"codec,omitempty"`
	From         string     `json:"from"`
	Source       string     `json:"source,omitempty"`
	Rebinds      uint64     `json:"rebinds,omitempty"` // it fell silent, and went on from elsewhere
	Packets      uint64     `json:"packets"`
	Bytes        uint64     `json:"bytes,omitempty"`
	Lost         uint64     `json:"lost"`
	LossPercent  float64    `json:"loss_percent"`
	Duplicates   uint64     `json:"duplicates,omitempty"`
	OutOfOrder   uint64     `json:"out_of_order,omitempty"`
	JitterMS     float64    `json:"jitter_ms"`        // RFC 3550 6.4.1, on average
	RTTMS        float64    `json:"rtt_ms,omitempty"` // between us and this side
	SSRCChanges  uint64     `json:"ssrc_changes,omitempty"`
	PayloadTypes []string   `json:"payload_types,omitempty"` // seen, as "0 PCMU/8000"
	Last         *time.Time `json:"last,omitempty"`          // packet
	MOS          float64    `json:"mos,omitempty"`           // audio alone
	Strangers    uint64     `json:"strangers,omitempty"`
	Stranger     string     `json:"stranger,omitempty"`    // the newest
	Oversize     uint64     `json:"oversize,omitempty"`    // too large to be passed on
	Unaddressed  uint64     `json:"unaddressed,omitempty"` // came while the other side had no address
	Undelivered  uint64     `json:"undelivered,omitempty"` // the system would not send them on
	Verdict      string     `json:"verdict"`
	Now          *Recent    `json:"now,omitempty"` // while the call is up

	first, last time.Time // packets; Last points to the latter
	side        session.Role
	other, rtcp uint64    // STUN, DTLS; RTCP
	sendError   error     // why the newest of those undelivered was not sent
	heard       time.Time // the newest of any kind
	due         time.Time // from when on the newest was due, if that was later
	foreign     bool      // the other side listed none of its payload types
	grade       grade
	left        bool         // its stream was taken out of the call
	track       *trail.Track // while the call is up
}

// record makes the account of a call that has just ended; its streams are still open.
func (k *call) record() *Record { return k.recordAt(k.EndedAt) }

// recordAt makes the account of a call as it is at a time, which is its end if it has ended. Its times are all by the
// clock as it is then: they lie as far apart as it really was, also where somebody has set it.
func (k *call) recordAt(at time.Time) *Record {
	r := &Record{
		Call: k.serial, CallID: k.callID, From: k.caller.User, FromAddr: k.caller.Addr.String(),
		To: k.dialled, Begin: onWall(at, k.Created), End: k.EndedAt, Why: k.Why,
	}
	r.rang, r.answered = onWall(at, k.Rang), onWall(at, k.Answered)
	if !k.Rang.IsZero() {
		r.Ring = &r.rang
	}
	if k.Answered.IsZero() {
		if k.State != session.Ended && len(k.dialogs) > 0 {
			r.ToAddr = k.dialogs[0].callee.Addr.String()
		}
		r.Media = dated(k.early)
		return r
	}
	r.Answer = &r.answered
	r.Seconds = round(at.Sub(k.Answered).Seconds(), 3)
	r.ToAddr = k.longest(at).callee.Addr.String()
	r.Media = k.directions(at)
	r.Verdict = overall(r.Media)
	return r
}

// directions judges all streams of an answered call, as they are at a time, and behind them those that were taken out
// of it, as they were then.
func (k *call) directions(at time.Time) (out []Direction) {
	for i, d := range k.dialogs {
		// A proxy that forks behind us makes several dialogs of one stream.
		shared := slices.ContainsFunc(k.dialogs[:i], func(o *dialog) bool { return o.confirmed && o.media == d.media })
		if !d.confirmed || shared || d.media == nil {
			continue
		}
		out = slices.Grow(out, 2*len(d.media.streams)+len(d.media.left))
		for i := range d.media.streams {
			s := &d.media.streams[i]
			if !s.agreed() {
				continue // offered, and never answered
			}
			for _, side := range bothSides {
				out = append(out, d.direction(s, side, at))
				out[len(out)-1].Stream = i + 1
			}
		}
		out = append(out, d.media.left...)
	}
	return dated(out)
}

// dated says of directions that are where they stay when their last packets came.
func dated(all []Direction) []Direction {
	for i := range all {
		if d := &all[i]; !d.last.IsZero() {
			d.Last = &d.last
		}
	}
	return all
}

// direction judges what comes from one side of a stream.
func (d *dialog) direction(s *relayedStream, side session.Role, at time.Time) Direction {
	p, f := d.party(side), s.flow(side)
	due, answer := s.due[side], d.call.Answered
	// Who is on hold is silent on purpose; text comes when somebody types, and who receives a fax has nothing to say
	// for the length of a page, but at its beginning.
	pauses := d.held() || s.kind != "audio" && s.kind != "video" && !(s.kind == "image" && f.Last.Before(due))
	if answer.IsZero() {
		answer, pauses = at, true // until then nobody need speak
	}
	dir := Direction{
		Kind: s.kind, Codec: s.codec, From: p.User, Source: addrText(f.Source), Rebinds: f.Rebinds,
		Packets: f.Packets, Bytes: f.Bytes, Lost: f.Lost, LossPercent: round(f.lossPercent(), 2),
		Duplicates: f.Duplicates, OutOfOrder: f.Later, SSRCChanges: f.SSRCChanges,
		JitterMS: milliseconds(f.MeanJitter), RTTMS: milliseconds(f.RTT),
		Strangers: f.Strangers, Stranger: addrText(f.Stranger),
		Oversize: f.Oversize, Unaddressed: f.Unaddressed, Undelivered: f.Undelivered,
	}
	dir.track, dir.side, dir.other, dir.rtcp, dir.sendError = &s.tracks[side], side, f.Other, f.RTCP, f.SendError
	dir.PayloadTypes, dir.Codec = s.payloads(side, f.Types)
	dir.foreign = s.foreign(side, f.Types)
	if !f.Last.IsZero() {
		dir.first, dir.last = onWall(at, f.First), onWall(at, f.Last)
		dir.heard, dir.due = onWall(at, f.Heard), onWall(at, due)
		f.Last = later(f.Last, due)
	}
	var other time.Time
	if s.kind == "audio" { // text and fax come in few packets, when they come
		other = s.flow(side.Other()).Last
	}
	h := heard{f, p.User, s.peers[side].RTP, pauses, answer, at, other}
	dir.grade, dir.Verdict = h.verdict()
	codec, _, _ := strings.Cut(dir.Codec, "/")
	scored := s.kind == "audio" && f.Packets > 0
	if scored {
		dir.MOS = round(emodel.MOS(codec, f.lossPercent(), f.MeanJitter, f.RTT), 2)
	}
	if d.call.State != session.Ended {
		if s.trends == nil {
			s.trends = new([2]trend)
		}
		now := s.trends[side].now(at, &f)
		if scored && now.PacketsPerSecond > 0 {
			now.MOS = round(emodel.MOS(codec, now.LossPercent, f.Jitter, f.RTT), 2)
		}
		dir.Now = &now
	}
	return dir
}

// onWall is t as the clock on the wall has it that shows now: where somebody has set it since, the time that was
// shown then is not as long ago. What has no monotonic reading stays.
func onWall(now, t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return now.Add(t.Sub(now))
}

// addrText writes an address, if there is one.
func addrText(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

func milliseconds(d time.Duration) float64 { return round(d.Seconds()*1000, 1) }

func round(v float64, digits int) float64 {
	scale := 1.0
	for range digits {
		scale *= 10
	}
	return float64(int64(v*scale+0.5)) / scale
}

// appendSummary appends the media's part of the line that the log gets.
func (r *Record) appendSummary(b []byte) []byte {
	for i := range r.Media {
		d := &r.Media[i]
		b = appendText(b, "; from ", d.From)
		if d.Stream > 1 || d.Kind != "audio" {
			b = appendText(b, " (", d.Kind, ")")
		}
		b = strconv.AppendUint(append(b, ' '), d.Packets, 10)
		b = strconv.AppendFloat(appendText(b, " packets, "), d.LossPercent, 'f', 1, 64)
		b = strconv.AppendFloat(appendText(b, " % lost, jitter "), d.JitterMS, 'f', 0, 64)
		b = appendText(b, " ms")
		if d.MOS > 0 {
			b = strconv.AppendFloat(appendText(b, ", MOS "), d.MOS, 'f', 1, 64)
		}
		b = appendText(b, ": ", d.Verdict)
	}
	return b
}
