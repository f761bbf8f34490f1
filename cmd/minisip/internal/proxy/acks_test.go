package proxy

import (
	"strings"
	"testing"
)

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
