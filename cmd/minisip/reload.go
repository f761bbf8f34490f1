package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
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
	// Who read what is printed here may have gone: tee, a terminal. Unasked, Go ends a program that then writes to it.
	signal.Ignore(syscall.SIGPIPE)
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
	again func(more ...string) (*config.Config, error)
	srv   *server.Server
	auth  *digest.Server
	log   func(string)

	mu  sync.Mutex     // one change at a time
	set []string       // flags that were set since the start, which win
	on  proxy.Features // in force, after what was dialled
}

// reload reads configuration and users again; a bad file changes nothing.
func (r *reloader) reload(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next, err := r.again(r.set...)
	var users int
	if err == nil {
		users, err = r.apply(ctx, next)
	}
	if err != nil {
		r.log(fmt.Sprintf("not reloaded, all stays as it was: %v", err))
	} else if users > 0 {
		r.log(r.reloaded(next, users))
	}
}

// change sets one option while minisip runs, until a restart; what is wrong changes nothing.
func (r *reloader) change(ctx context.Context, name, value string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	name = strings.TrimPrefix(name, "-")
	if config.AtStart(name) {
		return fmt.Errorf("only a restart changes -%s", name)
	}
	// Of one set before, the last value is what counts.
	set := slices.Clone(r.set)
	for i := 0; i < len(set); i += 2 {
		if set[i] == "-"+name {
			set = slices.Delete(set, i, i+2)
		}
	}
	set = append(set, "-"+name, value)
	next, err := r.again(set...)
	if err != nil {
		return err
	}
	users, err := r.apply(ctx, next)
	if err == nil && users > 0 {
		r.set = set
		r.log(fmt.Sprintf("the operator set -%s to %q", name, value))
	}
	return err
}

// readAgain is os.ReadFile for what has been read before.
func readAgain(path string) ([]byte, error) {
	if err := unlessPipe(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// unlessPipe is an error for a pipe: what was in it at the start has been read, and to open it is to wait for somebody who
// writes, for good maybe, while nobody else can change anything.
func unlessPipe(path string) error {
	if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		return &fs.PathError{Op: "read", Path: path, Err: errPipe}
	}
	return nil
}

var errPipe = errors.New("a pipe cannot be read again")

// apply takes a configuration over, with its users, of whom there are so many; none where minisip ends.
func (r *reloader) apply(ctx context.Context, next *config.Config) (count int, err error) {
	next.Realm = r.start.Realm
	if err := unlessPipe(next.Users); err != nil {
		return 0, userFileTrouble("read", next.Users, err)
	}
	users, err := readUsers(next, nil)
	if err != nil {
		return 0, err
	}
	algorithms, err := digest.ParseAlgorithms(next.Digest)
	if err != nil {
		return 0, err
	}
	was, now := proxyConfig(r.cfg), proxyConfig(next)
	done := r.srv.Do(ctx, func(core *proxy.Core) {
		core.SetUsers(users)
		core.Reconfigure(time.Now(), was, now)
		r.auth.SetAlgorithms(offered(algorithms, users))
		r.on = core.Features()
	})
	if !done {
		return 0, nil
	}
	r.cfg = next
	noteDigest(next, users, r.log)
	return users.Len(), nil
}

// reloaded says what is in force, and what only a restart changes.
func (r *reloader) reloaded(next *config.Config, users int) string {
	line := fmt.Sprintf("users reloaded: %d; %s", users, featureList(r.on))
	if fixed := next.Fixed(r.start); len(fixed) > 0 {
		line += "; only a restart changes -" + strings.Join(fixed, ", -")
	}
	return line
}
