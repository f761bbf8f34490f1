package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"minisip/digest"
)

// TestUserCommand is a session with "minisip user": each step sees what the ones
// before it left. FILE stands for the user file's path, {pw} for a made-up password.
func TestUserCommand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.conf")
	for _, step := range []struct {
		args, stdin    string
		status         int
		stdout, stderr string
	}{
		{"list -users FILE", "", 1, "", "minisip user: there is no user file FILE; name it with -users FILE, or make it with: minisip user add NAME\n"},
		{"add 001 -users FILE", "secret\n", 0, "user 001 is added to FILE, a new file\n", ""},
		{"-users FILE add -realm mini_sip_proxy 002", "", 0, "user 002 is added to FILE\npassword: {pw}\n", ""},
		{"add --users=FILE -- -3", "without line end", 0, "user -3 is added to FILE\n", ""},
		{"add 001 -users FILE", "x\n", 1, "", `minisip user: FILE:1: user "001" is there already; to change the password: minisip user passwd 001` + "\n"},
		{"passwd 001 -users FILE", "other\r\n", 0, "user 001 has a new password in FILE\n", ""},
		{"passwd 002 -users FILE", "\n", 0, "user 002 has a new password in FILE\npassword: {pw}\n", ""},
		{"passwd 009 -users FILE", "x\n", 1, "", `minisip user: FILE has no user "009"; to see who is there: minisip user list` + "\n"},
		{"list -users FILE", "", 0, "NAME  REALM           HASHES\n001   mini_sip_proxy  MD5, SHA-256\n" +
			"002   mini_sip_proxy  MD5, SHA-256\n-3    mini_sip_proxy  MD5, SHA-256\n", ""},
		{"del 002 -users FILE", "", 0, "user 002 is gone from FILE\n", ""},
		{"del 002 -users FILE", "", 1, "", `minisip user: FILE has no user "002"; to see who is there: minisip user list` + "\n"},
		{"add a:b -users FILE", "x\n", 1, "", `minisip user: user name "a:b" has a character ':' in it; any printable one but ':' may be used` + "\n"},
		{"add 003 -users FILE -realm asterisk", "x\n", 1, "",
			`minisip user: FILE:1: user "001" is of realm "mini_sip_proxy", not "asterisk"; give -realm mini_sip_proxy` + "\n"},
		{"-h", "", 0, userUsage, ""},
		{"add 003 -help", "", 0, userUsage, ""},

		{"", "", 2, "", "minisip user: expected add, del, list or passwd; see minisip user -h\n"},
		{"remove 001", "", 2, "", `minisip user: expected add, del, list or passwd, found "remove"; see minisip user -h` + "\n"},
		{"add", "", 2, "", "minisip user: add needs the name of a user, such as: minisip user add 003; see minisip user -h\n"},
		{"add 003 004", "", 2, "", `minisip user: "004" is one word too many for add; see minisip user -h` + "\n"},
		{"list 001", "", 2, "", `minisip user: "001" is one word too many for list; see minisip user -h` + "\n"},
		{"add 003 -password x", "", 2, "", "minisip user: flag provided but not defined: -password; see minisip user -h\n"},
		{"list -users=", "", 2, "", "minisip user: -users is empty; see minisip user -h\n"},
	} {
		var stdout, stderr bytes.Buffer
		args := strings.Fields(strings.ReplaceAll(step.args, "FILE", path))
		status := userCommand(args, strings.NewReader(step.stdin), &stdout, &stderr)
		if status != step.status {
			t.Errorf("%s: status %d, want %d", step.args, status, step.status)
		}
		wantOut := regexp.QuoteMeta(step.stdout)
		wantOut = strings.ReplaceAll(wantOut, regexp.QuoteMeta("{pw}"), "[2-9a-z]{14}")
		got := stdout.String()
		if step.stdout != userUsage {
			got = strings.ReplaceAll(got, path, "FILE")
		}
		if !regexp.MustCompile(`\A` + wantOut + `\z`).MatchString(got) {
			t.Errorf("%s: printed\n%swant\n%s", step.args, got, step.stdout)
		}
		if got := strings.ReplaceAll(stderr.String(), path, "FILE"); got != step.stderr {
			t.Errorf("%s: stderr\n%swant\n%s", step.args, got, step.stderr)
		}
	}

	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, password := range map[string]string{"001": "other", "-3": "without line end"} {
		line := name + ":mini_sip_proxy:" + digest.HA1(digest.MD5, name, "mini_sip_proxy", password) + ":"
		if !strings.Contains(string(data), line) {
			t.Errorf("no line %s in\n%s", line, data)
		}
	}
	if regexp.MustCompile("secret|other|without").Match(data) {
		t.Errorf("a clear password is in the file:\n%s", data)
	}
}

// A user who was given no password gets the one that was printed.
func TestUserMadeUpPassword(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.conf")
	var stdout, stderr bytes.Buffer
	if status := userCommand([]string{"add", "001", "-users", path, "-realm", "r"}, strings.NewReader(""), &stdout, &stderr); status != 0 {
		t.Fatal(stderr.String())
	}
	_, password, _ := strings.Cut(strings.TrimSpace(stdout.String()), "password: ")
	data, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(data), "001:r:"+digest.HA1(digest.MD5, "001", "r", password)+":") {
		t.Errorf("printed %q, file %q, %v", stdout.String(), data, err)
	}
}

// TestUserEnvironment: where a variable names the user file and the realm of the server, it names those of "minisip user".
func TestUserEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.conf")
	t.Setenv("MINISIP_USERS", path)
	t.Setenv("MINISIP_REALM", "home")
	var stdout, stderr bytes.Buffer
	if status := userCommand([]string{"add", "001"}, strings.NewReader("secret\n"), &stdout, &stderr); status != exitOK {
		t.Fatalf("status %d: %s", status, &stderr)
	}
	if entries, err := digest.ListUsers(path); err != nil || len(entries) != 1 || entries[0].Realm != "home" {
		t.Errorf("%+v, %v", entries, err)
	}
}
