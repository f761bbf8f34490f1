package config

import (
	"cmp"
	"strings"
)

// An option is one line of the table that flags, file, environment and help share.
type option struct {
	name    string // without the dash
	arg     string // argument hint; "" for a switch that takes none
	def     string // default, read by set like any other value
	defHint string // default in words, where def says too little
	example string // a value that set accepts
	dirVar  string // variable in which a service manager names the directory of this option's file
	inDir   string // the file's name in that directory; "": the directory itself
	cmdOnly bool   // has no meaning in a file or the environment
	help    string
	set     func(c *Config, value string) error
	live    bool // may change while minisip runs
}

// A group is a heading of the help text and the options below it.
type group struct {
	title   string
	options []option
}

var groups = []group{
	{"Network", []option{
		{name: "listen", arg: "ADDR:PORT,...", def: ":5060", defHint: ":5060 on IPv4 and IPv6", example: "192.0.2.1:5060",
			help: "where SIP is received, over UDP", set: setListen},
		{name: "public", arg: "IP[,IP6]", defHint: "the address packets leave from", example: "203.0.113.7",
			help: "where phones reach this host, for messages and SDP", set: setPublic, live: true},
		{name: "rtp", arg: "LO-HI", def: "10000-20000", example: "10000-20000",
			help: "UDP ports for audio and video", set: setRTP},
		{name: "dscp", arg: "SIP[,RTP]", def: "cs3,ef", example: "cs3,ef",
			help: "how routers shall treat what is sent; none: as all", set: setDSCP},
	}},
	{"Users", []option{
		{name: "users", arg: "FILE", def: "users.conf", example: "/etc/minisip/users.conf",
			help: `made at the first run; "": AUTH_USERS_ENV alone`, set: setUsers, live: true},
		{name: "realm", arg: "NAME", def: "mini_sip_proxy", example: "mini_sip_proxy",
			help: "the digest realm; user file and phones hold it too", set: setRealm},
		{name: "domain", arg: "NAME,...", defHint: "any", example: "sip.example.com",
			help: "host names and addresses served", set: setDomains, live: true},
		{name: "digest", arg: "LIST", def: "md5", example: "sha256,md5",
			help: "md5 and sha256, in the order challenges offer them", set: setDigest, live: true},
		{name: "dial-admins", arg: "USER,...", defHint: "every user", example: "001,002",
			help: "who may dial the codes 985-999", set: setDialAdmins, live: true},
		{name: "ban", arg: "N/TIME,TIME", def: "10/1m,1h", example: "10/1m,1h",
			help: "failed logins that ban an address, and for how long", set: setBan, live: true},
		{name: "trust", arg: "CIDR,...", defHint: "nobody", example: "192.0.2.0/24,2001:db8::/32",
			help: "addresses and networks that are never banned", set: setTrust, live: true},
	}},
	{"Calls", []option{
		{name: "keepalive", arg: "TIME", def: "25s", example: "25s",
			help: "between pings of a phone behind NAT; 0: none", set: setKeepalive, live: true},
		{name: "timeout", arg: "TIME", def: "30s", example: "30s",
			help: "a call without SIP and media ends after this", set: setTimeout, live: true},
		{name: "hold-timeout", arg: "TIME", def: "2h", example: "2h",
			help: "the same for a held call", set: setHoldTimeout, live: true},
		{name: "ice", arg: "MODE", def: "lite", example: "lite",
			help: "lite: the relay does ICE as phones do; strip: none", set: setICE},
		{name: "cdr", arg: "FILE", defHint: "none", example: "/var/log/minisip/cdr.jsonl",
			help: "call records, a JSON object a line", set: setCDR},
	}},
	{"Log and state", []option{
		{name: "log", arg: "FILE", def: "sip_server.log", example: "/var/log/minisip/sip_server.log",
			dirVar: "LOGS_DIRECTORY", inDir: "sip_server.log",
			help: `rotated at midnight; "": no log file`, set: setLog},
		{name: "log-days", arg: "DAYS", def: "7", example: "7",
			help: "how long rotated logs are kept", set: setLogDays},
		{name: "log-size", arg: "SIZE", def: "100M", example: "100M",
			help: "where a log is rotated within its day; K, M, G", set: setLogSize},
		{name: "history", arg: "SIZE", def: "8M", example: "64M",
			help: "memory for the messages that can be looked at", set: setHistory},
		{name: "state", arg: "DIR", def: "state", example: "/var/lib/minisip",
			dirVar: "STATE_DIRECTORY",
			help:   `what survives a restart; "": nothing`, set: setState},
		{name: "trace-dir", arg: "DIR", defHint: "traces in -state", example: "/var/lib/minisip/traces",
			help: "recordings of calls, for Wireshark", set: setTraceDir},
	}},
	{"Status page", []option{
		{name: "status", arg: "ADDR:PORT", def: "127.0.0.1:8060", example: "127.0.0.1:8060",
			help: `page, API and metrics over HTTP; "": none`, set: setStatus},
		{name: "status-password-file", arg: "FILE", defHint: "none", example: "/etc/minisip/status.password",
			help: "holds the password; needed beyond loopback", set: setStatusPasswordFile},
	}},
	{"Other", []option{
		{name: "hep", arg: "HOST:PORT", defHint: "none", example: "192.0.2.20:9060",
			help: "Homer server that gets a copy of all SIP", set: setHEP},
		{name: "config", arg: "FILE", defHint: "none", example: "/etc/minisip/minisip.conf",
			help: "flags and words, one a line", set: setFile},
		{name: "check", cmdOnly: true,
			help: "say what would be done, and exit", set: setCheck},
		{name: "h", cmdOnly: true,
			help: "print this help"},
	}},
}

// options yields every option of the table.
func options(yield func(*option) bool) {
	for _, g := range groups {
		for i := range g.options {
			if !yield(&g.options[i]) {
				return
			}
		}
	}
}

// findOption returns the option called name, or nil.
func findOption(name string) *option {
	for o := range options {
		if o.name == name {
			return o
		}
	}
	return nil
}

// IsFlag says whether there is a flag called name.
func IsFlag(name string) bool { return findOption(strings.TrimPrefix(name, "-")) != nil }

// AtStart says whether a flag called name counts only when minisip starts.
func AtStart(name string) bool {
	o := findOption(name)
	return o != nil && !o.live
}

// variable is the option's name in the environment: MINISIP_LOG_DAYS for log-days.
func (o *option) variable() string { return variableOf(o.name) }

func variableOf(name string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

const variablePrefix = "MINISIP_"

// defaultHelp is the default as help shows it; "" for a switch.
func (o *option) defaultHelp() string {
	if o.arg == "" {
		return ""
	}
	return "(default: " + cmp.Or(o.defHint, o.def) + ")"
}

// A Command is a subcommand as help and error messages know it. What it does
// stands with the program.
type Command struct {
	Name string // first argument
	Args string // what follows it
	Help string
}

// Commands are the subcommands, in the order of the help text.
var Commands = []Command{
	{"user", "add|del|passwd NAME", "change the user file"},
	{"user", "list", "show who may register"},
	{"status", "", "show what goes on, at a glance"},
	{"users", "[TEXT] [-limit N]", "show registered phones"},
	{"calls", "[live|ended|all] [TEXT] [-limit N]", "show calls"},
	{"call", "ID [-v]", "show one call: trouble, media, ladder"},
	{"top", "", "show status and calls, again and again"},
	{"log", "[-f] [TEXT]", "show the log's newest lines"},
	{"set", "[NAME VALUE]", "change a word or flag while calls go on"},
	{"hangup", "ID", "end a call"},
	{"trace", "USER|ID [-media]", "record it for Wireshark, until Ctrl-C"},
	{"bans", "", "show sources that are not listened to"},
	{"ban", "del IP", "listen to a source again"},
	{"dashboard", "", "print a Grafana dashboard"},
	{"demo", "[-page] [-talk TIME]", "play a whole call on this machine"},
	{"probe", "[-talk TIME] SERVER[:PORT] USER", "check a live server from here"},
	{"completion", "bash|zsh|fish", "print what completes commands there"},
	{"man", "", "print the manual page"},
	{"unit", "[flags] [words]", "print a hardened systemd unit"},
	{"version", "", "print the version"},
}
