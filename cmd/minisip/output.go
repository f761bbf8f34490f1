package main

import (
	"fmt"
	"os"
)

// output is where a subcommand writes its answer. It remembers what could not be written: an answer that nobody has
// got, a password that was made up among them, is none.
type output struct {
	file *os.File
	err  error // the first
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.file.Write(b)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// subcommand runs one and gives the exit status.
func subcommand(run command, args []string) int {
	out := &output{file: os.Stdout}
	status := run(args, os.Stdin, out, os.Stderr)
	if status == exitOK && out.err != nil {
		fmt.Fprintf(os.Stderr, "minisip: %v\n", out.err)
		status = exitFailed
	}
	return status
}
