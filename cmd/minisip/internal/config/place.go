package config

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A place is where a setting stands. At most one of its parts is filled; with
// none it is the command line.
type place struct {
	file     string // configuration file, with its line
	line     int
	variable string // environment variable
	standard bool   // the default
}

// String names the place for a list of settings.
func (p place) String() string {
	switch {
	case p.standard:
		return "default"
	case p.variable != "":
		return "environment " + p.variable
	case p.file != "":
		return fmt.Sprintf("%s:%d", p.file, p.line)
	}
	return "command line"
}

// of names the option called name at this place, to begin a sentence.
func (p place) of(name string) string {
	switch {
	case p.variable != "":
		return "environment variable " + p.variable
	case p.file != "":
		return fmt.Sprintf("%s:%d: %s", p.file, p.line, shown(name))
	}
	return "flag -" + name
}

// shown is a name as it stands in a file. That may be none of ours, and a terminal obeys some of what stands there.
func shown(name string) string {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return quote(name)
	}
	return name
}

// ofWord is of for a word.
func (p place) ofWord(text string) string {
	switch {
	case p.variable != "":
		return p.of(text) + ": " + text
	case p.file != "":
		return p.of(text)
	}
	return "word " + text
}

// example shows the option as it should be written at this place.
func (p place) example(o *option) string {
	switch {
	case p.variable != "":
		return p.variable + "=" + o.example
	case p.file != "":
		return o.name + " " + o.example
	}
	return "-" + o.name + " " + o.example
}
