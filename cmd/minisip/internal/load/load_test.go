//go:build linux

package main

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/server"
	"minisip/digest"
	"minisip/rtprelay"
)

// serve runs a server that knows so many users of either side and has ports for so many calls, and gives its address.
// Its clock stands: by that, no datagram ever waits too long, and a slow machine refuses no call.
func serve(t *testing.T, users, calls int) netip.AddrPort {
	t.Helper()
	file, err := digest.ParseUsers("users.conf", userFile(users), realm)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	srv, err := server.Listen(server.Config{
		Now:    func() time.Time { return now },
		Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Proxy:  proxy.Config{Realm: realm, Features: proxy.Features{Contact: true, Via: true, SDP: true, Duplicate: true}},
		RTP:    rtprelay.Config{Low: 20300, High: 20299 + uint16(4*calls)},
		Users:  file, Auth: digest.NewServer(digest.Config{Realm: realm, Key: []byte("key")}),
		Log: func(string) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { srv.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended })
	return srv.Addresses()[0]
}

// TestLoad: calls and registrations succeed, and those that cannot are told apart by why.
func TestLoad(t *testing.T) {
	for _, test := range []struct {
		name string
		known, ports, users,
		registers, calls, concurrent int
		ok   bool
		want []string
	}{
		{"all well", 20, 100, 20, 30, 60, 10, true, []string{
			"40 users registered, 0 could not\n", "30 registrations in ", " 0 failed; repeated: ", "60 calls in ", "from INVITE to 200: half within ",
		}},
		{"unknown users", 5, 100, 10, 10, 10, 0, false, []string{
			"10 users registered, 10 could not\n", "5 registrations in ", " 5 failed", "failures: 5 401 Unauthorized\n",
			"5 calls in ", "failures: 5 407 Proxy Authentication Required\n",
		}},
		{"more calls at a time than ports", 20, 2, 20, 1, 20, 1000, false, []string{
			" 503 Service Unavailable\n",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			o := options{
				server: serve(t, test.known, test.ports), users: test.users, registers: test.registers, calls: test.calls,
				rate: 1000, registerRate: 1000, concurrent: test.concurrent, out: &out,
			}
			ok, err := o.measure()
			if ok != test.ok || err != nil {
				t.Errorf("%v, %v, want %v", ok, err, test.ok)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, &out)
				}
			}
		})
	}
}

// TestRepeats: a message is sent again when there was no answer for as long as RFC 3261 17.1.2.2 says, and not before.
func TestRepeats(t *testing.T) {
	silent, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	a, err := newAgent(silent.LocalAddr().(*net.UDPAddr).AddrPort(), "a", firstCaller, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	r := newRegistering(a, 0, 1, 1000)
	begin := time.Unix(1000, 0)
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{
		{0, 0}, {t1, 0}, {t1 + slotLength, 1}, {3 * t1, 1}, {3*t1 + 2*slotLength, 2},
	} {
		if r.tick(begin.Add(tt.after)); r.result.repeated["REGISTER"] != tt.want {
			t.Errorf("after %v it was repeated %d times, want %d", tt.after, r.result.repeated["REGISTER"], tt.want)
		}
	}
}

// TestPause: RFC 3261 17.1.2.2: 500 ms, doubled up to 4 s, and 32 s in all.
func TestPause(t *testing.T) {
	var sum time.Duration
	for n, more := 1, true; more; n++ {
		var d time.Duration
		d, more = pause(n)
		sum += d
	}
	if sum != lifetime {
		t.Errorf("a message is repeated for %s", sum)
	}
}
