package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestReloadConfig: SIGHUP takes over what can change; a bad file changes nothing and the log
// names its line; what only a restart changes is named, each time until there is one.
func TestReloadConfig(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/users.conf", line("001"))
	write(t, dir+"/more.conf", line("001")+line("002"))
	conf := filepath.Join(dir, "minisip.conf")
	write(t, conf, "no_silent\n")
	d := start(t, dir, nil, "-config", "minisip.conf")
	phone := newAsker(t, d.at, "001")
	const all = "re_contact re_sdp re_via duplicate"
	for _, step := range []struct{ name, file, says string }{
		{"nothing new", "no_silent\n", "users reloaded: 1; " + all + "; log brief"},
		{"a word", "# mine\nno_silent\ndebug\n", "users reloaded: 1; " + all + "; log debug"},
		{"a word that does not exist", "no_silent\nno_debug\n\nsilnt\n",
			"not reloaded, all stays as it was: minisip.conf:4: silnt: found no such word, expected silent"},
		{"a bad value", "no_silent\ntimeout soon\n",
			`not reloaded, all stays as it was: minisip.conf:2: timeout: found "soon", expected a time from 1s to 24h, for example timeout 30s`},
		{"a flag that does not exist", "no_silent\ntimeuot 9s\n", "not reloaded, all stays as it was: minisip.conf:2: timeuot: found no such flag, expected timeout"},
		{"a bad user file", "no_silent\nusers none.conf\n", "not reloaded, all stays as it was: cannot read the user file none.conf (no such file or directory)"},
		{"another user file", "no_silent\nno_debug\nusers more.conf\n", "users reloaded: 2; " + all + "; log brief"},
		{"what needs a restart", "no_silent\nrealm other\nstate elsewhere\nlog-days 3\n",
			"users reloaded: 1; " + all + "; log brief; only a restart changes -realm, -log-days, -state"},
		{"and still does", "no_silent\nrealm other\ntimeout 9s\n", "users reloaded: 1; " + all + "; log brief; only a restart changes -realm"},
		{"back", "no_silent\n", "users reloaded: 1; " + all + "; log brief"},
	} {
		write(t, conf, step.file)
		d.signal(syscall.SIGHUP)
		if _, got, _ := strings.Cut(d.waitFor("reloaded"), "] "); !strings.HasPrefix(got, step.says) || strings.Contains(step.says, ";") && got != step.says {
			t.Errorf("%s: %q, want %q", step.name, got, step.says)
		}
		if got := phone.register("secret-001"); got != ok {
			t.Errorf("%s: 001 got %s", step.name, got)
		}
	}
	write(t, conf, "no_silent\ndomain sip.example.com\n")
	d.signal(syscall.SIGHUP)
	d.waitFor("users reloaded: 1")
	if got := phone.register("secret-001"); got != ok { // an address of ours is always served
		t.Errorf("with a domain, at our address: 001 got %s", got)
	}
	write(t, conf, "silent\n")
	d.signal(syscall.SIGHUP)
	d.waitFor("users reloaded: 1; silent; log brief")
	newAsker(t, d.at, "009").send("")
	if got := d.waitFor("silent: REGISTER from "); !strings.HasSuffix(got, fmt.Sprintf(" (minisip user add -users %s 009)", shellWord(dir+"/users.conf"))) {
		t.Errorf("logged %q", got)
	}
}

// TestReloadPipe: a pipe in the place of a file, to which nobody writes, is no reason to wait: that is said, and the next
// reload reads what is there then.
func TestReloadPipe(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{"users.conf": line("001"), "minisip.conf": "no_silent\n"}
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	d := start(t, dir, nil, "-config", "minisip.conf")
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		d.signal(syscall.SIGHUP)
		if got := d.waitFor("not reloaded, all stays as it was: "); !strings.Contains(got, "a pipe cannot be read again") || !strings.Contains(got, name) {
			t.Errorf("%s: logged %q", name, got)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		write(t, path, text)
		d.signal(syscall.SIGHUP)
		d.waitFor("users reloaded: 1")
	}
}

// TestReloadKeepsWhatWasDialled: until the words change.
func TestReloadKeepsWhatWasDialled(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/users.conf", line("001"))
	conf := filepath.Join(dir, "minisip.conf")
	write(t, conf, "no_silent\n")
	d := start(t, dir, nil, "-config", "minisip.conf")
	a := newAsker(t, d.at, "001")
	a.register("secret-001")
	if got, want := a.dial("986", "secret-001"), "SIP/2.0 404 silent ON"; got != want {
		t.Fatalf("986 is answered %s, want %s", got, want)
	}
	for _, step := range []struct{ file, want string }{
		{"no_silent\ntimeout 9s\n", "re_contact re_sdp re_via duplicate silent"},
		{"no_silent\nno_re_via\n", "re_contact re_sdp duplicate"},
	} {
		write(t, conf, step.file)
		d.signal(syscall.SIGHUP)
		if got := d.waitFor("users reloaded"); !strings.HasSuffix(got, "users reloaded: 1; "+step.want+"; log brief") {
			t.Errorf("%q: logged %q, want %s", step.file, got, step.want)
		}
	}
}

// TestHangupUnderNohup: who was started by nohup still reloads on SIGHUP, and outlives his terminal.
func TestHangupUnderNohup(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/users.conf", line("001"))
	at := freePort(t)
	cmd := minisip(t, dir, nil, "-listen", at.String(), "-log", "/dev/stdout")
	nohup := exec.Command("sh", append([]string{"-c", `trap "" HUP; exec "$0" "$@"`}, cmd.Args...)...)
	nohup.Dir, nohup.Env = cmd.Dir, cmd.Env
	d := serves(t, at, nohup)
	d.signal(syscall.SIGHUP)
	d.waitFor("users reloaded: 1")
	if status := d.end(syscall.SIGTERM); status != exitOK {
		t.Errorf("status %d", status)
	}
}
