//go:build interop

package interop

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"
)

// asks runs a command of the one who runs the server, and wants an expression in what it prints.
func (s *server) asks(t *testing.T, want string, args ...string) {
	t.Helper()
	cmd := exec.Command(minisip, args...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	if err != nil || !regexp.MustCompile(want).Match(out) {
		t.Errorf("minisip %q: %v\n%s\nwant %s", args, err, out, want)
	}
}

// TestControl: the command line sees a call between real phones, draws its ladder, and hangs it up.
func TestControl(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	a, b := s.twoPhones(t)
	s.asks(t, `(?m)^001 +203\.0\.113\.2:\d+ +yes .*baresip`, "users")
	a.dial(t, b.user)
	b.ringing(t)
	s.asks(t, `(?m)^1 +ringing +001 +002 `, "calls")
	b.answer(t)
	a.connected(t)
	b.connected(t)
	both(t, a, 880, b, 440, 3*time.Second)
	s.asks(t, `(?m)^1 +up +001 +002 .* PCM[UA] +0\.0/0\.0 % +4\.[0-9]/4\.[0-9]`, "calls")
	s.asks(t, `(?m)^calls +1, of these 0 ringing$`, "top")
	s.asks(t, `(?s)^Call 1: 001 calls 002, up, .*\|-- INVITE sdp -+>\|.*\|<-- 407 .*\|<-- 180 Ringing .*\|<-- 200 OK sdp `, "call", "1")
	s.asks(t, `\|== PCM[UA]/8000 from 001 =+>\|`, "call", "1")
	s.asks(t, `\|<== PCM[UA]/8000 from 002 =+\|`, "call", "1")
	s.asks(t, `^$`, "hangup", "1")
	a.closed(t)
	b.closed(t)
	s.asks(t, `(?m)^1 +ended +001 +002 .* hung up by the operator$`, "calls", "ended")
}

// TestProbe: from behind a NAT too, minisip probe finds that all is well, and says what that NAT shows of it.
func TestProbe(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	for from, seen := range map[string]string{
		"a":   `the server sees 203\.0\.113\.2:\d+ where this phone says 192\.168\.1\.2:\d+: a NAT in between`,
		"pub": `no NAT in between`,
	} {
		cmd := exec.Command("ip", "netns", "exec", netns(from), minisip, "probe", "-talk", "1s", serverIP, "001")
		cmd.Env = append(os.Environ(), "MINISIP_PASSWORD="+s.accounts["001"].password)
		out, err := cmd.CombinedOutput()
		if err != nil || !regexp.MustCompile(`(?s)`+seen+`.* came back, 0\.0 % lost, .*MOS 4\.`).Match(out) {
			t.Errorf("from %s: %v\n%s", from, err, out)
		}
	}
}
