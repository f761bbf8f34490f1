package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/guard"
	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/server"
	"minisip/digest"
	"minisip/rtprelay"
)

// run serves until a signal ends it. again reads the configuration once more.
func run(cfg *config.Config, again func(more ...string) (*config.Config, error), stdout, stderr io.Writer) int {
	// First of all: a signal that nobody waits for would end it while it reads what it had kept.
	sigs := awaitSignals()
	if os.Getenv("GOGC") == "" {
		// What phones leave in memory lasts, and there is little garbage: to collect it twice as
		// often as is usual costs little, and the heap stays a quarter smaller.
		debug.SetGCPercent(50)
	}
	users, made, err := loadUsers(cfg)
	if err != nil {
		return fail(stderr, err)
	}
	j := openJournal(cfg, stdout)
	defer j.close()
	kept, err := openState(cfg.State, j.line)
	if err != nil {
		return fail(stderr, err)
	}
	defer kept.close()
	auth, err := newAuth(cfg, nonceKey(kept), users)
	if err != nil {
		return fail(stderr, err)
	}
	// Before anybody is told that it runs. Until here these end it at once.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	w, err := listenForWatchers(cfg, j.line)
	if err != nil {
		return fail(stderr, err)
	}
	defer w.close()
	sc := serverConfig(cfg, users, auth, j)
	sc.State = kept.Store
	svc := newService(j.line)
	svc.join(&sc)
	h := mirrorTo(cfg, &sc, j.line)
	defer h.close()
	srv, err := server.Listen(sc)
	if err != nil {
		return fail(stderr, err)
	}
	svc.listens(srv)
	if err := keepUsers(cfg, made); err != nil {
		return fail(stderr, err)
	}
	welcome(stdout, cfg, srv, users, made, w.notes)
	j.line(fmt.Sprintf("minisip %s started: %s", version, featureList(sc.Proxy.Features)))
	noteDigest(cfg, users, j.line)
	r := &reloader{start: cfg, cfg: cfg, again: again, srv: srv, auth: auth, log: j.line}
	go sigs.serve(ctx, r, j)
	w.serve(ctx, newAPI(cfg, srv, time.Now(), j.tail, r.change))
	runtime.GC() // what starting up has left makes room for the phones that come now
	svc.ready()
	srv.Run(ctx)
	svc.stopping()
	kept.close()
	j.line("minisip stopped")
	return exitOK
}

// serverConfig translates what the operator asked for.
func serverConfig(cfg *config.Config, users *digest.Users, auth *digest.Server, j *journal) server.Config {
	sc := server.Config{
		Listen: cfg.Listen, Default: !cfg.Given("listen"),
		Users: users, Auth: auth, Log: j.line, Record: j.record,
		RTP:   rtprelay.Config{Low: cfg.RTPLow, High: cfg.RTPHigh, TOS: trafficClass(cfg.DSCP.RTP)},
		TOS:   trafficClass(cfg.DSCP.SIP),
		Proxy: proxyConfig(cfg), TraceDir: traceDir(cfg), History: cfg.History,
	}
	rand.Read(sc.Seed[:])
	return sc
}

// traceDir is where recordings go; "": nowhere.
func traceDir(cfg *config.Config) string {
	if cfg.TraceDir == "" && cfg.State != "" {
		return filepath.Join(cfg.State, "traces")
	}
	return cfg.TraceDir
}

// trafficClass is the byte that a code point stands in, in IPv4 called TOS; none: the
// system's own.
func trafficClass(dscp int) int {
	if dscp == 0 {
		return -1
	}
	return dscp << 2
}

func proxyConfig(cfg *config.Config) proxy.Config {
	return proxy.Config{
		Features: proxy.Features{
			Contact: cfg.Features.Contact, SDP: cfg.Features.SDP, Via: cfg.Features.Via,
			Duplicate: cfg.Features.Duplicate, Silent: cfg.Features.Silent, Debug: cfg.Debug,
		},
		ICE: cfg.ICE, Realm: cfg.Realm, Domains: cfg.Domains, Public4: cfg.Public4, Public6: cfg.Public6,
		Keepalive: cfg.Keepalive, Timeout: cfg.Timeout, HoldTimeout: cfg.HoldTimeout,
		TimerC: cfg.TimerC, MaxPending: cfg.MaxPending, DialAdmins: cfg.DialAdmins,
		AddUser: addCommand(cfg), Ports: fmt.Sprintf("%d-%d", cfg.RTPLow, cfg.RTPHigh),
		Bans: guard.Limits{Count: cfg.Ban.Count, Within: cfg.Ban.Within, For: cfg.Ban.For, Trust: cfg.Trust},
	}
}

// newAuth makes the digest server. SHA-256 is offered only while every user has that hash.
func newAuth(cfg *config.Config, key []byte, users *digest.Users) (*digest.Server, error) {
	algorithms, err := digest.ParseAlgorithms(cfg.Digest)
	if err != nil {
		return nil, err
	}
	s := digest.NewServer(digest.Config{Realm: cfg.Realm, Key: key, Algorithms: algorithms, Start: time.Now()})
	s.SetAlgorithms(offered(algorithms, users))
	return s, nil
}

func offered(algorithms []digest.Algorithm, users *digest.Users) (out []digest.Algorithm) {
	for _, a := range algorithms {
		if users.HasAll(a) {
			out = append(out, a)
		}
	}
	if len(out) == 0 {
		out = []digest.Algorithm{digest.MD5}
	}
	return out
}

// noteDigest says so where SHA-256 was asked for and cannot be offered: challenges are weaker than the operator thinks.
func noteDigest(cfg *config.Config, users *digest.Users, log func(string)) {
	asked, _ := digest.ParseAlgorithms(cfg.Digest)
	if slices.Contains(asked, digest.SHA256) && !users.HasAll(digest.SHA256) {
		log("-digest: MD5 alone is offered, since not every user has a SHA-256 hash; see minisip user list, then minisip user passwd NAME")
	}
}

// featureList says which words are on.
func featureList(f proxy.Features) string {
	mode := "log brief"
	if f.Debug {
		mode = "log debug"
	}
	words := config.Features{Contact: f.Contact, SDP: f.SDP, Via: f.Via, Duplicate: f.Duplicate, Silent: f.Silent}
	return fmt.Sprintf("%s; %s", words, mode)
}
