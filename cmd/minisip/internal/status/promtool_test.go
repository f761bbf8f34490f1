//go:build interop

package status

import (
	"os/exec"
	"strings"
	"testing"
)

// TestPromtool: Prometheus's own checker has nothing to say about /metrics.
func TestPromtool(t *testing.T) {
	cmd := exec.Command("promtool", "check", "metrics")
	cmd.Stdin = strings.NewReader(exposed())
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
