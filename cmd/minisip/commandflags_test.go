package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"minisip/cmd/minisip/internal/config"
)

// TestCommandFlags: manual and completion know the flags that -h of each subcommand names, and no other.
func TestCommandFlags(t *testing.T) {
	for _, c := range config.Commands {
		if c.Name == "unit" { // its flags are those of serving
			continue
		}
		var out, err strings.Builder
		if got := commands[c.Name]([]string{"-h"}, strings.NewReader(""), &out, &err); got != exitOK {
			continue // it has no -h, and no flags
		}
		var told, known []string
		for _, m := range regexp.MustCompile(`(?m)^ +-(\w+)`).FindAllStringSubmatch(out.String(), -1) {
			told = append(told, m[1])
		}
		for _, f := range config.FlagsOf(c.Name) {
			known = append(known, f.Name)
		}
		slices.Sort(told)
		slices.Sort(known)
		if !slices.Equal(told, known) {
			t.Errorf("minisip %s -h names %q, the table %q", c.Name, told, known)
		}
	}
}
