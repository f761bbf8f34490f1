package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"slices"
	"syscall"
	"testing"

	"minisip/cmd/minisip/internal/status"
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

// open counts the connections of a listener that are not closed.
func (l *callers) open() (n int) {
	for _, c := range l.all {
		if !c.closed {
			n++
		}
	}
	return n
}

// come lets connections in from addresses, in order.
func come(t *testing.T, l *limited, from ...string) (got []*placed) {
	t.Helper()
	l.Listener.(*callers).from = from
	for {
		c, err := l.Accept()
		if err != nil {
			return got
		}
		got = append(got, c.(*placed))
	}
}

// let marks connections as the guard does.
func let(t *testing.T, in ...*placed) {
	t.Helper()
	for _, c := range in {
		r := httptest.NewRequest("GET", "/api/status", nil)
		keepPlace(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r.WithContext(withConnection(r.Context(), c)))
	}
}

// Whoever holds connections without being let in keeps nobody out: the oldest of them goes, one of the same source
// where that has enough.
func TestWatchersWithoutPlace(t *testing.T) {
	in := &callers{}
	l := limit(in)
	const many = maxWatchersThere + 3
	come(t, l, slices.Repeat([]string{"192.0.2.1:1000"}, many)...)
	for i, c := range in.all {
		if c.closed != (i < 3) {
			t.Errorf("connection %d of %d from one address is closed: %v", i, many, c.closed)
		}
	}
	operator := come(t, l, "192.0.2.2:1000", "192.0.2.2:1001")
	let(t, operator...)
	var everywhere []string
	for i := range 5 * maxWatchers {
		everywhere = append(everywhere, fmt.Sprintf("198.51.%d.%d:1000", i/250, i%250+1))
	}
	come(t, l, everywhere...)
	if in.open() != maxWatchers {
		t.Errorf("%d connections are open, want %d", in.open(), maxWatchers)
	}
	for i, c := range operator {
		if c.Conn.(*caller).closed {
			t.Errorf("connection %d of the operator was closed", i)
		}
	}
	for _, from := range []string{"192.0.2.9:1000", "127.0.0.1:1000", "@"} {
		if len(come(t, l, from)) != 1 {
			t.Errorf("%s does not get in", from)
		}
	}
	var network []string
	for i := range many {
		network = append(network, fmt.Sprintf("[2001:db8:1:2::%x]:1", i+1))
	}
	n := in.open()
	if come(t, l, network...); in.open() != n {
		t.Errorf("%d connections, %d after those of an IPv6 network", n, in.open())
	}
	if there := slices.DeleteFunc(slices.Clone(l.strangers), func(c *placed) bool { return c.source.Addr().Is4() }); len(there) != maxWatchersThere {
		t.Errorf("%d from one IPv6 network, want %d", len(there), maxWatchersThere)
	}
}

// failing is a listener that has trouble before it lets a connection in.
type failing struct {
	net.Listener
	with []error
}

func (l *failing) Accept() (net.Conn, error) {
	if len(l.with) > 0 {
		err := l.with[0]
		l.with = l.with[1:]
		return nil, err
	}
	return l.Listener.Accept()
}

// TestWatchersAfterTrouble: an error of accept(2) ends neither the page nor the command line.
func TestWatchersAfterTrouble(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var with []error
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENOMEM, syscall.ENOBUFS, syscall.EPERM, syscall.ENETUNREACH} {
		with = append(with, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", errno)})
	}
	srv := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: quietLog}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(limit(&failing{l, with})) }()
	got, err := http.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	got.Body.Close()
	srv.Close()
	if err := <-ended; err != http.ErrServerClosed {
		t.Errorf("it ended with %v", err)
	}
}

// Who has been let in keeps his place, and gives it back once.
func TestWatchersLetIn(t *testing.T) {
	in := &callers{}
	l := limit(in)
	office := come(t, l, slices.Repeat([]string{"192.0.2.1:1000"}, maxWatchersThere)...)
	let(t, office...)
	if n := len(come(t, l, "192.0.2.1:1001")); n != 0 {
		t.Errorf("%d more from an address that has all it may have", n)
	}
	office[0].Close()
	office[0].Close()
	if n := len(come(t, l, "192.0.2.1:1002", "192.0.2.1:1003")); n != 2 || in.open() != maxWatchersThere {
		t.Errorf("after one was closed %d were taken, and %d are open", n, in.open())
	}
	for _, here := range []string{"127.0.0.1:1", "@"} {
		l := limit(in)
		if n := len(come(t, l, slices.Repeat([]string{here}, 2*maxWatchersThere)...)); n != 2*maxWatchersThere {
			t.Errorf("%s: %d taken", here, n)
		}
	}
}

// Of those who were let in, who has asked for nothing for longest makes room; who asks stays.
func TestWatchersAtRest(t *testing.T) {
	in := &callers{}
	l := limit(in)
	here := come(t, l, slices.Repeat([]string{"127.0.0.1:1"}, maxWatchers)...)
	let(t, here...)
	for i := range maxWatchers {
		c := here[(i+5)%maxWatchers]
		changes(c, http.StateIdle)
		if i%2 == 0 {
			changes(c, http.StateActive)
		}
	}
	if n := len(come(t, l, "127.0.0.1:2", "127.0.0.1:2")); n != 2 || in.open() != maxWatchers || !in.all[6].closed {
		t.Errorf("%d got in, %d are open, the one longest at rest is closed: %v", n, in.open(), in.all[6].closed)
	}
	for i, c := range in.all[:maxWatchers] {
		if c.closed && i != 6 {
			t.Errorf("connection %d was closed", i)
		}
	}
}

// Connections that have asked once and are kept open keep nobody out.
func TestWatchersKeptOpen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &watchers{page: l, guard: status.NewGuard("", nil)}
	w.serve(t.Context(), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for i := range maxWatchers + 5 {
		browser := &http.Client{Transport: &http.Transport{}}
		answer, err := browser.Get("http://" + l.Addr().String() + "/api/status")
		if err != nil {
			t.Fatalf("browser %d: %v", i, err)
		}
		answer.Body.Close()
	}
}

// A browser's connection outlasts a crowd of silent ones.
func TestWatcherStaysInCrowd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &watchers{page: l, guard: status.NewGuard("", nil)}
	w.serve(t.Context(), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	ask := func(browser *http.Client) (kept bool) {
		t.Helper()
		trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { kept = c.Reused }}
		r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), "GET", "http://"+l.Addr().String()+"/api/status", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return kept
	}
	early, late := &http.Client{Transport: &http.Transport{}}, &http.Client{Transport: &http.Transport{}}
	ask(early)
	for range 2 * maxWatchers {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	ask(late) // gets in behind the crowd
	if !ask(early) {
		t.Error("the connection was closed")
	}
}
