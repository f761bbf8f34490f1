package digest

import (
	"net/netip"
	"testing"
	"time"
)

func TestChecker(t *testing.T) {
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	here, there := netip.MustParseAddr("198.51.100.7"), netip.MustParseAddr("198.51.100.8")
	s := NewServer(Config{Realm: "r", Key: []byte("key"), NonceLife: time.Hour})
	other := NewServer(Config{Realm: "r", Key: []byte("another key")})
	nonce := s.nonces.append(nil, now, here)
	changed := append([]byte(nil), nonce...)
	changed[3]++
	c := s.Checker()
	for _, tt := range []struct {
		name  string
		after time.Duration
		from  netip.Addr
		nonce []byte
		want  bool
	}{
		{"fresh", 0, here, nonce, true},
		{"as an IPv4 address mapped into IPv6", 0, netip.AddrFrom16(here.As16()), nonce, true},
		{"used often", 0, here, nonce, true},
		{"nearly too old", time.Hour - time.Millisecond, here, nonce, true},
		{"too old", time.Hour, here, nonce, false},
		{"a clock that was set back a little", -time.Minute, here, nonce, true},
		{"from the future", -time.Hour, here, nonce, false},
		{"from elsewhere", 0, there, nonce, false},
		{"changed", 0, here, changed, false},
		{"of the process before", 0, here, NewServer(Config{Realm: "r", Key: []byte("key")}).nonces.append(nil, now, here), true},
		{"of another server", 0, here, other.nonces.append(nil, now, here), false},
		{"cut", 0, here, nonce[1:], false},
		{"empty", 0, here, nil, false},
		{"no base64", 0, here, []byte("????????????????????????????????"), false},
	} {
		if got := c.Ours(now.Add(tt.after), tt.from, tt.nonce); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	if NewServer(Config{}).Checker().Ours(now, here, NewServer(Config{}).nonces.append(nil, now, here)) {
		t.Error("two servers that were given no key have the same")
	}
	if n := testing.AllocsPerRun(100, func() { c.Ours(now, here, nonce) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
