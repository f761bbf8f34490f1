package main

import (
	"os/exec"
	"strings"
	"testing"
)

func TestPortsNote(t *testing.T) {
	const kernel = "32768\t60999\n"
	for _, tt := range []struct {
		low, high        uint16
		kernel, reserved string
		warns            bool
	}{
		{10000, 20000, kernel, "\n", false},
		{32000, 32767, kernel, "\n", false},
		{32000, 32768, kernel, "\n", true},
		{60999, 65535, kernel, "\n", true},
		{61000, 65535, kernel, "\n", false},
		{40000, 50000, kernel, "\n", true},
		{40000, 50000, kernel, "8080,40000-50000\n", false},
		{40000, 50000, kernel, "40000-49998,50000\n", true},
		{30000, 40000, kernel, "32768-40000\n", false},
		{10000, 20000, "1024 65535", "", true},
		{40000, 50000, "", "", false}, // no Linux
		{40000, 50000, "x y", "", false},
	} {
		note := portsNote(tt.low, tt.high, tt.kernel, tt.reserved)
		if (note != "") != tt.warns {
			t.Errorf("%d-%d of %q without %q: %q", tt.low, tt.high, tt.kernel, tt.reserved, note)
		}
	}
}

func TestDescriptorsNote(t *testing.T) {
	for _, tt := range []struct {
		low, high uint16
		limit     uint64
		says      string
	}{
		{10000, 20000, 10100, ""},
		{10000, 20000, 10099, "holds 2499 calls with audio at once, while -rtp 10000-20000 has ports for 2500: raise it to 10100"},
		{10001, 20001, 10099, "ports for 2500"},
		{10000, 20000, 1024, "holds 231 calls"},
		{10000, 20000, 64, "holds 0 calls"},
		{1024, 65535, 1 << 20, ""},
	} {
		note := descriptorsNote(tt.low, tt.high, tt.limit)
		if !strings.Contains(note, tt.says) || (note == "") != (tt.says == "") {
			t.Errorf("%d-%d, limit %d: %q, want %q", tt.low, tt.high, tt.limit, note, tt.says)
		}
	}
}

// The soft limit is raised before it is judged, to one below the hard one, as package os does.
func TestDescriptorLimit(t *testing.T) {
	for _, tt := range []struct{ limits, says string }{
		{"ulimit -Sn 64 && ulimit -Hn 501", ""},
		{"ulimit -Sn 64 && ulimit -Hn 301", "the limit of 300 open files holds 50 calls"},
	} {
		own := minisip(t, t.TempDir(), nil, "-check", "-rtp", "10000-10400")
		cmd := exec.Command("sh", "-c", tt.limits+` && exec "$0" "$@"`)
		cmd.Args = append(cmd.Args, own.Args...)
		cmd.Dir, cmd.Env = own.Dir, own.Env
		r := finish(t, cmd)
		if r.status != exitOK || strings.Contains(r.stdout, "open files") != (tt.says != "") || !strings.Contains(r.stdout, tt.says) {
			t.Errorf("%s: status %d\n%s%s", tt.limits, r.status, r.stdout, r.stderr)
		}
	}
}
