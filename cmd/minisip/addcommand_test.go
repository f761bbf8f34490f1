package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"minisip/cmd/minisip/internal/config"
)

// TestAddCommand: the command can be pasted into a shell, whatever name a stranger chose.
func TestAddCommand(t *testing.T) {
	for _, test := range []struct{ args, name, want string }{
		{"-users /etc/users.conf", "009", "minisip user add -users /etc/users.conf 009"},
		{"-users /etc/users.conf -realm home", "009", "minisip user add -users /etc/users.conf -realm home 009"},
		{"-users /etc/users.conf", "alice@example.com", "minisip user add -users /etc/users.conf 'alice@example.com'"},
		{"-users /etc/users.conf", "a;reboot", "minisip user add -users /etc/users.conf 'a;reboot'"},
		{"-users /etc/users.conf", "{curl,example.com}|sh", "minisip user add -users /etc/users.conf '{curl,example.com}|sh'"},
		{"-users /etc/users.conf", "o'hara$(id)", `minisip user add -users /etc/users.conf 'o'\''hara$(id)'`},
		{"-users /etc/users.conf", "-realm", "minisip user add -users /etc/users.conf -- -realm"},
		{"-users /etc/users.conf", "電話", "minisip user add -users /etc/users.conf '電話'"},
		{"-users /etc/users.conf", "a:b", ""},
		{"-users /etc/users.conf", "a\nb", ""},
		{"-users /etc/users.conf", "a\x1b[2J", ""},
		{"-users /etc/users.conf", "a\xff", ""},
	} {
		cfg := configured(t, test.args)
		got := addCommand(cfg)(test.name)
		if got != test.want {
			t.Errorf("%s, %q: %s, want %s", test.args, test.name, got, test.want)
		}
		if got == "" {
			continue
		}
		words, err := exec.Command("sh", "-c", `minisip() { printf '%s\n' "$@"; }; `+got).CombinedOutput()
		if list := strings.Split(strings.TrimSuffix(string(words), "\n"), "\n"); err != nil || list[len(list)-1] != test.name {
			t.Errorf("a shell makes %q of %s, %v", words, got, err)
		}
	}
	path, err := filepath.Abs("users.conf")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := addCommand(configured(t, ""))("009"), "minisip user add -users "+shellWord(path)+" 009"; got != want {
		t.Errorf("by default %s, want %s", got, want)
	}
	if addCommand(configured(t, "-users=")) != nil {
		t.Error("there is a command without a user file")
	}
}

func configured(t *testing.T, args string) *config.Config {
	t.Helper()
	cfg, err := config.Parse(strings.Fields(args), func(string) (string, bool) { return "", false }, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}
