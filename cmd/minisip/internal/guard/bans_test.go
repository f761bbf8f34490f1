package guard

import (
	"fmt"
	"hash/maphash"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var epoch = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// TestBans plays scripts, a step a word: "wrong:001" is a failure of user 001, with "*" behind it one more
// of the same attempt, "wrong:001/002" of 002 in the name of 001, "unknown:x" a request as x who does not exist, "right:001" a success, "+30s" time that
// passes, "lift" an operator's say; "free", "banned", "guesses" and "fair" are what holds then, and "failed:001" and "heard:001".
func TestBans(t *testing.T) {
	tests := []struct{ name, steps string }{
		{"three failures within a minute", "wrong:001 wrong:001 free wrong:001 banned"},
		{"they count for a minute", "wrong:001 wrong:001 +60s wrong:001 free wrong:001 free wrong:001 banned"},
		{"one attempt counts once", "wrong:001 wrong:001* wrong:001* wrong:001* free"},
		{"unless it goes on and on", "wrong:001" + strings.Repeat(" wrong:001*", patience) + " free wrong:001* free wrong:001* banned"},
		{"or there are many such attempts", "wrong:001" + strings.Repeat(" wrong:001*", patience/2) + " wrong:001" + strings.Repeat(" wrong:001*", patience-patience/2) + " free wrong:001* banned"},
		{"a minute later there is patience again", "wrong:001" + strings.Repeat(" wrong:001*", patience) + " +60s wrong:001" + strings.Repeat(" wrong:001*", patience) + " free"},
		{"with another name it is another", "wrong:001 wrong:002* free wrong:003* banned"},
		{"a ban ends after an hour", "wrong:001 wrong:002 wrong:003 banned +59m banned +1m free wrong:001 free"},
		{"success takes back the user's own", "wrong:001 wrong:001 right:001 wrong:001 wrong:001 free"},
		{"but nobody else's", "wrong:001 wrong:001 right:002 wrong:001 banned right:002 banned"},
		{"success ends the ban that came of it", "wrong:001 wrong:001 wrong:001 banned right:001 free"},
		{"who failed while it was banned has no say", "wrong:001 wrong:001 wrong:001 wrong:002 right:002 banned"},
		{"one guess is all that a success buys", "wrong:001 wrong:001 wrong:002 right:002 free wrong:001 banned right:002 banned"},
		{"an operator lifts it", "wrong:001 wrong:001 wrong:001 lift free wrong:001 wrong:001 free wrong:001 banned"},
		{"who brought the ban about has failed", "wrong:001 wrong:001 wrong:002 failed:001 failed:002 heard:003"},
		{"so has who failed since", "wrong:001 wrong:001 wrong:001 heard:002 wrong:002 failed:002 heard:003 unknown:x failed:x"},
		{"until the ban ends", "wrong:001 wrong:001 wrong:001 wrong:002 +1h wrong:001 heard:002"},
		{"in whosever name", "wrong:001 wrong:001 wrong:001 heard:002 wrong:003/002 failed:002 failed:003"},
		{"however long it lasts", "wrong:001 wrong:001 wrong:002 +5m failed:001 failed:002"},
		{"who failed during one ban has not during the next", "wrong:001 wrong:001 wrong:002 wrong:003 failed:003 right:001 free wrong:001 wrong:001 banned heard:003"},
		{"unknown users count too", "unknown:a unknown:b free unknown:c banned guesses"},
		{"who asks for one name all the time does not guess", "unknown:a +60s unknown:a +60s unknown:a +60s unknown:a fair"},
		{"who asks for three does, for an hour", "unknown:a +60s unknown:b fair +60s unknown:c guesses +59m guesses +1m fair"},
		{"an hour after one name it is forgotten", "unknown:a +60s unknown:b +3570s wrong:001 +30s unknown:c fair"},
		{"a success takes no guesses back", "unknown:a +60s unknown:b +60s unknown:c +60s wrong:001 right:001 guesses"},
		{"an operator does", "unknown:a +60s unknown:b +60s unknown:c guesses lift fair"},
		{"of whom nothing is known", "free heard:001 fair right:001 lift free"},
		{"a wrong password is no guess at names", "wrong:001 wrong:002 wrong:003 fair"},
	}
	for i := range 2 * len(tests) {
		tt, sweeps := tests[i/2], i%2 == 0 // what nobody sweeps away counts no longer all the same
		b := NewBans(Limits{Count: 3, Within: time.Minute, For: time.Hour})
		ip := netip.MustParseAddr("198.51.100.7")
		now, attempt := epoch, 0
		for i, step := range strings.Fields(tt.steps) {
			what, user, _ := strings.Cut(step, ":")
			user, again := strings.CutSuffix(user, "*")
			user, as, _ := strings.Cut(user, "/")
			if !again && user != "" {
				attempt++
			}
			got := ""
			switch what {
			case "wrong", "unknown":
				was := b.Banned(now, ip)
				got := b.Charge(now, ip, Failure{User: []byte(user), As: []byte(as), Unknown: what == "unknown", Attempt: fmt.Append(nil, attempt)})
				if want := !was && b.Banned(now, ip); got != want {
					t.Errorf("%s: step %d gets it banned: %v, want %v", tt.name, i, got, want)
				}
			case "right":
				b.Succeed(ip, []byte(user))
			case "lift":
				b.Lift(now, ip)
			case "free", "banned":
				got = map[bool]string{false: "free", true: "banned"}[b.Banned(now, ip)]
			case "failed", "heard":
				got = map[bool]string{false: "heard", true: "failed"}[b.Failed(ip, []byte(user))]
			case "guesses", "fair":
				got = map[bool]string{false: "fair", true: "guesses"}[b.Guesses(now, ip)]
			default:
				d, err := time.ParseDuration(step)
				if err != nil {
					t.Fatal(err)
				}
				now = now.Add(d)
				if sweeps {
					b.Sweep(now)
				}
			}
			if got != "" && got != what {
				t.Errorf("%s: step %d: %s, want %s", tt.name, i, got, what)
			}
		}
		b.Sweep(now.Add(2 * time.Hour))
		if n := b.Len(); n != 0 || b.banned.Load() != 0 {
			t.Errorf("%s: after two hours %d sources are known, %d banned", tt.name, n, b.banned.Load())
		}
	}
}

// TestGuesses: with ten failures a minute allowed, nobody gets to try more than thirty passwords before he is banned, in
// whatever attempts he puts them.
func TestGuesses(t *testing.T) {
	for size := 1; size <= 40; size++ { // guesses an attempt
		b := NewBans(Limits{Count: 10, Within: time.Minute, For: time.Hour})
		guesses := 0
		for banned := false; !banned && guesses < 1000; guesses++ {
			banned = b.Charge(epoch, netip.MustParseAddr("198.51.100.7"), Failure{User: []byte("001"), Attempt: fmt.Append(nil, guesses/size)})
		}
		if guesses > 30 {
			t.Errorf("%d guesses an attempt: banned after %d", size, guesses)
		}
	}
}

// Of the names that fail at a banned source so many are kept; then all count as such.
func TestManyFail(t *testing.T) {
	b := NewBans(Limits{Count: 2, Within: time.Minute, For: time.Hour})
	ip := netip.MustParseAddr("192.0.2.1")
	ban(b, ip.String())
	for i := range 2 * maxFailing {
		if b.Failed(ip, []byte("cold")) != (i >= maxFailing) {
			t.Errorf("after %d names: somebody else has failed: %v", i, i < maxFailing)
		}
		b.Charge(epoch, ip, Failure{User: fmt.Append(nil, i), As: fmt.Append(nil, i)})
	}
	if n := len(b.sources[ip].failing); n != maxFailing {
		t.Errorf("%d names are kept", n)
	}
}

func ban(b *Bans, ip string) {
	for i := range b.limits.Count {
		b.Charge(epoch, netip.MustParseAddr(ip), Failure{Attempt: fmt.Append(nil, i), Why: "wrong password for 001"})
	}
}

// A ban holds for an IPv4 address, however it is written, and for the /64 of an IPv6 address.
func TestBanScope(t *testing.T) {
	for _, tt := range []struct {
		banned, asked string
		want          bool
	}{
		{"198.51.100.7", "198.51.100.7", true},
		{"198.51.100.7", "::ffff:198.51.100.7", true},
		{"::ffff:198.51.100.7", "198.51.100.7", true},
		{"198.51.100.7", "198.51.100.8", false},
		{"2001:db8:0:1::5", "2001:db8:0:1:8000:b:c:d", true},
		{"2001:db8:0:1::5", "2001:db8:0:2::5", false},
	} {
		b := NewBans(Limits{Count: 2, Within: time.Minute, For: time.Hour})
		ban(b, tt.banned)
		if got := b.Banned(epoch, netip.MustParseAddr(tt.asked)); got != tt.want {
			t.Errorf("with %s banned, %s is: %v", tt.banned, tt.asked, got)
		}
		if b.Succeed(netip.MustParseAddr(tt.asked), nil); b.Banned(epoch, netip.MustParseAddr(tt.banned)) == tt.want {
			t.Errorf("a success at %s and the ban of %s: it is lifted: %v", tt.asked, tt.banned, !tt.want)
		}
		ban(b, tt.banned)
		if got := b.Lift(epoch, netip.MustParseAddr(tt.asked)); got != tt.want {
			t.Errorf("lifted at %s, the ban of %s is: %v", tt.asked, tt.banned, got)
		}
	}
}

func TestTrust(t *testing.T) {
	b := NewBans(Limits{Count: 2, Within: time.Minute, For: time.Hour, Trust: []netip.Prefix{
		netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8::5/128"),
	}})
	for _, ip := range []string{"198.51.100.7", "2001:db8::5", "2001:db8::6", "192.0.2.1"} {
		ban(b, ip)
	}
	for ip, want := range map[string]bool{
		"198.51.100.7": false, "::ffff:198.51.100.7": false, "2001:db8::5": false, "2001:db8::6": true, "192.0.2.1": true,
	} {
		if got := b.Banned(epoch, netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s is banned: %v", ip, got)
		}
	}
	b.SetLimits(Limits{Count: 2, Within: time.Minute, For: time.Hour, Trust: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}})
	if got := b.List(epoch); len(got) != 1 || got[0].IP.String() != "2001:db8::" {
		t.Errorf("with 192.0.2.0/24 trusted, banned are %v", got)
	}
	b.SetLimits(Limits{})
	ban(b, "192.0.2.1")
	if got := b.List(epoch); len(got) != 0 {
		t.Errorf("with bans off, banned are %v", got)
	}
}

func TestList(t *testing.T) {
	b := NewBans(Limits{Count: 2, Within: time.Minute, For: time.Hour})
	ban(b, "198.51.100.7")
	b.Charge(epoch, netip.MustParseAddr("198.51.100.7"), Failure{Attempt: []byte("more")})
	b.Charge(epoch, netip.MustParseAddr("198.51.100.8"), Failure{})
	want := Ban{netip.MustParseAddr("198.51.100.7"), epoch.Add(time.Hour), 3, "wrong password for 001"}
	if got := b.List(epoch); len(got) != 1 || got[0] != want {
		t.Errorf("banned: %v, want %v", got, want)
	}
	if b.Lift(epoch, netip.MustParseAddr("198.51.100.8")) {
		t.Error("lifted a ban that was none")
	}
	for _, ip := range []string{"198.51.100.9", "198.51.100.6"} {
		ban(b, ip)
	}
	for i := range 2 {
		b.Charge(epoch.Add(time.Second), netip.MustParseAddr("198.51.100.99"), Failure{Attempt: fmt.Append(nil, i)})
	}
	var order []string
	for _, x := range b.List(epoch.Add(time.Second)) {
		order = append(order, x.IP.String())
	}
	if got := strings.Join(order, " "); got != "198.51.100.99 198.51.100.6 198.51.100.7 198.51.100.9" {
		t.Errorf("the latest is to be first, and of those at once the lowest: %s", got)
	}
}

// The table is bounded, and those who are banned stay in it.
func TestBansAreBounded(t *testing.T) {
	b := NewBans(Limits{Count: 2, Within: time.Minute, For: time.Hour})
	ban(b, "192.0.2.1")
	for i := range maxSources + 1000 {
		ip := netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)})
		b.Charge(epoch.Add(time.Duration(i)), ip, Failure{})
	}
	if n := b.Len(); n != maxSources {
		t.Errorf("%d sources known, want %d", n, maxSources)
	}
	if !b.Banned(epoch, netip.MustParseAddr("192.0.2.1")) {
		t.Error("one who was banned was forgotten for some who were not")
	}
}

// TestBannedStay: where half of all known are banned, and longest ago, newcomers take the places of the others.
func TestBannedStay(t *testing.T) {
	b := NewBans(Limits{Count: 2, Within: time.Minute, For: time.Hour})
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18 + byte(i>>16), byte(i >> 8), byte(i)}) }
	for i := range maxSources / 2 {
		ban(b, at(i).String())
	}
	for i := range maxSources {
		b.Charge(epoch.Add(time.Second), at(maxSources+i), Failure{})
	}
	// Only where eight that are taken at random all are banned, one of them goes.
	if n := len(b.List(epoch)); n < maxSources/2*9/10 {
		t.Errorf("of %d banned %d still are", maxSources/2, n)
	}
}

// Of a banned source some are looked at. Who brings no credentials takes nothing from who does, nor one port what is the
// share of others.
func TestPass(t *testing.T) {
	b := NewBans(Limits{Count: 10, Within: time.Minute, For: time.Hour})
	ban(b, "192.0.2.1")
	ip := netip.MustParseAddr("192.0.2.1")
	count := func(now time.Time, ask func(now time.Time, port uint16) bool) (n int) {
		for i := range uint16(1000) {
			if ask(now, i) {
				n++
			}
		}
		return n
	}
	pass := func(ports uint16, proving bool) func(time.Time, uint16) bool {
		return func(now time.Time, i uint16) bool {
			return b.Pass(now, netip.AddrPortFrom(ip, 1024+i%ports), proving)
		}
	}
	try := func(now time.Time, _ uint16) bool { return b.Try(now, ip) }
	for i, step := range []struct {
		after time.Duration
		ask   func(time.Time, uint16) bool
		want  int
	}{
		{0, pass(1, false), passBurst / passShares}, {0, pass(1000, false), passBurst - passBurst/passShares}, {0, pass(1000, true), passBurst}, {0, try, 10},
		{2 * time.Second, pass(1000, false), 2 * passRate}, {2 * time.Second, pass(1000, true), 2 * passRate}, {6 * time.Second, try, 1},
		{time.Hour, pass(1000, false), passBurst}, {time.Hour, try, 10},
	} {
		if got := count(epoch.Add(step.after), step.ask); got != step.want {
			t.Errorf("step %d: %d pass, want %d", i, got, step.want)
		}
	}
}

// Two ports that have a share in common have different ones soon.
func TestSharesAreDealtAnew(t *testing.T) {
	seed := maphash.MakeSeed()
	at := netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), 5060)
	for port := range uint16(1000) {
		other := netip.AddrPortFrom(at.Addr(), 10000+port)
		together := 0
		for i := range 21 {
			now := epoch.Add(time.Duration(i) * 10 * time.Second)
			if share(now, hashOf(seed, at)) == share(now, hashOf(seed, other)) {
				together++
			}
		}
		if together > 15 { // by chance once in some ten million runs
			t.Errorf("%s and %s are together %d times of 21", at, other, together)
		}
	}
}

// While nobody is banned a reader pays nothing, and never more than a look-up.
func TestBannedAllocatesNothing(t *testing.T) {
	b := NewBans(Limits{Count: 2, Within: time.Minute, For: time.Hour})
	ban(b, "192.0.2.1")
	ip := netip.MustParseAddr("192.0.2.2")
	if n := testing.AllocsPerRun(100, func() {
		b.Banned(epoch, ip)
		b.Succeed(ip, []byte("001"))
		b.Guesses(epoch, ip)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
