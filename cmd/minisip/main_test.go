package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// asMinisip in the environment makes the test binary behave as minisip.
const asMinisip = "TEST_BINARY_IS_MINISIP"

func TestMain(m *testing.M) {
	if os.Getenv(asMinisip) != "" {
		main()
	}
	os.Exit(m.Run())
}

// minisip is a run of the program in a directory of its own, with no environment but env.
func minisip(t *testing.T, dir string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	// The race detector lets a program wait for a second at its end.
	cmd.Env = append([]string{asMinisip + "=1", "GORACE=atexit_sleep_ms=0"}, env...)
	return cmd
}

// result is what a run that ends by itself leaves.
type result struct {
	status         int
	stdout, stderr string
}

// finish runs cmd to its end.
func finish(t *testing.T, cmd *exec.Cmd) (r result) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if !late.Stop() {
		t.Fatalf("minisip %s did not end; it printed\n%s%s", cmd.Args[1:], &stdout, &stderr)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// daemon is a minisip at work, whose log comes on its standard output.
type daemon struct {
	t      *testing.T
	cmd    *exec.Cmd
	at     netip.AddrPort
	lines  chan string // of standard output
	said   []string    // those read so far
	stderr bytes.Buffer
}

// start starts minisip at a free port of 127.0.0.1 and waits until it serves.
func start(t *testing.T, dir string, env []string, args ...string) *daemon {
	t.Helper()
	at := freePort(t)
	args = append([]string{"-listen", at.String(), "-log", "/dev/stdout", "-rtp", "21000-21099"}, args...)
	return serves(t, at, minisip(t, dir, env, args...))
}

// serves starts cmd, a minisip at an address, and waits until it serves.
func serves(t *testing.T, at netip.AddrPort, cmd *exec.Cmd) *daemon {
	t.Helper()
	d := begin(t, at, cmd)
	d.waitFor("Features on:")
	return d
}

// begin starts cmd, a minisip that will serve at an address.
func begin(t *testing.T, at netip.AddrPort, cmd *exec.Cmd) *daemon {
	t.Helper()
	d := &daemon{t: t, at: at, cmd: cmd, lines: make(chan string, 1000)}
	d.cmd.Stderr = &d.stderr
	stdout, err := d.cmd.StdoutPipe()
	if err == nil {
		err = d.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	go d.read(stdout)
	t.Cleanup(func() {
		d.cmd.Process.Kill()
		for range d.lines {
		}
		d.cmd.Wait()
	})
	return d
}

func (d *daemon) read(stdout io.Reader) {
	for in := bufio.NewScanner(stdout); in.Scan(); {
		d.lines <- in.Text()
	}
	close(d.lines)
}

// waitFor gives the next line of standard output that holds text.
func (d *daemon) waitFor(text string) string {
	d.t.Helper()
	late := time.After(patience)
	for {
		select {
		case line, ok := <-d.lines:
			if !ok {
				d.t.Fatalf("minisip ended and never said %q but\n%s", text, strings.Join(d.said, "\n"))
			}
			d.said = append(d.said, line)
			if strings.Contains(line, text) {
				return line
			}
		case <-late:
			d.t.Fatalf("minisip never said %q but\n%s", text, strings.Join(d.said, "\n"))
		}
	}
}

func (d *daemon) signal(s os.Signal) {
	d.t.Helper()
	if err := d.cmd.Process.Signal(s); err != nil {
		d.t.Fatal(err)
	}
}

// end sends s and gives the exit status; what minisip still said is in d.said.
func (d *daemon) end(s os.Signal) int {
	d.t.Helper()
	d.signal(s)
	late := time.AfterFunc(patience, func() { d.cmd.Process.Kill() })
	for line := range d.lines {
		d.said = append(d.said, line)
	}
	d.cmd.Wait()
	if !late.Stop() {
		d.t.Fatalf("minisip did not end on %v", s)
	}
	return d.cmd.ProcessState.ExitCode()
}

// output is all of standard output that was read.
func (d *daemon) output() string { return strings.Join(d.said, "\n") + "\n" }

// lastPort is what freePort gave last. It begins elsewhere for each process, so that two test runs can go on at once.
var lastPort = uint16(31000 + os.Getpid()%10*100)

// freePort gives a port of 127.0.0.1 that nobody has, below those that the system gives to who asks for any: nobody gets
// it before minisip does.
func freePort(t *testing.T) netip.AddrPort {
	t.Helper()
	for lastPort < 32767 {
		lastPort++
		at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), lastPort)
		if conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at)); err == nil {
			conn.Close()
			return at
		}
	}
	t.Fatal("no port is free")
	return netip.AddrPort{}
}

func listenUDP(t *testing.T, at string) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// asNobody makes cmd run without privileges, in a directory that belongs to nobody.
func asNobody(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	const nobody = 65534
	for _, dir := range []string{filepath.Dir(cmd.Dir), cmd.Dir} {
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Path = "/proc/self/exe" // the way to the test binary is closed to others
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}
