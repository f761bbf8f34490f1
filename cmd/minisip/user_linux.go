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
	var before syscall.Termios
	if err := terminalState(f, syscall.TCGETS, &before); err != nil {
		return nil, err
	}
	hidden := before
	hidden.Lflag &^= syscall.ECHO
	if err := terminalState(f, syscall.TCSETS, &hidden); err != nil {
		return nil, err
	}
	show := sync.OnceFunc(func() { terminalState(f, syscall.TCSETS, &before) })
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		if _, ok := <-stop; ok {
			show()
			os.Exit(130)
		}
	}()
	return func() {
		signal.Stop(stop)
		close(stop)
		show()
	}, nil
}
