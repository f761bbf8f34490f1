package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/rtprelay"
)

// TestWildcard: a server on all addresses answers from the one that was asked, and reaches a phone
// from the one where the phone registered, whatever the caller uses.
func TestWildcard(t *testing.T) {
	r := serve(t, testConfig(t, "0.0.0.0:0", "[::]:0"))
	four, six := r.Addresses()[0], r.Addresses()[1]
	asked := func(ip string, of netip.AddrPort) netip.AddrPort {
		return netip.AddrPortFrom(netip.MustParseAddr(ip), of.Port())
	}
	newPhone(t, "127.0.0.1", "001", asked("127.0.0.1", four)).alive()
	newPhone(t, "127.0.0.1", "001", asked("127.0.0.9", four)).alive()
	newPhone(t, "::1", "001", asked("::1", six)).alive()

	callee := newPhone(t, "127.0.0.1", "002", asked("127.0.0.2", four))
	callee.register()
	for _, caller := range []*phone{
		newPhone(t, "127.0.0.1", "001", asked("127.0.0.3", four)),
		newPhone(t, "::1", "001", asked("::1", six)),
	} {
		r := caller.authorized(request{method: "MESSAGE", uri: "sip:002@" + caller.server.String(), callID: caller.server.Addr().String(), cseq: 1})
		m := callee.expect("MESSAGE ")
		if via := get(m, "Via"); !strings.HasPrefix(via, "SIP/2.0/UDP "+callee.server.String()+";") {
			t.Errorf("a request from %s came with Via %s", caller.at, via)
		}
		callee.respond(m, "202 Accepted", "")
		if got := get(caller.expect("SIP/2.0 202 "), "CSeq"); got != fmt.Sprintf("%d MESSAGE", r.cseq) {
			t.Errorf("answered: CSeq %s", got)
		}
	}
}

// hold keeps the loop busy until the func it returns is called.
func (r *rig) hold() (release func()) {
	held, free := make(chan struct{}), make(chan struct{})
	go r.Do(context.Background(), func(*proxy.Core) {
		close(held)
		<-free
	})
	<-held
	return func() { close(free) }
}

// await gives way to the server's goroutines until something holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("not so: %s", what)
		}
	}
}

// TestDo: what is handed to the loop runs there, one after the other, or not at all.
func TestDo(t *testing.T) {
	r := serve(t, testConfig(t, "127.0.0.1:0"))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ran := 0
	for range 3 {
		if !r.Do(ctx, func(*proxy.Core) { ran++ }) {
			t.Fatal("Do gave up")
		}
	}
	if ran != 3 {
		t.Errorf("%d of 3 ran", ran)
	}

	release := r.hold()
	impatient, cancel := context.WithCancel(ctx)
	cancel()
	if r.Do(impatient, func(*proxy.Core) { ran++ }) {
		t.Error("Do did not give up while the loop is busy")
	}
	release()
	r.counters()
	if ran != 3 {
		t.Error("what was given up ran later")
	}
}

// TestDoWaits: what the loop has taken is waited for, so that nobody reads what it still writes.
func TestDoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{do: make(chan func())}
		go func() { (<-s.do)() }()
		ctx, cancel := context.WithCancel(t.Context())
		written := 0
		if !s.Do(ctx, func(*proxy.Core) { cancel(); time.Sleep(time.Minute); written = 1 }) || written != 1 {
			t.Errorf("Do came back in the middle: %d", written)
		}
	})
}

// TestPanic: a bug met by one event costs that event alone.
func TestPanic(t *testing.T) {
	t.Run("datagram", func(t *testing.T) {
		cfg := testConfig(t, "127.0.0.1:0")
		armed := true
		cfg.Log = func(line string) { // called in the loop, in the middle of what is being done
			if armed && strings.HasPrefix(line, "001 registered") {
				armed = false
				panic("a bug")
			}
		}
		r := serve(t, cfg)
		p := newPhone(t, "127.0.0.1", "001", r.Addresses()[0])
		p.authorized(request{method: "REGISTER", uri: "sip:" + p.server.String(), to: p.aor(), callID: "reg", cseq: 1})
		p.alive()
		if !r.log.holds("internal error in a datagram from "+p.at.String(), "a bug", "register.go") {
			t.Error("the log does not say what happened where")
		}
		if !r.log.holds(`REGISTER sip:`, `username=\"001\"`, `response=\"********\"`) {
			t.Error("the log does not hold the datagram with its credentials masked")
		}
		if n := r.Health().Panics; n != 1 {
			t.Errorf("%d internal errors counted, want 1", n)
		}
		p.register()
	})
	t.Run("reading", func(t *testing.T) {
		r := serve(t, testConfig(t, "127.0.0.1:0"))
		spoilt := &reader{Server: r.Server} // it asks who is banned, of nobody
		spoilt.take([]byte("OPTIONS"), netip.MustParseAddrPort("192.0.2.1:5060"), r.Addresses()[0])
		if !r.log.holds("internal error in reading a datagram from 192.0.2.1:5060", "reader.go", `the datagram: "OPTIONS"`) {
			t.Error("the log does not say what happened where")
		}
		if n := r.Health().Panics; n != 1 {
			t.Errorf("%d internal errors counted, want 1", n)
		}
	})
	t.Run("relaying", func(t *testing.T) {
		r := serve(t, testConfig(t, "127.0.0.1:0"))
		lo := netip.MustParseAddr("127.0.0.1")
		s, err := r.relay.Open(rtprelay.LegConfig{Local: lo, Signal: lo}, rtprelay.LegConfig{Local: lo, Signal: lo})
		if err != nil {
			t.Fatal(err)
		}
		s.Tap(func(time.Time, netip.AddrPort, netip.AddrPort, []byte) { panic("a bug") })
		sendTo(t, newAudio(t, "127.0.0.1").rtp, netip.AddrPortFrom(lo, s.Port(rtprelay.Caller)), "x")
		await(t, "the log says what happened where", func() bool { return r.log.holds("internal error in relaying", "a bug", "server_test.go") })
		if n := r.Health().Panics; n != 1 || r.relay.InUse() != 0 {
			t.Errorf("%d internal errors counted, %d port pairs in use", n, r.relay.InUse())
		}
	})
	t.Run("command", func(t *testing.T) {
		r := serve(t, testConfig(t, "127.0.0.1:0"))
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if !r.Do(ctx, func(*proxy.Core) { panic("a bug") }) {
			t.Error("Do waits for a func that will never return")
		}
		newPhone(t, "127.0.0.1", "001", r.Addresses()[0]).alive()
		if !r.log.holds("internal error in a command", "a bug") {
			t.Error("the log does not say what happened")
		}
	})
}

// TestSlow: an event that holds the loop is named.
func TestSlow(t *testing.T) {
	r := serve(t, testConfig(t, "127.0.0.1:0"))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r.Do(ctx, func(*proxy.Core) {
		for start := time.Now(); time.Since(start) <= slow; {
			runtime.Gosched()
		}
	})
	r.counters()
	if !r.log.holds("the event loop was held for ", "ms by a command") {
		t.Error("the log does not name who held the loop")
	}
}

// TestEnd: when Run has returned, ports are free and media sockets closed.
func TestEnd(t *testing.T) {
	r := serve(t, testConfig(t, "127.0.0.1:0"))
	at := r.Addresses()[0]
	if _, err := Listen(testConfig(t, at.String())); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("bound twice: %v", err)
	}
	r.end()
	srv, err := Listen(testConfig(t, at.String()))
	if err != nil {
		t.Fatal(err)
	}
	srv.close()
}

// elsewhere is an address that no machine has (RFC 3849).
const elsewhere = "[2001:db8::1]:0"

// TestListenErrors: nothing stays bound when one of the addresses cannot be.
func TestListenErrors(t *testing.T) {
	first := localAddr(listenUDP(t, "127.0.0.1"))
	free := localAddr(listenUDP(t, "127.0.0.2")) // its port is free at 127.0.0.3
	other := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.3"), free.Port())
	for _, test := range []struct{ name, listen, want string }{
		{"in use", first.String(), fmt.Sprintf("UDP port %d at 127.0.0.1 is in use by another program ", first.Port())},
		{"no address of ours", elsewhere, "this machine has no address 2001:db8::1 "},
	} {
		_, err := Listen(testConfig(t, other.String(), test.listen))
		if err == nil || !strings.HasPrefix(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(other))
		if err != nil {
			t.Fatalf("%s: the first socket was left open: %v", test.name, err)
		}
		conn.Close()
	}
}

// TestExplain: what each failure of a bind is said to mean.
func TestExplain(t *testing.T) {
	for _, test := range []struct {
		at   string
		err  error
		want string
	}{
		{"192.0.2.9:80", syscall.EADDRINUSE, "UDP port 80 at 192.0.2.9 is in use by another program (bind: address already in use): stop that"},
		{"192.0.2.9:80", syscall.EACCES, "ports below 1024 need root or CAP_NET_BIND_SERVICE"},
		{"192.0.2.9:5060", syscall.EPERM, "no permission to use UDP port 5060 at 192.0.2.9 (bind: operation not permitted): anybody may by itself"},
		{"192.0.2.9:80", syscall.EADDRNOTAVAIL, "this machine has no address 192.0.2.9"},
		{"192.0.2.9:80", syscall.EMFILE, "cannot listen on UDP 192.0.2.9:80: bind: too many open files"},
	} {
		cause := &net.OpError{Op: "listen", Net: "udp4", Err: os.NewSyscallError("bind", test.err)}
		err := explain(netip.MustParseAddrPort(test.at), cause)
		if !strings.Contains(err.Error(), test.want) || !errors.Is(err, test.err) {
			t.Errorf("%v: %q, want %q in it", test.err, err, test.want)
		}
	}
}

// TestNoIPv6: by default a machine without IPv6 serves IPv4 alone, and says so.
func TestNoIPv6(t *testing.T) {
	cfg := testConfig(t, "127.0.0.1:0", elsewhere)
	cfg.Default = true
	r := serve(t, cfg)
	if len(r.Addresses()) != 1 || !r.log.holds("no IPv6 on this machine") {
		t.Errorf("listens on %s", r.Addresses())
	}
}

// TestAddresses: which addresses lead back to us.
func TestAddresses(t *testing.T) {
	r := serve(t, testConfig(t, "127.0.0.1:0", "0.0.0.0:0"))
	one, wild := r.Addresses()[0].Port(), r.Addresses()[1].Port()
	known := func(at netip.AddrPort) (has bool) {
		r.Do(context.Background(), func(*proxy.Core) { has = r.addrs.has(at) })
		return has
	}
	for _, test := range []struct {
		ip   string
		port uint16
		want bool
	}{
		{"127.0.0.1", one, true},
		{"127.0.0.1", wild, true},
		{"127.0.0.1", 1, false},
		{"192.0.2.77", wild, false},
		{"0.0.0.0", one, true},
		{"0.0.0.0", wild, true},
		{"0.0.0.0", 1, false},
	} {
		if got := known(netip.AddrPortFrom(netip.MustParseAddr(test.ip), test.port)); got != test.want {
			t.Errorf("%s:%d: %v, want %v", test.ip, test.port, got, test.want)
		}
	}
}
