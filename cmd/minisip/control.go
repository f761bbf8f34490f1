package main

import (
	"cmp"
	"io"
	"os"

	"minisip/cmd/minisip/internal/control"
)

// controlCommand is a subcommand that asks a running minisip.
func controlCommand(name string) command {
	return func(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
		in, _ := stdin.(*os.File)
		return control.Run(name, args, control.Terminal{
			In: in, Out: stdout, Err: stderr, Env: os.LookupEnv, Raw: singleKeys, StateDir: stateDir(),
			Size: func() (rows, columns int) {
				if o, ok := stdout.(*output); ok && isTerminal(o.file) {
					return terminalSize(o.file)
				}
				return 0, 0
			},
		})
	}
}

// stateDir is where a minisip started in this place and environment keeps its state.
func stateDir() string {
	return cmp.Or(os.Getenv("MINISIP_STATE"), os.Getenv("STATE_DIRECTORY"), "state")
}
