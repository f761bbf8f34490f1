package main

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"minisip/cmd/minisip/internal/status"
)

// Bounds of the connections of each listener for watchers: in all, and from one source, behind which may be
// an office; a page takes two or three. This host, where a proxy may be, has as many again for itself. Nobody
// waits for a place: where there is none, the one that has been there longest without having been let in by the
// guard goes, or, where all were let in, the one that has asked for nothing for longest. So strangers keep neither each other
// out nor the operator, from however many sources they come; nor does another account of this host that only holds connections.
const (
	maxWatchers      = 64
	maxWatchersThere = 16
)

// limited is a listener that has no more than so many connections open at a time.
type limited struct {
	net.Listener
	mu              sync.Mutex
	here, strangers []*placed // the oldest first
	rested          uint64    // how often one has begun to ask for nothing
}

func limit(l net.Listener) *limited { return &limited{Listener: l} }

// Accept waits for a connection. One for which there is no place is closed at once.
func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil && !errors.Is(err, net.ErrClosed) {
			err = passing{err}
		}
		if err != nil {
			return nil, err
		}
		p := &placed{Conn: c, at: l, source: sourceOf(c)}
		if l.enter(p) {
			return p, nil
		}
		c.Close()
	}
}

// passing is an error after which package http goes on to listen, a little later. It knows of few that it may; but memory that
// is short for a moment and what befell one connection on its way are told here as well (accept(2)).
type passing struct{ error }

func (passing) Timeout() bool   { return false }
func (passing) Temporary() bool { return true }

// sourceOf is where a connection comes from; no prefix at all of this host.
func sourceOf(c net.Conn) netip.Prefix {
	from, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil || from.Addr().Unmap().IsLoopback() {
		return netip.Prefix{}
	}
	return status.Source(from.Addr())
}

// places are those of the connections like p.
func (l *limited) places(p *placed) *[]*placed {
	if p.source.IsValid() {
		return &l.strangers
	}
	return &l.here
}

// enter finds a place for p, if need be that of another one.
func (l *limited) enter(p *placed) bool {
	l.mu.Lock()
	list := l.places(p)
	there, goes, goesThere := 0, -1, -1
	for i, o := range *list {
		if o.sooner(*list, goes) {
			goes = i
		}
		if o.source == p.source {
			there++
			if o.sooner(*list, goesThere) {
				goesThere = i
			}
		}
	}
	var gone *placed
	full := len(*list) >= maxWatchers
	if p.source.IsValid() && there >= maxWatchersThere {
		full, goes = true, goesThere
	}
	if full && goes >= 0 {
		gone = (*list)[goes]
		*list = slices.Delete(*list, goes, goes+1)
	}
	in := !full || gone != nil
	if in {
		*list = append(*list, p)
	}
	l.mu.Unlock()
	if gone != nil {
		gone.Conn.Close()
	}
	return in
}

func (l *limited) leave(p *placed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := l.places(p)
	if i := slices.Index(*list, p); i >= 0 {
		*list = slices.Delete(*list, i, i+1)
	}
}

// placed is a connection that has a place, and gives it back.
type placed struct {
	net.Conn
	at      *limited
	source  netip.Prefix
	welcome bool   // the guard has let it in: it keeps its place while there is another
	idle    uint64 // since when, in the order of rests, it asks for nothing; 0: it does
}

// sooner says whether o is to go rather than the one at place i of a list, which is before it; -1: rather than nobody.
func (o *placed) sooner(list []*placed, i int) bool {
	switch {
	case o.welcome && o.idle == 0:
		return false
	case i < 0:
		return true
	case o.welcome:
		return list[i].welcome && o.idle < list[i].idle
	}
	return list[i].welcome
}

// changes is told what a connection does.
func changes(c net.Conn, state http.ConnState) {
	p, ok := c.(*placed)
	if !ok || state == http.StateClosed {
		return
	}
	p.at.mu.Lock()
	defer p.at.mu.Unlock()
	p.idle = 0
	if state == http.StateIdle {
		p.at.rested++
		p.idle = p.at.rested
	}
}

func (c *placed) Close() error {
	c.at.leave(c)
	return c.Conn.Close()
}

// connection is the key of the connection that a request came by.
type connection struct{}

func withConnection(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connection{}, c)
}

// keepPlace lets the connections of all who get as far as next keep their places.
func keepPlace(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(connection{}).(*placed); ok {
			c.at.mu.Lock()
			c.welcome = true
			c.at.mu.Unlock()
		}
		next.ServeHTTP(w, r)
	})
}

// quietLog keeps what strangers do to the listener out of the terminal.
var quietLog = log.New(io.Discard, "", 0)
