package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/demo"
	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/server"
	"minisip/cmd/minisip/internal/status"
	"minisip/digest"
)

const demoUsage = `Usage: minisip demo [-page] [-talk TIME]

Starts a server on this machine's loopback interface and two small phones, plays
a whole call between them, and shows its ladder, how it sounded, and what a NAT
breaks and minisip repairs. Nothing is kept, and nobody else can reach it.

  -page        leave the server and its status page open until Ctrl-C
  -talk TIME   how long they talk, from the first sound (3s)
`

// demoCommand is "minisip demo".
func demoCommand(args []string, _ io.Reader, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	page, talk := flags.Bool("page", false, ""), usualTalk
	flags.Func("talk", "", talkTime(&talk))
	words, err := config.ParseCommand(flags, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, demoUsage)
		return exitOK
	case err == nil && len(words) > 0:
		err = fmt.Errorf("found %q, expected no words", words[0])
	}
	if err != nil {
		fmt.Fprintf(stderr, "minisip demo: %v; see minisip demo -h\n", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := runDemo(ctx, *page, talk, stdout); err != nil {
		fmt.Fprintf(stderr, "minisip demo: %v\n", err)
		return exitFailed
	}
	return exitOK
}

// usualTalk is how long the phones of demo and probe talk.
const usualTalk = 3 * time.Second

// talkTime reads another time for it.
func talkTime(to *time.Duration) func(string) error {
	return func(value string) error {
		d, err := time.ParseDuration(value)
		if err != nil || d < 100*time.Millisecond || d > time.Minute {
			return errors.New("expected 100ms to 1m, for example -talk 3s")
		}
		*to = d
		return nil
	}
}

// runDemo serves on loopback, from flags as a person could give them, while the demonstration plays.
func runDemo(ctx context.Context, page bool, talk time.Duration, stdout io.Writer) error {
	accounts := [2]demo.Account{{Name: "001", Password: digest.RandomPassword()}, {Name: "002", Password: digest.RandomPassword()}}
	cfg, err := config.Parse([]string{"-users", "", "-state", "", "-log", "", "-status", "127.0.0.1:8060"}, noEnv, os.ReadFile)
	if err != nil {
		return err
	}
	users, err := digest.ParseUsers("", nil, cfg.Realm)
	if err == nil {
		err = users.Add([]digest.Account{digest.Account(accounts[0]), digest.Account(accounts[1])})
	}
	if err != nil {
		return err
	}
	auth, err := newAuth(cfg, nil, users)
	if err != nil {
		return err
	}
	j := &journal{tail: &status.Tail{}}
	sc := serverConfig(cfg, users, auth, j)
	sc.Listen = []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}
	records := make(chan *proxy.Record, 1)
	sc.Record = func(r *proxy.Record) {
		select {
		case records <- r:
		default: // of a stranger's call: one is played
		}
	}
	started := time.Now()
	srv, err := server.Listen(sc)
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		srv.Run(serving)
		close(done)
	}()
	fmt.Fprintf(stdout, "minisip %s serves on %s.\n", version, srv.Addresses()[0])
	err = demo.Run(ctx, &demo.Options{Server: srv.Addresses()[0], Callers: accounts, Talk: talk, Out: stdout})
	var ended *proxy.Record
	if err == nil {
		select {
		case ended = <-records:
		case <-serving.Done():
		}
	}
	if ended != nil && page {
		err = showPage(serving, cfg, newAPI(cfg, srv, started, j.tail, nil), ended, j, stdout)
	}
	stop()
	<-done
	if err == nil && ended != nil {
		fmt.Fprintf(stdout, "\nWhat minisip's log says of it:\n    call %d: %s -> %s, %.1f s: %s; media: %s\n", ended.Call, ended.From, ended.To, ended.Seconds, ended.Why, ended.Verdict)
	}
	return err
}

// noEnv keeps what is set for a server of this machine out of the demonstration.
func noEnv(string) (string, bool) { return "", false }

// showPage leaves the status page open until ctx is done, at its usual place or, where that is taken, at another.
func showPage(ctx context.Context, cfg *config.Config, api http.Handler, r *proxy.Record, j *journal, stdout io.Writer) error {
	l, err := net.Listen("tcp", cfg.Status.String())
	if err != nil {
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
	}
	w := &watchers{page: l, guard: status.NewGuard("", j.line)}
	defer w.close()
	w.serve(ctx, api)
	fmt.Fprintf(stdout, "\nThe call on the status page: http://%s/#/calls/%d (until Ctrl-C)\n", l.Addr(), r.Call)
	<-ctx.Done()
	return nil
}
