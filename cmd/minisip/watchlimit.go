package main

import (
	"io"
	"log"
	"net"
	"sync"
)

// maxWatchers bounds the connections of each listener for watchers.
const maxWatchers = 64

// limited is a listener that has no more than so many connections open at a time.
type limited struct {
	net.Listener
	places chan struct{}
}

func (l *limited) Accept() (net.Conn, error) {
	l.places <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &placed{Conn: c, leave: sync.OnceFunc(func() { <-l.places })}, nil
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
