package trail

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"minisip/sipmsg"
)

var (
	begin = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	ours  = netip.MustParseAddrPort("203.0.113.10:5060")
	alice = netip.MustParseAddrPort("198.51.100.7:31022")
	bob   = netip.MustParseAddrPort("192.0.2.7:4000")
)

// note notes a message as it came from or, where received is false, went to a phone.
func note(r *Recorder, ms int, peer netip.AddrPort, received bool, method sipmsg.Method, status int, text string) ID {
	return r.Note(&Message{
		Key: r.Key([]byte("call-1")), At: begin.Add(time.Duration(ms) * time.Millisecond), Peer: peer, Local: ours,
		Received: received, Method: method, Status: status, Text: []byte(text),
	})
}

// ladder shows a course, a line a step.
func ladder(c *Course) string {
	var b strings.Builder
	for i := range c.Steps {
		s := &c.Steps[i]
		arrow, more := "<-", ""
		if s.Received() {
			arrow = "->"
		}
		if s.SDP() {
			more += " sdp"
		}
		if s.Again() {
			more += " again"
		}
		fmt.Fprintf(&b, "%d %s %s %d/%d%s\n", c.At(s).Sub(begin).Milliseconds(), c.Addr(s).Addr(), arrow, s.Method, s.Status, more)
	}
	return b.String()
}

// TestCourse: what came before the call was known is in its course, repetitions are told.
func TestCourse(t *testing.T) {
	r := New(make([]byte, 64<<10))
	note(r, 0, alice, true, sipmsg.INVITE, 0, "INVITE a\r\n\r\nv=0\r\n")
	note(r, 1, alice, false, sipmsg.INVITE, 407, "SIP/2.0 407 a\r\n\r\n")
	note(r, 20, alice, true, sipmsg.INVITE, 0, "INVITE b\r\n\r\nv=0\r\n")
	c := r.Begin(begin.Add(20*time.Millisecond), r.Key([]byte("call-1")))
	id := note(r, 21, bob, false, sipmsg.INVITE, 0, "INVITE c\r\n\r\nv=0\r\n")
	note(r, 521, bob, false, sipmsg.INVITE, 0, "INVITE c\r\n\r\nv=0\r\n")
	note(r, 600, bob, true, sipmsg.INVITE, 200, "SIP/2.0 200 c\r\n\r\n")
	want := fmt.Sprintf("0 198.51.100.7 -> %[1]d/0 sdp\n1 198.51.100.7 <- %[1]d/407\n20 198.51.100.7 -> %[1]d/0 sdp\n"+
		"21 192.0.2.7 <- %[1]d/0 sdp\n521 192.0.2.7 <- %[1]d/0 sdp again\n600 192.0.2.7 -> %[1]d/200\n", sipmsg.INVITE)
	if got := ladder(c); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if m := r.Get(id); m == nil || string(m.Text) != "INVITE c\r\n\r\nv=0\r\n" || m.Peer != bob {
		t.Errorf("message %d: %+v", id, m)
	}
	r.End(r.Key([]byte("call-1")))
	note(r, 700, bob, true, sipmsg.BYE, 0, "BYE d\r\n\r\n")
	if got := ladder(c); got != want {
		t.Errorf("after its end the course went on:\n%s", got)
	}
}

// TestCourseIsBounded: the middle goes, beginning and end stay.
func TestCourseIsBounded(t *testing.T) {
	r := New(make([]byte, 64<<10))
	c := r.Begin(begin, r.Key([]byte("call-1")))
	for i := range 1000 {
		note(r, i, netip.AddrPortFrom(alice.Addr(), uint16(i+1)), true, sipmsg.INFO, 0, fmt.Sprint("INFO ", i))
	}
	if len(c.Steps) != maxSteps || c.Skipped != 1000-maxSteps || len(c.Peers) != maxPeers {
		t.Fatalf("%d steps, %d skipped, %d peers", len(c.Steps), c.Skipped, len(c.Peers))
	}
	for i, want := range map[int]int{0: 0, keepFirst - 1: keepFirst - 1, keepFirst: 1000 - maxSteps + keepFirst, maxSteps - 1: 999} {
		if got := int(c.At(&c.Steps[i]).Sub(begin).Milliseconds()); got != want {
			t.Errorf("step %d is of %d ms, want %d", i, got, want)
		}
	}
}

// TestRingKeepsTheNewest: whatever the sizes, what is there is whole, and the newest are there.
func TestRingKeepsTheNewest(t *testing.T) {
	r := New(make([]byte, 1)) // as small as it can be
	var ids []ID
	texts := map[ID]string{}
	for i := range 500 {
		text := strings.Repeat(string(rune('a'+i%26)), 1+i*977%9000)
		id := note(r, i, alice, true, sipmsg.INVITE, 0, text)
		ids, texts[id] = append(ids, id), text
	}
	kept := 0
	for _, id := range ids {
		if m := r.Get(id); m != nil {
			kept++
			if string(m.Text) != texts[id] {
				t.Errorf("message %d is not what was noted", id)
			}
		}
	}
	if last := ids[len(ids)-1]; !r.Has(last) || kept > 2*maxText/100 {
		t.Errorf("the newest is there: %v; %d are kept", r.Has(last), kept)
	}
	found, next := r.Search(callRing, 0, 1000, func(m *Message) bool { return true })
	if len(found) != kept || next != 0 {
		t.Errorf("a search finds %d and goes on at %d, want %d and 0", len(found), next, kept)
	}
}

// TestRegistersPushNoCallOut: each kind has a ring of its own.
func TestRegistersPushNoCallOut(t *testing.T) {
	r := New(make([]byte, 128<<10))
	id := note(r, 0, alice, true, sipmsg.INVITE, 0, "INVITE a")
	for i := range 10_000 {
		note(r, i, bob, true, sipmsg.REGISTER, 0, "REGISTER")
	}
	if !r.Has(id) {
		t.Error("the INVITE is gone")
	}
}

// TestNoteAllocatesNothing but for the steps of a course.
func TestNoteAllocatesNothing(t *testing.T) {
	r := New(make([]byte, 64<<10))
	key, text := r.Key([]byte("x")), []byte(strings.Repeat("x", 700))
	if n := testing.AllocsPerRun(1000, func() {
		r.Note(&Message{Key: key, At: begin, Peer: alice, Local: ours, Method: sipmsg.INVITE, Text: text})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkNote(b *testing.B) {
	r := New(make([]byte, 8<<20))
	key, text := r.Key([]byte("x")), []byte(strings.Repeat("x", 700))
	for b.Loop() {
		r.Note(&Message{Key: key, At: begin, Peer: alice, Local: ours, Method: sipmsg.INVITE, Text: text})
	}
}
