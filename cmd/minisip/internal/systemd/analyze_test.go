//go:build interop

package systemd

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// systemd's own opinion of the unit. Debian: apt-get install systemd.
func TestSystemdAnalyze(t *testing.T) {
	path := filepath.Join(t.TempDir(), "minisip.service")
	// verify wants the program to be there.
	if err := os.WriteFile(path, []byte(unit(t, "/bin/true", "debug", "two words")), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("systemd-analyze", "verify", path).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	exposure(t, path)
}

// The same of what make install puts in place, with the binary where the unit looks for it.
func TestInstalled(t *testing.T) {
	for _, prefix := range []string{"/opt", "/usr/local"} {
		dir := t.TempDir()
		out, err := exec.Command("make", "-C", "../../../..", "install", "DESTDIR="+dir, "PREFIX="+prefix).CombinedOutput()
		if err != nil {
			t.Fatalf("make install: %v\n%s", err, out)
		}
		path := filepath.Join(dir, "etc/systemd/system/minisip.service")
		verify := exec.Command("unshare", "--mount", "sh", "-c",
			`mount --bind "$0$2" "$2" && systemd-analyze verify "$1"`, dir, path, prefix)
		if out, err := verify.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("systemd-analyze verify: %v\n%s", err, out)
		}
		exposure(t, path)
	}
}

// exposure wants a low level from systemd-analyze security.
func exposure(t *testing.T, path string) {
	t.Helper()
	out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", path).CombinedOutput()
	if err != nil {
		t.Fatalf("systemd-analyze security: %v\n%s", err, out)
	}
	m := regexp.MustCompile(`Overall exposure level for minisip\.service: ([0-9.]+)`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("systemd-analyze security names no level:\n%s", out)
	}
	const most = 1.5
	level, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil || level > most {
		t.Errorf("exposure level %s, want at most %v:\n%s", m[1], most, out)
	}
	t.Logf("exposure level %s", m[1])
}
