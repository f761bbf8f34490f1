package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/control"
	"minisip/dialcmd"
)

// tables gives the tables of README.md that have a header, in order, each a list of rows of cells.
func tables(t *testing.T, header string) (found [][][]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i, line := range lines {
		if line != header {
			continue
		}
		var rows [][]string
		for _, row := range lines[i+2:] {
			if !strings.HasPrefix(row, "|") {
				break
			}
			var cells []string
			row = strings.ReplaceAll(row, `\|`, "\x00") // a bar in a cell
			for cell := range strings.SplitSeq(strings.Trim(row, "|"), "|") {
				cells = append(cells, strings.ReplaceAll(strings.TrimSpace(cell), "\x00", "|"))
			}
			rows = append(rows, cells)
		}
		found = append(found, rows)
	}
	if len(found) == 0 {
		t.Fatalf("README.md has no table %s", header)
	}
	return found
}

// help gives what -h lists: flags with their arguments, words, and the defaults of both.
func help() (flags, words map[string]string) {
	var b strings.Builder
	config.Usage(&b)
	flags, words = map[string]string{}, map[string]string{}
	row := regexp.MustCompile(`^    (-\S+(?: \S+)?|\w+)(?:  |$)`)
	last := ""
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSuffix(line, "\n")
		if m := row.FindStringSubmatch(line); m != nil {
			if last = m[1]; last[0] == '-' {
				flags[last] = ""
			} else {
				words[last] = ""
			}
		}
		if _, def, ok := strings.Cut(line, "(default: "); ok {
			flags[last] = strings.TrimSuffix(def, ")")
		}
	}
	delete(flags, "-h")
	return flags, words
}

var code = regexp.MustCompile("`([^`]+)`")

// TestReadmeFlags: the table has every flag with the default that -h names, and no other.
func TestReadmeFlags(t *testing.T) {
	flags, _ := help()
	told := map[string]string{}
	for _, row := range tables(t, "| flag | default | meaning |")[0] {
		names := code.FindAllStringSubmatch(row[0], -1)
		defaults := []string{row[1]}
		if len(names) > 1 {
			defaults = strings.Split(row[1], ", ")
		}
		for i, name := range names {
			told[name[1]] = strings.ReplaceAll(defaults[i], "`", "")
		}
	}
	if len(flags) < 10 || !maps.Equal(flags, told) {
		t.Errorf("-h has\n%s\nREADME.md has\n%s", listed(flags), listed(told))
	}
}

// TestReadmeWords: both tables have every word, and no other.
func TestReadmeWords(t *testing.T) {
	_, words := help()
	want := slices.Sorted(maps.Keys(words))
	for _, header := range []string{"| word | meaning |", "| 単語 | 内容 |"} {
		var told []string
		for _, row := range tables(t, header)[0] {
			told = append(told, strings.Trim(row[0], "`"))
		}
		slices.Sort(told)
		if len(want) != 6 || !slices.Equal(told, want) {
			t.Errorf("-h has %s, %s has %s", want, header, told)
		}
	}
}

// TestReadmeDialCodes: both tables have every code, with what it does, and no other.
func TestReadmeDialCodes(t *testing.T) {
	english, japanese := map[string]string{}, map[string]string{}
	for _, row := range tables(t, "| code | off | code | on | what |")[0] {
		if english[row[0]] = row[1]; row[2] != "" {
			english[row[2]] = row[3]
		}
	}
	for _, row := range tables(t, "| ダイヤル | 動作 | ダイヤル | 動作 |")[0] {
		if japanese[row[0]] = row[1]; row[2] != "" {
			japanese[row[2]] = row[3]
		}
	}
	const first, last = 985, 999
	for code := first; code <= last; code++ {
		number := fmt.Sprint(code)
		cmd, _ := dialcmd.Lookup(number)
		phrase := cmd.Phrase
		if cmd.Kind != dialcmd.Set {
			phrase = "" // what it does stands in the last column
		}
		if got, ok := english[number]; !ok || got != phrase {
			t.Errorf("%s: the table says %q, the phone shows %q", number, got, phrase)
		}
		_, state, _ := strings.Cut(phrase, " ")
		if got := japanese[number]; got == "" || !strings.HasSuffix(got, state) {
			t.Errorf("%s: the Japanese table says %q, the phone shows %q", number, got, cmd.Phrase)
		}
	}
	if n := last - first + 1; len(english) != n || len(japanese) != n {
		t.Errorf("%d and %d codes in the tables, want %d", len(english), len(japanese), n)
	}
}

func listed(m map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "%s = %s\n", name, m[name])
	}
	return b.String()
}

// TestReadmeCommands: the table of the command line has every command that asks a running
// minisip, as -h has it, and no other.
func TestReadmeCommands(t *testing.T) {
	told := map[string]string{}
	for _, row := range tables(t, "| command | what |")[0] {
		for _, m := range code.FindAllStringSubmatch(row[0], -1) {
			words := strings.Fields(m[1])
			told[words[1]] = strings.Join(words[2:], " ")
		}
	}
	want := map[string]string{}
	for _, c := range config.Commands {
		if slices.Contains(control.Names(), c.Name) {
			want[c.Name] = c.Args
		}
	}
	if !maps.Equal(told, want) {
		t.Errorf("-h has\n%s\nREADME.md has\n%s", listed(want), listed(told))
	}
}
