package main

import (
	"fmt"
	"io"
	"slices"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/status"
)

// printing is a subcommand that prints one thing and takes neither flags nor words; about is its help.
func printing(name, about string, print func(io.Writer) error) command {
	return func(args []string, _ io.Reader, stdout, stderr io.Writer) int {
		switch {
		case asksHelp(args):
			fmt.Fprintf(stdout, "Usage: minisip %s\n\n%s\n", name, about)
			return exitOK
		case len(args) > 0:
			fmt.Fprintf(stderr, "minisip %s: %q is one word too many; see minisip %[1]s -h\n", name, args[0])
			return exitUsage
		}
		if err := print(stdout); err != nil {
			fmt.Fprintf(stderr, "minisip %s: %v\n", name, err)
			return exitFailed
		}
		return exitOK
	}
}

// asksHelp says whether the first word after a subcommand asks what it is for.
func asksHelp(args []string) bool {
	return len(args) > 0 && slices.Contains([]string{"-h", "-help", "--help"}, args[0])
}

var (
	dashboardCommand = printing("dashboard", "Prints a Grafana dashboard of what /metrics of the status page tells Prometheus.", status.Dashboard)

	manCommand = printing("man", "Prints the manual page; to read it: minisip man | man -l -", func(w io.Writer) error {
		config.Man(w, version)
		return nil
	})

	versionCommand = printing("version", "Prints the version.", func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "minisip", version)
		return err
	})
)
