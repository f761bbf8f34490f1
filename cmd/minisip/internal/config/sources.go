package config

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// defaults is the lowest layer. Under a service manager that names directories
// for state and logs, files go there by default.
func defaults(env func(string) (string, bool)) layer {
	var l layer
	for o := range options {
		if o.cmdOnly {
			continue
		}
		s := setting{o, o.def, place{standard: true}}
		if dir, ok := env(o.dirVar); o.dirVar != "" && ok && dir != "" {
			// systemd.exec(5): several directories are separated by colons.
			dir, _, _ = strings.Cut(dir, ":")
			s.value, s.at = filepath.Join(dir, o.inDir), place{variable: o.dirVar}
		}
		l.settings = append(l.settings, s)
	}
	return l
}

// readEnv reads MINISIP_WORDS and the variable of every option.
func readEnv(env func(string) (string, bool)) (layer, error) {
	var l layer
	for o := range options {
		if v, ok := env(o.variable()); ok && !o.cmdOnly {
			l.settings = append(l.settings, setting{o, v, place{variable: o.variable()}})
		}
	}
	variable := variableOf("words")
	text, _ := env(variable)
	err := l.addWords(strings.Fields(text), place{variable: variable})
	return l, err
}

// Strays says which variables of an environment look as if they were for minisip and mean nothing to it, and what each may
// have been meant for; known are those with a meaning elsewhere. They are no errors: container managers set some of
// their own that begin so.
func Strays(environ []string, known ...string) (notes []string) {
	names := []string{"words"}
	for o := range options {
		if !o.cmdOnly {
			names = append(names, o.name)
		}
	}
	for _, n := range names {
		known = append(known, variableOf(n))
	}
	for _, v := range environ {
		variable, _, _ := strings.Cut(v, "=")
		name, ours := strings.CutPrefix(variable, variablePrefix)
		if !ours || slices.Contains(known, variable) {
			continue
		}
		note := "environment variable " + shown(variable) + ": found no such flag, so it changes nothing"
		if near := nearest(name, names); near != "" {
			note += ", expected " + variableOf(near)
		}
		notes = append(notes, note)
	}
	return notes
}

// readArgs reads the command line: flags as -name value, -name=value or with
// two dashes, and words, in any order.
func readArgs(args []string) (layer, error) {
	var l layer
	if asksForHelp(args) {
		return l, ErrHelp
	}
	for i := 0; i < len(args); i++ {
		text, isFlag := cutDashes(args[i])
		if !isFlag {
			if err := l.addWords(args[i:i+1], place{}); err != nil {
				return l, err
			}
			continue
		}
		name, value, hasValue := strings.Cut(text, "=")
		o := findOption(name)
		switch {
		case o == nil:
			return l, unknownFlag(name, place{})
		case o.arg == "" && hasValue:
			return l, &Error{Where: "flag -" + name, Problem: "found the value " + quote(value) + ", expected none, for example -" + name}
		case o.arg != "" && !hasValue:
			if i++; i == len(args) || startsFlag(args[i]) {
				return l, missingValue(o, args[i:])
			}
			value = args[i]
		}
		l.settings = append(l.settings, setting{o, value, place{}})
	}
	return l, nil
}

func asksForHelp(args []string) bool {
	for i, a := range args {
		if name, isFlag := cutDashes(a); isFlag && (name == "h" || name == "help") || i == 0 && a == "help" {
			return true
		}
	}
	return false
}

// cutDashes strips the one or two dashes of a flag.
func cutDashes(arg string) (text string, isFlag bool) {
	text, isFlag = strings.CutPrefix(arg, "-")
	text = strings.TrimPrefix(text, "-")
	return text, isFlag && text != ""
}

// startsFlag tells whether arg, where a value is expected, is a known flag.
func startsFlag(arg string) bool {
	text, isFlag := cutDashes(arg)
	name, _, _ := strings.Cut(text, "=")
	return isFlag && findOption(name) != nil
}

func missingValue(o *option, rest []string) *Error {
	found := "nothing after it"
	if len(rest) > 0 {
		found = "the flag " + rest[0] + " after it"
	}
	return &Error{Where: "flag -" + o.name, Problem: "found " + found + ", expected " + o.arg + ", for example " + place{}.example(o)}
}

// readConfigFile reads the file that s names.
func readConfigFile(s setting, readFile func(string) ([]byte, error)) (layer, error) {
	data, err := readFile(s.value)
	if err != nil {
		reason := err
		if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
			reason = pe.Err
		}
		return layer{}, &Error{
			Where:   s.at.of("config"),
			Problem: "found that " + quote(s.value) + " cannot be read (" + reason.Error() + "), expected a readable file, for example " + s.at.example(s.opt),
			Err:     err,
		}
	}
	return parseFile(s.value, string(data))
}
