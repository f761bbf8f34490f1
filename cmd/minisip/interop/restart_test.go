//go:build interop

package interop

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// again kills minisip, or tells it to end, and starts it anew with the same flags. It gives the time when the
// new one was started.
func (s *server) again(t *testing.T, how syscall.Signal, arg ...string) time.Time {
	t.Helper()
	if err := syscall.Kill(s.cmd.Process.Pid, how); err != nil {
		t.Fatal(err)
	}
	s.wait(t, 5*time.Second)
	begin := time.Now()
	s.process = start(t, s.ns, s.dir, "minisip, started again", append([]string{minisip}, arg...)...)
	s.endsWell(t)
	return begin
}

// media lists the media ports that are open.
func (s *server) media(t *testing.T) (ports []uint16) {
	for _, p := range s.ports(t) {
		if p >= 10000 && p <= 20000 {
			ports = append(ports, p)
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

// sound finds when RTP arrived: the longest time without any, and when it came again after a moment.
func (c *capture) sound(t *testing.T, after time.Time) (gap time.Duration, back time.Time) {
	t.Helper()
	all, err := c.datagrams()
	if err != nil {
		t.Fatal(err)
	}
	var last time.Time
	for _, d := range all {
		if len(d.payload) <= 12 || d.payload[0] != 0x80 || d.payload[1]&0x7f != 0 {
			continue
		}
		if !last.IsZero() {
			gap = max(gap, d.at.Sub(last))
		}
		if back.IsZero() && d.at.After(after) {
			back = d.at
		}
		last = d.at
	}
	return gap, back
}

// TestKilledInCall: minisip is killed (kill -9) in mid-call between two phones behind NATs, and started again. They hear
// each other again on the same ports within a second, need not register, and either can hang up.
func TestKilledInCall(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	a, b := s.twoPhones(t)
	for _, c := range []struct {
		ender *baresip
		how   syscall.Signal
	}{{b, syscall.SIGKILL}, {a, syscall.SIGTERM}} {
		toA, toB := startCapture(t, netns("a")), startCapture(t, netns("b"))
		before := len(s.ends(a.user, b.user))
		call(t, a, b, b.user)
		both(t, a, b.hz, b, a.hz, 2*time.Second)
		ports := s.media(t)
		begin := s.again(t, c.how)
		both(t, toA, b.hz, toB, a.hz, time.Second)
		if got := s.media(t); len(got) == 0 || !slices.Equal(got, ports) {
			t.Errorf("media ports %v, before %v", got, ports)
		}
		for _, p := range []struct {
			name string
			*capture
		}{{"a", toA}, {"b", toB}} {
			gap, back := p.sound(t, begin)
			t.Logf("%v: phone %s hears again %v after the start, and missed %v", c.how, p.name, back.Sub(begin).Round(time.Millisecond), gap.Round(time.Millisecond))
			if back.Sub(begin) > time.Second {
				t.Errorf("phone %s hears again only %v after the start", p.name, back.Sub(begin))
			}
		}
		both(t, a, b.hz, b, a.hz, time.Second)
		c.ender.hangup(t)
		a.closed(t)
		b.closed(t)
		s.logsEnd(t, a.user, b.user, before)
		s.freesPorts(t)
	}
	if n := strings.Count(s.log(), "registered from"); n != 2 {
		t.Errorf("the phones registered %d times", n)
	}
}

// TestRestartWithCalls: 100 calls of SIPp are up when minisip is told to end and is started again; all of them are
// hung up well, and nothing has to be repeated.
func TestRestartWithCalls(t *testing.T) {
	need(t, "sipp", "sip-tester")
	const calls = 100
	conf, callers, callees, pairs := crowds(calls)
	newNetwork(t)
	s := startServer(t, conf, "-keepalive", "0")
	runSIPp(t, netns("a"), "register.xml", callers, calls, "-r", "100")
	runSIPp(t, netns("b"), "register.xml", callees, calls, "-r", "100")
	callee := startSIPp(t, netns("b"), "callee.xml", "", calls, "-aa")
	caller := startSIPp(t, netns("a"), "caller.xml", pairs, calls, "-d", "8000", "-r", "50", "-aa")
	eventually(t, 20*time.Second, "all calls are up", func() bool { return strings.Count(s.log(), " answered at ") == calls })
	ports := s.media(t)
	s.again(t, syscall.SIGTERM, "-keepalive", "0")
	goOn := "state: users registered: " + strconv.Itoa(2*calls) + ", calls that go on: " + strconv.Itoa(calls)
	eventually(t, 10*time.Second, "all calls go on", func() bool { return strings.Contains(s.log(), goOn) })
	eventually(t, 5*time.Second, "the media ports are open again", func() bool { return slices.Equal(s.media(t), ports) })
	for _, p := range []*sipp{caller, callee} {
		if err := p.wait(t, 40*time.Second); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
		if st := p.statistics(t); st.good != calls || st.failed != 0 {
			t.Errorf("%s: %+v, want %d good calls", p.name, st, calls)
		} else {
			t.Logf("%s: %d calls went on over the restart, %d failed", p.name, st.good, st.failed)
		}
	}
	s.freesPorts(t)
}

// TestStateDiskFull: with a full disk phones register and are served; the log says once that nothing is kept, and when all
// is again; and then a kill costs nothing.
func TestStateDiskFull(t *testing.T) {
	need(t, "sipp", "sip-tester")
	const users = 50
	conf, phones, _, _ := crowds(users)
	newNetwork(t)
	dir := t.TempDir()
	command(t, "mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", dir)
	t.Cleanup(func() { command(t, "umount", dir) })
	s := startServer(t, conf, "-keepalive", "0", "-state", dir)
	command(t, "sh", "-c", "cat /dev/zero > "+dir+"/filler 2>/dev/null || true")
	runSIPp(t, netns("a"), "register.xml", phones, users, "-r", "100")
	eventually(t, 10*time.Second, "the log says that nothing is kept", func() bool { return strings.Contains(s.log(), "state: cannot be kept in") })
	command(t, "rm", dir+"/filler")
	eventually(t, 20*time.Second, "the log says that all is kept again", func() bool { return strings.Contains(s.log(), ", and whole (") })
	if n := strings.Count(s.log(), "cannot be kept in"); n != 1 {
		t.Errorf("the log says %d times that nothing is kept", n)
	}
	// says waits until the log, that of all the processes, has said that so many times.
	says := func(times int, what string) {
		t.Helper()
		eventually(t, 20*time.Second, fmt.Sprintf("the log says %d times %q", times, what), func() bool {
			return strings.Count(s.log(), what) == times
		})
	}
	there := fmt.Sprintf("state: users registered: %d, calls that go on: 0", users)
	s.again(t, syscall.SIGKILL, "-keepalive", "0", "-state", dir)
	says(1, there)

	// A start with a full disk finds what was kept, and serves.
	eventually(t, 20*time.Second, "all is in one file", func() bool {
		names, err := filepath.Glob(dir + "/journal.*")
		return err == nil && len(names) == 1
	})
	command(t, "sh", "-c", "cat /dev/zero > "+dir+"/filler 2>/dev/null || true")
	s.again(t, syscall.SIGKILL, "-keepalive", "0", "-state", dir)
	says(2, "state: cannot be kept in")
	says(2, there)
	runSIPp(t, netns("a"), "register.xml", phones, users, "-r", "100")
	command(t, "rm", dir+"/filler")
	says(2, ", and whole (")
}
