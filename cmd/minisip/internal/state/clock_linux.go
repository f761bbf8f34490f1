package state

import (
	"os"
	"strings"
	"syscall"
	"unsafe"
)

// bootID names the machine's boot; proc(5), /proc/sys/kernel/random/boot_id.
func bootID() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// sinceBoot is CLOCK_BOOTTIME of clock_gettime(2): nobody can set it, and it does not stop
// while the machine sleeps.
func sinceBoot() int64 {
	const clockBoottime = 7
	var t syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockBoottime, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		return 0
	}
	return t.Nano()
}
