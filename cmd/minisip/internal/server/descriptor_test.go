package server

import (
	"os"
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
	for _, line := range r.faults.over(time.Now().Add(quietFor)) {
		if line != "over: "+what+": 2 times in 0s" {
			t.Errorf("said %q", line)
		}
	}
}
