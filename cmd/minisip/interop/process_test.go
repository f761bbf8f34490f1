//go:build interop

package interop

import (
	"bytes"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program that runs in a namespace while the test goes on.
type process struct {
	name   string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	output transcript
	done   chan struct{} // closed when it has ended; then err holds
	err    error
}

// transcript collects what a process writes.
type transcript struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// start runs a program in a namespace and in dir. When the test ends it is stopped, and
// when the test failed what it wrote is printed.
func start(t *testing.T, ns, dir, name string, arg ...string) *process {
	t.Helper()
	return startTo(t, nil, ns, dir, name, arg...)
}

// startTo is start with the standard output going to w, if w is not nil.
func startTo(t *testing.T, w io.Writer, ns, dir, name string, arg ...string) *process {
	t.Helper()
	p := &process{name: name, done: make(chan struct{})}
	p.cmd = exec.Command("ip", append([]string{"netns", "exec", ns}, arg...)...)
	p.cmd.Dir = dir
	// A group of its own, so that stop reaches its children; and it shall not outlive a killed test.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	if w != nil {
		p.cmd.Stdout = w
	}
	p.cmd.WaitDelay = time.Second
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.stop()
		if out := p.output.String(); t.Failed() && out != "" {
			t.Logf("---- what %s wrote:\n%s", name, tail(out, 300))
		}
	})
	return p
}

// stop asks the process and its children to end, kills them after 3 s, and says whether it ended by itself.
func (p *process) stop() bool {
	if !p.running() {
		return true
	}
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.done:
		return true
	case <-time.After(3 * time.Second):
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
		return false
	}
}

// running says whether the process has not ended yet.
func (p *process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// wait lets the process end by itself and fails the test when it takes longer than d.
func (p *process) wait(t *testing.T, d time.Duration) error {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(d):
		t.Fatalf("%s has not ended after %v", p.name, d)
	}
	return p.err
}

// tail gives the last n lines of a text.
func tail(s string, n int) string {
	lines := strings.SplitAfter(s, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "")
}
