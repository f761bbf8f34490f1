package control

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"minisip/cmd/minisip/internal/config"
)

// A Terminal is where a command runs.
type Terminal struct {
	In       *os.File
	Out, Err io.Writer
	Env      func(string) (string, bool)
	Raw      func(*os.File) (restore func(), err error) // keys come one by one, unseen
	Size     func() (rows, columns int)                 // of what Out is drawn on; 0: it cannot be
	StateDir string                                     // where nobody names another
}

// command is how many words a subcommand takes, and what it does. Its flags and its help stand in package config.
type command struct {
	few, many int
	run       func(*call) error
}

// call is a command at work.
type call struct {
	*client
	Terminal
	words  []string
	json   bool
	follow bool
	media  bool
	whole  bool
	limit  int // rows; 0: all
}

var commands = map[string]command{
	"status": {0, 0, (*call).status},
	"users":  {0, 1, (*call).users},
	"calls":  {0, 2, (*call).calls},
	"call":   {1, 1, (*call).call},
	"bans":   {0, 0, (*call).bans},
	"ban":    {2, 2, (*call).ban},
	"log":    {0, 1, (*call).log},
	"set":    {0, 2, (*call).set},
	"hangup": {1, 1, (*call).hangup},
	"trace":  {1, 1, (*call).trace},
	"top":    {0, 0, (*call).top},
}

// Names lists the subcommands.
func Names() []string { return slices.Sorted(maps.Keys(commands)) }

// Run runs a subcommand; args are the words after its name. It returns the exit status.
func Run(name string, args []string, t Terminal) int {
	cmd := commands[name]
	c := &call{Terminal: t}
	err := c.parse(name, cmd, args)
	if err == nil {
		err = cmd.run(c)
	}
	var f *failure
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(t.Out, usage(name))
		return ExitOK
	case errors.As(err, &f):
		fmt.Fprintf(t.Err, "minisip %s: %s\n", name, f.text)
		return f.status
	}
	fmt.Fprintf(t.Err, "minisip %s: %v\n", name, err)
	return ExitFailed
}

// parse reads flags and words.
func (c *call) parse(name string, cmd command, args []string) (err error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	dir, named := c.StateDir, false
	for _, f := range config.FlagsOf(name) {
		switch f.Name {
		case "state":
			flags.Func(f.Name, "", func(value string) error {
				dir, named = value, true
				return nil
			})
		case "limit":
			flags.Func(f.Name, "", c.setLimit)
		default:
			flags.BoolVar(map[string]*bool{"json": &c.json, "f": &c.follow, "media": &c.media, "v": &c.whole}[f.Name], f.Name, false, "")
		}
	}
	switch c.words, err = config.ParseCommand(flags, args); {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return wrong(name, "%v", err)
	case len(c.words) < cmd.few:
		return wrong(name, "expected %s", find(name).Args)
	case len(c.words) > cmd.many:
		return wrong(name, "%q is one word too many", c.words[cmd.many])
	}
	c.client = newClient(dir, named)
	return nil
}

func (c *call) setLimit(text string) (err error) {
	if c.limit, err = strconv.Atoi(text); err != nil || c.limit < 1 {
		return errors.New("expected a number of rows such as 100")
	}
	return nil
}

// word gives a word, or "".
func (c *call) word(i int) string {
	if i < len(c.words) {
		return c.words[i]
	}
	return ""
}

func wrong(name, format string, args ...any) error {
	return &failure{ExitUsage, fmt.Sprintf(format, args...) + "; see minisip " + name + " -h"}
}

// find gives what help knows of a subcommand.
func find(name string) config.Command {
	i := slices.IndexFunc(config.Commands, func(c config.Command) bool { return c.Name == name })
	return config.Commands[i]
}

func usage(name string) string {
	c := find(name)
	var flags strings.Builder
	for _, f := range config.FlagsOf(name) {
		fmt.Fprintf(&flags, "  %-12s %s\n", strings.TrimSpace("-"+f.Name+" "+f.Arg), f.Help)
	}
	return fmt.Sprintf("Usage: minisip %s [-json] [-state DIR]\n\n%s%s.\n\n%s\n"+
		"Without -state that is the one in the directory state, or where none runs there,\nin %s.\n\n"+
		"Exit status: 0 done, 1 not found or failed, 2 wrong command line, 3 no server.\n",
		strings.TrimSpace(name+" "+c.Args), strings.ToUpper(c.Help[:1]), c.Help[1:], flags.String(), installed)
}

// answer asks for JSON: with -json it is printed as it came, else show is given what it holds.
func answer[T any](c *call, path string, show func(*T)) error {
	b, err := c.do("GET", path, nil)
	if err != nil {
		return err
	}
	return showJSON(c, b, show)
}

func showJSON[T any](c *call, b []byte, show func(*T)) error {
	if c.json {
		_, err := c.Out.Write(b)
		return err
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return fmt.Errorf("minisip answered what cannot be read: %w", err)
	}
	show(&v)
	return nil
}

// encode prints JSON that no single answer of the API is.
func (c *call) encode(v any) error { return json.NewEncoder(c.Out).Encode(v) }
