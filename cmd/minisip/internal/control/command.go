package control

import (
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

// command is what a subcommand takes, and does. Its words and its help stand in config.Commands.
type command struct {
	few, many int      // how many words it wants
	own       []string // flags beside -state and -json
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
	"status": {0, 0, nil, (*call).status},
	"users":  {0, 1, []string{"limit"}, (*call).users},
	"calls":  {0, 2, []string{"limit"}, (*call).calls},
	"call":   {1, 1, []string{"v"}, (*call).call},
	"bans":   {0, 0, nil, (*call).bans},
	"ban":    {2, 2, nil, (*call).ban},
	"log":    {0, 1, []string{"f"}, (*call).log},
	"set":    {0, 2, nil, (*call).set},
	"hangup": {1, 1, nil, (*call).hangup},
	"trace":  {1, 1, []string{"media"}, (*call).trace},
	"top":    {0, 0, nil, (*call).top},
}

// Names lists the subcommands.
func Names() []string { return slices.Sorted(maps.Keys(commands)) }

// Run runs a subcommand; args are the words after its name. It returns the exit status.
func Run(name string, args []string, t Terminal) int {
	cmd := commands[name]
	c := &call{Terminal: t}
	err := c.parse(name, &cmd, args)
	if err == nil {
		err = cmd.run(c)
	}
	var f *failure
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(t.Out, usage(name, &cmd))
		return ExitOK
	case errors.As(err, &f):
		fmt.Fprintf(t.Err, "minisip %s: %s\n", name, f.text)
		return f.status
	}
	fmt.Fprintf(t.Err, "minisip %s: %v\n", name, err)
	return ExitFailed
}

// parse reads flags and words in any order. After "--" all are words.
func (c *call) parse(name string, cmd *command, args []string) error {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	dir := flags.String("state", c.StateDir, "")
	flags.BoolVar(&c.json, "json", false, "")
	for _, f := range cmd.own {
		if f == "limit" {
			flags.Func(f, "", c.setLimit)
			continue
		}
		flags.BoolVar(map[string]*bool{"f": &c.follow, "media": &c.media, "v": &c.whole}[f], f, false, "")
	}
	for len(args) > 0 {
		if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
			return err
		} else if err != nil {
			return wrong(name, "%v", err)
		}
		rest := flags.Args()
		if n := len(args) - len(rest); n > 0 && args[n-1] == "--" {
			c.words = append(c.words, rest...)
			break
		}
		if len(rest) > 0 {
			c.words, rest = append(c.words, rest[0]), rest[1:]
		}
		args = rest
	}
	switch {
	case len(c.words) < cmd.few:
		return wrong(name, "expected %s", find(name).Args)
	case len(c.words) > cmd.many:
		return wrong(name, "%q is one word too many", c.words[cmd.many])
	}
	named := false
	flags.Visit(func(f *flag.Flag) { named = named || f.Name == "state" })
	c.client = newClient(*dir, named)
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

func usage(name string, cmd *command) string {
	c := find(name)
	var own strings.Builder
	for _, f := range config.FlagsOf(name) {
		if slices.Contains(cmd.own, f.Name) {
			fmt.Fprintf(&own, "  %-12s %s\n", strings.TrimSpace("-"+f.Name+" "+f.Arg), f.Help)
		}
	}
	return fmt.Sprintf("Usage: minisip %s [-json] [-state DIR]\n\n%s%s.\n\n%s"+
		"  -json        the answer of the API, as JSON\n"+
		"  -state DIR   the state directory of the minisip that is asked (state; where\n"+
		"               none runs there, %s)\n\n"+
		"Exit status: 0 done, 1 not found or failed, 2 wrong command line, 3 no server.\n",
		strings.TrimSpace(name+" "+c.Args), strings.ToUpper(c.Help[:1]), c.Help[1:], own.String(), installed)
}

// answer asks for JSON: with -json it is printed as it came, else show is given what it holds.
func answer[T any](c *call, path string, show func(*T)) error {
	b, err := c.do("GET", path, nil)
	if err != nil {
		return err
	}
	return showJSON(c, b, show)
}
