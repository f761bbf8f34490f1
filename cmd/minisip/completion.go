package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"minisip/cmd/minisip/internal/config"
)

// completionCommand is "minisip completion".
func completionCommand(args []string, _ io.Reader, stdout, stderr io.Writer) int {
	shells := strings.Join(config.Shells, ", ")
	switch {
	case asksHelp(args):
		fmt.Fprintf(stdout, "Usage: minisip completion SHELL\n\nPrints what completes minisip's commands, flags and words; SHELL is one of %s.\n"+
			"For bash, put this line into ~/.bashrc:\n\n    source <(minisip completion bash)\n", shells)
		return exitOK
	case len(args) != 1 || !slices.Contains(config.Shells, args[0]):
		fmt.Fprintf(stderr, "minisip completion: found %q, expected one of %s, for example minisip completion bash\n", strings.Join(args, " "), shells)
		return exitUsage
	}
	config.Completion(stdout, args[0])
	return exitOK
}
