package main

import (
	"fmt"
	"io"

	"minisip/cmd/minisip/internal/status"
)

// dashboardCommand is "minisip dashboard": it prints a dashboard for Grafana.
func dashboardCommand(args []string, _ io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 && (args[0] == "-h" || args[0] == "-help" || args[0] == "--help") {
		fmt.Fprintln(stdout, "Usage: minisip dashboard\n\nPrints a Grafana dashboard of what /metrics of the status page tells Prometheus.")
		return exitOK
	}
	if len(args) > 0 {
		fmt.Fprintf(stderr, "minisip dashboard: %q is one word too many; see minisip dashboard -h\n", args[0])
		return exitUsage
	}
	if err := status.Dashboard(stdout); err != nil {
		fmt.Fprintln(stderr, "minisip dashboard:", err)
		return exitFailed
	}
	return exitOK
}
