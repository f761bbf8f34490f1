package systemd

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"
)

// The descriptor store of a service (sd_pid_notify_with_fds(3), systemd.service(5)): what a process
// puts there when it ends, the next one is started with.

// MaxStored bounds what Store takes: each descriptor has its name in LISTEN_FDNAMES, and a
// variable of 128 KB or more keeps a program from being started at all.
const MaxStored = 20_000

// perMessage is how many descriptors one message holds at most: SCM_MAX_FD of the kernel.
const perMessage = 253

// Passed gives the UDP sockets that this process was started with, by their local address, and
// forgets the variables that name them (sd_listen_fds(3)). Other descriptors are closed.
func Passed() map[netip.AddrPort]int {
	pid, count := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(name)
	}
	n, err := strconv.Atoi(count)
	if pid != strconv.Itoa(os.Getpid()) || err != nil || n <= 0 {
		return nil // none, or meant for another process
	}
	const first = 3 // SD_LISTEN_FDS_START
	sockets := map[netip.AddrPort]int{}
	for fd := first; fd < first+n; fd++ {
		syscall.CloseOnExec(fd)
		at, ok := boundTo(fd)
		if _, twice := sockets[at]; !ok || twice {
			syscall.Close(fd)
			continue
		}
		sockets[at] = fd
	}
	return sockets
}

// boundTo is the local address of a UDP socket.
func boundTo(fd int) (netip.AddrPort, bool) {
	if kind, err := syscall.GetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TYPE); err != nil || kind != syscall.SOCK_DGRAM {
		return netip.AddrPort{}, false
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		return netip.AddrPort{}, false
	}
	switch a := name.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port)), true
	case *syscall.SockaddrInet6:
		ip := netip.AddrFrom16(a.Addr)
		if a.ZoneId != 0 {
			ip = ip.WithZone(strconv.FormatUint(uint64(a.ZoneId), 10))
		}
		return netip.AddrPortFrom(ip, uint16(a.Port)), true
	}
	return netip.AddrPort{}, false
}

// Store has the service manager keep descriptors under a name for the next process. It keeps
// them whatever errors their sockets report. It is waited for until a time for all of them: to take many
// descriptors is work.
func Store(name string, fds []int, until time.Time) error {
	for len(fds) > 0 {
		n := min(len(fds), perMessage)
		if err := send("FDSTORE=1\nFDPOLL=0\nFDNAME="+name, fds[:n], until); err != nil {
			return err
		}
		fds = fds[n:]
	}
	return nil
}

// Forget has the service manager close what it keeps under a name.
func Forget(name string) error {
	return send("FDSTOREREMOVE=1\nFDNAME="+name, nil, time.Now().Add(sendWait))
}

// Barrier waits until the service manager has dealt with all that it was told
// (sd_notify_barrier(3)): what it is sent by a process that ends may come too late.
func Barrier(atMost time.Duration) error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("systemd: barrier: %w", err)
	}
	defer r.Close()
	until := time.Now().Add(atMost)
	err = send("BARRIER=1", []int{int(w.Fd())}, until)
	w.Close()
	if err != nil {
		return err
	}
	r.SetReadDeadline(until)
	var b [1]byte
	if _, err := r.Read(b[:]); errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("systemd: barrier: no answer within %s", atMost)
	}
	return nil // the other end was closed
}

// send tells the service manager a state, with descriptors; nothing without one. Where it hangs that is given up at a time.
func send(state string, fds []int, until time.Time) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	// "The first character of $NOTIFY_SOCKET is / or @": a path, or a name in
	// Linux's abstract namespace. Package net knows @ for that too.
	if path[0] != '/' && path[0] != '@' {
		return fmt.Errorf("systemd: NOTIFY_SOCKET is %q, expected a path that begins with / or @", path)
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("systemd: notify: %w", err)
	}
	defer conn.Close()
	if err := conn.SetWriteDeadline(until); err != nil {
		return fmt.Errorf("systemd: notify: %w", err)
	}
	if len(fds) == 0 {
		_, err = conn.Write([]byte(state))
	} else {
		err = sendRights(conn, state, syscall.UnixRights(fds...))
	}
	if err != nil {
		return fmt.Errorf("systemd: notify: %w", err)
	}
	return nil
}

// sendRights is what WriteMsgUnix does not do on a connected socket.
func sendRights(conn *net.UnixConn, state string, rights []byte) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Write(func(fd uintptr) bool {
		failed = syscall.Sendmsg(int(fd), []byte(state), rights, nil, 0)
		return failed != syscall.EAGAIN && failed != syscall.EINTR
	})
	if err != nil {
		return err
	}
	return failed
}
