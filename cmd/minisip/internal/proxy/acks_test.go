package proxy

import (
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

// TestOlderRecordOfACKs: a call whose record says nothing of the sides' ACKs goes on, and an ACK for
// an INVITE that was answered before passes.
func TestOlderRecordOfACKs(t *testing.T) {
	s := &script{newWorld(t)}
	s.keeps()
	s.do("config no_re_sdp", "phone 001 at 198.51.100.7:5060", "phone 002 at 192.0.2.1:5060", "registered 001 002",
		"001: INVITE 002 auth", "002: 200 OK", "wait 1s")
	s.older(t, false)
	s.do("restart")
	s.events = nil
	s.do("001: ACK")
	if len(s.events) != 2 || !strings.HasPrefix(s.events[1].text, "ACK ") {
		t.Errorf("the ACK did not pass: %+v", s.events)
	}
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

// TestLateAnswer: a late copy of an earlier 2xx takes nothing from the INVITE that was answered since.
func TestLateAnswer(t *testing.T) {
	var a acks
	for _, seq := range []uint32{1, 2, 1} {
		a.answer(seq)
	}
	if !a.fits(2) || a.fits(3) {
		t.Errorf("an ACK for 2 fits: %v, for 3: %v", a.fits(2), a.fits(3))
	}
}
