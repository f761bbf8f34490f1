package server

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/guard"
	"minisip/cmd/minisip/internal/proxy"
)

// flood sends a datagram again and again, and waits until the readers have seen all of it.
func (r *rig) flood(p *phone, times int, datagram string) {
	r.t.Helper()
	seen := func() int {
		return len(r.first.packets) + len(r.rest.packets) + int(r.health.dropped.Load()+r.health.banned.Load())
	}
	before := seen()
	for sent := 1; sent <= times; sent++ {
		p.send(datagram)
		if sent%100 == 0 || sent == times { // the kernel's own queue is shorter than ours
			await(r.t, "the reader takes all", func() bool { return seen() == before+sent })
		}
	}
}

// TestOverload: while the loop does not keep up, what matters goes first, rubbish goes nowhere, and nobody takes
// the whole queue.
func TestOverload(t *testing.T) {
	r := serve(t, testConfig(t, "0.0.0.0:0"))
	to := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), r.Addresses()[0].Port())
	registered := newPhone(t, "127.0.0.2", "001", to)
	registered.register()
	asked := newPhone(t, "127.0.0.3", "002", to) // has got its challenge, and answers it in the middle of the flood
	uri := "sip:" + to.String()
	asked.send(asked.text(request{method: "REGISTER", uri: uri, to: asked.aor(), callID: "asked", cseq: 1}))
	challenge := get(asked.expect("SIP/2.0 401 "), "WWW-Authenticate")
	flooder, late := newPhone(t, "127.0.0.4", "001", to), newPhone(t, "127.0.0.5", "001", to)
	thief := newPhone(t, "127.0.0.4", "001", to)

	release := r.hold()
	first, rest := func() int { return len(r.first.packets) }, func() int { return len(r.rest.packets) }
	r.flood(flooder, keepingUp+1, "not SIP")
	if first() != keepingUp+1 {
		t.Fatalf("%d datagrams wait, want %d: a loop that keeps up takes all", first(), keepingUp+1)
	}
	for _, step := range []struct {
		name                  string
		who                   *phone
		times                 int
		datagram              string
		first, rest, restMost int // how many of them wait then
	}{
		{"rubbish", flooder, 100, "not SIP", 0, 0, 0},
		{"requests of a stranger get a third of the second queue", flooder, 3000, flooder.text(request{method: "REGISTER", uri: uri, callID: "f", cseq: 1}), 0, 600, 700},
		{"and from another port of his no more", thief, 100, thief.text(request{method: "REGISTER", uri: uri, callID: "g", cseq: 1}), 0, 0, 2},
		{"another stranger has room", late, 200, late.text(request{method: "REGISTER", uri: uri, callID: "l", cseq: 1}), 0, 200, 200},
		{"so have responses", late, 10, stray, 0, 10, 10},
		{"who has a binding goes first, whatever he sends", registered, 1, registered.text(request{method: "OPTIONS", uri: uri, callID: "o", cseq: 1}), 1, 0, 0},
		{"so does who answers our challenge", asked, 1, asked.text(request{method: "REGISTER", uri: uri, to: asked.aor(), callID: "asked", cseq: 2,
			lines: []string{"Authorization: " + asked.credentials(challenge, "REGISTER", uri)}}), 1, 0, 0},
		{"but not who stole it", flooder, 1, flooder.text(request{method: "REGISTER", uri: uri, to: asked.aor(), callID: "stolen", cseq: 2,
			lines: []string{"Authorization: " + asked.credentials(challenge, "REGISTER", uri)}}), 0, 0, 1},
		{"a phone gone mad leaves room for others", registered, 9000, registered.text(request{method: "OPTIONS", uri: uri, callID: "m", cseq: 1}), 2700, 0, 0},
	} {
		f, s := first(), rest()
		r.flood(step.who, step.times, step.datagram)
		if df, ds := first()-f, rest()-s; df < step.first || df > step.first+min(step.first, 100) || ds < step.rest || ds > max(step.rest, step.restMost) {
			t.Errorf("%s: %d wait in the first queue and %d in the second, want %d and %d", step.name, df, ds, step.first, step.rest)
		}
	}
	h := r.Health()
	if h.Waiting != first()+rest() || h.Dropped == 0 {
		t.Errorf("health says %+v", h)
	}
	release()
	await(t, "the loop takes what waits", func() bool { return r.Health().Waiting == 0 })
	asked.expect("SIP/2.0 200 ")
	newPhone(t, "127.0.0.6", "001", to).alive()

	// Who had his share has it again once that was handled.
	release = r.hold()
	defer release()
	r.flood(flooder, 1000, flooder.text(request{method: "REGISTER", uri: uri, callID: "again", cseq: 1}))
	if n := rest(); n < 600 || n > 700 {
		t.Errorf("a second time %d wait, want 600 or a little more", n)
	}
}

// TestBannedReader: of a banned source nothing reaches the loop but what a registered phone sends, and a few requests.
func TestBannedReader(t *testing.T) {
	cfg := testConfig(t, "127.0.0.1:0")
	cfg.Proxy.Bans = guard.Limits{Count: 3, Within: time.Minute, For: time.Hour}
	r := serve(t, cfg)
	to := r.Addresses()[0]
	good, bad := newPhone(t, "127.0.0.1", "001", to), newPhone(t, "127.0.0.1", "002", to)
	good.register()
	bad.password = "guess"
	for i := range 3 {
		bad.authorized(request{method: "REGISTER", uri: "sip:" + to.String(), to: bad.aor(), callID: fmt.Sprint("guess-", i), cseq: 1})
		bad.expect("SIP/2.0 401 ")
	}
	bans := r.Bans()
	if len(bans) != 1 || bans[0].IP != bad.at.Addr() || bans[0].Failures != 3 || !strings.Contains(bans[0].Why, "wrong password for 002") {
		t.Fatalf("banned: %+v", bans)
	}
	if !r.log.holds("127.0.0.1 is banned for 1h0m0s: 3 failures within 1m0s, the last: wrong password for 002") {
		t.Error("the log does not say who is banned and why")
	}
	before := r.counters().Requests
	r.flood(bad, 10, "not SIP")
	for range 5 {
		for range 100 { // the kernel's queue has room for them
			bad.send(bad.text(request{method: "OPTIONS", uri: "sip:" + to.String(), callID: "o", cseq: 1}))
		}
		good.alive() // from the same IP
	}
	after := r.counters().Requests
	looked := uint64(0)
	for method := range after {
		looked += after[method] - before[method]
	}
	if looked < 6 || looked > 200 {
		t.Errorf("the loop looked at %d requests, want the phone's own five and a few of 500", looked)
	}
	if !r.Unban(bad.at.Addr()) || r.Unban(bad.at.Addr()) || len(r.Bans()) != 0 {
		t.Error("the ban was not lifted once")
	}
	bad.nc = 9
	bad.alive()
}

// TestLag: while the loop lags new calls get 503, what is in progress goes on, and both the beginning and the end
// are said. The clock stands, so that what really comes has not waited.
func TestLag(t *testing.T) {
	cfg, now := testConfig(t, "127.0.0.1:0"), time.Now()
	cfg.Now = func() time.Time { return now }
	r := serve(t, cfg)
	a := newPhone(t, "127.0.0.2", "001", r.Addresses()[0])
	a.register()
	ctx := t.Context()
	r.Do(ctx, func(*proxy.Core) {
		r.waited(now.Add(-300*time.Millisecond), 250*time.Millisecond, true)
		r.waited(now, 300*time.Millisecond, true)
	})
	if h := r.Health(); !h.Overload || h.LagMax < 300*time.Millisecond || h.Lag < 300*time.Millisecond {
		t.Errorf("health says %+v", h)
	}
	invite := request{method: "INVITE", uri: "sip:002@" + a.server.String(), callID: "late", cseq: 1}
	a.send(a.text(invite))
	if got := get(a.expect("SIP/2.0 503 "), "Retry-After"); got == "" {
		t.Error("503 without Retry-After")
	}
	a.alive() // anything else goes on
	r.Do(ctx, func(*proxy.Core) { r.waited(now.Add(2*time.Second), 0, true) })
	a.send(a.text(request{method: "INVITE", uri: invite.uri, callID: "again", cseq: 1}))
	a.expect("SIP/2.0 407 ")
	r.Do(ctx, func(*proxy.Core) { r.beatHealth(now) })
	if h := r.Health(); h.Overload || h.Refused != 1 {
		t.Errorf("health says %+v", h)
	}
	for _, line := range []string{"overload: datagrams wait 300ms", "overload is over after 2s: 1 new calls got 503"} {
		if !r.log.holds(line) {
			t.Errorf("the log does not say %q", line)
		}
	}
}
