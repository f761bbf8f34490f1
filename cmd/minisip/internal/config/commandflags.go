package config

import (
	"flag"
	"io"
	"slices"
)

// A CommandFlag is a flag of a subcommand.
type CommandFlag struct {
	Name, Arg, Help string
}

var commandFlags = map[string][]CommandFlag{
	"user":   {{"users", "FILE", "the user file"}, {"realm", "REALM", "the realm that the password is for"}},
	"status": asking(),
	"users":  asking(CommandFlag{"limit", "N", "no more than N rows; else all"}),
	"calls":  asking(CommandFlag{"limit", "N", "no more than the newest N; else all"}),
	"call":   asking(CommandFlag{"v", "", "its messages too, each as it came or went"}),
	"top":    asking(),
	"log":    asking(CommandFlag{"f", "", "go on with the lines that come"}),
	"set":    asking(),
	"hangup": asking(),
	"trace":  asking(CommandFlag{"media", "", "RTP and RTCP too, as they came and as they went"}),
	"bans":   asking(),
	"ban":    asking(),
	"demo":   {{"page", "", "leave the status page up afterwards"}, {"talk", "TIME", "how long is spoken"}},
	"probe":  {{"talk", "TIME", "how long is spoken"}},
}

// asking adds the flags of all subcommands that ask a running minisip.
func asking(own ...CommandFlag) []CommandFlag {
	return append(own, CommandFlag{"json", "", "print the answer of the API, as JSON"}, CommandFlag{"state", "DIR", "the state directory of the minisip that is asked"})
}

// FlagsOf lists the flags of a subcommand.
func FlagsOf(command string) []CommandFlag { return commandFlags[command] }

// ParseCommand reads flags before, between and after the words of a subcommand, and gives the words. After "--" all are
// words, for a name that begins with '-'.
func ParseCommand(flags *flag.FlagSet, args []string) (words []string, err error) {
	flags.SetOutput(io.Discard)
	var literal []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, literal = args[:i], args[i+1:]
	}
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if args = flags.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	return append(words, literal...), nil
}
