package main

import (
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// manager is a service manager's end of the notification socket.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
	env  []string // of who shall notify it
}

func newManager(t *testing.T, env ...string) *manager {
	t.Helper()
	// A path in the test's own directory can be too long for a socket's.
	dir, err := os.MkdirTemp("", "notify")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "socket")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &manager{t, conn, append(env, "NOTIFY_SOCKET="+path)}
}

// hears gives the next notification's lines; none when it does not come in time.
func (m *manager) hears(within time.Duration) []string {
	m.t.Helper()
	m.conn.SetReadDeadline(time.Now().Add(within))
	b := make([]byte, 4096)
	n, err := m.conn.Read(b)
	if err != nil {
		return nil
	}
	return strings.Split(string(b[:n]), "\n")
}

// steady is a beat without the figures that no two beats share; they have to be there.
func (m *manager) steady(beat []string) string {
	m.t.Helper()
	lag := regexp.MustCompile(`; loop lag \d+\.\d ms, queue drops 0`)
	text := strings.Join(beat, "|")
	if !lag.MatchString(text) {
		m.t.Errorf("%q says nothing of the event loop", text)
	}
	return lag.ReplaceAllString(text, "")
}

const nobody = "STATUS=users registered: 0, calls: 0, dropped since the start: nothing"

// TestService: systemd hears READY when phones are served, then the watchdog's beats with
// users and calls, then STOPPING.
func TestService(t *testing.T) {
	m := newManager(t, "WATCHDOG_USEC=200000")
	dir := t.TempDir()
	write(t, dir+"/users.conf", line("001"))
	d := start(t, dir, m.env)
	if got := m.hears(patience); strings.Join(got, "|") != "READY=1|"+nobody {
		t.Fatalf("first %q", got)
	}
	// A phone is served from then on.
	if got := register(t, d.at, "001", "secret-001"); got != ok {
		t.Errorf("001 got %s", got)
	}
	begin, beats := time.Now(), 0
	newAsker(t, d.at, "009").conn.WriteToUDPAddrPort([]byte("not SIP"), d.at)
	const then = "STATUS=users registered: 1, calls: 0, dropped since the start: 1 malformed|WATCHDOG=1"
	for last := ""; last != then; beats++ {
		got := m.hears(patience)
		if len(got) != 2 || got[1] != "WATCHDOG=1" || !strings.HasPrefix(got[0], "STATUS=") {
			t.Fatalf("beat %d: %q", beats, got)
		}
		last = m.steady(got)
	}
	for range 5 {
		if got := m.hears(patience); m.steady(got) != then {
			t.Errorf("then %q, want %s", got, then)
		}
	}
	if took := time.Since(begin); took < 4*100*time.Millisecond {
		t.Errorf("%d beats in %v, want one every 100 ms", beats+5, took)
	}
	d.signal(syscall.SIGTERM)
	for {
		got := m.hears(patience)
		if len(got) == 0 {
			t.Fatal("nobody said STOPPING")
		}
		if got[0] == "STOPPING=1" {
			break
		}
	}
}

// TestServiceNotReady: who cannot bind his sockets is never ready.
func TestServiceNotReady(t *testing.T) {
	m := newManager(t)
	taken := listenUDP(t, "127.0.0.1:0").LocalAddr().String()
	dir := t.TempDir()
	write(t, dir+"/users.conf", line("001"))
	if got := finish(t, minisip(t, dir, m.env, "-listen", taken)); got.status != exitUsage {
		t.Errorf("got %+v", got)
	}
	if got := m.hears(time.Millisecond); got != nil {
		t.Errorf("systemd heard %q", got)
	}
}

// TestServiceDeaf: a service manager that is gone costs one line in the log.
func TestServiceDeaf(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/users.conf", line("001"))
	d := start(t, dir, []string{"NOTIFY_SOCKET=" + dir + "/none", "WATCHDOG_USEC=20000"})
	d.waitFor("systemd: notify: ")
	for range 3 {
		if got := register(t, d.at, "001", "secret-001"); got != ok {
			t.Errorf("001 got %s", got)
		}
	}
	d.end(syscall.SIGTERM)
	if n := strings.Count(d.output(), "systemd: notify: "); n != 1 {
		t.Errorf("said %d times:\n%s", n, d.output())
	}
}
