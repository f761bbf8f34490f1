package rtprelay

import (
	"net/netip"
	"testing"
	"time"
)

// A proof is a check that has passed.
type proof struct {
	at        time.Duration
	from      netip.AddrPort
	priority  uint32
	nominates bool
	talksTo   netip.AddrPort // afterwards
}

// Which of the proven sources is the one: before a nomination the first, then the nominated
// one, of several close together the one of the highest priority, later the latest.
func TestLatchProofs(t *testing.T) {
	for _, tc := range []struct {
		name   string
		proofs []proof
	}{
		{"the first one is used before any nomination", []proof{
			{at: 0, from: phone, priority: 100, talksTo: phone},
			{at: 50 * ms, from: mobile, priority: 200, talksTo: phone},
			{at: 1 * sec, from: mobile, priority: 200, talksTo: phone},
		}},
		{"a nomination wins over the first one, with whatever priority", []proof{
			{at: 0, from: phone, priority: 100, talksTo: phone},
			{at: 50 * ms, from: mobile, priority: 50, talksTo: phone},
			{at: 100 * ms, from: mobile, priority: 50, nominates: true, talksTo: mobile},
			{at: 150 * ms, from: phone, priority: 100, talksTo: mobile},
		}},
		{"of several nominations, as an aggressive phone makes them, the highest priority", []proof{
			{at: 0, from: phone, priority: 100, nominates: true, talksTo: phone},
			{at: 50 * ms, from: rebound, priority: 90, nominates: true, talksTo: phone},
			{at: 100 * ms, from: mobile, priority: 110, nominates: true, talksTo: mobile},
			{at: 150 * ms, from: third, priority: 105, nominates: true, talksTo: mobile},
			{at: 200 * ms, from: phone, priority: 110, nominates: true, talksTo: mobile},
		}},
		{"a later nomination moves the leg at once: the phone has changed networks", []proof{
			{at: 0, from: phone, priority: 200, nominates: true, talksTo: phone},
			{at: 5 * sec, from: phone, priority: 200, talksTo: phone},
			{at: 5*sec + 20*ms, from: mobile, priority: 50, talksTo: phone},
			{at: 5*sec + 40*ms, from: mobile, priority: 50, nominates: true, talksTo: mobile},
			{at: 5*sec + 60*ms, from: phone, priority: 100, talksTo: mobile},
		}},
		{"a rebound NAT: who is proven takes over once the old source has been silent", []proof{
			{at: 0, from: phone, priority: 100, nominates: true, talksTo: phone},
			{at: 10 * sec, from: phone, priority: 100, talksTo: phone},
			{at: 11 * sec, from: rebound, priority: 100, talksTo: phone},
			{at: 12 * sec, from: rebound, priority: 100, talksTo: rebound},
			{at: 12 * sec, from: phone, priority: 100, talksTo: rebound},
		}},
		{"nominations behind a rebound NAT are weighed anew", []proof{
			{at: 0, from: phone, priority: 100, nominates: true, talksTo: phone},
			{at: 3 * sec, from: rebound, priority: 100, talksTo: rebound},
			{at: 3*sec + 20*ms, from: rebound, priority: 100, nominates: true, talksTo: rebound},
			{at: 3*sec + 40*ms, from: mobile, priority: 90, nominates: true, talksTo: rebound},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var l latch
			l.expect(0, private, phone.Addr())
			for i, p := range tc.proofs {
				v := l.prove(p.at+ms, p.from, p.priority, p.nominates)
				if l.target != p.talksTo || l.source != p.talksTo || v == drop {
					t.Fatalf("proof %d: verdict %v, talks to %v, listens to %v, want %v", i, v, l.target, l.source, p.talksTo)
				}
			}
		})
	}
}

// A proof beats the ranking by words, before and after; without ICE any more, words count again.
func TestLatchProofAndSDP(t *testing.T) {
	var l latch
	l.expect(1, phone, phone.Addr())
	if v := l.packet(arrives(2, phone, seq(1))); v != moved || l.target != phone {
		t.Fatalf("the SDP's address: %v", v)
	}
	if v := l.prove(3, mobile, 1, false); v != moved || l.target != mobile || l.source != mobile {
		t.Fatalf("a proof: %v, talks to %v", v, l.target)
	}
	if v := l.packet(arrives(4, phone, seq(2))); v != drop {
		t.Fatalf("the SDP's address after a proof: %v", v)
	}
	l.expect(5, rebound, phone.Addr())
	if v := l.packet(arrives(6, rebound, seq(3))); v != drop || l.target != mobile {
		t.Fatalf("a new SDP after a proof: %v, talks to %v", v, l.target)
	}
	// The phone signals from another network: it is heard from there, until a proof says else.
	l.expect(7, nowhere, gateway.Addr())
	if v := l.packet(arrives(7, mobile, seq(4))); v != pass || l.target != mobile {
		t.Fatalf("the proven source: %v, talks to %v", v, l.target)
	}
	if v := l.packet(arrives(7, stranger, seqOf(9, 4))); v != drop {
		t.Fatalf("a stranger: %v", v)
	}
	if v := l.packet(arrives(7, gateway, seq(4))); v != moved || l.target != gateway {
		t.Fatalf("from the new network: %v, talks to %v", v, l.target)
	}
	if v := l.prove(7, mobile, 1, false); v != moved || l.target != mobile {
		t.Fatalf("a proof: %v, talks to %v", v, l.target)
	}
	// A restart: who was heard goes on, the next one who is proven takes over.
	l.unprove(true)
	l.expect(7, rebound, phone.Addr())
	if v := l.packet(arrives(8, mobile, seq(4))); v != pass || l.target != mobile {
		t.Fatalf("the old source after a restart: %v, talks to %v", v, l.target)
	}
	if v := l.prove(9, third, 1, false); v != moved || l.target != third {
		t.Fatalf("the first proof after a restart: %v, talks to %v", v, l.target)
	}
	l.unprove(true)
	l.expect(10, phone, phone.Addr())
	if l.target != third {
		t.Fatalf("a restart from a new socket, before anything came from it: talks to %v", l.target)
	}
	l.expect(10, nowhere, gateway.Addr())
	l.unprove(true)
	l.expect(10, rebound, phone.Addr())
	if l.target != third {
		t.Fatalf("a second one: talks to %v", l.target)
	}
	if v := l.prove(10, third, 1, false); v != pass || l.target != third {
		t.Fatalf("proven where it was: %v, talks to %v", v, l.target)
	}
	l.expect(10, nowhere, gateway.Addr())
	l.unprove(true)
	l.expect(10, gateway, netip.Addr{})
	if l.target != gateway {
		t.Fatalf("a restart from another network: talks to %v", l.target)
	}
	l.unprove(false)
	l.expect(10, phone, phone.Addr())
	if v := l.packet(arrives(11, phone, seq(5))); v != moved || l.target != phone {
		t.Fatalf("the SDP's address, ICE being over: %v, talks to %v", v, l.target)
	}
}

// Who proves that he is where he is heard already ends the wait for whomever newer signalling has announced.
func TestLatchProofAfterSDP(t *testing.T) {
	var l latch
	l.expect(1, private, phone.Addr())
	l.packet(arrives(2, phone, seq(1)))
	l.expect(3, gateway, phone.Addr())
	if v := l.prove(4, phone, 1, false); v != pass || l.target != phone {
		t.Fatalf("a proof: %v, talks to %v", v, l.target)
	}
	for _, from := range []netip.AddrPort{gateway, third} {
		if v := l.packet(arrives(5, from, seqOf(7, 1))); v != drop || l.target != phone {
			t.Errorf("from %v: %v, talks to %v", from, v, l.target)
		}
	}
}
