//go:build linux && (amd64 || arm64)

package server

import (
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// TestSandbox: where a system call is refused without which nothing would be heard, the start says which.
func TestSandbox(t *testing.T) {
	for call, number := range map[string]uint32{
		"recvmmsg": syscall.SYS_RECVMMSG, "timerfd_create": syscall.SYS_TIMERFD_CREATE, "epoll_ctl": syscall.SYS_EPOLL_CTL,
	} {
		conn := listenUDP(t, "127.0.0.1")
		before := descriptors(t)
		failed := make(chan error)
		go func() {
			runtime.LockOSThread() // the thread ends with this goroutine, and the filter with it
			err := refuse(number)
			if err == nil {
				err = new(transport).open(conn)
			}
			failed <- err
		}()
		if err := <-failed; err == nil || !strings.HasPrefix(err.Error(), call+": operation not permitted") {
			t.Errorf("%s: %v", call, err)
		}
		if after := descriptors(t); after != before-1 { // conn's
			t.Errorf("%s: %d descriptors are left open", call, after-before+1)
		}
	}
}

// refuse has the kernel answer a system call of this thread with EPERM: seccomp(2), SECCOMP_MODE_FILTER.
func refuse(number uint32) error {
	const (
		setNoNewPrivs, setSeccomp, modeFilter = 38, 22, 2
		load, equal, give                     = syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS, syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, syscall.BPF_RET | syscall.BPF_K
		allow, fail                           = 0x7fff0000, 0x00050000
	)
	filter := []syscall.SockFilter{
		{Code: load},
		{Code: equal, Jf: 1, K: number},
		{Code: give, K: fail | uint32(syscall.EPERM)},
		{Code: give, K: allow},
	}
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRCTL, setNoNewPrivs, 1, 0, 0, 0, 0); errno != 0 {
		return os.NewSyscallError("prctl", errno)
	}
	if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, setSeccomp, modeFilter, uintptr(unsafe.Pointer(&program))); errno != 0 {
		return os.NewSyscallError("prctl", errno)
	}
	return nil
}

// descriptors is how many this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}
