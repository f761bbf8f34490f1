package server

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/clockstep"
	"minisip/cmd/minisip/internal/guard"
	"minisip/cmd/minisip/internal/proxy"
)

// wallClock is the time by a clock on the wall that a test sets.
type wallClock struct{ off atomic.Int64 }

func (c *wallClock) now() time.Time { return clockstep.Step(time.Now(), time.Duration(c.off.Load())) }

// set sets it to what is off by d, and lets the loop have its beat.
func (c *wallClock) set(r *rig, d time.Duration) {
	r.t.Helper()
	c.off.Store(int64(d))
	r.inLoop(func() { r.beat(r.now()) })
}

func (r *rig) inLoop(f func()) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if !r.Do(ctx, func(*proxy.Core) { f() }) {
		r.t.Fatal("the loop hangs")
	}
}

// refresh registers the phone once more, with a nonce of now.
func (p *phone) refresh() {
	p.t.Helper()
	p.authorized(request{method: "REGISTER", uri: "sip:" + p.server.String(), to: p.aor(), callID: "refresh", cseq: 1})
	p.expect("SIP/2.0 200 ")
}

// TestClockSet: the clock is set while phones are registered, talk and are banned, and set right again. Nothing ends by
// it, nothing lasts longer; the log says it once, and when it is over.
func TestClockSet(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, -time.Hour, -56 * 365 * 24 * time.Hour} {
		t.Run(step.String(), func(t *testing.T) {
			c := new(wallClock)
			cfg := testConfig(t, "127.0.0.1:0")
			cfg.Now = c.now
			cfg.Proxy.Bans = guard.Limits{Count: 1, Within: time.Minute, For: time.Hour}
			r := serve(t, cfg)
			a, b := newPhone(t, "127.0.0.2", "001", r.Addresses()[0]), newPhone(t, "127.0.0.3", "002", r.Addresses()[0])
			mediaA, mediaB := newAudio(t, "127.0.0.2"), newAudio(t, "127.0.0.3")
			a.register()
			b.register()
			again := request{method: "REGISTER", uri: "sip:" + a.server.String(), to: a.aor(), callID: "held", cseq: 1}
			a.send(a.text(again))
			held := get(a.expect("SIP/2.0 401 "), "WWW-Authenticate")
			invite, ok := a.call(b, mediaA, mediaB)
			exchange(t, mediaA, mediaB, mediaAddr(t, ok), mediaAddr(t, invite))
			thief := netip.MustParseAddr("127.0.0.66")
			r.core.Bans().Charge(r.now(), thief, guard.Failure{User: []byte("x"), Attempt: []byte("y")})

			c.set(r, step)
			r.inLoop(func() { r.core.Tick(r.now()) })
			exchange(t, mediaA, mediaB, mediaAddr(t, ok), mediaAddr(t, invite))
			again.cseq, again.lines = 2, []string{"Authorization: " + a.credentials(held, "REGISTER", again.uri)}
			a.send(a.text(again))
			a.expect("SIP/2.0 200 ")
			b.refresh()
			r.inLoop(func() {
				if users, calls := r.core.Load(); users != 2 || calls != 1 {
					t.Errorf("%d users and %d calls are left", users, calls)
				}
			})
			if list := r.Bans(); len(list) != 1 || list[0].Until.Sub(r.now()).Abs() > time.Hour || list[0].Until.Round(0).Sub(r.now().Round(0)) < 50*time.Minute {
				t.Errorf("banned: %+v", list)
			}
			if last := r.Health().LastTick; r.now().Round(0).Sub(last.Round(0)).Abs() > patience {
				t.Errorf("the loop turned last at %v", last)
			}
			c.set(r, 0)
			b.bye(invite, ok, "call")
			a.respond(a.expect("BYE "), "200 OK", "")
			b.expect("SIP/2.0 200 ")

			how := fmt.Sprintf("forward by %s, or the machine slept", step)
			if step < 0 {
				how = fmt.Sprintf("back by %s", -step)
			}
			if n := r.log.count("the clock was set"); n != 1 || !r.log.holds("the clock was set: "+how) {
				t.Errorf("the log says %d times that the clock was set, want once %s", n, how)
			}
			r.inLoop(func() { r.beat(r.now().Add(quietFor + time.Second)) })
			if n := r.Health().ClockSteps; n != 2 || !r.log.holds("over: the clock was set: 2 times") {
				t.Errorf("it was set %d times, or the log does not say that it is over", n)
			}
			if r.core.Bans().Banned(r.now().Add(time.Hour+time.Second), thief) {
				t.Error("the ban has no end")
			}
		})
	}
}

// TestClockSetBetween: between two servers the clock is set. What the first kept goes on with the second.
func TestClockSetBetween(t *testing.T) {
	for _, step := range []time.Duration{time.Hour, -time.Hour, -56 * 365 * 24 * time.Hour} {
		t.Run(step.String(), func(t *testing.T) {
			dir, c := t.TempDir(), new(wallClock)
			cfg := testConfig(t, "127.0.0.1:0")
			cfg.Now = c.now
			r := serve(t, stateful(t, cfg, dir))
			a, b := newPhone(t, "127.0.0.2", "001", r.Addresses()[0]), newPhone(t, "127.0.0.3", "002", r.Addresses()[0])
			mediaA, mediaB := newAudio(t, "127.0.0.2"), newAudio(t, "127.0.0.3")
			a.register()
			b.register()
			invite, ok := a.call(b, mediaA, mediaB)
			exchange(t, mediaA, mediaB, mediaAddr(t, ok), mediaAddr(t, invite))
			r.end()
			r.cfg.State.Close()
			c.off.Store(int64(step))
			cfg.Listen = r.Addresses()
			r = serve(t, stateful(t, cfg, dir))
			if !r.log.holds("state: users registered: 2, calls that go on: 1") {
				t.Error("the log does not say what goes on")
			}
			exchange(t, mediaA, mediaB, mediaAddr(t, ok), mediaAddr(t, invite))
			b.bye(invite, ok, "call")
			a.respond(a.expect("BYE "), "200 OK", "")
			b.expect("SIP/2.0 200 ")
			a.refresh()
		})
	}
}

// TestWallStep: a clock that is made to run a little faster or slower is not set.
func TestWallStep(t *testing.T) {
	var w wall
	begin := time.Now()
	for i, tt := range []struct{ off, want time.Duration }{
		{0, 0}, {time.Second, 0}, {2 * time.Second, 0}, {0, -2 * time.Second}, {time.Hour, time.Hour}, {time.Hour, 0}, {0, -time.Hour},
	} {
		if got := w.step(clockstep.Step(begin.Add(time.Duration(i)*10*time.Second), tt.off)); got != tt.want {
			t.Errorf("off by %v: set by %v, want %v", tt.off, got, tt.want)
		}
	}
}
