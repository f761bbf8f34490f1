package proxy

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"minisip/cmd/minisip/internal/pack"
)

// older lets the record of a call's only dialog end as that of an older version: without the last field, which says whether
// the caller holds it, or without what the sides' ACKs are, which is in front of it, either.
func (s *script) older(t *testing.T, acks bool) {
	t.Helper()
	s.core.SaveNow(s.now)
	k := s.core.allCalls()[0]
	d := k.dialogs[0]
	dialog := d.appendRecord(nil, s.cfg.Epoch, slices.Index(k.liveMedia(), d.media))
	older := dialog[:len(dialog)-1]
	if !acks {
		older = older[:len(older)-len(d.appendAcks(nil, s.cfg.Epoch))]
	}
	section := func(text []byte) string {
		return string(pack.AppendSection(nil, func(b []byte) []byte { return append(b, text...) }))
	}
	key := diskKey{keptCall, uint64(k.serial)}
	before, ok := strings.CutSuffix(s.disk.flushed[key], section(dialog))
	if !ok {
		t.Fatalf("the record does not end with its dialog: %q", s.disk.flushed[key])
	}
	s.disk.flushed[key] = before + section(older)
}

// TestRecordOfHold: who holds a call holds it after a restart too, also where an older version has said so of the caller
// once for all dialogs.
func TestRecordOfHold(t *testing.T) {
	for _, who := range [...]string{"001", "002", "nobody"} {
		for _, old := range [...]bool{false, true} {
			s := &script{newWorld(t)}
			s.keeps()
			s.do("phone 001 at 198.51.100.7:5060", "phone 002 at 192.0.2.1:5060", "registered 001 002",
				"001: INVITE 002 auth", "002: 200 OK", "001: ACK", "wait 1s")
			if other := map[string]string{"001": "002", "002": "001"}[who]; other != "" {
				s.do(who+": INVITE hold", other+": 200 OK", who+": ACK", "wait 1s")
			}
			if old {
				s.older(t, true)
			}
			s.do("restart")
			k := s.core.allCalls()[0]
			if got, want := k.view(s.now, false).Held, [2]bool{who == "001", who == "002"}; got != want {
				t.Errorf("%s holds, old %v: after the restart %v, want %v", who, old, got, want)
			}
		}
	}
}

// TestRestoredCall: a call that goes on is one like any other: it counts as answered, no offer waits for its answer but the
// one that does, and the calls to come have other numbers.
func TestRestoredCall(t *testing.T) {
	video := func(port int) []string {
		return []string{"Content-Type: application/sdp", "--", "v=0", "c=IN IP4 192.0.2.9", "m=audio 4000 RTP/AVP 0", fmt.Sprintf("m=video %d RTP/AVP 96", port)}
	}
	s := &script{newWorld(t)}
	s.keeps()
	s.cfg.MaxPending = 1
	s.do("phone 001 at 198.51.100.7:5060", "phone 002 at 192.0.2.1:5060", "registered 001 002")
	for _, step := range []struct {
		line string
		sdp  []string
	}{{"001: INVITE 002 auth", video(4002)}, {"002: 200 OK", video(0)}, {"001: ACK", nil}, {"wait 1s", nil}} {
		if err := s.run(step.line, step.sdp); err != nil {
			t.Fatal(err)
		}
	}
	delete(s.disk.flushed, diskKey{keptCore, 0}) // as torn by a crash
	s.do("restart")
	k := s.core.allCalls()[0]
	if asked := k.dialogs[0].media.asked; asked != [2]bool{} {
		t.Errorf("an answer is waited for: %v", asked)
	}
	s.do("001: INVITE 002", "001: INVITE 002 auth")
	if got := s.answerTo001(); got != "SIP/2.0 100 Trying" {
		t.Errorf("another call: %s", got)
	}
	if all := s.core.allCalls(); len(all) != 2 || all[1].serial != 2 {
		t.Errorf("%d calls, the last is number %d", len(all), all[len(all)-1].serial)
	}
}

// TestMovedStreamIsSaved: where a call's media have come to be sent is part of its record, though no message says that.
func TestMovedStreamIsSaved(t *testing.T) {
	s := &script{newWorld(t)}
	s.keeps()
	s.do("phone 001 at 198.51.100.7:5060", "phone 002 at 192.0.2.1:5060", "registered 001 002", "001: INVITE 002 auth", "002: 200 OK", "001: ACK", "wait 3s")
	said := s.disk.said
	s.do("wait 3s")
	if s.disk.said != said {
		t.Errorf("%d records were said of a call in which nothing happened", s.disk.said-said)
	}
	s.relay.streams[0].moves++
	s.do("wait 3s")
	if s.disk.said != said+1 {
		t.Errorf("%d records were said when a stream moved, want one", s.disk.said-said)
	}
}
