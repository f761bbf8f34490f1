package main

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"minisip/cmd/minisip/internal/config"
)

// TestCommandFlags: each subcommand has -h, whose first lines name all its flags. Manual and completion know those that it
// explains, and no other.
func TestCommandFlags(t *testing.T) {
	for _, c := range config.Commands {
		if c.Name == "unit" { // its flags are those of serving
			continue
		}
		var out, err strings.Builder
		got := find(c.Name)([]string{"-h"}, strings.NewReader(""), &out, &err)
		usage, _, _ := strings.Cut(out.String(), "\n\n")
		if got != exitOK || !strings.HasPrefix(usage, "Usage: minisip "+c.Name) || err.Len() > 0 {
			t.Errorf("minisip %s -h: status %d, %s%s", c.Name, got, &out, &err)
		}
		var told, known []string
		for _, m := range regexp.MustCompile(`(?m)^ +-(\w+)`).FindAllStringSubmatch(out.String(), -1) {
			told = append(told, m[1])
		}
		for _, f := range config.FlagsOf(c.Name) {
			known = append(known, f.Name)
			if flag := strings.TrimSpace("-" + f.Name + " " + f.Arg); !strings.Contains(usage, "["+flag+"]") {
				t.Errorf("minisip %s -h begins with %q, without %s", c.Name, usage, flag)
			}
		}
		slices.Sort(told)
		slices.Sort(known)
		if !slices.Equal(told, known) {
			t.Errorf("minisip %s -h names %q, the table %q", c.Name, told, known)
		}
	}
}
