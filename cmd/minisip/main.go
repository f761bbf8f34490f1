// Command minisip lets phones behind NATs call each other: a SIP registrar and proxy
// with digest authentication, repair of Via, Contact and SDP, and a relay for RTP and
// RTCP, in one static binary.
//
// This package reads the command line, makes what the first run needs, turns signals
// into calls of the server, and joins the internal packages. A file for each subcommand, or kind of them.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/control"
)

// version is stamped in by the Makefile.
var version = "devel"

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1 // something went wrong while serving
	exitUsage  = 2 // nothing was begun: what was asked for cannot be done
)

// command is a subcommand: args are the words after its name.
type command func(args []string, stdin io.Reader, stdout, stderr io.Writer) int

var commands = map[string]command{
	"completion": completionCommand,
	"dashboard":  dashboardCommand,
	"demo":       demoCommand,
	"man":        manCommand,
	"probe":      probeCommand,
	"unit":       unitCommand,
	"user":       userCommand,
	"version":    versionCommand,
}

// find gives a subcommand, or nil.
func find(name string) command {
	if slices.Contains(control.Names(), name) {
		return controlCommand(name)
	}
	return commands[name]
}

func main() {
	args := os.Args[1:]
	if len(args) > 0 {
		if run := find(args[0]); run != nil {
			os.Exit(subcommand(run, args[1:]))
		}
	}
	os.Exit(serve(args, os.Stdout, os.Stderr))
}

// serve is minisip without a subcommand.
func serve(args []string, stdout, stderr io.Writer) int {
	cfg, err := config.Parse(args, os.LookupEnv, os.ReadFile)
	switch {
	case errors.Is(err, config.ErrHelp):
		config.Usage(stdout)
		return exitOK
	case err != nil:
		return fail(stderr, err)
	}
	cfg.Notes = append(cfg.Notes, config.Strays(os.Environ(), passwordVariable)...)
	cfg.Notes = append(cfg.Notes, mediaNotes(cfg)...)
	cfg.Notes = append(cfg.Notes, usersNote(cfg)...)
	cfg.Notes = append(cfg.Notes, stateNote(cfg)...)
	if cfg.Check {
		cfg.Describe(stdout)
		if _, _, err := loadUsers(cfg); err != nil {
			return fail(stderr, err) // as a start or a reload would
		}
		return exitOK
	}
	again := func(more ...string) (*config.Config, error) {
		return config.Parse(slices.Concat(args, more), os.LookupEnv, readAgain)
	}
	return run(cfg, again, stdout, stderr)
}

// fail says in one sentence why nothing was begun.
func fail(stderr io.Writer, err error) int {
	fmt.Fprintf(stderr, "minisip: %v\n", err)
	return exitUsage
}
