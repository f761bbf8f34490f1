package main

import (
	"fmt"
	"net"
	"slices"
	"testing"
)

// callers is a listener to which connections come from addresses, in order; then it is closed.
type callers struct {
	net.Listener
	from []string
	all  []*caller
}

type caller struct {
	net.Conn
	addr   net.Addr
	closed bool
}

func (c *caller) RemoteAddr() net.Addr { return c.addr }

func (c *caller) Close() error {
	c.closed = true
	return nil
}

func (l *callers) Accept() (net.Conn, error) {
	if len(l.from) == 0 {
		return nil, net.ErrClosed
	}
	var at net.Addr = &net.UnixAddr{Name: "@", Net: "unix"}
	if l.from[0] != "@" {
		tcp, err := net.ResolveTCPAddr("tcp", l.from[0])
		if err != nil {
			return nil, err
		}
		at = tcp
	}
	l.from = l.from[1:]
	c := &caller{addr: at}
	l.all = append(l.all, c)
	return c, nil
}

// TestWatchersPerSource: who holds all connections that he may have keeps nobody else out, and
// gets one more for each that he gives back.
func TestWatchersPerSource(t *testing.T) {
	in := &callers{}
	l := limit(in)
	come := func(from ...string) (got []net.Conn) {
		in.from = from
		for {
			c, err := l.Accept()
			if err != nil {
				return got
			}
			got = append(got, c)
		}
	}
	const many = maxWatchersThere + 3
	greedy := come(slices.Repeat([]string{"192.0.2.1:1000"}, many)...)
	if len(greedy) != maxWatchersThere || len(l.places) != maxWatchersThere {
		t.Errorf("%d connections from one address in %d places, want %d", len(greedy), len(l.places), maxWatchersThere)
	}
	for i, c := range in.all {
		if c.closed != (i >= maxWatchersThere) {
			t.Errorf("connection %d is closed: %v", i, c.closed)
		}
	}
	if n := len(come("192.0.2.2:1000", "192.0.2.1:1001")); n != 1 {
		t.Errorf("of one from elsewhere and one more from there %d were taken", n)
	}
	greedy[0].Close()
	greedy[0].Close() // gives back one place, not two
	if n := len(come("192.0.2.1:1002", "192.0.2.1:1003")); n != 1 {
		t.Errorf("after one was closed %d were taken", n)
	}
	for _, c := range greedy[1:] {
		c.Close()
	}
	var network []string
	for i := range many {
		network = append(network, fmt.Sprintf("[2001:db8:1:2::%x]:1", i+1))
	}
	if n := len(come(network...)); n != maxWatchersThere {
		t.Errorf("%d from one IPv6 network, want %d", n, maxWatchersThere)
	}
	for _, here := range []string{"127.0.0.1:1", "@"} {
		l := limit(in)
		in.from = slices.Repeat([]string{here}, many)
		for range many {
			if _, err := l.Accept(); err != nil {
				t.Fatalf("%s: %v", here, err)
			}
		}
		if len(l.places) != many {
			t.Errorf("%s: %d places taken, want %d", here, len(l.places), many)
		}
	}
}
