package systemd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// manager is a service manager's end of the notification socket.
func manager(t *testing.T, name string) *net.UnixConn {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", name)
	return conn
}

func TestNotify(t *testing.T) {
	for _, name := range []string{
		filepath.Join(t.TempDir(), "notify"),
		fmt.Sprintf("@minisip-test-%d", os.Getpid()), // Linux's abstract namespace
	} {
		conn := manager(t, name)
		for _, state := range []string{"READY=1", "WATCHDOG=1", "READY=1\nSTATUS=2 users, 1 call"} {
			if err := Notify(state); err != nil {
				t.Fatalf("%s: Notify(%q): %v", name, state, err)
			}
			buf := make([]byte, 1024)
			n, err := conn.Read(buf)
			if err != nil || string(buf[:n]) != state {
				t.Errorf("%s: the manager got %q, %v; want %q", name, buf[:n], err, state)
			}
		}
	}
}

func TestNotifyWithoutManager(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Notify("READY=1"); err != nil {
		t.Errorf("Notify: %v, want nothing done", err)
	}
}

func TestNotifyErrors(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	for socket, want := range map[string]string{
		"vsock:2:1234": `systemd: NOTIFY_SOCKET is "vsock:2:1234", expected a path that begins with / or @`,
		gone:           "systemd: notify: dial unixgram " + gone + ": connect: no such file or directory",
	} {
		t.Setenv("NOTIFY_SOCKET", socket)
		if err := Notify("READY=1"); err == nil || err.Error() != want {
			t.Errorf("with %q: %v\nwant %s", socket, err, want)
		}
	}
}

// A manager that reads nothing fills its queue; the caller is not held up by it.
func TestNotifyDoesNotHang(t *testing.T) {
	manager(t, filepath.Join(t.TempDir(), "notify"))
	state := "STATUS=" + strings.Repeat("x", 1000)
	const more = 100_000 // datagrams than any queue holds
	for range more {
		if err := Notify(state); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("Notify: %v, want a timeout", err)
			}
			return
		}
	}
	t.Errorf("the manager took %d datagrams", more)
}

// A manager that reads nothing for longer than a notification may take is handed descriptors all the same.
func TestStoreIsPatient(t *testing.T) {
	conn := manager(t, filepath.Join(t.TempDir(), "notify"))
	for err := error(nil); !errors.Is(err, os.ErrDeadlineExceeded); { // until its queue is full
		if err = Notify("STATUS=busy"); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
	began := time.Now()
	time.AfterFunc(2*sendWait, func() { // then it reads all, and deals with what it is asked
		b, oob := make([]byte, 4096), make([]byte, 4096)
		for {
			_, n, _, _, err := conn.ReadMsgUnix(b, oob)
			if err != nil {
				return
			}
			messages, _ := syscall.ParseSocketControlMessage(oob[:n])
			for _, m := range messages {
				fds, _ := syscall.ParseUnixRights(&m)
				for _, fd := range fds {
					syscall.Close(fd)
				}
			}
		}
	})
	const atMost = 10 * time.Second
	if err := Store("rtp", []int{0, 0, 0}, began.Add(atMost)); err != nil {
		t.Errorf("Store: %v", err)
	}
	if err := Barrier(atMost); err != nil {
		t.Errorf("Barrier: %v", err)
	}
}

func TestWatchdogInterval(t *testing.T) {
	self := fmt.Sprint(os.Getpid())
	for _, tt := range []struct {
		env     map[string]string
		want    time.Duration
		enabled bool
	}{
		{map[string]string{}, 0, false},
		{map[string]string{"WATCHDOG_USEC": "10000000"}, 10 * time.Second, true},
		{map[string]string{"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": self}, 10 * time.Second, true},
		{map[string]string{"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"}, 0, false}, // another process's
		{map[string]string{"WATCHDOG_USEC": "1500"}, 1500 * time.Microsecond, true},
		{map[string]string{"WATCHDOG_USEC": "0"}, 0, false},
		{map[string]string{"WATCHDOG_USEC": "-5"}, 0, false},
		{map[string]string{"WATCHDOG_USEC": "ten"}, 0, false},
		{map[string]string{"WATCHDOG_USEC": ""}, 0, false},
		{map[string]string{"WATCHDOG_USEC": "9223372036854775807"}, 0, false},
	} {
		env := func(name string) (string, bool) {
			value, ok := tt.env[name]
			return value, ok
		}
		if got, enabled := WatchdogInterval(env); got != tt.want || enabled != tt.enabled {
			t.Errorf("%v: %v, %v; want %v, %v", tt.env, got, enabled, tt.want, tt.enabled)
		}
	}
}
