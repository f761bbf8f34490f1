package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stores gives the descriptors that are to be kept, by name, until somebody asks whether all was heard.
func (m *manager) stores() map[string][]*os.File {
	m.t.Helper()
	kept := map[string][]*os.File{}
	m.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		b, oob := make([]byte, 4096), make([]byte, syscall.CmsgSpace(4*253))
		n, oobn, _, _, err := m.conn.ReadMsgUnix(b, oob)
		if err != nil {
			m.t.Fatalf("nobody asked whether all was heard: %v", err)
		}
		said := strings.Split(string(b[:n]), "\n")
		files := passed(m.t, oob[:oobn])
		switch {
		case slices.Contains(said, "FDSTORE=1"):
			if !slices.Contains(said, "FDPOLL=0") {
				m.t.Errorf("an error of a socket would end its being kept: %q", said)
			}
			name := strings.TrimPrefix(said[len(said)-1], "FDNAME=")
			kept[name] = append(kept[name], files...)
		case said[0] == "BARRIER=1" && len(files) == 1:
			files[0].Close()
			return kept
		}
	}
}

// passed reads the descriptors that came with a message.
func passed(t *testing.T, oob []byte) (files []*os.File) {
	t.Helper()
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range messages {
		fds, err := syscall.ParseUnixRights(&m)
		if err != nil {
			t.Fatal(err)
		}
		for _, fd := range fds {
			syscall.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "kept"))
		}
	}
	return files
}

// TestHandOnTrouble: neither a notification that was not heard earlier nor a descriptor that cannot be stored keeps the
// others from being stored, nor the end from waiting until they are.
func TestHandOnTrouble(t *testing.T) {
	m := newManager(t)
	name, path, _ := strings.Cut(m.env[0], "=")
	t.Setenv(name, path)
	var said []string
	s := newService(func(line string) { said = append(said, line) })
	s.failed = os.ErrDeadlineExceeded
	socket, err := listenUDP(t, "127.0.0.1:0").File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	done := make(chan struct{})
	go func() {
		s.handOn([]int{int(socket.Fd())}, []int{-1})
		close(done)
	}()
	if kept := m.stores(); len(kept["sip"]) != 1 || len(kept) != 1 {
		t.Errorf("kept are %v, want the one socket for SIP", kept)
	}
	<-done
	if len(said) != 1 || !strings.HasPrefix(said[0], "sockets are not kept over the restart: ") || !strings.HasSuffix(said[0], "bad file descriptor") {
		t.Errorf("said %q", said)
	}
}

// TestServiceRestart: as systemd restarts it. The sockets are kept from one minisip to the next; what a phone
// sends in between is answered, by the next, at the same address; then systemd is told to keep them no longer.
func TestServiceRestart(t *testing.T) {
	m := newManager(t)
	dir := t.TempDir()
	write(t, dir+"/users.conf", line("001"))
	d := start(t, dir, m.env, "no_silent")
	a := newAsker(t, d.at, "001")
	if got := a.register("secret-001"); got != ok {
		t.Fatalf("001 got %s", got)
	}
	d.signal(syscall.SIGTERM)
	kept := m.stores()
	if len(kept["sip"]) != 1 || len(kept) != 1 {
		t.Fatalf("kept are %v, want the one socket for SIP", kept)
	}
	if status := d.end(syscall.SIGTERM); status != exitOK {
		t.Fatalf("status %d", status)
	}

	a.send("") // nobody is there
	cmd := minisip(t, dir, append(m.env, "LISTEN_FDS=1", "LISTEN_FDNAMES=sip"),
		"-listen", d.at.String(), "-log", "/dev/stdout", "-rtp", "21000-21099", "no_silent")
	// LISTEN_PID names the process that the shell becomes.
	shell := exec.Command("sh", append([]string{"-c", `LISTEN_PID=$$ exec "$0" "$@"`}, cmd.Args...)...)
	shell.Args[3] = cmd.Path
	shell.Dir, shell.Env, shell.ExtraFiles = cmd.Dir, cmd.Env, kept["sip"]
	next := serves(t, d.at, shell)
	next.waitFor("state: users registered: 1, calls that go on: 0")
	if got := statusLine(a.receive()); got != denied {
		t.Errorf("what was sent in between got %s", got)
	}
	var forgotten []string
	for len(forgotten) < 2 {
		if said := m.hears(patience); len(said) == 2 && said[0] == "FDSTOREREMOVE=1" {
			forgotten = append(forgotten, said[1])
		} else if said == nil {
			t.Fatalf("forgotten are only %q", forgotten)
		}
	}
	if got := fmt.Sprint(forgotten); got != "[FDNAME=sip FDNAME=rtp]" {
		t.Errorf("forgotten are %s", got)
	}
}

// TestRestart: a minisip that is killed leaves the registrations of more than a second ago, and who comes second
// to a state directory is told who is there.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/users.conf", line("001"))
	d := start(t, dir, nil)
	if got := register(t, d.at, "001", "secret-001"); got != ok {
		t.Fatalf("001 got %s", got)
	}
	second := finish(t, minisip(t, dir, nil, "-listen", freePort(t).String(), "-rtp", "21000-21099"))
	want := fmt.Sprintf("minisip: the state directory state is in use by process %d: stop that, or give each minisip a directory of its own with -state DIR\n", d.cmd.Process.Pid)
	if second.status != exitUsage || second.stderr != want {
		t.Errorf("the second got %+v\nwant %s", second, want)
	}
	d.until("the registration is on disk", func() bool { return bytes.Contains(journal1(t, dir), []byte("sip:001@")) })
	d.end(syscall.SIGKILL)
	start(t, dir, nil).waitFor("state: users registered: 1, calls that go on: 0")
}

func journal1(t *testing.T, dir string) []byte { return read(t, dir+"/state/journal.1") }

// TestStateGone: when the state directory is taken away, minisip goes on and says so once; it makes another,
// writes all it has, and says that too.
func TestStateGone(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/users.conf", line("001")+line("002"))
	d := start(t, dir, []string{"WATCHDOG_USEC=1000000"}) // a beat every half second
	register(t, d.at, "001", "secret-001")
	d.until("the registration is on disk", func() bool { return bytes.Contains(journal1(t, dir), []byte("sip:001@")) })
	// At once, or what minisip writes in the meantime keeps the directory from being removed.
	if err := errors.Join(os.Rename(dir+"/state", dir+"/gone"), os.RemoveAll(dir+"/gone")); err != nil {
		t.Fatal(err)
	}
	register(t, d.at, "002", "secret-002")
	d.waitFor("state: cannot be kept in state (no such file or directory): calls and registrations go on, but a restart would lose what is new")
	d.waitFor("state: kept in state again, and whole")
	d.end(syscall.SIGKILL)
	if n := strings.Count(d.output(), "cannot be kept"); n != 1 {
		t.Errorf("said %d times", n)
	}
	start(t, dir, nil).waitFor("state: users registered: 2, calls that go on: 0")
}
