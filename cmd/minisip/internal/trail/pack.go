package trail

import (
	"time"

	"minisip/cmd/minisip/internal/pack"
	"minisip/sipmsg"
)

// A course to which nothing is added any more takes a quarter of its memory as a record: see
// package pack. What tells a repetition from a new message is left out.

// Append appends a course, its times as distances from epoch.
func (c *Course) Append(b []byte, epoch time.Time) []byte {
	b = pack.AppendString(b, c.Call)
	b = pack.AppendTime(b, epoch, c.Begin)
	b = pack.AppendUint(b, uint64(c.Skipped))
	b = pack.AppendUint(b, uint64(len(c.Peers)))
	for i := range c.Peers {
		b = pack.AppendString(pack.AppendAddrPort(b, c.Peers[i].Addr), c.Peers[i].User)
	}
	b = pack.AppendUint(b, uint64(len(c.Steps)))
	last := new(Step)
	for i := range c.Steps {
		s := &c.Steps[i]
		b = pack.AppendInt(b, int64(s.Message-last.Message))
		b = pack.AppendInt(b, int64(s.after)-int64(last.after))
		for _, n := range [...]uint64{uint64(s.Size), uint64(s.Status), uint64(s.Method), uint64(s.Peer), uint64(s.flags)} {
			b = pack.AppendUint(b, n)
		}
		last = s
	}
	return b
}

// ReadCourse reads what Append has appended.
func ReadCourse(r *pack.Reader, epoch time.Time) *Course {
	c := &Course{Call: r.String(), Begin: r.Time(epoch), Skipped: int(r.Uint())}
	for n := r.Uint(); n > 0 && r.More(); n-- {
		c.Peers = append(c.Peers, Peer{Addr: r.AddrPort(), User: r.String()})
	}
	var last Step
	for n := r.Uint(); n > 0 && r.More(); n-- {
		s := Step{Message: last.Message + ID(r.Int()), after: uint32(int64(last.after) + r.Int())}
		s.Size, s.Status, s.Method = uint16(r.Uint()), uint16(r.Uint()), sipmsg.Method(r.Uint())
		s.Peer, s.flags = uint8(r.Uint()), uint8(r.Uint())
		c.Steps = append(c.Steps, s)
		last = s
	}
	return c
}

// Append appends a track.
func (t *Track) Append(b []byte) []byte {
	b = pack.AppendUint(pack.AppendUint(b, uint64(t.width)), uint64(len(t.samples)))
	for _, s := range t.samples {
		b = pack.AppendUint(pack.AppendUint(b, uint64(s.Loss)), uint64(s.Jitter))
	}
	return b
}

// ReadTrack reads what Append has appended.
func ReadTrack(r *pack.Reader) (t Track) {
	t.width = int(r.Uint())
	for n := r.Uint(); n > 0 && r.More(); n-- {
		t.samples = append(t.samples, Sample{Loss: uint16(r.Uint()), Jitter: uint16(r.Uint())})
	}
	return t
}
