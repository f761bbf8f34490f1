package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNoState: a state directory that takes nothing keeps minisip from nothing but a restart's memory. That is said once,
// counted, and over when the directory takes it.
func TestNoState(t *testing.T) {
	for name, mode := range map[string]os.FileMode{"others'": 0, "read-only": 0o555} {
		t.Run(name, func(t *testing.T) {
			dir, page := t.TempDir(), freePort(t)
			state := filepath.Join(dir, "state")
			write(t, filepath.Join(dir, "users.conf"), line("001"))
			if err := os.Mkdir(state, 0o700); err != nil {
				t.Fatal(err)
			}
			at := freePort(t)
			cmd := minisip(t, dir, []string{"WATCHDOG_USEC=1000000"}, "-listen", at.String(), "-log", "m.log", "-rtp", "21000-21099", "-status", page.String())
			asNobody(t, cmd)
			for _, path := range []string{filepath.Join(dir, "users.conf"), state} {
				if os.Getuid() == 0 {
					os.Chown(path, 65534, 65534)
				}
			}
			os.Chmod(state, mode)
			d := serves(t, at, cmd)
			if got := register(t, d.at, "001", "secret-001"); got != ok {
				t.Errorf("001: %s", got)
			}
			waitForMetrics(t, page.String(), "minisip_state_failing 1\n", "minisip_state_lost_total 2\n") // the binding, and what belongs to none
			os.Chmod(state, 0o700)
			d.until("all is kept again", func() bool {
				return bytes.Contains(read(t, dir+"/m.log"), []byte("state: kept in state again, and whole (2 changes were not kept in between)\n"))
			})
			if log := read(t, dir+"/m.log"); bytes.Count(log, []byte("cannot be kept in state (permission denied)")) != 1 {
				t.Errorf("the log is\n%s", log)
			}
			waitForMetrics(t, page.String(), "minisip_state_failing 0\n", "minisip_state_lost_total 2\n")
			for _, name := range []string{"nonce.key", "journal.1"} {
				if _, err := os.Stat(filepath.Join(state, name)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestKeyAgain: when the directory is removed and made anew, all that belongs there is there again.
func TestKeyAgain(t *testing.T) {
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	d := start(t, dir, []string{"WATCHDOG_USEC=1000000"}) // a beat every half second
	var key []byte
	d.until("nonce.key is written, which nobody waits for at the start", func() (there bool) {
		var err error
		key, err = os.ReadFile(filepath.Join(state, "nonce.key"))
		return err == nil
	})
	if err := os.Rename(state, state+".gone"); err != nil {
		t.Fatal(err)
	}
	d.waitFor("state: kept in state again, and whole")
	if again, err := os.ReadFile(filepath.Join(state, "nonce.key")); err != nil || !bytes.Equal(again, key) {
		t.Errorf("nonce.key is another, or %v", err)
	}
}

// waitForMetrics waits until /metrics of the page has these lines.
func waitForMetrics(t *testing.T, page string, lines ...string) {
	t.Helper()
	var text []byte
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		response, err := http.Get(fmt.Sprintf("http://%s/metrics", page))
		if err != nil {
			t.Fatal(err)
		}
		text, _ = io.ReadAll(response.Body)
		response.Body.Close()
		missing := 0
		for _, l := range lines {
			if !strings.Contains(string(text), "\n"+l) {
				missing++
			}
		}
		if missing == 0 {
			return
		}
	}
	t.Fatalf("never %q, but\n%s", lines, text)
}
