package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestLogInTrouble: a log that nobody reads, a full disk and a directory that is gone hold up nobody.
func TestLogInTrouble(t *testing.T) {
	dir := t.TempDir()
	blocked := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(blocked, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, log := range map[string]string{
		"nobody reads it": blocked, "the disk is full": "/dev/full", "its directory is gone": filepath.Join(dir, "gone", "log"),
	} {
		d, _, _ := serving(t, "-log", log)
		caller := newAsker(t, d.at, "001")
		if got := caller.register("secret-001"); got != ok {
			t.Errorf("%s: a registration got %s", name, got)
		}
		for range 20 {
			if got := caller.dial("997", "secret-001"); !strings.HasPrefix(got, "SIP/2.0 404 ") {
				t.Errorf("%s: a dial code got %s", name, got)
			}
		}
	}
}
