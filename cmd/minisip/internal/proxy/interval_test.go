package proxy

import (
	"testing"
	"time"

	"minisip/session"
)

// A call's sessions have expired when the longest of those that go on has, and some time for what is under way; never, where
// one of them has no interval (RFC 4028 10).
func TestSessionsExpire(t *testing.T) {
	const most = 24 * time.Hour
	up := func(interval time.Duration) *dialog { return &dialog{confirmed: true, interval: interval} }
	over := &dialog{confirmed: true, ended: time.Unix(1, 0)}
	early := &dialog{}
	for i, tt := range []struct {
		dialogs []*dialog
		want    time.Duration
	}{
		{nil, most},
		{[]*dialog{up(0)}, most},
		{[]*dialog{up(90 * time.Second)}, 90*time.Second + session.Lifetime},
		{[]*dialog{up(90 * time.Second), up(1800 * time.Second)}, 1800*time.Second + session.Lifetime},
		{[]*dialog{up(90 * time.Second), up(0)}, most},
		{[]*dialog{over, up(90 * time.Second), early}, 90*time.Second + session.Lifetime},
		{[]*dialog{up(48 * time.Hour)}, most},
	} {
		if got, expired := (&call{dialogs: tt.dialogs}).expires(most); got != tt.want || expired != (got < most) {
			t.Errorf("%d: %s, expired: %v, want %s", i, got, expired, tt.want)
		}
	}
}

// What a 2xx says of the session's interval counts, and what was asked for where it says nothing (RFC 4028 8.2).
func TestIntervalIsTheAnswers(t *testing.T) {
	for answer, want := range map[string]time.Duration{"": 1800 * time.Second, "Session-Expires: 600;refresher=uac": 600 * time.Second} {
		s := stage(t, 1, nil)
		if err := s.run("001: INVITE 002 auth", []string{"Supported: timer", "Session-Expires: 1800"}); err != nil {
			t.Fatal(err)
		}
		var fields []string
		if answer != "" {
			fields = []string{answer}
		}
		if err := s.run("002a: 200 OK to INVITE", fields); err != nil {
			t.Fatal(err)
		}
		if got := s.core.callsOf("001")[0].dialogs[0].interval; got != want {
			t.Errorf("answered %q: %s, want %s", answer, got, want)
		}
	}
}
