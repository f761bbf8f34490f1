package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/demo"
)

const probeUsage = `Usage: minisip probe [-talk TIME] SERVER[:PORT] USER

Checks a live server from here as a phone would: whether it answers, whether USER
can register, how long a round trip takes, and whether sound comes back in a call of
the user to himself through the server's relay. No other phone of the user rings.
The password is asked for; it may also stand in MINISIP_PASSWORD.

  -talk TIME   how long the sound lasts, from the first that comes back (3s)

Exit status: 0 all is well, 1 something is not, 2 the command line is wrong.
`

const passwordVariable = "MINISIP_PASSWORD"

// probeCommand is "minisip probe".
func probeCommand(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parseProbe(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, probeUsage)
		return exitOK
	case err != nil:
		fmt.Fprintf(stderr, "minisip probe: %v; see minisip probe -h\n", err)
		return exitUsage
	}
	if o.Account.Password, err = probePassword(o.Account.Name, stdin, stderr); err != nil {
		fmt.Fprintf(stderr, "minisip probe: %v\n", err)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	o.Out = stdout
	if err := demo.Probe(ctx, o); err != nil {
		fmt.Fprintf(stderr, "FAILED: %v\n", err)
		return exitFailed
	}
	return exitOK
}

func parseProbe(args []string) (*demo.ProbeOptions, error) {
	flags := flag.NewFlagSet("probe", flag.ContinueOnError)
	o := &demo.ProbeOptions{Talk: usualTalk}
	flags.Func("talk", "", talkTime(&o.Talk))
	words, err := config.ParseCommand(flags, args)
	switch {
	case err != nil:
		return nil, err
	case len(words) != 2:
		return nil, fmt.Errorf("found %d words, expected a server and a user, for example minisip probe sip.example.com 001", len(words))
	}
	o.Account.Name = words[1]
	o.Server, err = serverAddress(words[0])
	return o, err
}

// serverAddress finds the address of a server; the port may be left out.
func serverAddress(name string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(name)
	if err != nil {
		host, port = strings.Trim(name, "[]"), "5060"
	}
	a, err := net.ResolveUDPAddr("udp", net.JoinHostPort(host, port))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("cannot find the server %q (%w): expected a name or address, with or without a port, for example sip.example.com or 203.0.113.10:5060", name, err)
	}
	at := netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), a.AddrPort().Port())
	if at.Port() == 0 || at.Addr().IsUnspecified() {
		return netip.AddrPort{}, fmt.Errorf("cannot send to the server %q: expected a name or address, for example 203.0.113.10", name)
	}
	return at, nil
}

// probePassword takes the password from the environment, a terminal that does not show it, or one line of input.
func probePassword(user string, stdin io.Reader, stderr io.Writer) (string, error) {
	if p, ok := os.LookupEnv(passwordVariable); ok {
		return p, nil
	}
	if f, ok := stdin.(*os.File); ok && isTerminal(f) {
		restore, err := hideInput(f)
		if err != nil {
			return "", fmt.Errorf("cannot hide the password on this terminal (%w); give it on standard input or in %s", err, passwordVariable)
		}
		defer restore()
		fmt.Fprintf(stderr, "Password of %s: ", user)
		defer fmt.Fprintln(stderr)
	}
	return readLine(bufio.NewReader(stdin))
}
