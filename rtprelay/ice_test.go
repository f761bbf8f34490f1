package rtprelay

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/binary"
	"net/netip"
	"runtime"
	"testing"
	"time"
)

// A check is a Binding request as a phone makes it.
type check struct {
	username, password string
	extra              string // attributes in front, in hexadecimal
	bare               bool   // without MESSAGE-INTEGRITY
}

var checkID byte

func (c check) bytes() []byte {
	checkID++
	b := append(bytesOf("00010000 2112a442 0102030405060708090a0b"), checkID)
	b = append(b, bytesOf(c.extra)...)
	if c.username != "" {
		b = append(appendAttribute(b, attrUsername, len(c.username)), c.username...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	if c.bare {
		return seal(b, nil)
	}
	return seal(b, hmac.New(sha1.New, []byte(c.password)))
}

// receiveSTUN waits for a STUN message, and checks what every answer to one has. It gives
// its type, its error code, and the address that it names.
func (p phoneSocket) receiveSTUN(request []byte, password string) (kind uint16, code int, mapped netip.AddrPort) {
	p.t.Helper()
	p.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 1500)
	n, _, err := p.conn.ReadFromUDPAddrPort(b)
	if err != nil {
		p.t.Fatalf("no answer: %v", err)
	}
	b = b[:n]
	m, ok := parseSTUN(b)
	if !ok || string(b[4:20]) != string(request[4:20]) || string(b[n-8:n-4]) != "\x80\x28\x00\x04" {
		p.t.Fatalf("%x is no answer to %x, or has no fingerprint", b, request)
	}
	if password != "" {
		var sum [integritySize]byte
		if m.integrity == 0 || !m.proven(b, newSecret(ICE{Pwd: password}).mac, &sum) {
			p.t.Fatalf("%x is not proven", b)
		}
	}
	for at := stunHeader; at < n; at += 4 + (int(binary.BigEndian.Uint16(b[at+2:]))+3)&^3 {
		v := b[at+4:]
		switch binary.BigEndian.Uint16(b[at:]) {
		case attrErrorCode:
			code = int(v[2])*100 + int(v[3])
		case attrXORMappedAddress:
			ip := [4]byte{v[4] ^ 0x21, v[5] ^ 0x12, v[6] ^ 0xa4, v[7] ^ 0x42}
			mapped = netip.AddrPortFrom(netip.AddrFrom4(ip), binary.BigEndian.Uint16(v[2:])^0x2112)
		}
	}
	return m.kind, code, mapped
}

const (
	useCandidate   = "00250000"
	iceControlling = "802a0008 0000000000000001"
	iceControlled  = "80290008 0000000000000001"
	ownPassword    = "our password of 24 chars"
)

// iceStream is a stream whose caller does ICE, with nothing in its SDP that can be reached.
func iceStream(t testing.TB) *Stream {
	s := mustOpen(t, newRelay(t, 2, -1))
	s.SetICE(Caller, ICE{Ufrag: "ours", Pwd: ownPassword, Peer: "them"})
	s.Expect(Caller, Peer{RTP: netip.MustParseAddrPort("10.0.0.9:4000"), Signal: hostA})
	return s
}

func TestCheckAnswers(t *testing.T) {
	for _, tc := range []struct {
		name string
		check
		code   int  // 0: success
		proven bool // the answer has MESSAGE-INTEGRITY
	}{
		{"a check", check{"ours:them", ownPassword, iceControlling, false}, 0, true},
		{"an attribute that may be ignored", check{"ours:them", ownPassword, "c0570004 00000000", false}, 0, true},
		{"no username", check{"", ownPassword, "", false}, 400, false},
		{"no integrity", check{"ours:them", "", "", true}, 400, false},
		{"a wrong password", check{"ours:them", "wrong", "", false}, 401, false},
		{"another agent's username", check{"them:ours", ownPassword, "", false}, 401, false},
		{"another phone's", check{"ours:other", ownPassword, "", false}, 401, false},
		{"no colon", check{"ours", ownPassword, "", false}, 401, false},
		{"an attribute that must be understood", check{"ours:them", ownPassword, "00770000", false}, 420, true},
		{"a phone that thinks it is controlled", check{"ours:them", ownPassword, iceControlled, false}, 487, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := iceStream(t)
			a := newPhone(t, hostA)
			request := tc.bytes()
			a.send(s.Port(Caller), request)
			password := ""
			if tc.proven {
				password = ownPassword
			}
			kind, code, mapped := a.receiveSTUN(request, password)
			if code != tc.code || (code == 0) != (kind == bindingSuccess) || (code != 0) != (kind == bindingError) {
				t.Errorf("answered with type %#x, code %d", kind, code)
			}
			if code == 0 && mapped != a.addr {
				t.Errorf("mapped address %v, want %v", mapped, a.addr)
			}
			f := s.Stats().From[Caller]
			if heard := f.Source == a.addr; heard != (code == 0) {
				t.Errorf("listens to %v", f.Source)
			}
		})
	}
}

// Media of a phone anywhere passes once it is proven; a stranger, whatever he knows but the
// password, gets not even an error, at either port, and the other side hears of no check.
func TestCheckOpensTheWay(t *testing.T) {
	s := iceStream(t)
	pa, pb := s.Port(Caller), s.Port(Callee)
	a, moved := newPhone(t, hostX), newPhone(t, hostX) // an IP that nobody named
	b, x := newPhone(t, hostB), newPhone(t, netip.MustParseAddr("127.0.0.77"))
	s.Expect(Callee, Peer{RTP: b.addr, Signal: hostB})
	spray := func() {
		for _, c := range []check{
			{username: "ours:them", bare: true}, {username: "ours:them", password: "guess"}, {password: ownPassword},
			{username: "x:y", password: ownPassword},
		} {
			x.send(pa, c.bytes())
			x.send(pa+1, c.bytes())
			x.send(pb, c.bytes())
		}
		x.send(pa, rtpPacket(7, "spray"))
		x.send(pa, bytesOf("00110000 2112a442 0102030405060708090a0b0c"))
	}
	good := check{"ours:them", ownPassword, iceControlling + "00240004 00000064", false}
	spray()
	a.send(pa, rtpPacket(1, "too early"))
	first := good.bytes()
	a.send(pa, first)
	a.receiveSTUN(first, ownPassword)
	spray()
	a.send(pa, rtpPacket(2, "a"))
	b.hears(rtpPacket(2, "a"), pb)
	b.send(pb, rtpPacket(2, "b"))
	a.hears(rtpPacket(2, "b"), pa)
	stale := check{username: "ours:them", password: "of yesterday"}.bytes()
	a.send(pa, stale) // who is heard is told what is wrong
	if _, code, _ := a.receiveSTUN(stale, ""); code != errorUnauthenticated {
		t.Errorf("the phone's stale check was answered with %d", code)
	}

	// The phone is in another network: the answer goes there at once, the sound with the nomination.
	again := good.bytes()
	moved.send(pa, again)
	moved.receiveSTUN(again, ownPassword)
	b.send(pb, rtpPacket(3, "b"))
	a.hears(rtpPacket(3, "b"), pa)
	good.extra += useCandidate
	nomination := good.bytes()
	moved.send(pa, nomination)
	moved.receiveSTUN(nomination, ownPassword)
	b.send(pb, rtpPacket(4, "b"))
	moved.hears(rtpPacket(4, "b"), pa)
	spray()
	moved.send(pa, rtpPacket(3, "a"))
	b.hears(rtpPacket(3, "a"), pb)
	// The phone without ICE gets no STUN of the other's, and the other none of his.
	b.send(pb, check{username: "ours:them", password: ownPassword}.bytes())
	moved.send(pa, bytesOf("00110000 2112a442 0102030405060708090a0b0c"))
	b.send(pb, rtpPacket(5, "b"))
	moved.hears(rtpPacket(5, "b"), pa)
	moved.send(pa, rtpPacket(5, "a"))
	b.hears(rtpPacket(5, "a"), pb)
	for _, p := range []phoneSocket{a, b, moved, x} {
		p.heardNothing()
	}
	if f := s.Stats().From[Caller]; f.Packets != 3 || f.Other != 5 || f.Strangers < 3*6 {
		t.Errorf("%d packets, %d checks, %d strangers", f.Packets, f.Other, f.Strangers)
	}
}

// A DTLS handshake that one phone begins before the other can be reached is not held up by a
// second: its newest datagram waits, and nothing else does.
func TestHandshakeWaits(t *testing.T) {
	s := iceStream(t)
	a, b := newPhone(t, hostA), newPhone(t, hostB)
	s.Expect(Callee, Peer{RTP: b.addr, Signal: hostB})
	hello := func(n byte) []byte { return []byte{22, 0xfe, 0xff, n} }
	b.send(s.Port(Callee), hello(1))
	b.send(s.Port(Callee), hello(2))
	b.send(s.Port(Callee), rtpPacket(1, "too early"))
	for s.Stats().From[Callee].Unaddressed == 0 {
		runtime.Gosched()
	}
	c := check{username: "ours:them", password: ownPassword}.bytes()
	a.send(s.Port(Caller), c)
	a.receiveSTUN(c, ownPassword)
	a.hears(hello(2), s.Port(Caller))
	b.send(s.Port(Callee), hello(3))
	a.hears(hello(3), s.Port(Caller))
}

// Between two phones without ICE, STUN passes as any packet does.
func TestSTUNPassesWithoutICE(t *testing.T) {
	s := mustOpen(t, newRelay(t, 2, -1))
	a, b := newPhone(t, hostA), newPhone(t, hostB)
	s.Expect(Callee, Peer{RTP: b.addr, Signal: hostB})
	c := check{username: "x:y", password: "z"}.bytes()
	a.send(s.Port(Caller), c)
	b.hears(c, s.Port(Callee))
}

// Around an answer and a restart, checks by the old and by the new credentials are answered;
// only the new ones move the leg.
func TestRestart(t *testing.T) {
	s := mustOpen(t, newRelay(t, 2, -1))
	pa := s.Port(Caller)
	a, moved := newPhone(t, hostX), newPhone(t, hostX)
	try := func(p phoneSocket, username, password string, answered bool) {
		t.Helper()
		c := check{username: username, password: password, extra: useCandidate}.bytes()
		p.send(pa, c)
		if answered {
			p.receiveSTUN(c, password)
			return
		}
		// The one that follows was read after it, and answered first.
		p.send(pa, c)
		for s.Stats().From[Caller].Strangers < 2 {
			runtime.Gosched()
		}
		p.heardNothing()
	}
	latched := func(want phoneSocket) {
		t.Helper()
		if got := s.Stats().From[Caller].Source; got != want.addr {
			t.Fatalf("listens to %v, want %v", got, want.addr)
		}
	}
	s.SetICE(Caller, ICE{Ufrag: "ours", Pwd: ownPassword})
	try(a, "ours:any", ownPassword, true) // before its SDP has come
	latched(a)
	s.SetICE(Caller, ICE{Ufrag: "ours", Pwd: ownPassword, Peer: "them"})
	latched(a)
	try(moved, "ours:any", ownPassword, false)

	s.SetICE(Caller, ICE{Ufrag: "new", Pwd: "fresh", Peer: "anew"})
	latched(a)
	try(moved, "ours:them", ownPassword, true)
	latched(a)
	try(moved, "new:anew", "fresh", true)
	latched(moved)
	try(a, "ours:them", ownPassword, true)
	latched(moved)

	s.SetICE(Caller, ICE{})
	latched(moved)
	s.Close()
	s.SetICE(Caller, ICE{Ufrag: "late"})
}

// An agent allocates nothing for a check, be it right or wrong.
func TestNoAllocationPerCheck(t *testing.T) {
	a := &agent{now: newSecret(ICE{Ufrag: "ours", Pwd: ownPassword, Peer: "them"})}
	from := netip.MustParseAddrPort("192.0.2.1:4000")
	right := check{username: "ours:them", password: ownPassword}.bytes()
	wrong := check{username: "ours:them", password: "wrong"}.bytes()
	answer := func(b []byte) {
		m, _ := parseSTUN(b)
		if by, code := a.judge(&m, b); code == 0 {
			a.success(b, from, by.mac)
		} else {
			a.refusal(b, code, m.unknown, nil)
		}
	}
	answer(right)
	if n := testing.AllocsPerRun(100, func() { answer(right); answer(wrong) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
