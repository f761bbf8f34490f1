package main

import (
	"bufio"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"minisip/cmd/minisip/internal/config"
	"minisip/digest"
)

const userUsage = `Usage: minisip user add NAME [-users FILE] [-realm REALM]
       minisip user passwd NAME [-users FILE] [-realm REALM]
       minisip user del NAME [-users FILE]
       minisip user list [-users FILE]

add and passwd ask for the password; where standard input is no terminal they
read one line of it. An empty password has one made up and printed. A running
minisip takes the change over when it gets SIGHUP.

  -users FILE    the user file (MINISIP_USERS, else users.conf)
  -realm REALM   the realm that the password is for (MINISIP_REALM, else mini_sip_proxy)
`

// errUsage is wrapped by what is wrong with the command line itself.
var errUsage = errors.New("see minisip user -h")

// userCommand is "minisip user".
func userCommand(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := runUser(args, stdin, stdout, stderr)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, userUsage)
		return exitOK
	}
	fmt.Fprintf(stderr, "minisip user: %v\n", err)
	if errors.Is(err, errUsage) {
		return exitUsage
	}
	return exitFailed
}

// userArgs is the command line of "minisip user".
type userArgs struct {
	verb, name   string
	users, realm string
}

func runUser(args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	a, err := parseUserArgs(args)
	if err != nil {
		return err
	}
	switch a.verb {
	case "list":
		return listUsers(stdout, a.users)
	case "del":
		if err := digest.DeleteUser(a.users, a.name); err != nil {
			return userFileError(a.users, err)
		}
		fmt.Fprintf(stdout, "user %s is gone from %s\n", a.name, a.users)
		return nil
	}
	return setUser(a, stdin, stdout, stderr)
}

// parseUserArgs reads flags and words. The variables of both flags count here as at a start.
func parseUserArgs(args []string) (a userArgs, err error) {
	flags := flag.NewFlagSet("user", flag.ContinueOnError)
	flags.StringVar(&a.users, "users", cmp.Or(os.Getenv("MINISIP_USERS"), "users.conf"), "")
	flags.StringVar(&a.realm, "realm", cmp.Or(os.Getenv("MINISIP_REALM"), "mini_sip_proxy"), "")
	words, err := config.ParseCommand(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return a, err
	} else if err != nil {
		return a, fmt.Errorf("%w; %w", err, errUsage)
	}
	if len(words) == 0 {
		return a, fmt.Errorf("expected add, del, list or passwd; %w", errUsage)
	}
	a.verb = words[0]
	want := 2
	switch a.verb {
	case "list":
		want = 1
	case "add", "del", "passwd":
	default:
		return a, fmt.Errorf("expected add, del, list or passwd, found %q; %w", a.verb, errUsage)
	}
	switch {
	case len(words) < want:
		return a, fmt.Errorf("%s needs the name of a user, such as: minisip user %s 003; %w", a.verb, a.verb, errUsage)
	case len(words) > want:
		return a, fmt.Errorf("%q is one word too many for %s; %w", words[want], a.verb, errUsage)
	case a.users == "":
		return a, fmt.Errorf("-users is empty; %w", errUsage)
	}
	if want == 2 {
		a.name = words[1]
	}
	return a, nil
}

// setUser is add and passwd.
func setUser(a userArgs, stdin io.Reader, stdout, stderr io.Writer) error {
	password, err := readPassword(a.name, stdin, stderr)
	if err != nil {
		return err
	}
	made := password == ""
	if made {
		password = digest.RandomPassword()
	}
	account := digest.Account{Name: a.name, Password: password}
	done, as := "is added to", ""
	if _, err := os.Stat(a.users); errors.Is(err, fs.ErrNotExist) {
		as = ", a new file" // maybe not the one that minisip reads
	}
	if a.verb == "passwd" {
		done = "has a new password in"
		err = digest.SetPassword(a.users, a.realm, account)
	} else {
		err = digest.AddUser(a.users, a.realm, account)
	}
	if err != nil {
		return userFileError(a.users, err)
	}
	fmt.Fprintf(stdout, "user %s %s %s%s\n", a.name, done, a.users, as)
	if made {
		fmt.Fprintf(stdout, "password: %s\n", password)
	}
	return nil
}

func listUsers(stdout io.Writer, path string) error {
	entries, err := digest.ListUsers(path)
	if err != nil {
		return userFileError(path, err)
	}
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tREALM\tHASHES")
	for _, e := range entries {
		hashes := "MD5"
		if e.HasSHA256 {
			hashes += ", SHA-256"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", e.Name, e.Realm, hashes)
	}
	return w.Flush()
}

// userFileError adds the way out where there is no such file.
func userFileError(path string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no user file %s; name it with -users FILE, or make it with: minisip user add NAME", path)
	}
	return err
}

// readPassword asks twice on a terminal, and takes one line from anything else.
func readPassword(name string, stdin io.Reader, stderr io.Writer) (string, error) {
	in := bufio.NewReader(stdin)
	file, ok := stdin.(*os.File)
	if !ok || !isTerminal(file) {
		return readLine(in)
	}
	restore, err := hideInput(file)
	if err != nil {
		return "", fmt.Errorf("cannot hide the password on this terminal (%w); give it on standard input", err)
	}
	defer restore()
	fmt.Fprintf(stderr, "Password for %s (Enter alone: make one up): ", name)
	first, err := readLine(in)
	fmt.Fprintln(stderr)
	if err != nil || first == "" {
		return "", err
	}
	fmt.Fprint(stderr, "The same again: ")
	second, err := readLine(in)
	fmt.Fprintln(stderr)
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errors.New("the two passwords differ; nothing is changed")
	}
	return first, nil
}

// readLine reads a line without its end; the last one may have none.
func readLine(in *bufio.Reader) (string, error) {
	text, err := in.ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fmt.Errorf("cannot read the password: %w", err)
	}
	return strings.TrimRight(text, "\r\n"), nil
}
