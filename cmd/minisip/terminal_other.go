//go:build !linux

package main

import (
	"errors"
	"os"
)

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func hideInput(*os.File) (restore func(), err error) {
	return nil, errors.New("minisip knows how on Linux only")
}

func singleKeys(*os.File) (restore func(), err error) { return hideInput(nil) }

func terminalSize(*os.File) (rows, columns int) { return 24, 80 }
