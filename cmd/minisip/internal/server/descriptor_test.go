package server

import (
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// noDescriptors lets this process open nothing more until the func it returns is called.
func noDescriptors(t *testing.T) (restore func()) {
	t.Helper()
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	lowest := uint64(f.Fd())
	f.Close()
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: lowest, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	done := false
	restore = func() {
		if !done {
			done = true
			if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(restore)
	return restore
}

// TestNoDescriptors: without a descriptor left a call gets 503, all else goes on, the log says so once, and when
// there are some again calls are as ever.
func TestNoDescriptors(t *testing.T) {
	r := serve(t, testConfig(t, "127.0.0.1:0"))
	a, b := newPhone(t, "127.0.0.2", "001", r.Addresses()[0]), newPhone(t, "127.0.0.3", "002", r.Addresses()[0])
	media := newAudio(t, "127.0.0.2")
	a.register()
	b.register()
	uri := "sip:002@" + a.server.String()
	restore := noDescriptors(t)
	for _, callID := range []string{"one", "two"} {
		call := a.authorized(request{method: "INVITE", uri: uri, callID: callID, cseq: 1, body: media.sdp()})
		a.expect("SIP/2.0 100 ")
		refusal := a.expect("SIP/2.0 503 ")
		if get(refusal, "Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
		a.send(a.text(request{method: "ACK", uri: uri, to: get(refusal, "To"), callID: callID, cseq: call.cseq}))
		a.alive()
		b.alive()
	}
	const what = "ports for media cannot be opened"
	if n := r.Health().Faults[what]; n != 2 {
		t.Errorf("counted %d times, want 2: %v", n, r.Health().Faults)
	}
	if !r.log.holds(what, "too many open files") {
		t.Error("the log does not say why")
	}
	restore()
	a.authorized(request{method: "INVITE", uri: uri, callID: "three", cseq: 1, body: media.sdp()})
	a.expect("SIP/2.0 100 ")
	b.respond(b.expect("INVITE "), "486 Busy Here", "")
	a.expect("SIP/2.0 486 ")
	over := slices.DeleteFunc(r.faults.over(time.Now().Add(quietFor)), func(line string) bool {
		return strings.HasPrefix(line, "over: the event loop was held for over ") // by a busy machine
	})
	if len(over) != 1 || !strings.HasPrefix(over[0], "over: "+what+": 2 times in ") {
		t.Errorf("said %q", over)
	}
}

// TestLeftoverSocket: a socket of an earlier process that no call wants is closed, and its number is then whoever's: a
// call on that port binds it anew, and leaves alone what has the number.
func TestLeftoverSocket(t *testing.T) {
	const number = 700 // far from what else is opened
	at := netip.MustParseAddrPort("127.0.0.1:20100")
	occupy := func(fd int) int {
		n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, number)
		if errno != 0 {
			t.Fatal(errno)
		}
		return int(n)
	}
	old := bound(t, at)
	cfg := testConfig(t, "127.0.0.1:0")
	cfg.RTP.Low, cfg.RTP.High = 20100, 20103
	cfg.Sockets = map[netip.AddrPort]int{at: occupy(old)}
	syscall.Close(old)
	r := serve(t, cfg)
	other := bound(t, netip.MustParseAddrPort("127.0.0.4:0"))
	defer syscall.Close(other)
	if n := occupy(other); n != number {
		t.Fatalf("the number is %d: the socket was not closed", n)
	}
	defer syscall.Close(number)
	a, b := newPhone(t, "127.0.0.2", "001", r.Addresses()[0]), newPhone(t, "127.0.0.3", "002", r.Addresses()[0])
	mediaA, mediaB := newAudio(t, "127.0.0.2"), newAudio(t, "127.0.0.3")
	a.register()
	b.register()
	invite, ok := a.call(b, mediaA, mediaB)
	exchange(t, mediaA, mediaB, mediaAddr(t, ok), mediaAddr(t, invite))
	b.bye(invite, ok, "call")
	a.respond(a.expect("BYE "), "200 OK", "")
	b.expect("SIP/2.0 200 ")
	await(t, "the ports are free", func() bool { return r.relay.InUse() == 0 })
	if _, err := syscall.Getsockname(number); err != nil {
		t.Errorf("what had the number meanwhile was closed: %v", err)
	}
}

// bound is a descriptor of a socket at an address, of which Go knows nothing.
func bound(t *testing.T, at netip.AddrPort) int {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()})
	}
	if err != nil {
		t.Fatal(err)
	}
	return fd
}
