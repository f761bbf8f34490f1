package config

// A CommandFlag is a flag of a subcommand.
type CommandFlag struct {
	Name, Arg, Help string
}

// commandFlags are those of each subcommand; those that ask a running minisip have the two of asking too.
var commandFlags = map[string][]CommandFlag{
	"user":   {{"users", "FILE", "the user file"}, {"realm", "REALM", "the realm that the password is for"}},
	"status": {},
	"users":  {{"limit", "N", "no more than N rows; else all"}},
	"calls":  {{"limit", "N", "no more than the newest N; else all"}},
	"call":   {{"v", "", "its messages too, each as it came or went"}},
	"top":    {},
	"log":    {{"f", "", "go on with the lines that come"}},
	"set":    {},
	"hangup": {},
	"trace":  {{"media", "", "RTP and RTCP too, as they came and as they went"}},
	"bans":   {},
	"ban":    {},
	"demo":   {{"page", "", "leave the status page up afterwards"}, {"talk", "TIME", "how long is spoken"}},
	"probe":  {{"talk", "TIME", "how long is spoken"}},
}

var asking = []CommandFlag{{"json", "", "print the answer of the API, as JSON"}, {"state", "DIR", "the state directory of the minisip that is asked"}}

// FlagsOf lists the flags of a subcommand.
func FlagsOf(command string) []CommandFlag {
	own := commandFlags[command]
	switch command {
	case "user", "demo", "probe":
		return own
	}
	if own == nil {
		return nil
	}
	return append(own[:len(own):len(own)], asking...)
}
