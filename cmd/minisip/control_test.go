package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"minisip/cmd/minisip/internal/config"
	"minisip/cmd/minisip/internal/control"
)

// TestControl: what the command line tells of a running minisip, and how it ends.
func TestControl(t *testing.T) {
	d, dir, _ := serving(t)
	a, b := newAsker(t, d.at, "001"), newAsker(t, d.at, "002")
	a.register("secret-001")
	b.register("secret-002")
	a.invite("002", "secret-001")
	b.refuse()
	a.receive()                 // 486
	a.dial("004", "secret-001") // 404
	for _, tt := range []struct {
		args   string
		status int
		want   string // an expression for standard output; of a failure, for standard error
	}{
		{"status", 0, `(?m)^users +2 with 2 phones$`},
		{"status -json", 0, `^\{"version":"devel",.*"users":2,`},
		{"users", 0, `(?m)^USER +FROM +NAT +EXPIRES +PING +PHONE\n001 +127\.0\.0\.1:\d+ .*\n002 `},
		{"users 002", 0, `(?m)\A[^\n]*\n(?:001 +127\.0\.0\.1:\d*002\d* [^\n]*\n)?002 [^\n]*\n\z`}, // its port may have the digits too
		{"users zz", 0, `^No phone is registered with "zz" in it\.\n$`},                           // in no address either
		{"calls", 0, `^No calls \(live\)\.\n$`},
		{"calls ended", 0, `(?m)^1 +ended +001 +002 +[0-9:]{8} +002 was busy \(486\)\.$`},
		{"calls all 004", 0, `(?m)^r1 +ended +001 +004 +[0-9:]{8} +001 called 004, and the user file has no such user\.$`},
		{"call 1", 0, `(?s)^Call 1: 001 calls 002, ended: busy \(486\)\nbegan .*\ninfo: 002 was busy \(486\)\.\n.*001 +minisip +002\n`},
		{"call 1", 0, `(?m)^ +0\.\d{3} +\|-- INVITE -+>\|`},
		{"call 1", 0, `(?m)^ +0\.\d{3} +\|<-- 407 Proxy Authenti`},
		{"call 1 -v", 0, `(?m)^    Authorization: Digest .*response="\*{8}"`},
		{"call r1 -json", 0, `"code":"no-such-user"`},
		{"call 7", 1, `^minisip call: There is no call 7: it may be too long ago\.\n$`},
		{"hangup 1", 1, `^minisip hangup: There is no call 1 that could be ended\.\n$`},
		{"bans", 0, `^Nobody is banned\.\n$`},
		{"ban del 192.0.2.7", 1, `^minisip ban: 192\.0\.2\.7 is not banned\.\n$`},
		{"ban 192.0.2.7", 2, `^minisip ban: expected del IP; see minisip ban -h\n$`},
		{"set silent off", 0, `(?m)^silent +off$`},
		{"set", 0, `(?m)^silent +off$`},
		{"set no_debug", 0, `(?m)^debug +off$`},
		{"set loud on", 1, `^minisip set: There is no word "loud": expected one of silent, `},
		{"set timeout 60s", 0, `^-timeout is "60s" now, until a restart\n$`},
		{"set timeout", 2, `^minisip set: -timeout needs a value, such as: minisip set timeout 60s;`},
		{"set silnet", 1, `^minisip set: There is no word "silnet": expected one of silent, `},
		{"set silent maybe", 2, `^minisip set: expected silent on or silent off, found "maybe"`},
		{"log busy", 0, `^\[[-0-9: ]{19}\] call 1: 001 -> 002 ended not answered: busy \(486\)\n$`},
		{"top", 0, `(?s)^minisip devel, up .*\nCALL +STATE`},
		{"trace 009", 1, `^minisip trace: `},
		{"calls -bogus", 2, `^minisip calls: flag provided but not defined: -bogus; see minisip calls -h\n$`},
		{"calls one two three", 2, `^minisip calls: "three" is one word too many`},
		{"calls -h", 0, `^Usage: minisip calls \[live\|ended\|all\] \[TEXT\] \[-limit N\] \[-json\] \[-state DIR\]\n`},
		{"status -state nowhere", 3, `^minisip status: no minisip answers at nowhere/minisip\.sock: is it running\?`},
	} {
		got := finish(t, minisip(t, dir, []string{"TERM=dumb"}, strings.Fields(tt.args)...))
		text, other := got.stdout, got.stderr
		if tt.status != 0 {
			text, other = other, text
		}
		if got.status != tt.status || !regexp.MustCompile(tt.want).MatchString(text) || other != "" {
			t.Errorf("minisip %s: status %d, printed\n%s%s\nwant %d, %s", tt.args, got.status, got.stdout, got.stderr, tt.status, tt.want)
		}
	}
}

// TestReaderGone: what nobody reads any more, as behind head -1, ends without a word, as other tools do.
func TestReaderGone(t *testing.T) {
	_, dir, _ := serving(t)
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	from.Close()
	for _, args := range []string{"status", "users", "calls", "log", "log -f"} {
		cmd := minisip(t, dir, nil, strings.Fields(args)...)
		deaf := exec.Command("sh", append([]string{"-c", `exec "$0" "$@" >&3`}, cmd.Args...)...)
		deaf.Dir, deaf.Env, deaf.ExtraFiles = cmd.Dir, cmd.Env, []*os.File{to}
		got := finish(t, deaf)
		if end := deaf.ProcessState.Sys().(syscall.WaitStatus); end.Signal() != syscall.SIGPIPE || got.stderr != "" {
			t.Errorf("minisip %s: status %d, %s, printed %q", args, got.status, end.Signal(), got.stderr)
		}
	}
}

// TestControlSocket: it is its owner's alone, made anew after a crash, and gone at the end.
func TestControlSocket(t *testing.T) {
	d, dir, users := serving(t)
	path := filepath.Join(dir, "state", "minisip.sock")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	d.end(syscall.SIGKILL)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("a killed minisip took its socket along: %v", err)
	}
	d = start(t, dir, nil, "-users", users)
	if got := finish(t, minisip(t, dir, nil, "status")); got.status != 0 {
		t.Errorf("after a crash: %+v", got)
	}
	d.end(syscall.SIGTERM)
	if got := finish(t, minisip(t, dir, nil, "status")); got.status != control.ExitNoServer {
		t.Errorf("after the end: %+v", got)
	}
	start(t, dir, nil, "-users", users, "-state", "")
	if _, err := os.Stat(path); err == nil {
		t.Error("-state \"\" made a socket")
	}
}

// TestStatusTaken: a page that was asked for is had or minisip does not start; the default is not.
func TestStatusTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	write(t, dir+"/users.conf", line("001"))
	got := finish(t, minisip(t, dir, nil, "-listen", freePort(t).String(), "-status", l.Addr().String()))
	want := "minisip: cannot show the status page at " + l.Addr().String() + " (bind: address already in use): choose another place with -status ADDR:PORT, or none with -status \"\"\n"
	if got.status != exitUsage || got.stderr != want {
		t.Errorf("got %+v, want %s", got, want)
	}
	if taken, err := net.Listen("tcp", "127.0.0.1:8060"); err == nil {
		defer taken.Close() // else somebody else has it
	}
	d := start(t, dir, nil)
	d.waitFor("No status page: 127.0.0.1:8060 is taken; choose another place with -status ADDR:PORT.")
	d.end(syscall.SIGTERM)
	write(t, dir+"/password", "a long one\n")
	at := freePort(t)
	d = start(t, dir, nil, "-public", "203.0.113.9", "-status", fmt.Sprintf(":%d", at.Port()), "-status-password-file", dir+"/password")
	d.waitFor(fmt.Sprintf("Status page: http://203.0.113.9:%d", at.Port()))
	d.end(syscall.SIGTERM)
	d = start(t, dir, nil, "-status", "")
	if slices.ContainsFunc(d.said, func(l string) bool { return strings.HasPrefix(l, "Status page:") }) {
		t.Errorf("-status \"\" printed\n%s", d.output())
	}
}

// TestListenTrouble: why the commands cannot be served is said in a sentence, with the way out where it is not plain.
func TestListenTrouble(t *testing.T) {
	dir := t.TempDir()
	deep := filepath.Join(dir, strings.Repeat("d", 100), "minisip.sock")
	for path, want := range map[string]string{
		deep:                            deep + " is too long for the path of a socket: name a state directory with a shorter one, for example -state /var/lib/minisip",
		filepath.Join(dir, "none", "s"): "cannot listen at " + filepath.Join(dir, "none", "s") + " (bind: no such file or directory)",
	} {
		if l, err := listenUnix(path); err == nil {
			l.Close()
			t.Errorf("%s can be listened at", path)
		} else if err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestCommandTables: each subcommand that asks a running minisip is in the help, and is one.
func TestCommandTables(t *testing.T) {
	for _, name := range control.Names() {
		known := slices.ContainsFunc(config.Commands, func(c config.Command) bool { return c.Name == name })
		if !known {
			t.Errorf("%s is not in the help", name)
		}
	}
	for _, c := range config.Commands {
		if find(c.Name) == nil {
			t.Errorf("%s is in the help and does nothing", c.Name)
		}
	}
}
