package config

import (
	"fmt"
	"io"
	"strings"
)

const (
	commandColumn = 40
	helpColumn    = 28
	helpWidth     = 80
)

// Usage writes the text of -h.
func Usage(w io.Writer) {
	var b strings.Builder
	b.WriteString("minisip is a SIP registrar, stateful proxy and RTP relay.\n\nUsage:\n")
	row(&b, commandColumn, "minisip [flags] [words]", "serve phones")
	for _, c := range Commands {
		row(&b, commandColumn, strings.TrimSpace("minisip "+c.Name+" "+c.Args), c.Help)
	}
	for _, g := range groups {
		b.WriteString("\n" + g.title + ":\n")
		for _, o := range g.options {
			row(&b, helpColumn, strings.TrimSpace("-"+o.name+" "+o.arg), o.help, o.defaultHelp())
		}
	}
	b.WriteString("\nWords:\n")
	for _, word := range words {
		row(&b, helpColumn, word.name, word.help)
	}
	b.WriteString(usageEnd)
	io.WriteString(w, b.String())
}

const usageEnd = `
Without a feature word (the last five) all five are on. Name some, and only
those are. no_ before a word switches it off: no_silent.

A flag may also stand in the file of -config, one "flag value" a line, with
words on lines of their own and comments after #; or in the environment:
-log-days is MINISIP_LOG_DAYS, and MINISIP_WORDS holds words. A flag wins over
the file, and the file over the environment.

Examples:
    $ minisip
    $ minisip -public 203.0.113.7 -domain sip.example.com no_silent
    $ minisip debug re_contact re_sdp re_via
    $ minisip -config /etc/minisip/minisip.conf -check
    $ minisip user add 003
`

// row writes a name and its help in a column of its own. Each part of the help
// that would pass the right edge begins a new line.
func row(b *strings.Builder, column int, name string, help ...string) {
	line := fmt.Sprintf("    %-*s", column-4, name)
	if len(line) > column { // the name needs a line of its own
		b.WriteString(line + "\n")
		line = strings.Repeat(" ", column)
	}
	for i, part := range help {
		if i > 0 && len(line)+1+len(part) > helpWidth {
			b.WriteString(line + "\n")
			line = strings.Repeat(" ", column)
		} else if i > 0 && part != "" {
			line += " "
		}
		line += part
	}
	b.WriteString(line + "\n")
}
