package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serving starts minisip with users 001 and 002.
func serving(t *testing.T, args ...string) (d *daemon, dir, users string) {
	t.Helper()
	dir = t.TempDir()
	users = filepath.Join(dir, "users.conf")
	write(t, users, line("001")+line("002"))
	return start(t, dir, nil, args...), dir, users
}

// TestEnd: each signal that ends minisip ends it well, and the log says so last.
func TestEnd(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		d, _, _ := serving(t)
		if status := d.end(s); status != exitOK || d.stderr.Len() > 0 {
			t.Errorf("%v: status %d, stderr %q", s, status, &d.stderr)
		}
		if !regexp.MustCompile(`\n\[[-0-9]+ [:0-9]+\] minisip stopped\n$`).MatchString(d.output()) {
			t.Errorf("%v: printed\n%s", s, d.output())
		}
	}
}

// TestReload: SIGHUP takes the user file over; a bad one changes nothing and the log says where it is bad.
func TestReload(t *testing.T) {
	d, _, users := serving(t, "no_silent")
	for _, step := range []struct {
		name, file string // content of the user file
		says       string // in the log
		want       map[string]string
	}{
		{"a new user", line("001") + line("002") + line("003"), "users reloaded: 3",
			map[string]string{"001": ok, "002": ok, "003": ok, "004": denied}},
		{"a bad line", line("001") + line("004") + "002:mini_sip_proxy:short\n",
			"not reloaded, all stays as it was: " + users + ":3: expected 32 hexadecimal digits",
			map[string]string{"001": ok, "002": ok, "003": ok, "004": denied}},
		{"nobody left", "# empty\n", "not reloaded, all stays as it was: there are no users in " + users,
			map[string]string{"001": ok}},
		{"a user gone", line("001"), "users reloaded: 1",
			map[string]string{"001": ok, "002": denied, "003": denied}},
	} {
		write(t, users, step.file)
		d.signal(syscall.SIGHUP)
		d.waitFor(strings.ReplaceAll(step.says, users, "users.conf"))
		for user, want := range step.want {
			if got := register(t, d.at, user, "secret-"+user); got != want {
				t.Errorf("%s: %s got %s, want %s", step.name, user, got, want)
			}
		}
	}
	if err := os.Remove(users); err != nil {
		t.Fatal(err)
	}
	d.signal(syscall.SIGHUP)
	d.waitFor("not reloaded, all stays as it was: cannot read the user file users.conf (no such file or directory)")
	if got := register(t, d.at, "001", "secret-001"); got != ok {
		t.Errorf("without a user file: 001 got %s", got)
	}
	if status := d.end(syscall.SIGTERM); status != exitOK || d.stderr.Len() > 0 {
		t.Errorf("status %d, stderr %q", status, &d.stderr)
	}
}

// TestReloadAtStart: SIGHUP while minisip starts, which takes a while with many users, does not end it. It reloads as soon as it serves.
func TestReloadAtStart(t *testing.T) {
	dir, at := t.TempDir(), freePort(t)
	users := filepath.Join(dir, "users")
	if err := syscall.Mkfifo(users, 0o600); err != nil {
		t.Fatal(err)
	}
	d := begin(t, at, minisip(t, dir, nil, "-listen", at.String(), "-log", "/dev/stdout", "-users", users))
	pipe, err := os.OpenFile(users, os.O_WRONLY, 0) // which is there when minisip reads it
	if err != nil {
		t.Fatal(err)
	}
	d.signal(syscall.SIGHUP)
	if err := os.Remove(users); err != nil {
		t.Fatal(err)
	}
	write(t, users, line("001")+line("002"))
	pipe.WriteString(line("001"))
	pipe.Close()
	d.waitFor("Features on:")
	d.waitFor("users reloaded: 2")
	if status := d.end(syscall.SIGTERM); status != exitOK || d.stderr.Len() > 0 {
		t.Errorf("status %d, stderr %q", status, &d.stderr)
	}
}

// TestReloadDigest: SHA-256 is offered while every user has that hash, also after a reload, and the log says when it is not.
func TestReloadDigest(t *testing.T) {
	dir := t.TempDir()
	d := start(t, dir, nil, "-digest", "sha256,md5") // makes accounts with both hashes
	users := filepath.Join(dir, "users.conf")
	both, err := os.ReadFile(users)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name, file string
		want       []string
	}{
		{"all have it", string(both), []string{"SHA-256", "MD5"}},
		{"one has not", string(both) + line("003"), []string{"MD5"}},
		{"all have it again", string(both), []string{"SHA-256", "MD5"}},
	} {
		write(t, users, step.file)
		d.signal(syscall.SIGHUP)
		if len(step.want) == 1 {
			d.waitFor("-digest: MD5 alone is offered, since not every user has a SHA-256 hash")
		}
		d.waitFor("users reloaded")
		var got []string
		for _, m := range regexp.MustCompile(`algorithm=([-A-Z0-9]+)`).FindAllStringSubmatch(challenge(t, d.at, "001"), -1) {
			got = append(got, m[1])
		}
		if strings.Join(got, " ") != strings.Join(step.want, " ") {
			t.Errorf("%s: challenged by %s, want %s", step.name, got, step.want)
		}
	}
}

// TestReopen: after SIGUSR1 the log goes into a new file, and the one moved away stays as it is.
func TestReopen(t *testing.T) {
	d, dir, _ := serving(t, "-log", "sip.log") // the last -log wins
	log, moved := filepath.Join(dir, "sip.log"), filepath.Join(dir, "moved.log")
	d.until("the log begins", func() bool { return bytes.Contains(read(t, log), []byte("started")) })
	if err := os.Rename(log, moved); err != nil {
		t.Fatal(err)
	}
	d.signal(syscall.SIGUSR1)
	d.until("the log is opened anew", func() bool {
		_, err := os.Stat(log)
		return err == nil
	})
	before := read(t, moved)
	d.signal(syscall.SIGHUP) // has something to say
	d.until("the log goes on", func() bool { return bytes.Contains(read(t, log), []byte("users reloaded: 2")) })
	if status := d.end(syscall.SIGTERM); status != exitOK || d.stderr.Len() > 0 {
		t.Errorf("status %d, stderr %q", status, &d.stderr)
	}
	if !bytes.HasSuffix(read(t, log), []byte("minisip stopped\n")) || !bytes.Equal(read(t, moved), before) {
		t.Errorf("moved away:\n%s\nnew:\n%s", read(t, moved), read(t, log))
	}
}

// TestLogTrouble: a log that cannot be written is said once and keeps nobody from serving.
func TestLogTrouble(t *testing.T) {
	d, _, _ := serving(t, "-log", "none/sip.log")
	if got := register(t, d.at, "001", "secret-001"); got != ok {
		t.Errorf("001 got %s", got)
	}
	d.end(syscall.SIGTERM)
	if said := d.stderr.String(); strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "log none/sip.log: cannot be opened: no such file or directory") {
		t.Errorf("stderr %q", said)
	}
}

// TestNobodyReads: what minisip has to say where nobody reads any more does not end it.
func TestNobodyReads(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "users.conf"), line("001"))
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	from.Close()
	at := freePort(t)
	cmd := minisip(t, dir, nil, "-listen", at.String(), "-log", "none/sip.log") // there is trouble to be told
	deaf := exec.Command("sh", append([]string{"-c", `exec "$0" "$@" 2>&3`}, cmd.Args...)...)
	deaf.Dir, deaf.Env, deaf.ExtraFiles = cmd.Dir, cmd.Env, []*os.File{to}
	d := serves(t, at, deaf)
	if got := register(t, d.at, "001", "secret-001"); got != ok {
		t.Errorf("001 got %s", got)
	}
	if status := d.end(syscall.SIGTERM); status != exitOK {
		t.Errorf("status %d", status)
	}
}

// until asks again and again whether something holds.
func (d *daemon) until(what string, holds func() bool) {
	d.t.Helper()
	late, tick := time.After(patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			d.t.Fatalf("not so: %s", what)
		}
	}
}

// read gives what is in a file, nothing where there is none.
func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return data
}
