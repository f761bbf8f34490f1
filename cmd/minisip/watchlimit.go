package main

import (
	"io"
	"log"
	"net"
	"net/netip"
	"sync"

	"minisip/cmd/minisip/internal/status"
)

// Bounds of the connections of each listener for watchers: in all, and from one source, so that
// nobody keeps all others out by holding them. A page takes two or three, and behind one
// address may be an office; this host itself, where a proxy may be, has no bound of its own.
const (
	maxWatchers      = 64
	maxWatchersThere = 16
)

// limited is a listener that has no more than so many connections open at a time.
type limited struct {
	net.Listener
	places chan struct{}
	mu     sync.Mutex
	from   map[netip.Prefix]int // connections open
}

func limit(l net.Listener) *limited {
	return &limited{Listener: l, places: make(chan struct{}, maxWatchers), from: make(map[netip.Prefix]int)}
}

// Accept waits for a place and a connection. One too many of a source is closed at once.
func (l *limited) Accept() (net.Conn, error) {
	for {
		l.places <- struct{}{}
		c, err := l.Listener.Accept()
		if err != nil {
			<-l.places
			return nil, err
		}
		source := sourceOf(c)
		if l.enter(source) {
			return &placed{Conn: c, leave: sync.OnceFunc(func() {
				l.leave(source)
				<-l.places
			})}, nil
		}
		c.Close()
		<-l.places
	}
}

// sourceOf is where a connection comes from; no prefix at all of this host.
func sourceOf(c net.Conn) netip.Prefix {
	from, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil || from.Addr().Unmap().IsLoopback() {
		return netip.Prefix{}
	}
	return status.Source(from.Addr())
}

func (l *limited) enter(source netip.Prefix) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if source.IsValid() && l.from[source] >= maxWatchersThere {
		return false
	}
	l.from[source]++
	return true
}

func (l *limited) leave(source netip.Prefix) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.from[source]--; l.from[source] == 0 {
		delete(l.from, source)
	}
}

// placed is a connection that gives its place back.
type placed struct {
	net.Conn
	leave func()
}

func (c *placed) Close() error {
	defer c.leave()
	return c.Conn.Close()
}

// quietLog keeps what strangers do to the listener out of the terminal.
var quietLog = log.New(io.Discard, "", 0)
