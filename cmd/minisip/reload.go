package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/server"
	"minisip/digest"
)

// signals that ask for something while minisip goes on. Each has a channel of its own, so
// that one is not lost while another is being obeyed.
type signals struct{ reload, reopen chan os.Signal }

func awaitSignals() signals {
	s := signals{make(chan os.Signal, 1), make(chan os.Signal, 1)}
	signal.Notify(s.reload, syscall.SIGHUP)
	signal.Notify(s.reopen, syscall.SIGUSR1)
	return s
}

// serve reloads on SIGHUP and opens the log anew on SIGUSR1.
func (s signals) serve(ctx context.Context, r *reloader, j *journal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.reload:
			r.reload(ctx)
		case <-s.reopen:
			j.reopen()
		}
	}
}

// reloader takes a new configuration and new users over while calls go on.
type reloader struct {
	start *config.Config // what minisip started with
	cfg   *config.Config // in force
	again func() (*config.Config, error)
	srv   *server.Server
	auth  *digest.Server
	log   func(string)
}

// atStart names the options that only a restart can change.
var atStart = []string{"listen", "rtp", "dscp", "realm", "state", "log", "log-days", "log-size", "cdr", "hep"}

// reload reads configuration and users again; a bad file changes nothing.
func (r *reloader) reload(ctx context.Context) {
	next, err := r.again()
	if err != nil {
		r.log(fmt.Sprintf("not reloaded, all stays as it was: %v", err))
		return
	}
	fixed := next.Changed(r.start, atStart...)
	next.Realm = r.start.Realm
	users, err := readUsers(next, nil)
	if err != nil {
		r.log(fmt.Sprintf("not reloaded, all stays as it was: %v", err))
		return
	}
	algorithms, err := digest.ParseAlgorithms(next.Digest)
	if err != nil {
		r.log(fmt.Sprintf("not reloaded, all stays as it was: %v", err))
		return
	}
	was, now := proxyConfig(r.cfg), proxyConfig(next)
	var on proxy.Features // after what was dialled
	done := r.srv.Do(ctx, func(core *proxy.Core) {
		core.SetUsers(users)
		core.Reconfigure(time.Now(), was, now)
		r.auth.SetAlgorithms(offered(algorithms, users))
		on = core.Features()
	})
	if !done {
		return
	}
	r.cfg = next
	line := fmt.Sprintf("users reloaded: %d; %s", users.Len(), featureList(on))
	if len(fixed) > 0 {
		line += "; only a restart changes -" + strings.Join(fixed, ", -")
	}
	r.log(line)
}
