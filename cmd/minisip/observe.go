package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"minisip/cmd/minisip/internal/capture"
	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/control"
	"minisip/cmd/minisip/internal/server"
	"minisip/cmd/minisip/internal/status"
	"minisip/cmd/minisip/internal/status/page"
)

// watchers are the listeners of those who look: the status page's and the command line's.
type watchers struct {
	page, socket net.Listener // nil: none
	guard        *status.Guard
	password     bool
	notes        []string // for the person at the terminal
}

// listenForWatchers opens both listeners. A page whose address was asked for must be had; a
// default that is taken, and a socket that cannot be made, are only said.
func listenForWatchers(cfg *config.Config, log func(string)) (*watchers, error) {
	w := &watchers{}
	password := ""
	if cfg.StatusPasswordFile != "" {
		var err error
		if password, err = status.ReadPassword(cfg.StatusPasswordFile); err != nil {
			return nil, err
		}
	}
	w.password = password != ""
	w.guard = status.NewGuard(password, log)
	if cfg.Status.IsValid() {
		l, err := net.Listen("tcp", cfg.Status.String())
		switch {
		case err == nil:
			w.page = l
			w.notes = append(w.notes, fmt.Sprintf("Status page: http://%s", pageAddress(cfg, l)))
		case cfg.Given("status"):
			return nil, pageTrouble(cfg, err)
		case errors.Is(err, syscall.EADDRINUSE):
			w.notes = append(w.notes, fmt.Sprintf("No status page: %s is taken; choose another place with -status ADDR:PORT.", cfg.Status))
		default:
			w.notes = append(w.notes, fmt.Sprintf("No status page: %s cannot be had (%v); choose another place with -status ADDR:PORT.", cfg.Status, bare(err)))
		}
	}
	if cfg.State != "" {
		l, err := listenUnix(filepath.Join(cfg.State, control.SocketName))
		if err != nil {
			w.notes = append(w.notes, fmt.Sprintf("No minisip status, calls and so on: %v", err))
			return w, nil
		}
		w.socket = l
	}
	return w, nil
}

// pageAddress is where a browser finds the page: a wildcard address is nowhere to go to.
func pageAddress(cfg *config.Config, l net.Listener) netip.AddrPort {
	at := l.Addr().(*net.TCPAddr).AddrPort()
	if !at.Addr().IsUnspecified() {
		return at
	}
	return phoneAddress(cfg, []netip.AddrPort{netip.AddrPortFrom(netip.IPv4Unspecified(), at.Port()), netip.AddrPortFrom(netip.IPv6Unspecified(), at.Port())})
}

func pageTrouble(cfg *config.Config, err error) error {
	return fmt.Errorf("cannot show the status page at %s (%w): choose another place with -status ADDR:PORT, or none with -status \"\"", cfg.Status, bare(err))
}

// bare is what the system said, without the address that package net puts before it.
func bare(err error) error {
	if call := (*os.SyscallError)(nil); errors.As(err, &call) {
		return call
	}
	return err
}

// listenUnix makes the socket, in the place of one that nobody listens to any more.
func listenUnix(path string) (net.Listener, error) {
	l, err := net.Listen("unix", path)
	if errors.Is(err, syscall.EADDRINUSE) {
		if c, err := net.Dial("unix", path); err == nil {
			c.Close()
			return nil, fmt.Errorf("another minisip listens at %s", path)
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		l, err = net.Listen("unix", path)
	}
	switch {
	case errors.Is(err, syscall.EINVAL):
		return nil, fmt.Errorf("%s is too long for the path of a socket: name a state directory with a shorter one, for example -state /var/lib/minisip", path)
	case err != nil:
		return nil, fmt.Errorf("cannot listen at %s (%w)", path, bare(err))
	}
	// The directory keeps others out until this is done.
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// close ends what was opened.
func (w *watchers) close() {
	for _, l := range []net.Listener{w.page, w.socket} {
		if l != nil {
			l.Close()
		}
	}
}

// serve answers until ctx is done.
func (w *watchers) serve(ctx context.Context, api http.Handler) {
	api = keepPlace(api)
	mux := http.NewServeMux()
	mux.Handle("/", page.Handler(w.password))
	mux.Handle("/api/", api)
	mux.Handle("/metrics", api)
	for _, side := range []struct {
		l net.Listener
		h http.Handler
	}{{w.page, w.guard.Wrap(mux)}, {w.socket, api}} {
		if side.l == nil {
			continue
		}
		srv := &http.Server{
			Handler: side.h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
			IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10, ErrorLog: quietLog,
			BaseContext: func(net.Listener) context.Context { return ctx }, ConnContext: withConnection, ConnState: changes,
		}
		go srv.Serve(limit(side.l))
		context.AfterFunc(ctx, func() { srv.Close() })
	}
}

// newAPI joins the API with the server; change is of settings, nil where they stay.
func newAPI(cfg *config.Config, srv *server.Server, started time.Time, tail *status.Tail, change func(ctx context.Context, option, value string) error) *status.API {
	return status.New(status.Config{
		Version: version, Started: started, Server: shortAddress(phoneAddress(cfg, srv.Addresses())), Do: srv.Do, Log: tail, Warnings: cfg.Notes, Change: change, Unban: srv.Unban,
		Health: func() status.Health {
			h := srv.Health()
			free, all := srv.Ports()
			if h.LastTick.IsZero() {
				h.LastTick = started // nothing has come yet
			}
			return status.Health{
				Lags: srv.Lags(), Lag: h.Lag, MaxLag: h.LagMax, LastTick: h.LastTick, QueueDrops: h.Dropped, Lost: h.Lost, Waiting: h.Waiting, Overload: h.Overload,
				Banned: h.Banned, Refused: h.Refused, Panics: h.Panics, Faults: h.Faults, ClockSteps: h.ClockSteps, State: status.State(h.State), PortsFree: free, PortsAll: all,
			}
		},
		Trace: func(ctx context.Context, what string, media bool) (*status.Trace, error) {
			f, err := srv.Trace(ctx, what, media, capture.Limits{})
			if err != nil {
				return nil, err
			}
			path, err := filepath.Abs(f.Summary().Path)
			summary := func() (string, bool) { s := f.Summary(); return s.String(), s.Failed }
			return &status.Trace{Path: path, Done: f.Done(), Summary: summary}, err
		},
		Bans: func() (list []status.Ban) {
			for _, b := range srv.Bans() {
				list = append(list, status.Ban(b))
			}
			return list
		},
	})
}
