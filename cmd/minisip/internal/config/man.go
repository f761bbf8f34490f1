package config

import (
	"fmt"
	"io"
	"strings"
)

// Man writes the manual page, in the man macros of roff, from the tables that -h is made of.
func Man(w io.Writer, version string) {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH MINISIP 8 \"\" \"minisip %s\" \"System administration\"\n", roff(version))
	b.WriteString(".SH NAME\nminisip \\- SIP registrar, stateful proxy and RTP relay\n.SH SYNOPSIS\n" +
		".B minisip\n[\\fIflags\\fR] [\\fIwords\\fR]\n")
	for _, c := range Commands {
		b.WriteString(strings.TrimRight(fmt.Sprintf(".br\n.B minisip %s\n%s", roff(c.Name), roff(c.Args)), "\n") + "\n")
	}
	b.WriteString(`.SH DESCRIPTION
Lets phones behind NATs call each other: it registers them with digest authentication, routes their
calls, repairs what a NAT breaks in Via, Contact and SDP, relays their RTP and RTCP, and says in words why
a call has no sound. The first start makes a user file with two accounts and prints what to type into a phone.
.SH COMMANDS
`)
	for n, c := range Commands {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s.\n", roff(strings.TrimSpace(c.Name+" "+c.Args)), roff(c.Help))
		if n+1 < len(Commands) && Commands[n+1].Name == c.Name {
			continue // the flags stand below the last
		}
		if flags := FlagsOf(c.Name); len(flags) > 0 {
			b.WriteString(".RS\n")
			for _, f := range flags {
				fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace("-"+f.Name+" "+f.Arg)), roff(f.Help))
			}
			b.WriteString(".RE\n")
		}
	}
	b.WriteString(".SH OPTIONS\n")
	for _, g := range groups {
		fmt.Fprintf(&b, ".SS %s\n", roff(g.title))
		for _, o := range g.options {
			fmt.Fprintf(&b, ".TP\n.B \\-%s %s\n%s %s\n", roff(o.name), roff(o.arg), roff(o.help), roff(o.defaultHelp()))
		}
	}
	b.WriteString(".SH WORDS\n")
	for _, word := range words {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(word.name), roff(word.help))
	}
	b.WriteString(`.PP
Without a feature word (the last five) all five are on. Name some, and only those are; no_ before a word switches it off.
.SH SIGNALS
.TP
.B SIGHUP
reads the configuration and the users again; calls go on.
.TP
.B SIGUSR1
opens the log file anew.
.TP
.B SIGTERM
ends minisip.
.SH ENVIRONMENT
Every flag can stand in a variable: \-log\-days in MINISIP_LOG_DAYS, words in MINISIP_WORDS. AUTH_USERS_ENV holds
users as JSON, name to password.
.SH EXIT STATUS
0 it ended as asked; 1 something failed while it ran; 2 nothing was begun, since what was asked for cannot be done;
3 no minisip answers the command that asks one.
`)
	io.WriteString(w, b.String())
}

// roff writes text so that roff takes it as it stands.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
