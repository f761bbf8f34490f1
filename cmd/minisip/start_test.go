package main

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"minisip/cmd/minisip/internal/config"
	"minisip/digest"
)

const (
	ok     = "SIP/2.0 200 OK"
	denied = "SIP/2.0 401 Unauthorized"
)

var account = regexp.MustCompile(`(?m)^    server    (\S+)\n    user      (\S+)\n    password  (\S+)\n`)

// TestFirstRun: two accounts are made, printed once, and work.
func TestFirstRun(t *testing.T) {
	dir := t.TempDir()
	d := start(t, dir, nil)
	accounts := account.FindAllStringSubmatch(d.output(), -1)
	if len(accounts) != 2 || accounts[0][2] != "001" || accounts[1][2] != "002" {
		t.Fatalf("printed\n%s", d.output())
	}
	users := filepath.Join(dir, "users.conf")
	info, err := os.Stat(users)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("users.conf has mode %v", info.Mode())
	}
	data, err := os.ReadFile(users)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts {
		if a[1] != d.at.String() {
			t.Errorf("user %s shall use server %s, minisip listens on %s", a[2], a[1], d.at)
		}
		if strings.Contains(string(data), a[3]) {
			t.Errorf("the password of %s is in the file", a[2])
		}
		if got := register(t, d.at, a[2], a[3]); got != ok {
			t.Errorf("%s with the password printed: %s", a[2], got)
		}
	}
	if status := d.end(os.Interrupt); status != 0 || d.stderr.Len() > 0 {
		t.Errorf("status %d, stderr %q", status, &d.stderr)
	}

	// The second run has nothing new to say, and the accounts still work.
	d = start(t, dir, nil)
	if said := d.output(); strings.Contains(said, "password") || !strings.Contains(said, "Server for the phones: "+d.at.String()+" (users: 2, from users.conf)\n") {
		t.Errorf("the second run printed\n%s", said)
	}
	for _, a := range accounts {
		if got := register(t, d.at, a[2], a[3]); got != ok {
			t.Errorf("%s after a restart: %s", a[2], got)
		}
	}
	if again, err := os.ReadFile(users); err != nil || string(again) != string(data) {
		t.Errorf("the user file has changed: %v", err)
	}
}

// TestUserFileForAll: a user file that others can read is said so, at a start and by -check.
func TestUserFileForAll(t *testing.T) {
	for _, test := range []struct {
		mode os.FileMode
		want bool
	}{{0o644, true}, {0o602, true}, {0o640, false}, {0o600, false}} {
		dir := t.TempDir()
		write(t, dir+"/users.conf", line("001"))
		if err := os.Chmod(dir+"/users.conf", test.mode); err != nil {
			t.Fatal(err)
		}
		got := finish(t, minisip(t, dir, nil, "-check"))
		note := fmt.Sprintf("the mode %04o of users.conf lets everybody on this machine at the hashes of the passwords", test.mode)
		if strings.Contains(got.stdout, note) != test.want {
			t.Errorf("mode %04o: printed\n%s", test.mode, got.stdout)
		}
	}
}

// TestStateDirectoryForAll: so is a state directory that others can write in.
func TestStateDirectoryForAll(t *testing.T) {
	for _, test := range []struct {
		mode os.FileMode
		want bool
	}{{0o777, true}, {0o775, false}, {0o700, false}} {
		dir := t.TempDir()
		write(t, dir+"/users.conf", line("001"))
		if err := errors.Join(os.Mkdir(dir+"/kept", 0o700), os.Chmod(dir+"/kept", test.mode)); err != nil {
			t.Fatal(err)
		}
		got := finish(t, minisip(t, dir, nil, "-check", "-state", "kept"))
		note := fmt.Sprintf("the mode %04o of kept lets everybody on this machine put registrations and calls there", test.mode)
		if strings.Contains(got.stdout, note) != test.want {
			t.Errorf("mode %04o: printed\n%s", test.mode, got.stdout)
		}
	}
}

// TestEnvironment: AUTH_USERS_ENV alone, and beside a user file, where it wins.
func TestEnvironment(t *testing.T) {
	const env = usersVariable + `={"001": "from env", "009": "also from env"}`
	for _, test := range []struct {
		name, file string   // content of the user file; "": there is none
		args       []string // more of them
		from       string
		file002    string // what 002, who is only in the file, gets
	}{
		{"alone", "", []string{"-users", "", "no_silent"}, "(users: 2, from AUTH_USERS_ENV)", denied},
		{"no file", "", []string{"no_silent"}, "(users: 2, from AUTH_USERS_ENV)", denied},
		{"beside a file", line("001") + line("002"), nil, "(users: 3, from users.conf and AUTH_USERS_ENV)", ok},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			users := filepath.Join(dir, "users.conf")
			if test.file != "" {
				write(t, users, test.file)
			}
			d := start(t, dir, []string{env}, test.args...)
			if !strings.Contains(d.output(), test.from) {
				t.Errorf("printed\n%s", d.output())
			}
			for _, login := range []struct{ user, password, want string }{
				{"001", "from env", ok},
				{"009", "also from env", ok},
				{"002", "secret-002", test.file002},
			} {
				if got := register(t, d.at, login.user, login.password); got != login.want {
					t.Errorf("%s: %s, want %s", login.user, got, login.want)
				}
			}
			if data, err := os.ReadFile(users); string(data) != test.file {
				t.Errorf("users.conf holds %q, %v", data, err)
			}
		})
	}
}

// line is a user's line in the user file; the password is secret-NAME.
func line(name string) string {
	return name + ":mini_sip_proxy:" + digest.HA1(digest.MD5, name, "mini_sip_proxy", "secret-"+name) + "\n"
}

// TestRefusals: what cannot be done is said in one line that names the way out, and nothing is left
// behind. USED is an address in use, FREE one that is not.
func TestRefusals(t *testing.T) {
	used, free := listenUDP(t, "127.0.0.1:0").LocalAddr().String(), freePort(t).String()
	_, usedPort, _ := strings.Cut(used, ":")
	for _, test := range []struct{ name, args, env, users, want string }{
		{"port in use", "-listen USED", "", "", "UDP port " + usedPort + " at 127.0.0.1 is in use by another program (bind: address already in use): " +
			"stop that (to see it: ss -lunp 'sport = :" + usedPort + "'), or choose another port with -listen ADDR:PORT"},
		{"no such address", "-listen 203.0.113.199:5060", "", "", "this machine has no address 203.0.113.199 (bind: cannot assign requested address): " +
			"give -listen one of its own (to see them: ip address), and -public the one that phones shall use"},
		{"second address in use", "-listen FREE,USED", "", "", "UDP port " + usedPort + " at 127.0.0.1 is in use by another program (bind: address already in use): " +
			"stop that (to see it: ss -lunp 'sport = :" + usedPort + "'), or choose another port with -listen ADDR:PORT"},
		{"unknown flag", "-realms x", "", "", "flag -realms: found no such flag, expected -realm"},
		{"flag without its value", "-listen", "", "", "flag -listen: found nothing after it, expected ADDR:PORT,..., for example -listen 192.0.2.1:5060"},
		{"bad value", "-rtp 20000-10000", "", "", `flag -rtp: found "20000-10000", expected two ports LO-HI from 1024 to 65535, HI at least 3 above LO, 4 if LO is odd, for example -rtp 10000-20000`},
		{"unknown word", "silnt", "", "", "word silnt: found no such word, expected silent"},
		{"no config file", "-config none.conf", "", "", `flag -config: found that "none.conf" cannot be read (no such file or directory), expected a readable file, for example -config /etc/minisip/minisip.conf`},
		{"bad users line", "-listen FREE", "", "# mine\n" + line("001") + "002:mini_sip_proxy\n",
			"users.conf:3: expected user:realm:MD5-hash or user:realm:MD5-hash:SHA-256-hash, found 2 fields"},
		{"clear password", "-listen FREE", "", "001:mini_sip_proxy:geheim\n",
			"users.conf:1: expected 32 hexadecimal digits of the MD5 hash, found 6 characters; make the line with: minisip user add"},
		{"another realm", "-listen FREE -realm asterisk", "", line("001"),
			`users.conf:1: user "001" is of realm "mini_sip_proxy", but the realm served is "asterisk"; start with -realm mini_sip_proxy, ` +
				"or set the password anew: minisip user passwd -users users.conf -realm asterisk 001"},
		{"no user in the file", "-listen FREE", "", "# nobody yet\n", "there are no users in users.conf: add one with: minisip user add 001 -users users.conf"},
		{"no users at all", "-listen FREE -users=", "", "",
			`there are no users: name a file with -users FILE, or set the environment variable AUTH_USERS_ENV to JSON such as {"001":"password"}`},
		{"bad environment", "-listen FREE -users=", usersVariable + `={"001":geheim}`, "",
			`environment variable AUTH_USERS_ENV: expected a JSON object of names and passwords, such as {"001":"secret"}`},
		{"users file in no directory", "-listen FREE -users none/users.conf", "", "",
			"cannot make the user file none/users.conf (no such file or directory): put that right, or name another file with -users FILE"},
		{"users file a directory", "-listen FREE -users .", "", "",
			"cannot read the user file . (is a directory): put that right, or name another file with -users FILE"},
		{"state a file", "-listen FREE -state users.conf", "", line("001"),
			`cannot keep state in users.conf (mkdir users.conf: not a directory): choose another directory with -state DIR, or none with -state ""`},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			users := filepath.Join(dir, "users.conf")
			if test.users != "" {
				write(t, users, test.users)
			}
			args := strings.Fields(strings.NewReplacer("USED", used, "FREE", free).Replace(test.args))
			got := finish(t, minisip(t, dir, []string{test.env}, args...))
			if want := (result{exitUsage, "", "minisip: " + test.want + "\n"}); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
			if data, _ := os.ReadFile(users); string(data) != test.users {
				t.Errorf("users.conf holds %q", data)
			}
		})
	}
}

// TestNoPermission: what only root may do is said in one line to others.
func TestNoPermission(t *testing.T) {
	free := freePort(t).String()
	for _, test := range []struct{ name, args, want string }{
		{"low port", "-listen 127.0.0.1:80", "no permission to use UDP port 80 at 127.0.0.1 (bind: permission denied): " +
			"ports below 1024 need root or CAP_NET_BIND_SERVICE; choose a higher one with -listen ADDR:PORT"},
		{"unreadable directory", "-users locked/users.conf -listen FREE",
			"cannot read the user file locked/users.conf (permission denied): put that right, or name another file with -users FILE"},
		{"directory that takes no file", "-users readonly/users.conf -listen FREE",
			"cannot make the user file readonly/users.conf (permission denied): put that right, or name another file with -users FILE"},
	} {
		if test.name == "low port" && !lowPortsReserved(t) {
			continue // no port asks for a permission then
		}
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, mode := range map[string]os.FileMode{"locked": 0, "readonly": 0o555} {
				if err := os.Mkdir(filepath.Join(dir, name), mode); err != nil {
					t.Fatal(err)
				}
			}
			cmd := minisip(t, dir, nil, strings.Fields(strings.ReplaceAll(test.args, "FREE", free))...)
			asNobody(t, cmd)
			if got, want := finish(t, cmd), (result{exitUsage, "", "minisip: " + test.want + "\n"}); got != want {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// lowPortsReserved says whether this machine reserves port 80 for root, as most do.
func lowPortsReserved(t *testing.T) bool {
	t.Helper()
	data, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil {
		return true
	}
	first, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		t.Fatal(err)
	}
	return first > 80
}

// TestPhoneAddress: what is typed into the phones.
func TestPhoneAddress(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"-listen 192.0.2.1:5060", "192.0.2.1"},
		{"-listen 192.0.2.1:5070", "192.0.2.1:5070"},
		{"-listen [2001:db8::1]:5060", "[2001:db8::1]"},
		{"-listen [2001:db8::1]:5070", "[2001:db8::1]:5070"},
		{"-listen [2001:db8::1]:5060,192.0.2.1:5070", "[2001:db8::1]"},
		{"-listen 10.0.0.1:5060 -public 203.0.113.7", "203.0.113.7"},
		{"-public 203.0.113.7", "203.0.113.7"},
		{"-public 2001:db8::7", "[2001:db8::7]"},
		{"-public 203.0.113.7,2001:db8::7", "203.0.113.7"},
		{"-listen [::]:5060 -public 203.0.113.7,2001:db8::7", "[2001:db8::7]"},
	} {
		cfg, err := config.Parse(strings.Fields(test.args), func(string) (string, bool) { return "", false }, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := shortAddress(phoneAddress(cfg, cfg.Listen)); got != test.want {
			t.Errorf("%s: %s, want %s", test.args, got, test.want)
		}
	}
	// Of a wildcard it is an address of its family, the loopback's where there is no other.
	for _, wildcard := range []string{"0.0.0.0:5060", "[::]:5060"} {
		at := netip.MustParseAddrPort(wildcard)
		got := phoneAddress(&config.Config{}, []netip.AddrPort{at})
		if got.Addr().Is4() != at.Addr().Is4() || got.Addr().IsUnspecified() || got.Port() != 5060 {
			t.Errorf("on %s phones shall use %s", wildcard, got)
		}
	}
}
