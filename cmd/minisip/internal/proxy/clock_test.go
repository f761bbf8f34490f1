package proxy

import (
	"encoding/json"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/clockstep"
)

// withClocks gives a world a time by two clocks, of which both show epoch.
func (w *world) withClocks() {
	begin := time.Now()
	begin = begin.Add(-time.Duration(begin.Nanosecond()))
	w.begin = clockstep.Step(begin, epoch.Sub(begin.Round(0)))
	w.now = w.begin
}

// TestShownAfterClockSet: the times of a call and of a phone are shown by the clock as it is now, as far apart as they
// really were.
func TestShownAfterClockSet(t *testing.T) {
	for _, step := range []time.Duration{0, time.Hour, -time.Hour, -400_000 * time.Hour} {
		s := &script{newWorld(t)}
		s.withClocks()
		s.cfg.Keepalive = 25 * time.Second
		s.do("phone 001 at 198.51.100.7:5060", "phone 002 at 192.0.2.2:40002 claims 10.0.0.4:5060", "registered 002 001",
			"001: INVITE 002", "001: ACK", "001: INVITE 002 auth", "002: 200 OK to INVITE", "001: ACK", "media", "wait 16s")
		s.now = clockstep.Step(s.now, step)
		s.do("002: 200 OK to OPTIONS", "wait 4s", "media", "wait 2s")
		live := s.core.Call(s.now, "1", true)
		s.do("002: BYE", "001: 200 OK to BYE", "wait 1s")
		ended := s.core.Call(s.now, "1", true)
		began := s.begin.Round(0).Add(step)
		for _, v := range []*CallView{live, ended} {
			if v == nil || !v.Begin.Equal(began) || !v.Answer.Equal(began) || v.Seconds != 22 || !v.Media[0].Last.Equal(began.Add(20*time.Second)) {
				b, _ := json.Marshal(v)
				t.Fatalf("set by %v: %s", step, b)
			}
			if first := v.Steps[0]; !first.Time.Equal(began) || first.AtMS != 0 || v.Steps[len(v.Steps)-1].AtMS > 22_000 {
				t.Errorf("set by %v: the ladder is %+v", step, v.Steps)
			}
		}
		if last := ended.Steps[len(ended.Steps)-1]; last.AtMS != 22_000 || !last.Time.Equal(began.Add(22*time.Second)) {
			t.Errorf("set by %v: the ladder ends with %+v", step, last)
		}
		keys, _ := s.core.Phones(0)
		for _, v := range s.core.ViewPhones(s.now, keys) {
			pinged := v.Ping != nil
			if !v.Registered.Equal(began) || v.LastSeen.Before(began) || v.Expires != 3600-23 || pinged != v.NAT || pinged && (*v.Ping <= 0 || *v.Ping > 1000) {
				t.Errorf("set by %v: %+v", step, v)
			}
		}
	}
}
