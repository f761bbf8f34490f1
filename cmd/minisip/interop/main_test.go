//go:build interop

package interop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// minisip is the binary under test.
var minisip string

// TestMain builds the binary once, static as it ships, and clears what a killed run left behind.
func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if plan := os.Getenv(floodPlan); plan != "" {
		return flood(plan)
	}
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "the interop tests make network namespaces: run them as root")
		return 1
	}
	reap()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-stop
		remove(prefix)
		os.Exit(1)
	}()
	if minisip = os.Getenv("MINISIP"); minisip == "" {
		dir, err := os.MkdirTemp("", "interop")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		minisip = filepath.Join(dir, "minisip")
		build := exec.Command("go", "build", "-trimpath", "-o", minisip, "..")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}

// need fails the test when a program is missing, and says which Debian package has it.
func need(t *testing.T, program, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("%s is missing: apt-get install -y %s", program, pkg)
	}
}

// command runs a program to its end and fails the test when it does not succeed within 20 s.
func command(t *testing.T, name string, arg ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, arg...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(arg, " "), err, out)
	}
	return string(out)
}

// eventually waits until ok holds, and fails the test when it does not within d.
func eventually(t *testing.T, d time.Duration, what string, ok func() bool) {
	t.Helper()
	if !within(d, ok) {
		t.Fatalf("not within %v: %s", d, what)
	}
}

// within waits until ok holds, at most d long, and says whether it does.
func within(d time.Duration, ok func() bool) bool {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(d); !ok(); <-tick.C {
		if time.Now().After(end) {
			return false
		}
	}
	return true
}
