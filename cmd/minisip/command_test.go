package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestCommands: what minisip prints and how it ends where it does not serve. An expected text is
// the beginning.
func TestCommands(t *testing.T) {
	for _, test := range []struct {
		args           string
		status         int
		stdout, stderr string
	}{
		{"version", exitOK, "minisip devel\n", ""},
		{"version -h", exitOK, "Usage: minisip version\n", ""},
		{"version 2", exitUsage, "", "minisip version: \"2\" is one word too many; see minisip version -h\n"},
		{"dashboard -h", exitOK, "Usage: minisip dashboard\n", ""},
		{"dashboard -json", exitUsage, "", "minisip dashboard: \"-json\" is one word too many; "},
		{"-h", exitOK, "minisip is a SIP registrar, stateful proxy and RTP relay.\n\nUsage:\n", ""},
		{"help", exitOK, "minisip is a SIP registrar, stateful proxy and RTP relay.\n\nUsage:\n", ""},
		{"silent -h", exitOK, "minisip is a SIP registrar, stateful proxy and RTP relay.\n\nUsage:\n", ""},
		{"versoin", exitUsage, "", "minisip: word versoin: found no such word, expected version\n"},
		{"user", exitUsage, "", "minisip user: expected add, del, list or passwd; see minisip user -h\n"},
		{"unit", exitOK, "[Unit]\n", ""},
		{"demo -h", exitOK, "Usage: minisip demo [-page] [-talk TIME]\n", ""},
		{"demo now", exitUsage, "", "minisip demo: found \"now\", expected no words; see minisip demo -h\n"},
		{"demo -talk 1h", exitUsage, "", "minisip demo: invalid value \"1h\" for flag -talk: expected 100ms to 1m, for example -talk 3s; "},
		{"probe -h", exitOK, "Usage: minisip probe [-talk TIME] SERVER[:PORT] USER\n", ""},
		{"probe 127.0.0.1", exitUsage, "", "minisip probe: found 1 words, expected a server and a user, "},
		{"probe 0.0.0.0 001", exitUsage, "", "minisip probe: cannot send to the server \"0.0.0.0\": "},
		{"completion bash", exitOK, "# bash completion for minisip", ""},
		{"completion csh", exitUsage, "", "minisip completion: found \"csh\", expected one of bash, zsh, fish, "},
		{"man -h", exitOK, "Usage: minisip man\n", ""},
		{"man", exitOK, ".TH MINISIP 8 \"\" \"minisip devel\"", ""},
		{"man page", exitUsage, "", "minisip man: \"page\" is one word too many; see minisip man -h\n"},
		{"unit -h", exitOK, "Usage: minisip unit [flags] [words]\n", ""},
		{"unit -bogus", exitUsage, "", "minisip: flag -bogus: found no such flag, "},
		{"-check", exitOK, "-listen  ", ""},
		{"-check -rtp 5-6", exitUsage, "", "minisip: flag -rtp: "},
	} {
		dir := t.TempDir()
		got := finish(t, minisip(t, dir, nil, strings.Fields(test.args)...))
		if got.status != test.status || !begins(got.stdout, test.stdout) || !begins(got.stderr, test.stderr) {
			t.Errorf("minisip %s: got %+v, want %+v", test.args, got, test)
		}
		if left, err := os.ReadDir(dir); len(left) > 0 || err != nil {
			t.Errorf("minisip %s left %v, %v", test.args, left, err)
		}
	}
}

// begins asks for nothing where nothing is wanted.
func begins(text, with string) bool {
	return strings.HasPrefix(text, with) && (with != "" || text == "")
}

// TestUnitArguments: the unit starts minisip with the flags and words given.
func TestUnitArguments(t *testing.T) {
	got := finish(t, minisip(t, t.TempDir(), nil, "unit", "-public", "203.0.113.7", "-realm", "two words", "no_silent"))
	want := "\nExecStart=/usr/local/bin/minisip -public 203.0.113.7 -realm \"two words\" no_silent\n"
	if got.status != exitOK || !strings.Contains(got.stdout, want) {
		t.Errorf("status %d, no %q in\n%s%s", got.status, want, got.stdout, got.stderr)
	}
}

// TestCheck: -check says what would be done, and where each setting comes from.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/minisip.conf", "# mine\nrealm home\nno_silent\nlog-days 3\n")
	got := finish(t, minisip(t, dir, []string{"MINISIP_TIMEOUT=60s", "MINISIP_LISTNE=:5062"}, "-config", "minisip.conf", "-log-days", "9", "-check"))
	if got.status != exitOK || got.stderr != "" {
		t.Fatalf("got %+v", got)
	}
	said := map[string]string{}
	for l := range strings.Lines(got.stdout) {
		name, rest, _ := strings.Cut(strings.Join(strings.Fields(l), " "), " ")
		said[name] = rest
	}
	for name, want := range map[string]string{
		"-realm":    "home minisip.conf:2",
		"silent":    "off minisip.conf:3",
		"-log-days": "9 command line",
		"-timeout":  "60s environment MINISIP_TIMEOUT",
		"-users":    "users.conf default",
		"re_sdp":    "on default",
	} {
		if said[name] != want {
			t.Errorf("%s: %q, want %q", name, said[name], want)
		}
	}
	if !strings.Contains(got.stdout, "environment variable MINISIP_LISTNE: found no such flag") {
		t.Errorf("what is misspelt is not said in\n%s", got.stdout)
	}
	// What a start would refuse is refused, and nothing is made.
	if _, err := os.Stat(dir + "/users.conf"); err == nil {
		t.Error("-check made users.conf")
	}
	write(t, dir+"/users.conf", "001:secret\n")
	got = finish(t, minisip(t, dir, nil, "-check"))
	if got.status != exitUsage || !strings.HasPrefix(got.stderr, "minisip: users.conf:1: expected user:realm:MD5-hash") {
		t.Errorf("got %+v", got)
	}
}

// TestFeatures: start-up prints which features are on.
func TestFeatures(t *testing.T) {
	for words, want := range map[string]string{
		"":                     "re_contact re_sdp re_via duplicate silent; log brief",
		"re_via debug silent":  "re_via silent; log debug",
		"no_silent no_re_sdp":  "re_contact re_via duplicate; log brief",
		"no_debug -timeout 9s": "re_contact re_sdp re_via duplicate silent; log brief",
	} {
		dir := t.TempDir()
		write(t, dir+"/users.conf", line("001"))
		d := start(t, dir, nil, strings.Fields(words)...)
		if got := d.said[len(d.said)-1]; got != "Features on: "+want {
			t.Errorf("%q: %q, want %q", words, got, want)
		}
	}
}

// TestStartLines: the script's own work unchanged.
func TestStartLines(t *testing.T) {
	for words, want := range map[string]string{
		"debug re_contact re_sdp re_via duplicate silent": "re_contact re_sdp re_via duplicate silent; log debug",
		"re_sdp re_contact re_via silent":                 "re_contact re_sdp re_via silent; log brief",
	} {
		dir := t.TempDir()
		write(t, dir+"/users.conf", line("001"))
		d := start(t, dir, nil, strings.Fields(words)...)
		if !slices.Contains(d.said, "Features on: "+want) {
			t.Errorf("%s: printed\n%s", words, d.output())
		}
		if got := d.waitFor("started"); !regexp.MustCompile(`^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] minisip \S+ started: ` + want + `$`).MatchString(got) {
			t.Errorf("%s: logged %q", words, got)
		}
	}
}

// TestContradictions: what was given twice is said at start; the last one wins.
func TestContradictions(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/users.conf", line("001"))
	d := start(t, dir, nil, "silent", "-timeout", "9s", "no_silent", "re_via", "-timeout", "8s", "re_via")
	for _, want := range []string{
		"Note: word no_silent: contradicts silent before it, and the last wins",
		"Note: word re_via: given twice",
		`Note: flag -timeout: given twice, first "9s", then "8s", and the last wins`,
	} {
		if !slices.Contains(d.said, want) {
			d.waitFor(want)
		}
	}
	if !slices.Contains(d.said, "Features on: re_via; log brief") {
		t.Errorf("printed\n%s", d.output())
	}
}

// TestAnswerLost: a command whose answer cannot be written has failed, and says so once.
func TestAnswerLost(t *testing.T) {
	for _, args := range [][]string{{"man"}, {"completion", "bash"}, {"version"}, {"unit"}, {"dashboard"}, {"user", "add", "003"}, {"user", "list"}} {
		own := minisip(t, t.TempDir(), nil, args...)
		write(t, own.Dir+"/users.conf", line("001"))
		cmd := exec.Command("sh", append([]string{"-c", `exec "$0" "$@" >/dev/full`}, own.Args...)...)
		cmd.Dir, cmd.Env = own.Dir, own.Env
		if r := finish(t, cmd); r.status == exitOK || strings.Count(r.stderr, "no space left on device") != 1 {
			t.Errorf("%s: %+v", args, r)
		}
	}
}
