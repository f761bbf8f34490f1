//go:build linux && (amd64 || arm64)

package server

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// gate waits for a socket as its pace says.
//
// A socket in Go's poller wakes the process with each datagram, whether or not anybody wants to
// look. So SIP's are not in it: each has an epoll instance of its own, which is. While the pace is
// ticking, the socket is muted there, and a timer is what wakes.
type gate struct {
	pace   pace
	socket int
	timer  int
	epoll  int
	file   *os.File // the epoll instance, in Go's poller
}

const (
	clockMonotonic = 1       // CLOCK_MONOTONIC, time.h
	edge           = 1 << 31 // EPOLLET: syscall's is negative
)

// newGate makes a gate for a socket, which remains the caller's.
func newGate(socket int) (*gate, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	syscall.SetNonblock(epoll, true) // os.NewFile puts only such into the poller
	g := &gate{socket: socket, timer: -1, epoll: epoll, file: os.NewFile(uintptr(epoll), "epoll")}
	timer, _, errno := syscall.RawSyscall(syscall.SYS_TIMERFD_CREATE, clockMonotonic, syscall.O_CLOEXEC|syscall.O_NONBLOCK, 0)
	if errno != 0 {
		g.close()
		return nil, os.NewSyscallError("timerfd_create", errno)
	}
	g.timer = int(timer)
	for _, fd := range []int{g.timer, g.socket} {
		if err := g.watch(syscall.EPOLL_CTL_ADD, fd); err != nil {
			g.close()
			return nil, os.NewSyscallError("epoll_ctl", err)
		}
	}
	return g, nil
}

// each calls look at the times of the pace until stop, in one goroutine. look reads all there is and
// says how much that was.
func (g *gate) each(look func() int) error {
	raw, err := g.file.SyscallConn()
	if err != nil {
		return err
	}
	// Returning false waits for the epoll instance's next event: a datagram, or the timer.
	return raw.Read(func(uintptr) bool {
		if g.opens(time.Now()) {
			g.looked(look())
		}
		return false
	})
}

// opens reports whether to look now. Otherwise the next event is the timer's.
func (g *gate) opens(now time.Time) bool {
	if g.pace.ticking || g.pace.came(now) {
		return true
	}
	g.watch(syscall.EPOLL_CTL_DEL, g.socket)
	g.wakeAfter(g.pace.tick)
	return false
}

func (g *gate) looked(found int) {
	was := g.pace.ticking
	g.pace.looked(found)
	switch {
	case g.pace.ticking:
		g.wakeAfter(g.pace.tick)
	case was:
		// What has come since the look makes an event of this. EPOLL_CTL_MOD would not make one while an
		// earlier event waits to be read, and nobody reads them.
		if g.watch(syscall.EPOLL_CTL_ADD, g.socket) != nil { // no memory, or no watch left (epoll(7))
			g.pace.ticking, g.pace.tick = true, longTick
			g.wakeAfter(longTick)
		}
	}
}

func (g *gate) watch(op, fd int) error {
	return syscall.EpollCtl(g.epoll, op, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN | edge, Fd: int32(fd)})
}

// wakeAfter sets the timer. It is never read: setting it again clears it.
func (g *gate) wakeAfter(d time.Duration) {
	spec := struct{ interval, value syscall.Timespec }{value: syscall.NsecToTimespec(int64(d))} // struct itimerspec
	syscall.RawSyscall6(syscall.SYS_TIMERFD_SETTIME, uintptr(g.timer), 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
}

// stop ends each, at the latest after the look that is being taken.
func (g *gate) stop() { g.file.SetReadDeadline(time.Now()) }

func (g *gate) close() {
	g.file.Close()
	if g.timer >= 0 {
		syscall.Close(g.timer)
	}
}
