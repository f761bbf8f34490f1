//go:build linux && (amd64 || arm64) && !portable

package rtprelay

import (
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// An ear hears the RTCP sockets of all streams: an epoll instance, which Go's poller awaits like any
// other descriptor, and one goroutine. RTCP comes every few seconds (RFC 3550 6.2), so that a
// goroutine for each of its sockets, with a stack, a file and a place in Go's poller, would be half
// of the relay's memory and seldom run.
type ear struct {
	file  *os.File // keeps epoll in Go's poller
	epoll int

	mu sync.Mutex          // guards of; no other lock is taken while it is held
	of map[int32]*endpoint // by descriptor
}

// open makes the epoll instance and begins to listen.
func (w *ear) open() error {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	syscall.SetNonblock(fd, true) // so that Go's poller takes it
	file := os.NewFile(uintptr(fd), "epoll")
	err = file.SetReadDeadline(time.Time{})
	if err != nil {
		file.Close()
		return err
	}
	w.file, w.epoll, w.of = file, fd, map[int32]*endpoint{}
	go w.run()
	return nil
}

// close ends run, when all sockets are closed.
func (w *ear) close() { w.file.Close() }

func (w *ear) run() {
	raw, err := w.file.SyscallConn()
	if err != nil {
		return
	}
	raw.Read(func(uintptr) bool {
		m := mailboxes.Get().(*mailbox)
		for w.turn(m) {
		}
		mailboxes.Put(m)
		return false
	})
}

// turn relays one packet of each socket that has one. It reports false when none had: as Go's
// poller tells of that only once, it is asked for until then. Epoll itself tells again of a socket
// that has more, so that nobody who floods one keeps the others waiting.
func (w *ear) turn(m *mailbox) bool {
	var ready [16]syscall.EpollEvent
	n, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_PWAIT, uintptr(w.epoll),
		uintptr(unsafe.Pointer(&ready)), uintptr(len(ready)), 0, 0, 0)
	if errno != 0 {
		return errno == syscall.EINTR
	}
	for i := range ready[:n] {
		fd := ready[i].Fd
		w.mu.Lock()
		e := w.of[fd]
		w.mu.Unlock()
		if e != nil {
			e.hear(int(fd), m)
		}
	}
	return n > 0
}

// listen has what arrives at a socket of an endpoint relayed from now on.
func (w *ear) listen(e *endpoint, s *socket) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if errno := w.control(syscall.EPOLL_CTL_ADD, s.fd); errno != 0 {
		return os.NewSyscallError("epoll_ctl", errno)
	}
	w.of[int32(s.fd)] = e
	return nil
}

// shut closes a socket, listened to or not. The stream's lock must be held, so that nobody reads
// from a descriptor that is another socket's by then. To close it would not do: where the next process
// has it too, epoll would go on to tell of it.
func (w *ear) shut(s *socket) {
	w.mu.Lock()
	w.control(syscall.EPOLL_CTL_DEL, s.fd)
	delete(w.of, int32(s.fd))
	w.mu.Unlock()
	syscall.Close(s.fd)
	s.fd = -1
}

func (w *ear) control(op, fd int) syscall.Errno {
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_EPOLL_CTL, uintptr(w.epoll), uintptr(op), uintptr(fd),
		uintptr(unsafe.Pointer(&event)), 0, 0)
	return errno
}

// hear relays one packet of the RTCP socket fd, unless that has been closed since the ear was told.
func (e *endpoint) hear(fd int, m *mailbox) {
	s := e.stream
	defer s.survive()
	s.mu.Lock()
	defer s.mu.Unlock()
	former := s.legs[e.side].former
	if fd != e.socket.fd && (former == nil || fd != former.rtcp.fd) {
		return
	}
	if n, ok := m.read(fd); ok {
		e.take(n, m)
	}
}
