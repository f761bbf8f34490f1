package proxy

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"minisip/cmd/minisip/internal/pack"
	"minisip/session"
)

// Restore takes a record that the core of an earlier process gave to its Keeper, sorted by kind, before
// the first message. An error concerns this record alone.
func (c *Core) Restore(now time.Time, kind byte, id uint64, record string) error {
	c.now = now
	switch kind {
	case keptBinding:
		return c.restoreBinding(now, id, record)
	case keptCall:
		return c.restoreCall(now, int64(id), record)
	case keptCore:
		r := pack.NewReader(record)
		c.restoreCore(&r)
	}
	return nil // of a newer version
}

func (c *Core) restoreBinding(now time.Time, id uint64, record string) error {
	b, err := c.where.Restore(now, id, c.cfg.Epoch, record)
	if b == nil || err != nil {
		return err
	}
	if c.users.Lookup([]byte(b.AOR())) == nil {
		c.where.Remove(b)
		return nil
	}
	if b.Ping.Suspended {
		b.Ping.Misses = deadAfter
		c.missed++
		c.suspended++
	}
	if b.NAT && c.cfg.Keepalive > 0 {
		c.pingers.restore(b, now)
	}
	c.armExpiry()
	return nil
}

// appendRecord appends what of an established call outlives the process. Fields are only ever
// added, at the end; so are those of what it is made of.
func (k *call) appendRecord(b []byte) []byte {
	epoch := k.core.cfg.Epoch
	b = pack.AppendString(b, k.callID, k.dialled)
	b = pack.AppendTime(b, epoch, k.Created, k.Rang, k.Answered)
	b = appendParty(b, &k.caller, k.holds(session.Caller))
	shared := k.liveMedia()
	b = pack.AppendUint(b, uint64(len(shared)))
	for _, md := range shared {
		b = pack.AppendSection(b, func(b []byte) []byte { return md.appendRecord(b, epoch) })
	}
	for _, d := range k.dialogs {
		if d.live() {
			b = pack.AppendSection(b, func(b []byte) []byte {
				return d.appendRecord(b, epoch, slices.Index(shared, d.media))
			})
		}
	}
	return b
}

// liveMedia are the media of the dialogs that go on, each once.
func (k *call) liveMedia() (list []*media) {
	for _, d := range k.dialogs {
		if d.live() && d.media != nil && !slices.Contains(list, d.media) {
			list = append(list, d.media)
		}
	}
	return list
}

// KeptStreams are the streams that the next process goes on with: those of established calls.
func (c *Core) KeptStreams() (list []Stream) {
	for k := range c.everyCall() {
		if !k.established() {
			continue
		}
		for _, md := range k.liveMedia() {
			for s := range md.open() {
				list = append(list, s.Stream)
			}
		}
	}
	return list
}

func appendParty(b []byte, p *session.Party, holds bool) []byte {
	return pack.AppendSection(b, func(b []byte) []byte {
		b = pack.AppendString(b, p.User, p.Tag, p.Identity, p.Contact)
		b = pack.AppendStrings(b, p.Routes)
		b = pack.AppendAddrPort(b, p.Addr, p.Local)
		b = pack.AppendUint(b, uint64(p.CSeq))
		return pack.AppendBool(b, holds, p.Away)
	})
}

// readParty gives the address apart: see place.
func readParty(r *pack.Reader) (p session.Party, at netip.AddrPort, holds bool) {
	s := r.Section()
	p = session.Party{User: s.String(), Tag: s.String(), Identity: s.String(), Contact: s.String(), Routes: s.Strings()}
	at = s.AddrPort()
	p.Local, p.CSeq = s.AddrPort(), uint32(s.Uint())
	holds = s.Bool()
	p.Away = s.Bool()
	return p, at, holds
}

func (d *dialog) appendRecord(b []byte, epoch time.Time, media int) []byte {
	b = appendParty(b, &d.callee, d.media.holds(session.Callee))
	b = pack.AppendUint(b, d.branch)
	b = pack.AppendInt(b, int64(media))
	b = pack.AppendTime(b, epoch, d.began, d.acks[session.Caller].at)
	b = pack.AppendUint(b, uint64(d.acks[session.Caller].seq), uint64(d.interval/time.Second))
	b = d.appendAcks(b, epoch)
	return pack.AppendBool(b, d.media.holds(session.Caller))
}

func (md *media) appendRecord(b []byte, epoch time.Time) []byte {
	for _, e := range md.ends {
		b = pack.AppendAddrPort(b, e.local)
		b = pack.AppendAddr(b, e.signal)
	}
	for _, a := range md.ability {
		b = pack.AppendUint(b, uint64(a))
	}
	for i := range md.streams {
		s := &md.streams[i]
		b = pack.AppendSection(b, func(b []byte) []byte {
			b = pack.AppendBool(b, s.Stream != nil)
			b = pack.AppendSection(b, func(b []byte) []byte {
				if s.Stream != nil {
					b = s.AppendState(b, epoch)
				}
				return b
			})
			for r, p := range s.peers {
				b = pack.AppendAddrPort(b, p.RTP, p.RTCP)
				b = pack.AppendAddr(b, p.Signal)
				b = pack.AppendBool(b, p.Mux)
				b = pack.AppendString(b, s.names[r], s.ice[r].Ufrag, s.ice[r].Pwd, s.ice[r].Peer, s.ice[r].pwd)
			}
			return pack.AppendString(b, s.kind, s.codec)
		})
	}
	return b
}

// restoreCall makes the call of a record go on.
func (c *Core) restoreCall(now time.Time, serial int64, record string) error {
	r, epoch := pack.NewReader(record), c.cfg.Epoch
	k := &call{core: c, serial: serial, number: strconv.FormatInt(serial, 10), callID: r.String(), dialled: r.String()}
	k.Begin(r.Time(epoch))
	k.Rang, k.Answered, k.State = r.Time(epoch), r.Time(epoch), session.Up
	k.Touch(now)
	caller, at, holds := readParty(&r)
	k.caller = caller
	sections := make([]pack.Reader, min(r.Uint(), maxDialogs))
	for i := range sections {
		sections[i] = r.Section()
	}
	if !r.OK() || k.callID == "" || !at.IsValid() || !r.More() {
		return fmt.Errorf("proxy: call %s: the record cannot be read", k.number)
	}
	k.key = k.callID + "\x00" + k.caller.Tag
	k.timer.Own(k)
	k.next = c.calls[k.key]
	c.calls[k.key] = k
	c.callSeq = max(c.callSeq, serial)
	k.count()
	k.follow(now, c.trail.Key([]byte(k.callID)))
	k.restoreParty(now, nil, at)
	shared := make([]*media, len(sections))
	for i := range sections {
		shared[i] = k.restoreMedia(&sections[i])
	}
	for r.More() && len(k.dialogs) < maxDialogs {
		k.restoreDialog(now, r.Section(), shared, holds)
	}
	k.watch(now)
	return nil
}

// restoreDialog makes a dialog go on. That the caller has put some dialog on hold is all that older versions say.
func (k *call) restoreDialog(now time.Time, r pack.Reader, shared []*media, callerHolds bool) {
	callee, at, holds := readParty(&r)
	d := k.newDialog()
	d.callee, d.branch, d.confirmed = callee, r.Uint(), true
	if i := r.Int(); i >= 0 && i < int64(len(shared)) {
		d.media = shared[i]
	}
	epoch := k.core.cfg.Epoch
	d.began = r.Time(epoch)
	d.acks[session.Caller].at, d.acks[session.Caller].seq = r.Time(epoch), uint32(r.Uint())
	d.interval = time.Duration(uint32(r.Uint())) * time.Second
	d.readAcks(&r, epoch)
	if r.More() {
		callerHolds = r.Bool()
	}
	if d.media != nil {
		d.media.held = [2]bool{callerHolds, holds}
	}
	k.restoreParty(now, d, at)
	d.joined()
}

// restoreParty has a side go on at its address: the callee of a dialog, or without one the caller.
func (k *call) restoreParty(now time.Time, callee *dialog, at netip.AddrPort) {
	side := &away{call: k, callee: callee}
	p := side.party()
	k.place(p, at)
	k.course.Name(at, p.User)
	side.keepOpenAgain(now)
}

// restoreMedia opens the same ports again.
func (k *call) restoreMedia(r *pack.Reader) *media {
	c := k.core
	md := &media{call: k, answered: true}
	md.streams = md.room[:0]
	for i := range md.ends {
		md.ends[i] = end{local: r.AddrPort(), signal: r.Addr()}
	}
	for i := range md.ability {
		md.ability[i] = ability(r.Uint())
	}
	for r.More() {
		var s relayedStream
		f := r.Section()
		was := f.Bool()
		state := f.Section()
		for i := range s.peers {
			s.peers[i] = Peer{RTP: f.AddrPort(), RTCP: f.AddrPort(), Signal: f.Addr(), Mux: f.Bool()}
			s.names[i] = f.String()
			s.ice[i] = iceLeg{ICE{f.String(), f.String(), f.String()}, f.String()}
		}
		s.kind, s.codec = f.String(), f.String()
		s.fax = s.kind == "image"
		md.asked[session.Caller] = md.asked[session.Caller] || was && s.peers[session.Caller] == (Peer{}) // the ACK has not come
		if was {
			stream, err := c.relay.Reopen(md.leg(session.Caller), md.leg(session.Callee), c.cfg.Epoch, &state)
			if err != nil {
				c.logf("call %s: goes on without %s: %v", k.number, s.kind, err)
			} else {
				s.Stream = stream
				md.opened()
			}
		}
		md.streams = append(md.streams, s)
	}
	md.offered = [2]int{len(md.streams), len(md.streams)}
	return md
}
