package proxy

import (
	"fmt"
	"slices"
	"strings"
	"time"

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
	End      time.Time   `json:"end"`
	Seconds  float64     `json:"seconds"` // from answer to end
	Why      string      `json:"why"`
	Media    []Direction `json:"media,omitempty"`
}

// Direction is one direction of one stream.
type Direction struct {
	Stream      int     `json:"stream"` // counts m= lines from 1
	Kind        string  `json:"kind"`   // audio, video ...
	Codec       string  `json:"codec,omitempty"`
	From        string  `json:"from"`
	Source      string  `json:"source,omitempty"`
	Packets     uint64  `json:"packets"`
	Lost        uint64  `json:"lost"`
	LossPercent float64 `json:"loss_percent"`
	JitterMS    float64 `json:"jitter_ms"`
	MOS         float64 `json:"mos,omitempty"` // audio alone
	Strangers   uint64  `json:"strangers,omitempty"`
	Verdict     string  `json:"verdict"`
}

// record makes the account of a call that has just ended; its streams are still open.
func (k *call) record() *Record {
	r := &Record{
		Call: k.serial, CallID: k.callID, From: k.caller.User, FromAddr: k.caller.Addr.String(),
		To: k.dialled, Begin: k.Created, End: k.EndedAt, Why: k.Why,
	}
	if !k.Rang.IsZero() {
		r.Ring = &k.Rang
	}
	if k.Answered.IsZero() {
		return r
	}
	r.Answer = &k.Answered
	r.Seconds = round(k.EndedAt.Sub(k.Answered).Seconds(), 3)
	r.ToAddr = k.longest().callee.Addr.String()
	for i, d := range k.dialogs {
		// A proxy that forks behind us makes several dialogs of one stream.
		shared := slices.ContainsFunc(k.dialogs[:i], func(o *dialog) bool { return o.confirmed && o.media == d.media })
		if d.confirmed && !shared {
			r.Media = append(r.Media, d.directions()...)
		}
	}
	return r
}

// directions judges all streams of the dialog.
func (d *dialog) directions() (out []Direction) {
	if d.media == nil {
		return nil
	}
	k := d.call
	for i := range d.media.streams {
		s := &d.media.streams[i]
		if s.Stream == nil || s.peers[session.Caller] == (Peer{}) || s.peers[session.Callee] == (Peer{}) {
			continue // offered, and never answered
		}
		for _, side := range [...]session.Role{session.Caller, session.Callee} {
			p := d.party(side)
			f := s.Flow(side)
			dir := Direction{
				Stream: i + 1, Kind: s.kind, Codec: s.codec, From: p.User, Packets: f.Packets, Lost: f.Lost,
				LossPercent: round(f.lossPercent(), 2), JitterMS: round(f.Jitter.Seconds()*1000, 1), Strangers: f.Strangers,
				Verdict: verdict(&f, p.User, s.peers[side].RTP, p.Held || d.party(side.Other()).Held, k.Answered, k.EndedAt),
			}
			if f.Source.IsValid() {
				dir.Source = f.Source.String()
			}
			if s.kind == "audio" && f.Packets > 0 {
				name, _, _ := strings.Cut(s.codec, "/")
				dir.MOS = round(mos(name, f.lossPercent(), f.Jitter, f.RTT), 2)
			}
			out = append(out, dir)
		}
	}
	return out
}

func round(v float64, digits int) float64 {
	scale := 1.0
	for range digits {
		scale *= 10
	}
	return float64(int64(v*scale+0.5)) / scale
}

// summary is the media's part of the line that the log gets.
func (r *Record) summary() string {
	var b strings.Builder
	for _, d := range r.Media {
		fmt.Fprintf(&b, "; from %s", d.From)
		if d.Stream > 1 || d.Kind != "audio" {
			fmt.Fprintf(&b, " (%s)", d.Kind)
		}
		fmt.Fprintf(&b, " %d packets, %.1f %% lost, jitter %.0f ms", d.Packets, d.LossPercent, d.JitterMS)
		if d.MOS > 0 {
			fmt.Fprintf(&b, ", MOS %.1f", d.MOS)
		}
		b.WriteString(": " + d.Verdict)
	}
	return b.String()
}
