package rtprelay

import (
	"net/netip"
	"time"
)

// silence is how long a source must be quiet before another one that carries
// on its stream may take its place. It is also how long after a change of
// SDP the old source is not yet believed to be the new one.
const silence = 2 * time.Second

// maxDropout is the largest step ahead in sequence numbers that still belongs
// to the same stream (RFC 3550 A.1): a minute of speech. A larger one does where
// there was time to send all in between, fastest apart, and be it in vain: routers
// that start anew take longer.
const (
	maxDropout = 3000
	fastest    = 2 * time.Millisecond
)

// A latch decides whom one socket listens and talks to. It is pure: it is
// told what the signalling says and what arrives when, and answers. Times are
// durations since the relay started.
//
// Sources rank: one that an ICE check has proven; then the address that the SDP
// names; then the first one whose IP is trusted, which is the IP that the side
// signals from, or for RTCP also the IP that its RTP comes from. Nobody else is
// ever learnt, save a source that carries on the RTP stream of one that fell
// silent. A leg of ours can be what the SDP names: see join.go.
type latch struct {
	// What each packet needs stands in front.

	target netip.AddrPort // who is talked to; zero: nobody
	source netip.AddrPort // who is listened to; zero: nobody yet
	heard  time.Duration  // when source was last heard
	last   header         // its newest RTP, or else RTCP, packet
	open   bool           // a trusted IP may become the source
	due    bool           // the SDP's address may become the source
	proven bool           // an ICE check of source has passed
	aged   bool           // last is of an earlier process, and its stream has gone on since

	sdp    netip.AddrPort // what the SDP names; zero: nothing yet
	signal netip.Addr     // where the side signals from
	kin    netip.Addr     // for RTCP: where the side's RTP comes from
	joined bool           // the SDP names another leg of ours that faces the same side

	settle  time.Duration // before, packets of the source do not end open
	heir    netip.AddrPort
	after   uint16 // newest sequence number of heir
	rebinds uint32 // how often the source fell silent, and went on from elsewhere

	kept      bool          // source was proven before ICE began anew
	nominated time.Duration // since when a source is, by USE-CANDIDATE; 0: none yet
	priority  uint32        // of that check
}

// verdict is what a latch says of a packet.
type verdict uint8

const (
	drop  verdict = iota // a stranger's
	pass                 // the source's
	moved                // the source's, and the target may have changed
)

// expect takes in new signalling. An address or IP that is not valid says
// nothing new. Who is latched stays so until somebody with a better claim
// under the new signalling is heard: sound never stops because of a message.
func (l *latch) expect(now time.Duration, sdp netip.AddrPort, signal netip.Addr) {
	stated, changed, roamed := sdp.IsValid(), false, false
	if stated {
		changed = l.sdp.IsValid() && sdp != l.sdp
		l.sdp = sdp
	}
	if signal.IsValid() {
		roamed = signal != l.signal
		l.signal = signal
	}
	l.heir = netip.AddrPort{}
	if l.proven {
		// Words do not count against a proof, but a phone that signals from another
		// network may be heard from there before its checks are.
		l.open = l.open || roamed
		return
	}
	l.due = l.source != l.sdp
	// The best claim there is needs no newcomers, unless the side has moved
	// and did not repeat it.
	l.open = l.due || !l.sdp.IsValid() || roamed && !stated
	if changed && !l.kept {
		// The phone opened another socket. What is still on its way from the
		// old one proves nothing.
		l.settle = now + silence
	}
	switch {
	case l.open && now < l.settle && l.reachable():
		l.target = l.sdp
	case l.source.IsValid():
		l.target = l.source
	default:
		l.target = netip.AddrPort{}
		l.follow(l.kin)
	}
}

// follow tells the latch of RTCP where the RTP of the same side comes from.
// While nothing has arrived, packets go to the address that the SDP names if
// its IP is trusted or it is another leg of ours for the same side, and nowhere else.
func (l *latch) follow(kin netip.Addr) {
	l.kin = kin
	if !l.source.IsValid() && l.sdp.IsValid() && l.reachable() {
		l.target = l.sdp
	}
}

// reachable says whether packets may go to the address that the SDP names though nothing has come from there.
func (l *latch) reachable() bool { return l.joined || l.trusts(l.sdp.Addr()) }

func (l *latch) trusts(ip netip.Addr) bool {
	return ip == l.signal || ip == l.kin
}

// packet decides on a packet.
func (l *latch) packet(p *packet) verdict {
	if p.from == l.source {
		l.hear(p)
		if l.open && p.now >= l.settle && l.trusts(p.from.Addr()) {
			l.open = false
			l.target = p.from
			return moved
		}
		return pass
	}
	switch {
	case l.due && p.from == l.sdp:
		l.due = false
	case l.open && l.trusts(p.from.Addr()):
	case l.inherits(p):
		l.rebinds++
	default:
		return drop
	}
	l.turn(p.from)
	l.hear(p)
	return moved
}

// turn makes from the one who is listened and talked to.
func (l *latch) turn(from netip.AddrPort) {
	l.open, l.proven, l.kept = false, false, false
	l.source, l.target = from, from
	l.heir = netip.AddrPort{}
	l.last = header{}
}

// prove takes in an ICE check of from that has passed. The first source that is
// proven wins over whoever has no proof; then the one that the phone nominates,
// of several the one with the highest priority, as one that nominates with every
// check means it (RFC 5245 8.1.1.2). These come close together; a nomination later
// on is a phone's that has changed networks. So is a check from elsewhere while the
// source is silent: a NAT that has rebound.
func (l *latch) prove(now time.Duration, from netip.AddrPort, priority uint32, nominates bool) verdict {
	silent := now-l.heard >= silence
	wins := !l.proven || silent
	if nominates && !wins {
		wins = l.nominated == 0 || priority > l.priority || now-l.nominated >= silence
	}
	if from != l.source && !wins {
		return pass
	}
	before := l.target
	if from != l.source {
		if l.proven && silent {
			l.rebinds++
		}
		l.turn(from)
		l.nominated = 0
	}
	l.proven, l.kept, l.open, l.due = true, false, false, false
	l.target, l.heard = from, now
	if nominates {
		if l.nominated == 0 {
			l.nominated = now
		}
		l.priority = priority
	}
	if l.target != before {
		return moved
	}
	return pass
}

// unprove forgets what was proven: ICE begins anew, or ends. Who was heard goes on being so. A phone that begins anew
// where it was goes on being talked to there as well, whatever its SDP says now, until it is heard from elsewhere:
// RFC 8445 9. One that signals from another network since, or that ends ICE, is taken by its word.
func (l *latch) unprove(anew bool) {
	l.kept = anew && (l.kept || l.proven && !l.open)
	l.proven, l.nominated, l.priority = false, 0, 0
}

// keep decides on a STUN message that proves nothing.
func (l *latch) keep(now time.Duration, from netip.AddrPort) verdict {
	if from != l.source {
		return drop
	}
	l.heard = now
	return pass
}

func (l *latch) hear(p *packet) {
	l.heard = p.now
	if p.kind == rtp || p.kind == rtcp && l.last.kind != rtp {
		l.last, l.aged = p.header, false
	}
}

// inherits reports whether a packet of somebody else carries on what the
// source sent before it fell silent, as after a NAT has rebound.
//
// Of RTP two packets in a row are asked for, with the SSRC of the source and
// sequence numbers ahead of it: who cannot see the stream cannot guess them.
// RTCP has no sequence numbers, so its IP must be trusted as well; it follows
// the RTP, which moves first. Where both have one port (RFC 5761), each carries on
// the other: a phone that is mute sends RTCP alone, and one that begins to speak
// has not sent RTP yet.
func (l *latch) inherits(p *packet) bool {
	if l.last.kind != rtp && l.last.kind != rtcp || p.ssrc != l.last.ssrc {
		return false
	}
	silent := p.now-l.heard >= silence
	switch p.kind {
	case rtcp:
		return silent && l.trusts(p.from.Addr())
	case rtp:
		if p.from != l.heir || !ahead(p.seq, l.after, 0) {
			if l.aged || l.last.kind == rtcp || ahead(p.seq, l.last.seq, p.now-l.heard) {
				l.heir, l.after = p.from, p.seq
			}
			return false
		}
		l.after = p.seq
		return silent
	}
	return false
}

// ahead reports whether sequence number a comes after b, by not too much after some time.
func ahead(a, b uint16, after time.Duration) bool {
	d := a - b
	return d != 0 && (d < maxDropout || d < 1<<15 && time.Duration(d)*fastest <= after)
}
