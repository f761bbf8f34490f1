package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// soak is a mixed load on one minisip that is killed and started again and again.
type soak struct {
	t    *testing.T
	d    *daemon
	web  string // its status page
	dir  string
	args []string

	mu      sync.Mutex
	downs   []down
	results map[string]*outcome
	refused map[string]int // why, and how often
	samples []sample
	quiet   time.Time // when the phones had ended
}

// down is a time without a minisip, and the while that phones take to get over it.
type down struct{ from, to time.Time }

// outcome counts how one kind of thing went.
type outcome struct {
	good, bad    int
	hit, hitGood int // while they went on minisip was killed
	up, kept     int // of these, calls that had been up for a while: none may be lost
}

const (
	soakPairs   = 20
	soakTimeout = 5 * time.Second         // -timeout
	soakSettle  = 5 * time.Second         // of phones after a restart
	soakRefresh = 25 * time.Second        // of registrations, which last for a minute
	soakKept    = 1500 * time.Millisecond // what has been up for so long outlives a kill
)

// TestSoak runs for the time in SOAK: calls, registrations, media, cancels, lost phones, and a kill -9 every minute, or
// four of them in a shorter run. For half as long again it goes on without kills, and nothing may grow any more. What was not hit by a
// kill must go well, and in the end all tables are empty.
func TestSoak(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		t.Skip("make soak runs this one")
	}
	s := &soak{t: t, dir: t.TempDir(), results: map[string]*outcome{}, refused: map[string]int{}}
	var users strings.Builder
	for i := range soakPairs {
		users.WriteString(line(fmt.Sprintf("c%02d", i)) + line(fmt.Sprintf("d%02d", i)))
	}
	write(t, filepath.Join(s.dir, "users.conf"), users.String())
	at, page := freePort(t), freePort(t)
	s.web = page.String()
	s.args = []string{"-listen", at.String(), "-public", "127.0.0.1", "-rtp", "21000-21399", "-status", s.web, "-timeout", soakTimeout.String(), "-log", "soak.log", "-trust", "127.0.0.0/8"}
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(s.dir, "soak.log"))
			t.Logf("the log ends with\n%s", log[max(0, len(log)-5000):])
		}
	})
	s.d = serves(t, at, minisip(t, s.dir, nil, s.args...))
	idle := s.sample()

	ctx, stop := context.WithTimeout(t.Context(), length+length/2)
	defer stop()
	var phones sync.WaitGroup
	var left sync.Map // the phones that are there at the end, by user
	for i := range soakPairs {
		phones.Go(func() { left.Store(i, s.pair(ctx, at.String(), i)) })
	}
	s.watch(ctx, length/2, min(time.Minute, length/5))
	s.quiet = time.Now()
	phones.Wait()
	left.Range(func(_, v any) bool {
		for _, p := range v.([]*soakPhone) {
			if !p.register(0) {
				t.Errorf("%s could not end its registration", p.user)
			}
			p.vanish()
		}
		return true
	})
	end := s.drained()
	if status := s.d.end(syscall.SIGTERM); status != exitOK {
		t.Errorf("told to end, minisip ended with status %d", status)
	}
	s.silent()
	s.judge(length, idle, end)
}

// watch takes samples, and kills minisip every now and then until only so much time is left.
func (s *soak) watch(ctx context.Context, left, every time.Duration) {
	tick := time.NewTicker(min(every/8, 5*time.Second))
	defer tick.Stop()
	kill := time.NewTicker(every)
	defer kill.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.sample()
		case <-kill.C:
			if deadline, _ := ctx.Deadline(); time.Until(deadline) >= left {
				s.restart()
			}
		}
	}
}

// silent asserts that a minisip which has ended had no complaint, as the race detector's would be.
func (s *soak) silent() {
	if s.d.stderr.Len() > 0 {
		s.t.Errorf("on standard error:\n%s", &s.d.stderr)
	}
}

// restart kills minisip as nothing warns of, and starts it again.
func (s *soak) restart() {
	s.t.Helper()
	s.mu.Lock()
	s.downs = append(s.downs, down{from: time.Now(), to: time.Now().Add(time.Hour)})
	s.mu.Unlock()
	s.d.cmd.Process.Kill()
	for range s.d.lines {
	}
	s.d.cmd.Wait()
	s.silent()
	s.d = serves(s.t, s.d.at, minisip(s.t, s.dir, nil, s.args...))
	s.mu.Lock()
	s.downs[len(s.downs)-1].to = time.Now().Add(soakSettle)
	s.mu.Unlock()
}

// note notes how something went that took from begin until now; up is when its call was set up, if it was.
func (s *soak) note(what string, begin, up time.Time, good bool, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.results[what]
	if o == nil {
		o = &outcome{}
		s.results[what] = o
	}
	hit, early := false, false
	for _, d := range s.downs {
		if begin.Before(d.to) && time.Now().After(d.from) {
			hit = true
			early = early || up.IsZero() || d.from.Before(up.Add(soakKept))
		}
	}
	switch {
	case hit:
		o.hit++
		if good {
			o.hitGood++
		}
		if !early {
			o.up++
			if good {
				o.kept++
			} else {
				s.refused[what+", up when minisip was killed: "+why]++
			}
		}
	case good:
		o.good++
	default:
		o.bad++
		s.refused[what+": "+why]++
	}
}

// pair lets a phone call another until ctx is done, and gives both as they are then.
func (s *soak) pair(ctx context.Context, server string, i int) []*soakPhone {
	a, errA := newSoakPhone(s.d.at, fmt.Sprintf("c%02d", i))
	b, errB := newSoakPhone(s.d.at, fmt.Sprintf("d%02d", i))
	if errA != nil || errB != nil {
		s.t.Errorf("no phone: %v, %v", errA, errB)
		return nil
	}
	rnd := rand.New(rand.NewPCG(uint64(i), 2))
	s.register(a)
	s.register(b)
	for ctx.Err() == nil {
		for _, p := range []*soakPhone{a, b} {
			if time.Since(p.registered) > soakRefresh {
				s.register(p)
			}
		}
		switch n := rnd.IntN(20); {
		case n < 9:
			s.talk(a, b.user, "answer")
		case n < 13:
			s.talk(a, b.user, "hangup")
		case n < 15:
			s.refusal(a, b.user, "busy", "486 Busy Here", 0)
		case n < 17:
			s.refusal(a, b.user, "ring", "487 Request Terminated", time.Duration(rnd.IntN(1500)+1)*time.Millisecond)
		case n < 19:
			s.register([]*soakPhone{a, b}[rnd.IntN(2)])
		default:
			a = s.lose(a, b)
		}
	}
	return []*soakPhone{a, b}
}

func (s *soak) register(p *soakPhone) {
	begin := time.Now()
	p.registered = begin
	s.note("registrations", begin, time.Time{}, p.register(60), "not answered with 200")
}

// talk is a call that is answered, talked in, and hung up by one of the two.
func (s *soak) talk(a *soakPhone, b, what string) {
	begin, name := time.Now(), "calls that the caller ends"
	if what == "hangup" {
		name = "calls that the callee ends"
	}
	l, why := a.call(b, what, 0)
	if l == nil {
		s.note(name, begin, time.Time{}, false, why)
		return
	}
	up, ended := time.Now(), false
	wait := soakTalk
	if what == "hangup" {
		wait += soakTalk + soakTimeout
	}
	select {
	case <-l.over:
		ended = true
	case <-time.After(wait):
	}
	sent, heard := l.sent.Load(), l.heard.Load()
	switch {
	case ended != (what == "hangup"):
		s.note(name, begin, up, false, fmt.Sprintf("the other side hung up: %v", ended))
	case !ended && !l.hangUp():
		s.note(name, begin, up, false, "no answer to BYE")
	case heard < sent/2:
		s.note(name, begin, up, false, "not half of what was said was heard")
	default:
		s.note(name, begin, up, true, "")
	}
	l.end()
}

// refusal is a call that ends without an answer.
func (s *soak) refusal(a *soakPhone, b, what, want string, ring time.Duration) {
	begin := time.Now()
	l, why := a.call(b, what, ring)
	if l != nil {
		l.hangUp()
		why = "answered"
	}
	s.note(map[string]string{"busy": "calls to a busy phone", "ring": "cancelled calls"}[what], begin, time.Time{}, why == want, why)
}

// lose lets the caller vanish in the middle of a call and the callee fall silent: minisip has to end it.
func (s *soak) lose(a, b *soakPhone) *soakPhone {
	begin := time.Now()
	l, why := a.call(b.user, "answer", 0)
	again, err := newSoakPhone(a.server, a.user)
	if err != nil {
		s.t.Error(err)
		return a
	}
	if l == nil {
		s.note("lost phones", begin, time.Time{}, false, why)
	} else {
		up := time.Now()
		time.Sleep(time.Second)
		a.vanish()
		b.mu.Lock()
		other := b.legs[l.callID]
		b.mu.Unlock()
		good := other != nil
		if good {
			other.rtp.Close()
			select {
			case <-other.over:
			case <-time.After(4 * soakTimeout):
				good = false
				other.end()
			}
		}
		s.note("lost phones", begin, up, good, "minisip did not hang up")
	}
	a.vanish()
	s.register(again)
	return again
}
