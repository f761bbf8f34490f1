package config

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestCompletionAndManKnowAll: completion and manual are made of the tables, so nothing is missing in them.
func TestCompletionAndManKnowAll(t *testing.T) {
	texts := map[string]string{}
	for _, shell := range Shells {
		var b strings.Builder
		if !Completion(&b, shell) {
			t.Fatalf("no completion for %s", shell)
		}
		texts[shell] = b.String()
	}
	var b strings.Builder
	Man(&b, "1.0")
	texts["man"] = strings.ReplaceAll(b.String(), `\-`, "-")
	for name, text := range texts {
		has := func(what string) {
			if !strings.Contains(text, what) {
				t.Errorf("%s: no %q", name, what)
			}
		}
		for o := range options {
			if name == "fish" {
				has("-o " + o.name + " ")
			} else {
				has("-" + o.name)
			}
		}
		for _, c := range Commands {
			has(c.Name)
			for _, f := range FlagsOf(c.Name) {
				has("-" + f.Name)
			}
		}
		for _, w := range words {
			has(w.name)
		}
	}
	if Completion(&b, "csh") {
		t.Error("there is a completion for csh")
	}
}

// TestBashCompletes lets bash complete.
func TestBashCompletes(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("there is no bash")
	}
	var b strings.Builder
	Completion(&b, "bash")
	for _, tt := range []struct {
		line []string // the last is being typed
		want []string
	}{
		{[]string{"minisip", "-sta"}, []string{"-state", "-status", "-status-password-file"}},
		{[]string{"minisip", "no_si"}, []string{"no_silent"}},
		{[]string{"minisip", "-ice", "strip", "vers"}, nil}, // a command comes first or not at all
		{[]string{"minisip", "vers"}, []string{"version"}},
		{[]string{"minisip", "user", "a"}, []string{"add"}},
		{[]string{"minisip", "calls", ""}, []string{"live", "ended", "all", "-limit", "-json", "-state"}},
		{[]string{"minisip", "demo", "-"}, []string{"-page", "-talk"}},
	} {
		script := b.String() + "COMP_WORDS=('" + strings.Join(tt.line, "' '") + "'); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _minisip; printf '%s\\n' \"${COMPREPLY[@]}\""
		out, err := exec.Command("bash", "-c", script).CombinedOutput()
		if got := strings.Fields(string(out)); err != nil || !slices.Equal(got, tt.want) && len(got)+len(tt.want) > 0 {
			t.Errorf("%q: %q, %v; want %q", tt.line, got, err, tt.want)
		}
	}
}
