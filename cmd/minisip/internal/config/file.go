package config

import "strings"

// parseFile reads the text of the configuration file called name.
func parseFile(name, text string) (layer, error) {
	var l layer
	text = strings.TrimPrefix(text, "\ufeff")
	n := 0
	for line := range strings.Lines(text) {
		n++
		if err := l.addLine(strings.TrimSpace(line), place{file: name, line: n}); err != nil {
			return l, err
		}
	}
	return l, nil
}

// addLine reads one line: nothing, `flag value`, or words. A dash before the
// flag and an equals sign after it are taken too, since people copy them.
func (l *layer) addLine(line string, at place) error {
	if line == "" || line[0] == '#' {
		return nil
	}
	end := strings.IndexAny(line, " \t=#")
	if end < 0 {
		end = len(line)
	}
	name, dashed := cutDashes(line[:end])
	o := findOption(name)
	if w, _ := findWord(name); w != nil && !dashed {
		return l.addWords(strings.Fields(cutComment(line)), at)
	}
	if o == nil {
		if dashed || end < len(line) {
			return unknownFlag(name, at)
		}
		return unknownWord(name, at)
	}
	if o.cmdOnly || o.name == "config" {
		return &Error{Where: at.of(name), Problem: "found a flag that has no meaning in a file, expected it on the command line, for example minisip " + cmdExample(o)}
	}
	rest := strings.TrimSpace(line[end:])
	rest = strings.TrimSpace(strings.TrimPrefix(rest, "="))
	value, err := fileValue(rest)
	if err == nil && rest == value && value == "" {
		err = &mismatch{"", o.arg + ` (or "" for an empty value)`}
	}
	s := setting{o, value, at}
	if err != nil {
		return badValue(s, err)
	}
	l.settings = append(l.settings, s)
	return nil
}

func cmdExample(o *option) string {
	if o.arg == "" {
		return "-" + o.name
	}
	return place{}.example(o)
}

// fileValue takes the comment and the quotes off a value.
func fileValue(rest string) (string, error) {
	quoted, ok := strings.CutPrefix(rest, `"`)
	if !ok {
		return cutComment(rest), nil
	}
	value, after, closed := strings.Cut(quoted, `"`)
	if !closed {
		return "", &mismatch{rest, `a second " at the end of the value`}
	}
	if after = cutComment(after); after != "" {
		return "", &mismatch{after, `nothing after the second "`}
	}
	return value, nil
}

// cutComment takes away what follows a # at the start or after a space.
func cutComment(s string) string {
	for i := range len(s) {
		if s[i] == '#' && (i == 0 || s[i-1] == ' ' || s[i-1] == '\t') {
			s = s[:i]
			break
		}
	}
	return strings.TrimSpace(s)
}
