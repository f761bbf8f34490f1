package guard

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func at(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func TestSources(t *testing.T) {
	s := NewSources()
	phone := at("198.51.100.7:5060")
	s.Add(phone)
	s.Add(at("[::ffff:198.51.100.7]:5060"))
	s.Remove(phone)
	if !s.Has(phone) || s.Has(at("198.51.100.7:5061")) || s.Has(at("198.51.100.8:5060")) {
		t.Error("what was added twice and removed once is in the set, and nothing else")
	}
	s.Remove(phone)
	s.Remove(phone)
	if s.Has(phone) || s.Len() != 0 {
		t.Error("what was removed is still in the set")
	}
	if n := testing.AllocsPerRun(100, func() { s.Has(phone) }); n != 0 {
		t.Errorf("%v allocations a look-up", n)
	}
}

// Shares of a queue of 100: each row is what one source asks for, in turns, and what it gets.
func TestShares(t *testing.T) {
	const size = 100
	sources := []string{"198.51.100.1:1", "198.51.100.2:1", "198.51.100.3:1"}
	for _, tt := range []struct{ ask, want []int }{
		{[]int{1000}, []int{33}},                 // one alone leaves two thirds free
		{[]int{1000, 1000}, []int{25, 25}},       // two share
		{[]int{1000, 3}, []int{32, 3}},           // who asks for little has it
		{[]int{1000, 1000, 1}, []int{25, 25, 1}}, // however late
	} {
		s := NewShares()
		used := 0
		got := make([]int, len(tt.ask))
		for turn := range 1000 {
			for i, ask := range tt.ask {
				if turn < ask {
					if _, ok := s.Enter(at(sources[i]), size-used); ok {
						got[i]++
						used++
					}
				}
			}
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("asked for %v they got %v, want %v", tt.ask, got, tt.want)
			}
		}
		if used > size {
			t.Errorf("%d places given of %d", used, size)
		}
	}
}

// Many sources, each with one datagram, fill a queue to its end and not beyond; who left can come again.
func TestSharesOfMany(t *testing.T) {
	s := NewShares()
	const size = 100
	var slots []uint16
	for i := range 5000 {
		if slot, ok := s.Enter(netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), 5060), size-len(slots)); ok {
			slots = append(slots, slot)
		}
	}
	if len(slots) != size {
		t.Errorf("%d of %d places given", len(slots), size)
	}
	for _, slot := range slots {
		s.Leave(slot)
	}
	for i := range s.waiting {
		if n := s.waiting[i].Load(); n != 0 {
			t.Errorf("slot %d: %d still wait", i, n)
		}
	}
}

func TestLoad(t *testing.T) {
	var l Load
	now := epoch
	for i, step := range []struct {
		after, wait time.Duration
		over        bool
	}{
		{0, time.Millisecond, false},
		{time.Second, 199 * time.Millisecond, false},
		{time.Second, 300 * time.Millisecond, false}, // a machine that stood still
		{10 * time.Millisecond, 210 * time.Millisecond, false},
		{10 * time.Millisecond, 190 * time.Millisecond, false},
		{time.Second, 200 * time.Millisecond, false},
		{240 * time.Millisecond, 200 * time.Millisecond, false},
		{10 * time.Millisecond, 200 * time.Millisecond, true},
		{300 * time.Millisecond, 200 * time.Millisecond, true},
		{900 * time.Millisecond, time.Millisecond, true},
		{0, 50 * time.Millisecond, true},
		{900 * time.Millisecond, 49 * time.Millisecond, true},
		{100 * time.Millisecond, 49 * time.Millisecond, false},
		{time.Second, 60 * time.Millisecond, false},
	} {
		was := l.Over
		now = now.Add(step.after)
		if changed := l.Note(now, step.wait); l.Over != step.over || changed != (was != step.over) {
			t.Errorf("step %d: over %v, changed %v; want over %v", i, l.Over, changed, step.over)
		}
	}
}

func TestLookAt(t *testing.T) {
	for _, tt := range []struct {
		datagram string
		want     Look
	}{
		{"REGISTER sip:a SIP/2.0\r\nVia: x\r\n\r\n", Bare},
		{"\r\n\r\nREGISTER sip:a SIP/2.0\r\n\r\n", Bare},
		{"REGISTER sip:a sip/2.0 \r\n\r\n", Bare},
		{"INVITE sip:" + strings.Repeat("a", 5000) + " SIP/2.0\nVia: x\n\n", Bare},
		{"REGISTER sip:a SIP/2.0\r\nAuthorization: Digest nonce=\"abc\"\r\n\r\n", Proving},
		{"REGISTER sip:a SIP/2.0\r\nAuthorization: Digest nonce=\"\"\r\n\r\n", Bare},
		{"REGISTER sip:a SIP/2.0\r\nAuthorization: Digest nonce=\"abc", Bare},
		{"SIP/2.0 200 OK\r\nVia: x\r\n\r\n", Response},
		{"sip/2.0 200 OK\r\nVia: x\r\n\r\n", Response},
		{"GET / HTTP/1.1\r\n\r\n", Rubbish},
		{"REGISTER sip:a SIP/3.0\r\n\r\n", Rubbish},
		{"", Rubbish},
		{"\r\n\r\n", Rubbish},
		{"\x00\x01\x00\x00\x21\x12\xa4\x42", Rubbish},
		{"SIP/2.", Rubbish},
	} {
		if got := LookAt([]byte(tt.datagram)); got != tt.want {
			t.Errorf("%q looks like %d, want %d", tt.datagram, got, tt.want)
		}
	}
	datagram := []byte("REGISTER sip:a SIP/2.0\r\nAuthorization: Digest nonce=\"abc\"\r\n\r\n")
	if n := testing.AllocsPerRun(100, func() { LookAt(datagram) }); n != 0 {
		t.Errorf("%v allocations a look", n)
	}
	if got := string(Nonce(datagram)); got != "abc" {
		t.Errorf("nonce %q, want abc", got)
	}
}
