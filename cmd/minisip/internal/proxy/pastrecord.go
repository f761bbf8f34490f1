package proxy

import (
	"cmp"
	"strconv"
	"time"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/cmd/minisip/internal/pack"
	"minisip/cmd/minisip/internal/trail"
	"minisip/session"
)

// A call's record in the ledger never leaves the process, so its fields may change with the program.

// appendKey appends what a list shows of a call: it comes first.
func (p *pastCall) appendKey(b []byte, epoch time.Time) []byte {
	r := p.Record
	b = pack.AppendInt(b, r.Call)
	b = pack.AppendString(b, r.From, r.FromAddr, r.To, r.ToAddr)
	return pack.AppendTime(b, epoch, r.Begin)
}

// appendRest appends all else.
func (p *pastCall) appendRest(b []byte) []byte {
	r := p.Record
	begin := justBefore(r.Begin)
	for _, t := range [...]*time.Time{r.Ring, r.Answer, &r.End} {
		b = pack.AppendTime(b, begin, *cmp.Or(t, new(time.Time)))
	}
	b = pack.AppendString(b, r.CallID, r.Why, r.Verdict)
	b = appendThousandths(b, r.Seconds)
	b = p.Course.Append(b, begin)
	b = pack.AppendUint(b, uint64(len(p.Findings)))
	for i := range p.Findings {
		f := &p.Findings[i]
		b = pack.AppendStrings(b, []string{string(f.Severity), f.Code, f.Text, f.Next})
	}
	for i := range r.Media {
		b = p.Tracks[i].Append(appendDirection(b, &r.Media[i], begin))
	}
	return b
}

func readCallKey(r *pack.Reader, epoch time.Time) CallKey {
	return CallKey{
		ID: strconv.FormatInt(r.Int(), 10), From: r.String(), FromAddr: r.String(), To: r.String(), ToAddr: r.String(),
		Begin: r.Time(epoch),
	}
}

// readPast reads what both have appended, but the key of its Call-ID.
func readPast(r *pack.Reader, epoch time.Time) *pastCall {
	k := readCallKey(r, epoch)
	call, _ := strconv.ParseInt(k.ID, 10, 64)
	c := &Record{Call: call, From: k.From, FromAddr: k.FromAddr, To: k.To, ToAddr: k.ToAddr, Begin: k.Begin}
	begin := justBefore(c.Begin)
	c.Ring, c.Answer, c.End = orNil(r.Time(begin)), orNil(r.Time(begin)), r.Time(begin)
	c.CallID, c.Why, c.Verdict = r.String(), r.String(), r.String()
	c.Seconds = readThousandths(r)
	p := &pastCall{ID: k.ID, Record: c, Course: trail.ReadCourse(r, begin)}
	for n := r.Uint(); n > 0 && r.More(); n-- {
		if f := r.Strings(); len(f) == 4 {
			p.found(diagnosis.Finding{Severity: diagnosis.Severity(f[0]), Code: f[1], Text: f[2], Next: f[3]})
		}
	}
	for r.More() {
		c.Media = append(c.Media, readDirection(r, begin))
		p.Tracks = append(p.Tracks, trail.ReadTrack(r))
	}
	return p
}

// justBefore is where times from t on can be counted from: in a record the distance 0 means no time.
func justBefore(t time.Time) time.Time { return t.Add(-1) }

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// counts are the numbers of a direction.
func (d *Direction) counts() [11]*uint64 {
	return [...]*uint64{
		&d.Packets, &d.Bytes, &d.Lost, &d.Duplicates, &d.OutOfOrder, &d.SSRCChanges, &d.Strangers,
		&d.Rebinds, &d.Oversize, &d.Unaddressed, &d.Undelivered,
	}
}

// measures are what was measured of it, in thousandths at the finest.
func (d *Direction) measures() [4]*float64 {
	return [...]*float64{&d.LossPercent, &d.JitterMS, &d.RTTMS, &d.MOS}
}

// words are its texts.
func (d *Direction) words() [6]*string {
	return [...]*string{&d.Kind, &d.Codec, &d.From, &d.Source, &d.Stranger, &d.Verdict}
}

func appendDirection(b []byte, d *Direction, begin time.Time) []byte {
	b = pack.AppendUint(b, uint64(d.Stream))
	for _, s := range d.words() {
		b = pack.AppendString(b, *s)
	}
	for _, n := range d.counts() {
		b = pack.AppendUint(b, *n)
	}
	for _, v := range d.measures() {
		b = appendThousandths(b, *v)
	}
	b = pack.AppendStrings(b, d.PayloadTypes)
	b = pack.AppendTime(b, begin, d.first)
	b = pack.AppendTime(b, begin, *cmp.Or(d.Last, new(time.Time)))
	return append(b, byte(d.side), byte(d.grade))
}

func readDirection(r *pack.Reader, begin time.Time) (d Direction) {
	d.Stream = int(r.Uint())
	for _, s := range d.words() {
		*s = r.String()
	}
	for _, n := range d.counts() {
		*n = r.Uint()
	}
	for _, v := range d.measures() {
		*v = readThousandths(r)
	}
	d.PayloadTypes = r.Strings()
	d.first, d.Last = r.Time(begin), orNil(r.Time(begin))
	d.side, d.grade = session.Role(r.Uint()), grade(r.Uint())
	return d
}

// appendThousandths appends what round has rounded, at most to that.
func appendThousandths(b []byte, v float64) []byte { return pack.AppendInt(b, int64(round(v*1000, 0))) }

func readThousandths(r *pack.Reader) float64 { return float64(r.Int()) / 1000 }
