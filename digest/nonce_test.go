package digest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"
)

func TestNonceAge(t *testing.T) {
	for _, test := range []struct {
		after time.Duration
		want  Verdict
	}{
		{0, OK},
		{59 * time.Second, OK},
		{time.Minute - time.Millisecond, OK},
		{time.Minute, Stale},
		{24 * time.Hour, Stale},
		{-time.Hour, OK}, // the clock was set back
	} {
		r := newRig(t, Config{NonceLife: time.Minute})
		nonce := r.nonce()
		r.now = r.now.Add(test.after)
		for _, nc := range []string{"00000001", "00000002"} {
			p := newPhone()
			p.nc = nc
			if got := r.verify(p, nonce); got != test.want {
				t.Errorf("after %v, count %s: %v, want %v", test.after, nc, got, test.want)
			}
		}
		if got := r.verify(newPhone(), r.nonce()); got != OK {
			t.Errorf("after %v, with a fresh nonce: %v", test.after, got)
		}
	}
}

func TestNonceNotOurs(t *testing.T) {
	r := newRig(t, Config{})
	nonce := r.nonce()
	altered := []byte(nonce)
	for i := range altered {
		altered[i] ^= 1
		if got := r.verify(newPhone(), string(altered)); got != Stale {
			t.Errorf("character %d altered: %v", i, got)
		}
		altered[i] ^= 1
	}
	for _, foreign := range []string{"", "x", nonce[1:], nonce + "A", nonce[:30] + "==", nonce[:31] + "\n"} {
		if got := r.verify(newPhone(), foreign); got != Stale {
			t.Errorf("nonce %q: %v", foreign, got)
		}
	}
	if got := r.verify(newPhone(), nonce); got != OK {
		t.Errorf("the nonce itself: %v", got)
	}
}

// A new process with the same key knows its nonces again, but not which of their
// counts were used: all are stale. So are those of another key.
func TestNonceAfterRestart(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	r := newRig(t, Config{Key: key})
	nonce := r.nonce()
	r.now = r.now.Add(2 * time.Millisecond)
	for _, next := range []*Server{
		NewServer(Config{Realm: "mini_sip_proxy", Key: key}),
		NewServer(Config{Realm: "mini_sip_proxy"}),
	} {
		r.server = next
		if got := r.verify(newPhone(), nonce); got != Stale {
			t.Errorf("nonce from before: %v", got)
		}
		if got := r.verify(newPhone(), r.nonce()); got != OK {
			t.Errorf("nonce from after: %v", got)
		}
	}
}

// Also where both drew the same mark, which happens once in 65,536 times: what was made before the start is stale.
func TestNonceAfterRestartWithTheSameMark(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	r := newRig(t, Config{Key: key, Start: epoch})
	nonce, maker := r.nonce(), r.server.nonces.maker
	r.now = r.now.Add(2 * time.Millisecond)
	r.server = NewServer(Config{Realm: "mini_sip_proxy", Key: key, Start: r.now})
	r.server.nonces.maker = maker
	for what, want := range map[string]Verdict{nonce: Stale, r.nonce(): OK} {
		if got := r.verify(newPhone(), what); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

// The clock was set back while the process was down: a nonce from the future.
func TestNonceFromTheFuture(t *testing.T) {
	key := []byte("0123456789abcdef0123456789abcdef")
	r := newRig(t, Config{Key: key})
	nonce := r.nonce()
	r.server = NewServer(Config{Realm: "mini_sip_proxy", Key: key})
	r.now = r.now.Add(-time.Minute)
	if got := r.verify(newPhone(), nonce); got != Stale {
		t.Error(got)
	}
}

func TestCounts(t *testing.T) {
	type use struct {
		nc   uint32
		want Verdict
	}
	for _, test := range []struct {
		name string
		uses []use
	}{
		{"in order", []use{{1, OK}, {2, OK}, {3, OK}}},
		{"replay", []use{{1, OK}, {1, Stale}, {2, OK}, {1, Stale}, {2, Stale}}},
		{"overtaken", []use{{1, OK}, {4, OK}, {2, OK}, {3, OK}, {2, Stale}, {3, Stale}, {4, Stale}}},
		{"the window's edge", []use{{100, OK}, {37, OK}, {36, Stale}, {37, Stale}}},
		{"the window moves on", []use{{1, OK}, {64, OK}, {1, Stale}, {65, OK}, {1, Stale}, {2, OK}}},
		{"far ahead", []use{{1, OK}, {65, OK}, {1, Stale}, {1000000, OK}, {65, Stale}, {999937, OK}}},
		{"from zero", []use{{0, OK}, {0, Stale}, {1, OK}}},
		{"to the end", []use{{0xffffffff, OK}, {0xffffffff, Stale}, {0xfffffffe, OK}, {1, Stale}}},
	} {
		r := newRig(t, Config{})
		nonce := r.nonce()
		p := newPhone()
		for i, u := range test.uses {
			p.nc = fmt.Sprintf("%08x", u.nc)
			if got := r.verify(p, nonce); got != u.want {
				t.Errorf("%s, use %d, nc %d: %v, want %v", test.name, i+1, u.nc, got, u.want)
			}
		}
	}
}

// Without qop there is no count: each nonce passes once.
func TestNoQOPPassesOnce(t *testing.T) {
	r := newRig(t, Config{})
	p := newPhone()
	p.qop = ""
	for range 3 {
		nonce := r.nonce()
		if got := r.verify(p, nonce); got != OK {
			t.Fatalf("first use: %v", got)
		}
		p.method = "INVITE"
		if got := r.verify(p, nonce); got != Stale {
			t.Fatalf("second use: %v", got)
		}
		p.method = "REGISTER"
	}
}

// A clock that is set back makes nothing young again, and time goes on from there.
func TestClockSetBack(t *testing.T) {
	r := newRig(t, Config{NonceLife: time.Minute})
	nonce := r.nonce()
	r.now = r.now.Add(time.Minute)
	if got := r.verify(newPhone(), nonce); got != Stale {
		t.Fatalf("after its life: %v", got)
	}
	r.now = epoch.Add(-time.Hour)
	if got := r.verify(newPhone(), nonce); got != Stale {
		t.Errorf("after its life, clock set back: %v", got)
	}
	nonce = r.nonce()
	if got := r.verify(newPhone(), nonce); got != OK {
		t.Errorf("fresh: %v", got)
	}
	p := newPhone()
	p.nc = "00000002"
	r.now = r.now.Add(time.Minute)
	if got := r.verify(p, nonce); got != Stale {
		t.Errorf("a life later: %v", got)
	}
}

// A wrong digest spends nothing and fills nothing.
func TestStrangersSpendNothing(t *testing.T) {
	r := newRig(t, Config{MaxNonces: 4})
	nonce := r.nonce()
	thief := newPhone()
	thief.password = "guess"
	for range 100 {
		if got := r.verify(thief, nonce); got != Denied {
			t.Fatal(got)
		}
		r.nonce()
	}
	if n := len(r.server.nonces.used) + len(r.server.nonces.old); n != 0 {
		t.Errorf("%d nonces are remembered", n)
	}
	if got := r.verify(newPhone(), nonce); got != OK {
		t.Errorf("the user's own: %v", got)
	}
}

// A nonce that others have pushed out of the first table goes on counting in the second; out of both, it is stale.
func TestOldTable(t *testing.T) {
	r := newRig(t, Config{MaxNonces: 2})
	others := func() {
		r.now = r.now.Add(time.Millisecond)
		if got := r.verify(newPhone(), r.nonce()); got != OK {
			t.Fatalf("another phone: %v", got)
		}
	}
	nonce, p := r.nonce(), newPhone()
	use := func(nc string, want Verdict) {
		t.Helper()
		p.nc = nc
		if got := r.verify(p, nonce); got != want {
			t.Errorf("count %s: %v, want %v", nc, got, want)
		}
	}
	use("00000001", OK)
	others()
	use("00000002", OK)
	use("00000001", Stale)
	use("00000002", Stale)
	if len(r.server.nonces.old) != 2 {
		t.Fatalf("%d nonces in the second table", len(r.server.nonces.old))
	}
	others()
	others()
	use("00000003", Stale)
}

// The tables may fill and be forgotten within one millisecond: what was used in it stays used.
func TestNoReplayWithinAMoment(t *testing.T) {
	r := newRig(t, Config{MaxNonces: 2, Start: epoch})
	var passed []string
	for range 10 {
		if nonce := r.nonce(); r.verify(newPhone(), nonce) == OK {
			passed = append(passed, nonce)
		}
	}
	if len(passed) < 4 {
		t.Fatalf("only %d nonces passed", len(passed))
	}
	for i, nonce := range passed {
		if got := r.verify(newPhone(), nonce); got != Stale {
			t.Errorf("use %d, replayed: %v", i+1, got)
		}
	}
}

// What has outlived its nonces is forgotten, full or not.
func TestTablesAreForgotten(t *testing.T) {
	r := newRig(t, Config{NonceLife: time.Minute})
	for i := range 10 {
		r.now = r.now.Add(time.Minute)
		if got := r.verify(newPhone(), r.nonce()); got != OK {
			t.Fatal(got)
		}
		if n := len(r.server.nonces.used) + len(r.server.nonces.old); n > 2 {
			t.Fatalf("after %d minutes %d nonces are remembered", i, n)
		}
	}
}

// Whatever is used in whatever order: no count of a nonce passes twice, the tables
// keep their size, and a phone that answers at once gets in.
func TestNoReplayUnderPressure(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const limit = 8
	n := newNonces(Config{NonceLife: 10 * time.Second, MaxNonces: limit})
	now := epoch
	origin := netip.MustParseAddr("192.0.2.7")
	passed := make(map[string]bool)
	var issued []string
	again := 0
	for range 20000 {
		now = now.Add(time.Duration(random.IntN(400)) * time.Millisecond)
		switch random.IntN(4) {
		case 0:
			issued = append(issued, string(n.append(nil, now, origin)))
		case 1:
			fresh := string(n.append(nil, now, origin))
			if now = now.Add(time.Millisecond); !n.spend(now, origin, []byte(fresh), 1) {
				t.Fatalf("at %v: a fresh nonce is refused", now.Sub(epoch))
			}
			passed[fresh+" 1"] = true
			issued = append(issued, fresh)
		default:
			if len(issued) == 0 {
				continue
			}
			recent := issued[max(0, len(issued)-40):]
			nonce := recent[random.IntN(len(recent))]
			count := uint32(1 + random.IntN(5))
			use := fmt.Sprintf("%s %d", nonce, count)
			if n.spend(now, origin, []byte(nonce), count) {
				if passed[use] {
					t.Fatalf("at %v: %s passes twice", now.Sub(epoch), use)
				}
				passed[use] = true
				again++
			}
		}
		if len(n.used) > limit || len(n.old) > limit {
			t.Fatalf("tables hold %d and %d, the limit is %d", len(n.used), len(n.old), limit)
		}
	}
	if again < 1000 {
		t.Errorf("only %d uses of older nonces passed: the test says little", again)
	}
}
