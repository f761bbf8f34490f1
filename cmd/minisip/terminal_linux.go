package main

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"unsafe"
)

func terminalState(f *os.File, request uintptr, state *syscall.Termios) error {
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(unsafe.Pointer(state)))
	if errno != 0 {
		return errno
	}
	return nil
}

func isTerminal(f *os.File) bool {
	var state syscall.Termios
	return terminalState(f, syscall.TCGETS, &state) == nil
}

// hideInput turns the echo of a terminal off until restore is called, or someone
// gives up with Ctrl-C, who must not be left with a terminal that shows nothing.
func hideInput(f *os.File) (restore func(), err error) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP) // before the echo goes, and until it is back
	show, err := changeInput(f, syscall.ECHO)
	if err != nil {
		signal.Stop(stop)
		return nil, err
	}
	go func() {
		if _, ok := <-stop; ok {
			show()
			os.Exit(130)
		}
	}()
	return func() {
		show()
		signal.Stop(stop)
		close(stop)
	}, nil
}

// singleKeys makes keys come one by one and unseen until restore is called; Ctrl-C is one.
func singleKeys(f *os.File) (restore func(), err error) {
	return changeInput(f, syscall.ECHO|syscall.ICANON|syscall.ISIG)
}

// changeInput takes local modes of a terminal away until restore is called.
func changeInput(f *os.File, modes uint32) (restore func(), err error) {
	var before syscall.Termios
	if err := terminalState(f, syscall.TCGETS, &before); err != nil {
		return nil, err
	}
	changed := before
	changed.Lflag &^= modes
	if err := terminalState(f, syscall.TCSETS, &changed); err != nil {
		return nil, err
	}
	return sync.OnceFunc(func() { terminalState(f, syscall.TCSETS, &before) }), nil
}

// terminalSize is how much a terminal shows.
func terminalSize(f *os.File) (rows, columns int) {
	var size struct{ rows, columns, x, y uint16 }
	syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), syscall.TIOCGWINSZ, uintptr(unsafe.Pointer(&size)))
	return max(int(size.rows), 10), max(int(size.columns), 40)
}
