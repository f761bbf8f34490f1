package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/systemd"
)

// installedAt is where make install puts the binary, and where the unit looks for it; the Makefile stamps PREFIX in.
var installedAt = "/usr/local/bin/minisip"

// unitCommand is "minisip unit": it prints the systemd unit; args are the flags and
// words that the service shall start with, checked as at a start.
func unitCommand(args []string, _ io.Reader, stdout, stderr io.Writer) int {
	cfg, err := config.Parse(args, os.LookupEnv, os.ReadFile)
	if err != nil {
		if errors.Is(err, config.ErrHelp) {
			fmt.Fprintln(stdout, "Usage: minisip unit [flags] [words]\n\nPrints the systemd unit of a minisip that starts with these flags and words.")
			return exitOK
		}
		return fail(stderr, err)
	}
	if err := systemd.Unit(stdout, append([]string{installedAt}, args...), int(cfg.RTPHigh)-int(cfg.RTPLow)+1+len(cfg.Listen)); err != nil {
		return fail(stderr, err)
	}
	return exitOK
}
