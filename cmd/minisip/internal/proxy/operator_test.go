package proxy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/location"
	"minisip/cmd/minisip/internal/trail"
	"minisip/session"
)

// drawn is a ladder, a line an arrow: columns, kind, label.
func drawn(v *CallView) (lines []string) {
	for _, s := range v.Steps {
		again := ""
		if s.Again {
			again = " again"
		}
		from, to := v.Columns[s.From], v.Columns[s.To]
		lines = append(lines, fmt.Sprintf("%s > %s: %s %s%s", from.Name, to.Name, s.Kind, s.Label, again))
	}
	return lines
}

// TestLadder: the ladder of a call, from the challenge on, with media and repetitions.
func TestLadder(t *testing.T) {
	s := stage(t, 1, nil)
	s.do("001: INVITE 002", "001: ACK", "001: INVITE 002 auth", "001: again", "002a: 180 Ringing to INVITE", "wait 1s", "002a: 200 OK to INVITE", "001: ACK",
		"media 1 caller from 198.51.100.7:4000", "media 1 callee from 192.0.2.1:4000", "wait 9s")
	v := s.core.Call(s.now, "1", true)
	if v == nil || v.State != "up" || len(v.Findings) > 0 || len(v.Media) != 2 || len(v.Media[0].Samples) == 0 {
		t.Fatalf("live: %+v", v)
	}
	s.do("002a: BYE", "001: 200 OK to BYE", "wait 1m")
	if s.core.liveCall("1") != nil {
		t.Error("the call is still in the table")
	}
	v = s.core.Call(s.now, "1", true)
	got, want := strings.Join(drawn(v), "\n"), strings.TrimSpace(`
001 > minisip: request INVITE sdp
minisip > 001: failure 407 Proxy Authentication Required
001 > minisip: ack ACK
001 > minisip: request INVITE sdp
minisip > 001: provisional 100 Trying
minisip > 002: request INVITE sdp
001 > minisip: request INVITE sdp again
minisip > 001: provisional 100 Trying again
002 > minisip: provisional 180 Ringing
minisip > 001: provisional 180 Ringing
002 > minisip: success 200 OK sdp
minisip > 001: success 200 OK sdp
001 > minisip: ack ACK
minisip > 002: ack ACK
001 > minisip: media-start PCMU/8000 from 001
001 > minisip: media-stop PCMU/8000 from 001
002 > minisip: media-start PCMU/8000 from 002
002 > minisip: media-stop PCMU/8000 from 002
002 > minisip: request BYE
minisip > 001: request BYE
001 > minisip: success 200 OK (BYE)
minisip > 002: success 200 OK (BYE)
minisip > minisip: note hung up by 002`)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// A forwarded message is tied to what it was made of.
	for i, step := range v.Steps {
		if step.Label == "INVITE sdp" && step.To == 2 {
			var id trail.ID
			fmt.Sscan(v.Steps[i].Message, &id)
			m, before := s.core.Message(id)
			if before == nil || !strings.Contains(string(before.Text), "Digest username") || strings.Contains(string(m.Text), "Digest username") {
				t.Errorf("the INVITE sent was made of %+v", before)
			}
			if call := s.core.CallOf(m.Key); call != "1" {
				t.Errorf("it belongs to call %q", call)
			}
		}
	}
	s.finish()
}

// TestLadderOfOneUser: media come from the column of the phone that sends them, also where the user calls his
// own other phones.
func TestLadderOfOneUser(t *testing.T) {
	s := &script{newWorld(t)}
	s.do("phone 001 at 198.51.100.7:5060", "phone 001b at 192.0.2.9:5060 user 001", "phone 001c at 192.0.2.10:5060 user 001", "registered 001 001b 001c")
	s.do("001: INVITE 001 auth", "001b: 180 Ringing to INVITE", "001c: 200 OK to INVITE", "001: ACK", "media", "wait 5s", "001: BYE", "001c: 200 OK to BYE", "wait 1m")
	v := s.core.Call(s.now, "1", true)
	if v == nil {
		t.Fatal("no call")
	}
	from := map[string]bool{}
	for _, step := range v.Steps {
		if step.Kind == "media-start" {
			from[v.Columns[step.From].Addr] = true
		}
	}
	if len(from) != 2 || !from["198.51.100.7:5060"] || !from["192.0.2.10:5060"] {
		t.Errorf("media come from %v; columns %v", from, v.Columns)
	}
}

// TestRefusedCalls: INVITEs that we refuse ourselves are remembered, each Call-ID once, with the reason.
func TestRefusedCalls(t *testing.T) {
	for _, tt := range []struct{ do, code, why string }{
		{"001: INVITE 004 auth", "no-such-user", "refused: 404 Not Found"},
		{"001: INVITE 001 auth", "", ""}, // a call to oneself is one
	} {
		s := stage(t, 1, nil)
		s.do(tt.do)
		v := s.core.Call(s.now, "r1", true)
		switch {
		case tt.code == "" && v != nil:
			t.Errorf("%s: %+v", tt.do, v)
		case tt.code != "" && (v == nil || len(v.Findings) != 1 || v.Findings[0].Code != tt.code || v.Why != tt.why || len(v.Steps) == 0):
			t.Errorf("%s: %+v", tt.do, v)
		}
	}
}

// TestHangUp: an operator ends a call, answered or not; both phones are told.
func TestHangUp(t *testing.T) {
	for _, tt := range []struct {
		do   []string
		want []string // that the phones got afterwards
		why  string
	}{
		{[]string{"001: INVITE 002 auth", "002a: 180 Ringing to INVITE"}, []string{"SIP/2.0 487", "CANCEL "}, "hung up by the operator"},
		{[]string{"001: INVITE 002 auth", "002a: 200 OK to INVITE", "001: ACK"}, []string{"BYE sip:001", "BYE sip:002"}, "hung up by the operator"},
	} {
		s := stage(t, 1, nil)
		s.do(tt.do...)
		s.events = nil
		if !s.core.HangUp(s.now, "1", "the operator") || s.core.HangUp(s.now, "2", "the operator") {
			t.Fatal("not hung up, or what is not there was")
		}
		for _, want := range tt.want {
			if !slices.ContainsFunc(s.events, func(e event) bool { return strings.HasPrefix(e.text, want) }) {
				t.Errorf("%q: no %s", tt.do, want)
			}
		}
		if k := s.core.liveCall("1"); k == nil || k.State != session.Ended || k.Why != tt.why {
			t.Errorf("%q: %+v", tt.do, k)
		}
		if s.core.HangUp(s.now, "1", "the operator") {
			t.Error("hung up twice")
		}
	}
}

// A phone that answers as an operator ends the call is hung up: the caller has been told that there is none.
func TestHangUpCrossesAnAnswer(t *testing.T) {
	s := stage(t, 1, nil)
	s.do("001: INVITE 002 auth", "002a: 180 Ringing to INVITE")
	s.core.HangUp(s.now, "1", "the operator")
	s.events = nil
	s.do("002a: 200 OK to INVITE")
	var got []string
	for _, e := range s.events {
		if e.from == "minisip" {
			got = append(got, e.to+": "+firstLine(e.text))
		}
	}
	want := []string{"002a: ACK sip:002@192.0.2.1:5060 SIP/2.0", "002a: BYE sip:002@192.0.2.1:5060 SIP/2.0"}
	if !slices.Equal(got, want) {
		t.Errorf("sent %q, want %q", got, want)
	}
	s.do("002a: 200 OK to BYE")
	s.finish()
}

// TestHangUpAll: with the last process that knows of them, all calls end, those that only ring too.
func TestHangUpAll(t *testing.T) {
	s := stage(t, 1, nil)
	s.do("001: INVITE 002 auth", "002a: 180 Ringing", "002a: 200 OK", "001: ACK", "wait 5s", "001: INVITE 002 auth", "002a: 180 Ringing")
	s.events = nil
	s.core.HangUpAll(s.now, "minisip")
	for _, want := range []string{"BYE sip:001", "BYE sip:002", "SIP/2.0 487", "CANCEL sip:002"} {
		if !slices.ContainsFunc(s.events, func(e event) bool { return strings.HasPrefix(e.text, want) }) {
			t.Errorf("no %s", want)
		}
	}
	if o := s.core.Overview(); o.Calls != 0 {
		t.Errorf("%d calls are left", o.Calls)
	}
}

// TestSetWord: a word is switched for the next message on, and the log says by whom.
func TestSetWord(t *testing.T) {
	s := stage(t, 0, nil)
	for _, word := range Words {
		for _, on := range []bool{false, true} {
			if !s.core.Set(word, on, "the operator") {
				t.Errorf("%s: not known", word)
			}
		}
	}
	want := Features{true, true, true, true, true, true}
	if got := s.core.Features(); got != want || s.core.Set("loud", true, "x") {
		t.Errorf("%+v", got)
	}
	if got := s.logged(); got[0] != "silent OFF: set by the operator" || got[1] != "silent ON: set by the operator" {
		t.Errorf("logged %q", got[:2])
	}
}

// TestChanges: who asks what has changed gets each call once, and is told when it was too much.
func TestChangedSince(t *testing.T) {
	s := stage(t, 1, nil)
	_, since, _ := s.core.ChangedSince(0)
	s.do("001: INVITE 002 auth", "002a: 180 Ringing to INVITE", "002a: 486 Busy Here to INVITE")
	ids, next, more := s.core.ChangedSince(since)
	if len(ids) != 1 || ids[0] != "1" || more {
		t.Errorf("changed %q, more %v", ids, more)
	}
	if ids, _, _ := s.core.ChangedSince(next); len(ids) > 0 {
		t.Errorf("nothing happened, and %q changed", ids)
	}
	for i := range 1000 {
		s.core.changed(fmt.Sprint(i))
	}
	if ids, _, more := s.core.ChangedSince(next); len(ids) != len(s.core.changes.ids) || !more {
		t.Errorf("%d changed, more %v", len(ids), more)
	}
}

// TestMessagesOf: what a user sent and got, by name, whole names only.
func TestMessagesOf(t *testing.T) {
	s := stage(t, 1, nil)
	s.do("001: INVITE 002 auth", "002a: 486 Busy Here to INVITE")
	for user, want := range map[string]bool{"001": true, "002": true, "00": false, "": false, "009": false} {
		n := 0
		for ring := range trail.Rings {
			found, next := s.core.MessagesOf(user, ring, 0)
			if n += len(found); next != 0 {
				t.Errorf("%q: a search of few messages goes on", user)
			}
		}
		if n > 0 != want {
			t.Errorf("%q: %d messages", user, n)
		}
	}
}

// TestPastIsBounded: the newest stay.
func TestPastIsBounded(t *testing.T) {
	s := stage(t, 0, nil)
	for i := range maxRefused + 50 {
		s.core.past.addRefused(&pastCall{key: trail.Key(i)})
	}
	if l := s.core.past.refused; len(l) != maxRefused || l[0].ID != "r51" || l[maxRefused-1].ID != fmt.Sprint("r", maxRefused+50) {
		t.Errorf("%d are kept, from %s on", len(l), l[0].ID)
	}
}

// busyCore is a core with 5,000 calls and 100,000 phones.
func busyCore(t testing.TB) *Core {
	s := stage(t, 0, nil)
	c := s.core
	for i := range 5000 {
		k := &call{core: c, serial: int64(i + 1), number: fmt.Sprint(i + 1), callID: fmt.Sprint("c", i)}
		k.follow(s.now, c.trail.Key([]byte(k.callID)))
	}
	for i := range 100_000 {
		u := location.Update{
			AOR: fmt.Sprint("u", i), CallID: fmt.Sprint(i), CSeq: 1, Source: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), uint16(5060+i>>16)), Local: ours4,
			Contacts: []location.Contact{{URI: fmt.Sprintf("sip:u%d@192.0.2.1", i), Expires: time.Hour}},
		}
		if _, err := c.where.Register(s.now, &u); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// TestParts: with 5,000 calls and 100,000 phones no part of a list is longer than what the
// event loop does in a few ms, and the parts together are all.
func TestParts(t *testing.T) {
	c := busyCore(t)
	calls := 0
	for i := range CallSlots {
		part := c.LiveCalls(i)
		if calls += len(part); len(part) > 5000/CallSlots {
			t.Errorf("part %d holds %d calls", i, len(part))
		}
	}
	seen, parts := map[string]bool{}, 0
	for next, more := 0, true; more; more = next != 0 {
		var keys []PhoneKey
		keys, next = c.Phones(next)
		parts++
		for _, k := range keys {
			seen[k.User] = true
		}
		if len(keys) > phonesPart {
			t.Errorf("a part of %d phones", len(keys))
		}
	}
	if calls != 5000 || len(seen) != 100_001 {
		t.Errorf("%d calls, %d phones in %d parts", calls, len(seen), parts)
	}
}

// BenchmarkParts is how long each part holds the event loop.
func BenchmarkParts(b *testing.B) {
	c := busyCore(b)
	for _, part := range []struct {
		name string
		f    func()
	}{
		{"overview", func() { c.Overview() }}, {"calls", func() { c.LiveCalls(7) }}, {"past", func() { c.PastCalls(0) }},
		{"phones", func() { c.Phones(50_000) }}, {"messages", func() { c.MessagesOf("u1", 0, 0) }},
	} {
		b.Run(part.name, func(b *testing.B) {
			for b.Loop() {
				part.f()
			}
		})
	}
}

// TestSeenAfterRestart: a call that outlives a restart is in the lists, and can be hung up; its ladder's times count from
// when it began.
func TestSeenAfterRestart(t *testing.T) {
	s := &script{newWorld(t)}
	s.keeps()
	s.do("phone 001 at 198.51.100.7:5060", "phone 002a at 192.0.2.1:5060 user 002", "registered 001 002a", "001: INVITE 002 auth", "002a: 200 OK to INVITE", "001: ACK", "wait 2s", "restart")
	v := s.core.Call(s.now, "1", true)
	if o := s.core.Overview(); v == nil || v.State != "up" || len(v.Columns) != 3 || o.Calls != 1 {
		t.Fatalf("%+v, %d calls", v, o.Calls)
	}
	if !s.core.HangUp(s.now, "1", "the operator") {
		t.Error("cannot be hung up")
	}
	if v := s.core.Call(s.now, "1", true); v == nil || v.Why != "hung up by the operator" || len(v.Steps) < 2 || v.Steps[0].AtMS != 2000 {
		t.Errorf("%+v", v)
	}
	s.do("wait 1m")
	if o := s.core.Overview(); o.Calls != 0 || s.core.sampler.calls != 0 {
		t.Errorf("%d calls, %d sampled", o.Calls, s.core.sampler.calls)
	}
}
