package server

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/digest"
	"minisip/rtprelay"
)

// rig is a server at work on real sockets.
type rig struct {
	*Server
	t    *testing.T
	log  *record
	stop context.CancelFunc
	done chan struct{} // closed when Run has returned
}

// record is a log that tests read.
type record struct {
	mu    sync.Mutex
	lines []string
	wrote func(line string) // called with each line, if not nil
}

func (l *record) line(s string) {
	l.mu.Lock()
	l.lines = append(l.lines, s)
	l.mu.Unlock()
	if l.wrote != nil {
		l.wrote(s)
	}
}

// holds says whether a line has all of these texts in it.
func (l *record) holds(texts ...string) bool { return l.count(texts...) > 0 }

// count is how many lines have all of these texts in them.
func (l *record) count(texts ...string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if !slices.ContainsFunc(texts, func(s string) bool { return !strings.Contains(line, s) }) {
			n++
		}
	}
	return n
}

const testRealm = "mini_sip_proxy"

// testConfig is a server's for users 001 and 002, with all features but silent.
func testConfig(t *testing.T, listen ...string) Config {
	t.Helper()
	users, err := digest.ParseUsers("users.conf", nil, testRealm)
	if err == nil {
		err = users.AddJSON([]byte(`{"001": "secret-001", "002": "secret-002"}`))
	}
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{
		Users: users, Auth: digest.NewServer(digest.Config{Realm: testRealm, Key: []byte("key"), Start: time.Now()}),
		RTP: rtprelay.Config{Low: 20100, High: 20299},
		Proxy: proxy.Config{
			Realm:    testRealm,
			Features: proxy.Features{Contact: true, SDP: true, Via: true, Duplicate: true},
		},
		Log: new(record).line,
	}
	for _, at := range listen {
		cfg.Listen = append(cfg.Listen, netip.MustParseAddrPort(at))
	}
	return cfg
}

// serve starts a server, which ends with the test.
func serve(t *testing.T, cfg Config) *rig {
	t.Helper()
	r := &rig{t: t, log: new(record), done: make(chan struct{})}
	given := cfg.Log
	cfg.Log = func(line string) { r.log.line(line); given(line) }
	srv, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	r.Server = srv
	var ctx context.Context
	ctx, r.stop = context.WithCancel(context.Background())
	go func() {
		srv.Run(ctx)
		close(r.done)
	}()
	t.Cleanup(r.end)
	return r
}

// end stops the server and waits for it.
func (r *rig) end() {
	r.stop()
	select {
	case <-r.done:
	case <-time.After(patience):
		r.t.Error("Run did not return")
	}
}

// counters asks the core, in the loop.
func (r *rig) counters() (n proxy.Counters) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if !r.Do(ctx, func(c *proxy.Core) { n = c.Counters() }) {
		r.t.Fatal("the loop does not answer")
	}
	return n
}
