package config

import "strings"

// addWords appends words as they stand at one place.
func (l *layer) addWords(texts []string, at place) error {
	for _, text := range texts {
		w, on := findWord(text)
		if w == nil {
			return unknownWord(text, at)
		}
		l.words = append(l.words, givenWord{w, on, at})
	}
	return nil
}

// unknownWord says what a word that does not exist may have been meant for.
func unknownWord(text string, at place) *Error {
	e := &Error{Where: at.ofWord(text)}
	for _, c := range Commands {
		if c.Name == text {
			e.Problem = "found a command after flags or words, expected it first, for example minisip " + text
			return e
		}
	}
	known := wordNames()
	if at.file == "" && at.variable == "" {
		for _, c := range Commands {
			known = append(known, c.Name)
		}
	}
	if o := findOption(text); o != nil {
		e.Problem = "found a flag without its dash, expected " + cmdExample(o)
	} else if near := nearest(text, known); near != "" {
		e.Problem = "found no such word, expected " + near
	} else {
		e.Problem = "found no such word, expected one of " + strings.Join(wordNames()[:len(words)], ", ") + " or the same after no_, for example no_silent"
	}
	return e
}

// unknownFlag says what a flag that does not exist may have been meant for.
func unknownFlag(name string, at place) *Error {
	e := &Error{Where: at.of(name)}
	dash := "-"
	if at.file != "" {
		dash = ""
	}
	if w, _ := findWord(name); w != nil {
		e.Problem = "found a word with a dash before it, expected " + name
	} else if near := nearest(name, optionNames()); near != "" {
		e.Problem = "found no such flag, expected " + dash + near
	} else {
		e.Problem = "found no such flag, expected one that minisip -h lists, for example " + dash + "realm"
	}
	return e
}

func wordNames() []string {
	var names []string
	for _, w := range words {
		names = append(names, w.name)
	}
	for _, w := range words {
		names = append(names, "no_"+w.name)
	}
	return names
}

func optionNames() []string {
	var names []string
	for o := range options {
		names = append(names, o.name)
	}
	return names
}

// nearest returns the candidate that fewest edits make of text, or "" where
// even that one shares less than half its letters. Case, dashes and underscores
// are not told apart.
func nearest(text string, candidates []string) string {
	const longest = 32 // no name is half as long
	if len(text) > longest {
		return ""
	}
	best, edits := "", 0
	for _, c := range candidates {
		d := distance(fold(text), fold(c))
		if 2*d <= max(len(text), len(c)) && (best == "" || d < edits) {
			best, edits = c, d
		}
	}
	return best
}

func fold(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }

// distance counts the insertions, removals, replacements and swaps of
// neighbours that turn a into b (optimal string alignment).
func distance(a, b string) int {
	var before, row []int
	next := make([]int, len(b)+1)
	for j := range next {
		next[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, row, next = row, next, make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
	}
	return next[len(b)]
}
