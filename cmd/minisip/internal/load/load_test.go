//go:build linux

package main

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/server"
	"minisip/digest"
	"minisip/rtprelay"
)

// serve runs a server that knows so many users of either side, and gives its address.
func serve(t *testing.T, users int) netip.AddrPort {
	t.Helper()
	file, err := digest.ParseUsers("users.conf", userFile(users), realm)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.Listen(server.Config{
		Listen: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")},
		Proxy:  proxy.Config{Realm: realm, Features: proxy.Features{Contact: true, Via: true, SDP: true, Duplicate: true}},
		RTP:    rtprelay.Config{Low: 20300, High: 20699},
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
		known, users,
		registers, calls, concurrent int
		ok   bool
		want []string
	}{
		{"all well", 20, 20, 30, 60, 10, true, []string{
			"40 users registered, 0 could not\n", "30 registrations in ", " 0 failed; repeated: nothing\n", "60 calls in ", "from INVITE to 200: half within ",
		}},
		{"unknown users", 5, 10, 10, 10, 0, false, []string{
			"10 users registered, 10 could not\n", "5 registrations in ", " 5 failed", "failures: 5 401 Unauthorized\n",
			"5 calls in ", "failures: 5 407 Proxy Authentication Required\n",
		}},
		{"more calls at a time than ports", 20, 20, 1, 120, 1000, false, []string{
			" 503 Service Unavailable\n",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			o := options{
				server: serve(t, test.known), users: test.users, registers: test.registers, calls: test.calls,
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
