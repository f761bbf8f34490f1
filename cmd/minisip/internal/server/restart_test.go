package server

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"minisip/cmd/minisip/internal/pack"
	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/state"
)

// stateful lets a server keep its state in dir.
func stateful(t *testing.T, cfg Config, dir string) Config {
	t.Helper()
	st, err := state.Open(dir, func(line string) { t.Log(line) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	cfg.State = st
	return cfg
}

// crashed gives what a process that is killed now would leave in dir.
func crashed(t *testing.T, dir string) string {
	t.Helper()
	left := t.TempDir()
	names, err := filepath.Glob(filepath.Join(dir, "journal.*"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no state in %s: %v", dir, err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(left, filepath.Base(name)), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return left
}

// callKept says whether a start would find two bindings and a call, in which each of those addresses stands four
// times: as what was signalled, twice, as who is listened to and as who is talked to.
func callKept(t *testing.T, dir string, addresses ...netip.AddrPort) bool {
	t.Helper()
	st, err := state.Open(crashed(t, dir), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	count := map[byte]int{}
	for _, r := range st.Loaded() {
		count[r.Kind]++
		for _, at := range addresses {
			if r.Kind == 'c' && bytes.Count(r.Data, pack.AppendAddrPort(nil, at)) < 4 {
				return false
			}
		}
	}
	return count['b'] == 2 && count['c'] == 1
}

// TestRestart: a server that is killed in mid-call, and one that is told to end, are followed by one that goes on:
// sound on the same ports with the first packet from either side, a BYE that reaches the other phone, and phones
// that need not register again. Where the sockets are handed on, what a phone says in between is answered too.
func TestRestart(t *testing.T) {
	for _, how := range []string{"killed", "ended", "ended, its sockets handed on"} {
		t.Run(how, func(t *testing.T) {
			dir := t.TempDir()
			cfg := testConfig(t, "127.0.0.1:0")
			sockets := map[netip.AddrPort]int{}
			handed := strings.Contains(how, "handed")
			first := stateful(t, cfg, dir)
			if handed {
				first.HandOn = func(sip, rtp []int) {
					for _, fd := range append(sip, rtp...) {
						keepSocket(t, sockets, fd)
					}
				}
			}
			r := serve(t, first)
			a, b := newPhone(t, "127.0.0.2", "001", r.Addresses()[0]), newPhone(t, "127.0.0.3", "002", r.Addresses()[0])
			mediaA, mediaB := newAudio(t, "127.0.0.2"), newAudio(t, "127.0.0.3")
			a.register()
			b.register()
			invite, ok := a.call(b, mediaA, mediaB)
			toA, toB := mediaAddr(t, ok), mediaAddr(t, invite)
			exchange(t, mediaA, mediaB, toA, toB)
			if how == "killed" {
				await(t, "all is on disk", func() bool { return callKept(t, dir, localAddr(mediaA.rtp), localAddr(mediaB.rtp)) })
				dir = crashed(t, dir)
			}
			r.end()
			r.cfg.State.Close()

			if handed && len(sockets) != 1+4 {
				t.Fatalf("%d sockets are handed on", len(sockets))
			}
			if handed {
				a.send(a.text(request{method: "OPTIONS", uri: "sip:" + a.server.String(), callID: "between", cseq: 1}))
				sendTo(t, mediaB.rtp, toB, "\x80\x00\x00\x02\x00\x00\x00\xa0BBBBtoo late")
			}
			cfg.Listen, cfg.Sockets = r.Addresses(), sockets
			r = serve(t, stateful(t, cfg, dir))
			if !r.log.holds("state: users registered: 2, calls that go on: 1") {
				t.Error("the log does not say what goes on")
			}
			if handed {
				a.expect("SIP/2.0 200 ")
				if len(sockets) != 0 {
					t.Errorf("%d sockets were not taken", len(sockets))
				}
			}
			x := newAudio(t, "127.0.0.66")
			sendTo(t, x.rtp, toA, "\x80\x00\x00\x01\x00\x00\x00\xa0BBBBof a stranger")
			sendTo(t, mediaA.rtp, toA, "\x80\x00\x00\x02\x00\x00\x00\xa0AAAAfrom a again")
			if got, from := receive(t, mediaB.rtp); got != "\x80\x00\x00\x02\x00\x00\x00\xa0AAAAfrom a again" || from != toB {
				t.Errorf("b hears %q from %s", got, from)
			}
			exchange(t, mediaA, mediaB, toA, toB)
			b.bye(invite, ok, "call")
			a.respond(a.expect("BYE "), "200 OK", "")
			b.expect("SIP/2.0 200 ")
			await(t, "the ports are free", func() bool { return r.relay.InUse() == 0 })
			a.authorized(request{method: "MESSAGE", uri: "sip:002@" + a.server.String(), callID: "after", cseq: 1})
			b.expect("MESSAGE ")
		})
	}
}

// TestRingingNotHandedOn: of a call that nobody has answered the next server knows nothing, so it is not given its sockets.
func TestRingingNotHandedOn(t *testing.T) {
	handed := [2]int{-1, -1}
	cfg := testConfig(t, "127.0.0.1:0")
	cfg.HandOn = func(sip, rtp []int) { handed = [2]int{len(sip), len(rtp)} }
	r := serve(t, cfg)
	a, b := newPhone(t, "127.0.0.2", "001", r.Addresses()[0]), newPhone(t, "127.0.0.3", "002", r.Addresses()[0])
	b.register()
	a.authorized(request{method: "INVITE", uri: "sip:002@" + a.server.String(), callID: "rings", cseq: 1, body: newAudio(t, "127.0.0.2").sdp()})
	b.respond(b.expect("INVITE "), "180 Ringing", "")
	a.expect("SIP/2.0 100 ")
	a.expect("SIP/2.0 180 ")
	if n := r.relay.InUse(); n != 2 {
		t.Fatalf("it has %d pairs of ports", n)
	}
	r.end()
	if handed != [2]int{1, 0} {
		t.Errorf("%d sockets for SIP and %d for media are handed on, want 1 and 0", handed[0], handed[1])
	}
}

// TestEndSwallowsNothing: what has been read when the server is told to end is answered, and what comes while it hands its
// sockets on waits for the next.
func TestEndSwallowsNothing(t *testing.T) {
	cfg := testConfig(t, "127.0.0.1:0")
	sockets := map[netip.AddrPort]int{}
	var p *phone
	ask := func(n int) {
		p.send(p.text(request{method: "OPTIONS", uri: "sip:" + p.server.String(), callID: fmt.Sprint("ask-", n), cseq: 1}))
	}
	const read = 60
	first := cfg
	first.HandOn = func(sip, rtp []int) {
		ask(read)
		for _, fd := range sip {
			keepSocket(t, sockets, fd)
		}
	}
	r := serve(t, first)
	p = newPhone(t, "127.0.0.2", "001", r.Addresses()[0])
	release := r.hold()
	for n := range read {
		ask(n)
	}
	await(t, "all are read", func() bool { return len(r.first.packets) == read })
	r.stop()
	release()
	<-r.done
	cfg.Listen, cfg.Sockets = r.Addresses(), sockets
	serve(t, cfg)
	for n := range read + 1 {
		if got := get(p.expect("SIP/2.0 200 "), "Call-ID"); got != fmt.Sprint("ask-", n) {
			t.Fatalf("answer %d is that to %s", n, got)
		}
	}
}

// keepSocket keeps a descriptor by its address, as a service manager does.
func keepSocket(t *testing.T, sockets map[netip.AddrPort]int, fd int) {
	kept, err := syscall.Dup(fd)
	if err != nil {
		t.Error(err)
		return
	}
	name, err := syscall.Getsockname(kept)
	if err != nil {
		t.Error(err)
		return
	}
	at := name.(*syscall.SockaddrInet4)
	sockets[netip.AddrPortFrom(netip.AddrFrom4(at.Addr), uint16(at.Port))] = kept
}

// call lets a call b and the two be connected; it gives the INVITE that b got and the 200 that a got.
func (a *phone) call(b *phone, mediaA, mediaB audio) (invite, ok string) {
	a.t.Helper()
	uri := "sip:002@" + a.server.String()
	sent := a.authorized(request{method: "INVITE", uri: uri, callID: "call", cseq: 1, body: mediaA.sdp()})
	a.expect("SIP/2.0 100 ")
	invite = b.expect("INVITE ")
	b.respond(invite, "200 OK", mediaB.sdp())
	ok = a.expect("SIP/2.0 200 ")
	a.send(a.text(request{method: "ACK", uri: uriOf(get(ok, "Contact")), to: get(ok, "To"), callID: "call", cseq: sent.cseq,
		lines: []string{"Route: " + get(ok, "Record-Route")}, branch: "ack"}))
	b.expect("ACK ")
	return invite, ok
}

// bye lets the callee hang up.
func (b *phone) bye(invite, ok, callID string) {
	b.t.Helper()
	m := b.text(request{method: "BYE", uri: uriOf(get(invite, "Contact")), to: get(invite, "From"), callID: callID, cseq: 1,
		lines: []string{"Route: " + get(invite, "Record-Route")}})
	from := get(m, "From")
	b.send(strings.Replace(m, "From: "+from, "From: "+get(ok, "To"), 1))
}

// TestRestoreTrouble: a record that is no good costs itself alone, and is said.
func TestRestoreTrouble(t *testing.T) {
	dir := t.TempDir()
	st, err := state.Open(dir, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	st.Keep(state.Key{Kind: 'b', ID: 1}, []byte("nonsense"))
	st.Keep(state.Key{Kind: 'c', ID: 2}, []byte("nonsense"))
	st.Keep(state.Key{Kind: 'z', ID: 3}, []byte("of a newer version"))
	st.Close()
	r := serve(t, stateful(t, testConfig(t, "127.0.0.1:0"), dir))
	if !r.log.holds("state: 2 records could not be used, the first because of this: location: binding 1: the record cannot be read") {
		t.Error("the log does not say so")
	}
	newPhone(t, "127.0.0.1", "001", r.Addresses()[0]).register()
	var users int
	r.Do(t.Context(), func(c *proxy.Core) { users, _ = c.Load() })
	if users != 1 {
		t.Errorf("%d users are registered", users)
	}
}
