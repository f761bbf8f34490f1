package config

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Shells are those that Completion writes for.
var Shells = []string{"bash", "zsh", "fish"}

// Completion writes what a shell needs to complete commands, flags and words; it reports false for a
// shell that is not one of Shells.
func Completion(w io.Writer, shell string) bool {
	write := map[string]func(*strings.Builder){"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[shell]
	if write == nil {
		return false
	}
	var b strings.Builder
	write(&b)
	io.WriteString(w, b.String())
	return true
}

// completionWords are the words of serving, with and without no_.
func completionWords() (out []string) {
	for _, w := range words {
		out = append(out, w.name, "no_"+w.name)
	}
	return out
}

// subcommands lists the subcommands, each once.
func subcommands() []Command {
	return slices.CompactFunc(slices.Clone(Commands), func(a, b Command) bool { return a.Name == b.Name })
}

func commandNames() (names []string) {
	for _, c := range subcommands() {
		names = append(names, c.Name)
	}
	return names
}

// choices lists what may follow a subcommand as it stands in the table: flags, and words in lower case.
func choices(name string) (out []string) {
	for _, c := range Commands {
		if c.Name != name {
			continue
		}
		for _, word := range strings.FieldsFunc(c.Args, func(r rune) bool { return strings.ContainsRune("[]| ", r) }) {
			if word == strings.ToLower(word) && word != "flags" && word != "words" {
				out = append(out, word)
			}
		}
	}
	for _, f := range FlagsOf(name) {
		if flag := "-" + f.Name; !slices.Contains(out, flag) {
			out = append(out, flag)
		}
	}
	return out
}

// takes says what kind of argument an option has: a file, a directory, or neither.
func (o *option) takes() string {
	switch o.arg {
	case "FILE":
		return "file"
	case "DIR":
		return "directory"
	}
	return ""
}

func bashCompletion(b *strings.Builder) {
	var flags, files, dirs []string
	for o := range options {
		flags = append(flags, "-"+o.name)
		switch o.takes() {
		case "file":
			files = append(files, "-"+o.name)
		case "directory":
			dirs = append(dirs, "-"+o.name)
		}
	}
	b.WriteString("# bash completion for minisip: source <(minisip completion bash)\n_minisip() {\n" +
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n\tcase $prev in\n")
	fmt.Fprintf(b, "\t%s) COMPREPLY=($(compgen -f -- \"$cur\")); return;;\n", strings.Join(files, "|"))
	fmt.Fprintf(b, "\t%s) COMPREPLY=($(compgen -d -- \"$cur\")); return;;\n\tesac\n\tcase ${COMP_WORDS[1]} in\n", strings.Join(dirs, "|"))
	for _, name := range commandNames() {
		fmt.Fprintf(b, "\t%s) ((COMP_CWORD > 1)) && { COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")); return; };;\n", name, strings.Join(choices(name), " "))
	}
	fmt.Fprintf(b, "\tesac\n\tlocal all=\"%s %s\"\n", strings.Join(flags, " "), strings.Join(completionWords(), " "))
	fmt.Fprintf(b, "\t((COMP_CWORD == 1)) && all=\"$all %s\"\n", strings.Join(commandNames(), " "))
	b.WriteString("\tCOMPREPLY=($(compgen -W \"$all\" -- \"$cur\"))\n}\ncomplete -F _minisip minisip\n")
}

// zshQuote makes a text safe between the single quotes of a zsh specification.
var zshQuote = strings.NewReplacer("'", `'\''`, "[", `\[`, "]", `\]`, ":", `\:`)

func zshCompletion(b *strings.Builder) {
	b.WriteString("#compdef minisip\n# zsh completion for minisip: source <(minisip completion zsh)\n_minisip() {\n\tlocal -a commands switches\n\tcommands=(\n")
	for _, c := range subcommands() {
		fmt.Fprintf(b, "\t\t'%s:%s'\n", c.Name, zshQuote.Replace(c.Help))
	}
	b.WriteString("\t)\n\tswitches=(\n")
	for _, w := range words {
		fmt.Fprintf(b, "\t\t'%[1]s:%[2]s' 'no_%[1]s:switch that off'\n", w.name, zshQuote.Replace(w.help))
	}
	b.WriteString("\t)\n\tlocal first=${words[2]}\n\tif ((CURRENT == 2)); then _describe command commands; fi\n\tcase $first in\n")
	for _, name := range commandNames() {
		if list := choices(name); len(list) > 0 {
			fmt.Fprintf(b, "\t%s) compadd -- %s; return;;\n", name, strings.Join(list, " "))
		}
	}
	b.WriteString("\tesac\n\t_describe word switches\n\t_arguments \\\n")
	for o := range options {
		action := ""
		switch {
		case o.takes() == "file":
			action = ":" + o.arg + ":_files"
		case o.takes() == "directory":
			action = ":" + o.arg + ":_files -/"
		case o.arg != "":
			action = ":" + zshQuote.Replace(o.arg) + ": "
		}
		fmt.Fprintf(b, "\t\t'-%s[%s]%s' \\\n", o.name, zshQuote.Replace(o.help), action)
	}
	b.WriteString("\t\t'*: :'\n}\ncompdef _minisip minisip\n")
}

// fishQuote makes a text safe between single quotes.
var fishQuote = strings.NewReplacer(`\`, `\\`, "'", `\'`)

func fishCompletion(b *strings.Builder) {
	b.WriteString("# fish completion for minisip: minisip completion fish | source\ncomplete -c minisip -f\n")
	for _, c := range subcommands() {
		fmt.Fprintf(b, "complete -c minisip -n __fish_use_subcommand -a %s -d '%s'\n", c.Name, fishQuote.Replace(c.Help))
		for _, word := range choices(c.Name) {
			fmt.Fprintf(b, "complete -c minisip -n '__fish_seen_subcommand_from %s' -a %s\n", c.Name, word)
		}
	}
	serving := "'not __fish_seen_subcommand_from " + strings.Join(commandNames(), " ") + "'"
	for _, w := range words {
		fmt.Fprintf(b, "complete -c minisip -n %[1]s -a '%[2]s no_%[2]s' -d '%[3]s'\n", serving, w.name, fishQuote.Replace(w.help))
	}
	for o := range options {
		argument := ""
		switch {
		case o.takes() != "":
			argument = " -r -F"
		case o.arg != "":
			argument = " -x"
		}
		fmt.Fprintf(b, "complete -c minisip -n %s -o %s%s -d '%s'\n", serving, o.name, argument, fishQuote.Replace(o.help))
	}
}
