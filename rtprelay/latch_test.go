package rtprelay

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

// The addresses of the latching tables.
var (
	phone    = netip.MustParseAddrPort("192.0.2.7:4000")    // a phone, or the NAT before it
	rebound  = netip.MustParseAddrPort("192.0.2.7:61000")   // the same after the NAT rebound
	third    = netip.MustParseAddrPort("192.0.2.7:62000")   // another phone behind the same NAT
	private  = netip.MustParseAddrPort("10.0.0.5:4000")     // what an SDP behind NAT names
	private2 = netip.MustParseAddrPort("10.0.0.5:4002")     // and after it opened another socket
	mobile   = netip.MustParseAddrPort("198.51.100.9:7000") // the phone in another network
	gateway  = netip.MustParseAddrPort("203.0.113.1:9000")  // media from elsewhere than signalling
	stranger = netip.MustParseAddrPort("203.0.113.66:4000")
	nowhere  netip.AddrPort
)

func seq(n uint16) header             { return header{kind: rtp, ssrc: 0xabcd, seq: n} }
func seqOf(s uint32, n uint16) header { return header{kind: rtp, ssrc: s, seq: n} }
func report(s uint32) header          { return header{kind: rtcp, ssrc: s} }

// An event is new signalling if it has sdp or signal, else a packet.
type event struct {
	at      time.Duration
	sdp     netip.AddrPort
	signal  netip.Addr
	kin     netip.Addr
	from    netip.AddrPort
	h       header
	want    verdict
	talksTo netip.AddrPort // afterwards
}

const ms, sec = time.Millisecond, time.Second

var latchTable = []struct {
	name   string
	events []event
}{
	{"public phone: the SDP is right from the start", []event{
		{at: 0, sdp: phone, signal: phone.Addr(), talksTo: phone},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 40 * ms, from: phone, h: seq(2), want: pass, talksTo: phone},
	}},
	{"phone behind NAT: the SDP names a private address, nothing goes there", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: rebound, h: seq(1), want: moved, talksTo: rebound},
		{at: 40 * ms, from: rebound, h: seq(2), want: pass, talksTo: rebound},
	}},
	{"media from elsewhere than signalling: the SDP's exact address is taken once it sends", []event{
		{at: 0, sdp: gateway, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: netip.AddrPortFrom(gateway.Addr(), 9001), h: seq(1), want: drop, talksTo: nowhere},
		{at: 40 * ms, from: gateway, h: seq(2), want: moved, talksTo: gateway},
	}},
	{"a stranger before, during and after learning reaches nobody and is never learnt", []event{
		{at: 0, from: stranger, h: seq(1), want: drop, talksTo: nowhere},
		{at: 10 * ms, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: stranger, h: seq(1), want: drop, talksTo: nowhere},
		{at: 30 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 40 * ms, from: stranger, h: seq(2), want: drop, talksTo: phone},
		{at: 10 * sec, from: stranger, h: seqOf(9, 3), want: drop, talksTo: phone},
		{at: 11 * sec, from: stranger, h: seqOf(9, 4), want: drop, talksTo: phone},
		{at: 12 * sec, from: stranger, h: header{kind: stun}, want: drop, talksTo: phone},
		{at: 13 * sec, from: phone, h: seq(5), want: pass, talksTo: phone},
	}},
	{"two phones behind one NAT: the first source is kept, the second is a stranger", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 40 * ms, from: third, h: seqOf(7, 1), want: drop, talksTo: phone},
		{at: 9 * sec, from: third, h: seqOf(7, 2), want: drop, talksTo: phone},
		{at: 9 * sec, from: third, h: seqOf(7, 3), want: drop, talksTo: phone},
	}},
	{"the SDP's address outranks one that only shares the IP, once", []event{
		{at: 0, sdp: phone, signal: phone.Addr(), talksTo: phone},
		{at: 20 * ms, from: third, h: seqOf(7, 1), want: moved, talksTo: third},
		{at: 40 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 60 * ms, from: third, h: seqOf(7, 2), want: drop, talksTo: phone},
		{at: 80 * ms, from: phone, h: seq(2), want: pass, talksTo: phone},
	}},
	{"packets before the answer come through where the signalling IP is known", []event{
		{at: 0, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 40 * ms, sdp: phone, signal: phone.Addr(), talksTo: phone},
		{at: 60 * ms, from: third, h: seqOf(7, 1), want: drop, talksTo: phone},
		{at: 80 * ms, from: phone, h: seq(2), want: pass, talksTo: phone},
	}},
	{"early media from another port than the answer names: kept until the named one sends", []event{
		{at: 0, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: rebound, h: seq(1), want: moved, talksTo: rebound},
		{at: 40 * ms, sdp: phone, talksTo: rebound},
		{at: 60 * ms, from: rebound, h: seq(2), want: moved, talksTo: rebound},
		{at: 80 * ms, from: phone, h: seq(3), want: moved, talksTo: phone},
	}},
	{"NAT rebinds mid-call: back 2 s after the old source's last packet", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: seq(100), want: moved, talksTo: phone},
		{at: 40 * ms, from: rebound, h: seq(101), want: drop, talksTo: phone},
		{at: 60 * ms, from: rebound, h: seq(102), want: drop, talksTo: phone},
		{at: 2*sec + 19*ms, from: rebound, h: seq(200), want: drop, talksTo: phone},
		{at: 2*sec + 20*ms, from: rebound, h: seq(201), want: moved, talksTo: rebound},
		{at: 2*sec + 40*ms, from: phone, h: seq(202), want: drop, talksTo: rebound},
		{at: 2*sec + 60*ms, from: rebound, h: seq(203), want: pass, talksTo: rebound},
	}},
	{"NAT rebinds to another IP, sequence numbers wrap", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: seq(65530), want: moved, talksTo: phone},
		{at: 3 * sec, from: mobile, h: seq(120), want: drop, talksTo: phone},
		{at: 3*sec + 20*ms, from: mobile, h: seq(121), want: moved, talksTo: mobile},
	}},
	{"NAT rebinds when its router is back after more than a minute, in which the phone went on", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: seq(100), want: moved, talksTo: phone},
		{at: 90 * sec, from: stranger, h: seq(40000), want: drop, talksTo: phone},
		{at: 90 * sec, from: stranger, h: seq(40001), want: drop, talksTo: phone},
		{at: 90 * sec, from: mobile, h: seq(4600), want: drop, talksTo: phone},
		{at: 90*sec + 20*ms, from: mobile, h: seq(4601), want: moved, talksTo: mobile},
	}},
	{"carrying on takes the SSRC, numbers ahead, RTP, and two packets of one source", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: seq(100), want: moved, talksTo: phone},
		{at: 3 * sec, from: mobile, h: seqOf(1, 101), want: drop, talksTo: phone},
		{at: 3 * sec, from: mobile, h: seqOf(1, 102), want: drop, talksTo: phone},
		{at: 3 * sec, from: mobile, h: seq(99), want: drop, talksTo: phone},
		{at: 3 * sec, from: mobile, h: seq(100), want: drop, talksTo: phone},
		{at: 3 * sec, from: mobile, h: seq(100 + maxDropout), want: drop, talksTo: phone},
		{at: 3 * sec, from: mobile, h: seq(101 + maxDropout), want: drop, talksTo: phone},
		{at: 3 * sec, from: mobile, h: report(0xabcd), want: drop, talksTo: phone},
		{at: 3 * sec, from: mobile, h: header{kind: stun}, want: drop, talksTo: phone},
		{at: 3 * sec, from: mobile, h: seq(101), want: drop, talksTo: phone},
		{at: 3 * sec, from: stranger, h: seq(102), want: drop, talksTo: phone},
		{at: 3 * sec, from: mobile, h: seq(103), want: drop, talksTo: phone},
		{at: 3 * sec, from: mobile, h: seq(103), want: drop, talksTo: phone},
		{at: 3 * sec, from: mobile, h: seq(104), want: moved, talksTo: mobile},
	}},
	{"a gap of comfort noise loses nothing", []event{
		{at: 0, sdp: phone, signal: phone.Addr(), talksTo: phone},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 40 * sec, from: phone, h: seq(2), want: pass, talksTo: phone},
	}},
	{"Wi-Fi to mobile, then re-INVITE: the new network is taken at its first packet", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 40 * ms, from: mobile, h: seq(2), want: drop, talksTo: phone},
		{at: 50 * ms, sdp: private, signal: mobile.Addr(), talksTo: phone},
		{at: 60 * ms, from: phone, h: seq(3), want: pass, talksTo: phone},
		{at: 80 * ms, from: mobile, h: seq(4), want: moved, talksTo: mobile},
		{at: 90 * ms, from: phone, h: seq(5), want: drop, talksTo: mobile},
	}},
	{"moved by signalling alone, with a public SDP address", []event{
		{at: 0, sdp: phone, signal: phone.Addr(), talksTo: phone},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 40 * ms, sdp: mobile, signal: mobile.Addr(), talksTo: mobile},
		{at: 60 * ms, from: mobile, h: seqOf(5, 900), want: moved, talksTo: mobile},
	}},
	{"a re-INVITE that changes nothing leaves the window open for one packet only", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 9 * sec, sdp: private, signal: phone.Addr(), talksTo: phone},
		{at: 9*sec + 20*ms, from: phone, h: seq(2), want: moved, talksTo: phone},
		{at: 9*sec + 40*ms, from: third, h: seqOf(7, 1), want: drop, talksTo: phone},
	}},
	{"another port in the SDP: what was still on its way decides nothing", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 9 * sec, sdp: private2, signal: phone.Addr(), talksTo: phone},
		{at: 9*sec + 10*ms, from: phone, h: seq(2), want: pass, talksTo: phone},
		{at: 9*sec + 20*ms, from: rebound, h: seqOf(8, 50), want: moved, talksTo: rebound},
		{at: 9*sec + 30*ms, from: phone, h: seq(3), want: drop, talksTo: rebound},
	}},
	{"another port in the SDP and the same source all along: the window ends after 2 s", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 9 * sec, sdp: private2, signal: phone.Addr(), talksTo: phone},
		{at: 9*sec + 10*ms, from: phone, h: seq(2), want: pass, talksTo: phone},
		{at: 10 * sec, sdp: private2, signal: phone.Addr(), talksTo: phone},
		{at: 11*sec - ms, from: phone, h: seq(3), want: pass, talksTo: phone},
		{at: 11 * sec, from: phone, h: seq(4), want: moved, talksTo: phone},
		{at: 12 * sec, from: third, h: seqOf(7, 1), want: drop, talksTo: phone},
	}},
	{"a new public port is talked to at once, and left again if the old one goes on", []event{
		{at: 0, sdp: phone, signal: phone.Addr(), talksTo: phone},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 1 * sec, sdp: rebound, signal: phone.Addr(), talksTo: rebound},
		{at: 2 * sec, from: phone, h: seq(2), want: pass, talksTo: rebound},
		{at: 2 * sec, sdp: rebound, signal: phone.Addr(), talksTo: rebound},
		{at: 3 * sec, from: phone, h: seq(3), want: moved, talksTo: phone},
		{at: 4 * sec, from: rebound, h: seqOf(3, 1), want: moved, talksTo: rebound},
	}},
	{"hold and resume (no usable address, then the same again) do not move the leg", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 1 * sec, signal: phone.Addr(), talksTo: phone},
		{at: 60 * sec, sdp: private, signal: phone.Addr(), talksTo: phone},
		{at: 61 * sec, from: phone, h: seq(2), want: moved, talksTo: phone},
	}},
	{"a public phone that moved and only registered anew: the new IP is taken, the old one kept until then", []event{
		{at: 0, sdp: phone, signal: phone.Addr(), talksTo: phone},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 1 * sec, signal: mobile.Addr(), talksTo: phone},
		{at: 1*sec + 20*ms, from: phone, h: seq(2), want: pass, talksTo: phone},
		{at: 1*sec + 40*ms, from: mobile, h: seq(3), want: moved, talksTo: mobile},
		{at: 1*sec + 60*ms, from: phone, h: seq(4), want: drop, talksTo: mobile},
	}},
	{"a refresh of a public phone's call opens no window at all", []event{
		{at: 0, sdp: phone, signal: phone.Addr(), talksTo: phone},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 1 * sec, sdp: phone, signal: phone.Addr(), talksTo: phone},
		{at: 1 * sec, from: third, h: seqOf(7, 1), want: drop, talksTo: phone},
		{at: 2 * sec, signal: phone.Addr(), talksTo: phone},
		{at: 2 * sec, from: third, h: seqOf(7, 2), want: drop, talksTo: phone},
	}},
	{"STUN, DTLS and T.38 open the way as RTP does", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: header{kind: stun}, want: moved, talksTo: phone},
		{at: 40 * ms, from: phone, h: header{kind: other}, want: pass, talksTo: phone},
	}},
	{"RTCP: the IP that RTP comes from is as good as the one signalled from", []event{
		{at: 0, sdp: gateway, signal: phone.Addr(), talksTo: nowhere},
		{at: 10 * ms, from: netip.AddrPortFrom(gateway.Addr(), 9005), h: report(1), want: drop, talksTo: nowhere},
		{at: 20 * ms, kin: gateway.Addr(), talksTo: gateway},
		{at: 30 * ms, from: netip.AddrPortFrom(gateway.Addr(), 9005), h: report(1), want: moved, talksTo: netip.AddrPortFrom(gateway.Addr(), 9005)},
		{at: 40 * ms, from: stranger, h: report(1), want: drop, talksTo: netip.AddrPortFrom(gateway.Addr(), 9005)},
	}},
	{"signalling that says nothing new leaves the way open", []event{
		{at: 0, signal: phone.Addr(), talksTo: nowhere},
		{at: 1 * sec, signal: phone.Addr(), talksTo: nowhere},
		{at: 2 * sec, from: phone, h: seq(1), want: moved, talksTo: phone},
	}},
	{"a side that moves and repeats the address it is heard from needs nobody else", []event{
		{at: 0, sdp: gateway, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: gateway, h: seq(1), want: moved, talksTo: gateway},
		{at: 1 * sec, sdp: gateway, signal: mobile.Addr(), talksTo: gateway},
		{at: 1 * sec, from: mobile, h: seqOf(7, 1), want: drop, talksTo: gateway},
	}},
	{"what a source before has sent is nothing to carry on", []event{
		{at: 0, sdp: phone, signal: phone.Addr(), talksTo: phone},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 1 * sec, sdp: gateway, signal: phone.Addr(), talksTo: phone},
		{at: 1 * sec, from: gateway, h: header{kind: other}, want: moved, talksTo: gateway},
		{at: 9 * sec, from: mobile, h: seq(2), want: drop, talksTo: gateway},
		{at: 9 * sec, from: mobile, h: seq(3), want: drop, talksTo: gateway},
	}},
	{"RTCP on RTP's port does not hide what a rebound NAT carries on", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 40 * ms, from: phone, h: report(0xabcd), want: pass, talksTo: phone},
		{at: 3 * sec, from: mobile, h: seq(2), want: drop, talksTo: phone},
		{at: 3 * sec, from: mobile, h: seq(3), want: moved, talksTo: mobile},
	}},
	{"RTCP on RTP's port carries on for a phone that is mute, from a trusted IP", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 1 * sec, from: rebound, h: report(0xabcd), want: drop, talksTo: phone},
		{at: 6 * sec, from: mobile, h: report(0xabcd), want: drop, talksTo: phone},
		{at: 6 * sec, from: rebound, h: report(1), want: drop, talksTo: phone},
		{at: 6 * sec, from: rebound, h: report(0xabcd), want: moved, talksTo: rebound},
		{at: 7 * sec, from: rebound, h: seq(2), want: pass, talksTo: rebound},
	}},
	{"RTP carries on RTCP on its port", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: report(0xabcd), want: moved, talksTo: phone},
		{at: 6 * sec, from: stranger, h: seqOf(1, 700), want: drop, talksTo: phone},
		{at: 6 * sec, from: stranger, h: seqOf(1, 701), want: drop, talksTo: phone},
		{at: 6 * sec, from: mobile, h: seq(700), want: drop, talksTo: phone},
		{at: 6 * sec, from: mobile, h: seq(701), want: moved, talksTo: mobile},
	}},
	{"the same packet twice is not two in a row", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 20 * ms, from: phone, h: seq(1), want: moved, talksTo: phone},
		{at: 1 * sec, from: mobile, h: seq(2), want: drop, talksTo: phone},
		{at: 1 * sec, from: mobile, h: seq(3), want: drop, talksTo: phone},
		{at: 3 * sec, from: mobile, h: seq(3), want: drop, talksTo: phone},
		{at: 3 * sec, from: mobile, h: seq(4), want: moved, talksTo: mobile},
	}},
	{"RTCP after a rebinding follows by SSRC, from a trusted IP, after 2 s", []event{
		{at: 0, sdp: private, signal: phone.Addr(), talksTo: nowhere},
		{at: 10 * ms, from: phone, h: report(1), want: moved, talksTo: phone},
		{at: 1 * sec, from: rebound, h: report(1), want: drop, talksTo: phone},
		{at: 5 * sec, from: rebound, h: report(2), want: drop, talksTo: phone},
		{at: 5 * sec, from: mobile, h: report(1), want: drop, talksTo: phone},
		{at: 5 * sec, from: rebound, h: report(1), want: moved, talksTo: rebound},
		{at: 9 * sec, kin: mobile.Addr(), talksTo: rebound},
		{at: 10 * sec, from: mobile, h: report(1), want: moved, talksTo: mobile},
	}},
}

// arrives is a packet of whom and when, as a latch sees it.
func arrives(now time.Duration, from netip.AddrPort, h header) *packet {
	return &packet{now: now, from: from, header: h}
}

func TestLatch(t *testing.T) {
	for _, tc := range latchTable {
		t.Run(tc.name, func(t *testing.T) {
			var l latch
			l.expect(0, netip.AddrPort{}, netip.Addr{})
			for i, e := range tc.events {
				switch {
				case e.from.IsValid():
					if got := l.packet(arrives(e.at, e.from, e.h)); got != e.want {
						t.Fatalf("event %d: %v from %v: verdict %v, want %v", i, e.h, e.from, got, e.want)
					}
				case e.kin.IsValid():
					l.follow(e.kin)
				default:
					l.expect(e.at, e.sdp, e.signal)
				}
				if l.target != e.talksTo {
					t.Fatalf("event %d: talks to %v, want %v", i, l.target, e.talksTo)
				}
			}
		})
	}
}

// A latch that a process has left which was killed knows its source by the SSRC, though the stream has gone on for long
// since that was kept; and once it has been heard, by its sequence numbers again.
func TestLatchRestored(t *testing.T) {
	var before, l latch
	before.expect(0, private, phone.Addr())
	before.packet(arrives(20*ms, phone, seq(1)))
	const long = 40000 // packets, 13 minutes
	l.restore(sec, before.state())
	for i, h := range []header{seq(long), seqOf(9, 2), seq(long + 50), seq(long + 100)} {
		want := drop
		if i == 3 {
			want = moved // 2 s after the restart
		}
		if got := l.packet(arrives(1100*ms+time.Duration(i)*700*ms, rebound, h)); got != want {
			t.Fatalf("packet %d from elsewhere: %v, want %v", i, got, want)
		}
	}
	for i := range uint16(4) {
		if got := l.packet(arrives(6*sec+time.Duration(i)*20*ms, third, seq(1+i))); got != drop {
			t.Fatalf("old sequence numbers: %v, want %v", got, drop)
		}
	}
}

// A source that falls silent and goes on from elsewhere is counted, by its stream as by a check; who comes after new
// signalling is not.
func TestLatchRebinds(t *testing.T) {
	var l latch
	l.expect(0, private, phone.Addr())
	l.packet(arrives(20*ms, phone, seq(1)))
	for i := range uint16(3) {
		l.packet(arrives(sec+time.Duration(i)*sec, rebound, seq(50*(i+1)))) // silent for 3 s at the last
	}
	if l.source != rebound || l.rebinds != 1 {
		t.Fatalf("listens to %v after %d rebinds, want %v after 1", l.source, l.rebinds, rebound)
	}
	l.expect(4*sec, private2, mobile.Addr())
	if l.packet(arrives(5*sec, mobile, seq(250))); l.source != mobile || l.rebinds != 1 {
		t.Fatalf("new signalling: listens to %v after %d rebinds, want %v after 1", l.source, l.rebinds, mobile)
	}
	l.prove(6*sec, mobile, 1, true)
	l.prove(7*sec, third, 2, true) // of several the best
	if l.prove(10*sec, rebound, 1, false); l.source != rebound || l.rebinds != 2 {
		t.Fatalf("a check: listens to %v after %d rebinds, want %v after 2", l.source, l.rebinds, rebound)
	}
}

// Whatever signalling and packets come in whatever order, who is neither named
// nor trusted nor knows the SSRC is never listened to and never talked to.
func TestLatchNeverLearnsStrangers(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	named := []netip.AddrPort{nowhere, phone, rebound, private, private2, mobile, gateway}
	kinds := []kind{rtp, rtp, rtcp, stun, other}
	for round := range 500 {
		var l latch
		now := time.Duration(1)
		for range 200 {
			now += time.Duration(rng.IntN(3000)) * ms
			n := uint16(now / (20 * ms))
			switch rng.IntN(12) {
			case 11:
				l.prove(now, named[1+rng.IntN(len(named)-1)], rng.Uint32(), rng.IntN(2) == 0)
			case 10:
				l.unprove(rng.IntN(2) == 0)
				l.keep(now, stranger)
			case 0:
				l.expect(now, named[rng.IntN(len(named))], named[rng.IntN(len(named))].Addr())
			case 1:
				l.follow(named[1+rng.IntN(len(named)-1)].Addr())
			case 2, 3, 4, 5:
				h := header{kind: kinds[rng.IntN(len(kinds))], ssrc: 0x666, seq: n}
				if v := l.packet(arrives(now, stranger, h)); v != drop {
					t.Fatalf("round %d: %v from a stranger: verdict %v", round, h, v)
				}
			default:
				l.packet(arrives(now, named[1+rng.IntN(len(named)-1)], header{kind: kinds[rng.IntN(len(kinds))], ssrc: 0xabcd, seq: n}))
			}
			if l.source == stranger || l.target == stranger {
				t.Fatalf("round %d: a stranger is latched: %+v", round, l)
			}
		}
	}
}
