package config

import (
	"errors"
	"io/fs"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// A source is what a test gives to Parse: a command line split at spaces, the
// environment, and the text of the file minisip.conf.
type source struct {
	args string
	env  map[string]string
	file string
}

func (s source) parse() (*Config, error) {
	env := func(name string) (string, bool) {
		value, ok := s.env[name]
		return value, ok
	}
	readFile := func(name string) ([]byte, error) {
		if name != "minisip.conf" {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return []byte(s.file), nil
	}
	return Parse(strings.Fields(s.args), env, readFile)
}

// settings is the part of a Config that tests compare.
func settings(t *testing.T, s source) *Config {
	t.Helper()
	c, err := s.parse()
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	return c
}

func addrPorts(list ...string) (addrs []netip.AddrPort) {
	for _, s := range list {
		addrs = append(addrs, netip.MustParseAddrPort(s))
	}
	return addrs
}

func TestDefaults(t *testing.T) {
	c := settings(t, source{})
	c.origin, c.wordFrom = nil, nil
	want := &Config{
		Listen:  addrPorts("0.0.0.0:5060", "[::]:5060"),
		Realm:   "mini_sip_proxy",
		Users:   "users.conf",
		Digest:  []string{"md5"},
		Ban:     Ban{10, time.Minute, time.Hour},
		RTPLow:  10000,
		RTPHigh: 20000,
		DSCP:    DSCP{24, 46},

		Keepalive:   25 * time.Second,
		Timeout:     30 * time.Second,
		HoldTimeout: 2 * time.Hour,
		TimerC:      185 * time.Second,
		MaxPending:  50,
		ICE:         true,

		Status:  netip.MustParseAddrPort("127.0.0.1:8060"),
		State:   "state",
		Log:     "sip_server.log",
		LogDays: 7,
		LogSize: 100 << 20,
		History: 8 << 20,

		Features: Features{Contact: true, SDP: true, Via: true, Duplicate: true, Silent: true},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("no arguments give\n%+v\nwant\n%+v", c, want)
	}
}

func TestValues(t *testing.T) {
	for _, tt := range []struct {
		args string
		get  func(c *Config) any
		want any
	}{
		{"-listen 192.0.2.1:5060", func(c *Config) any { return c.Listen }, addrPorts("192.0.2.1:5060")},
		{"-listen :5070,[2001:db8::1]:5060", func(c *Config) any { return c.Listen },
			addrPorts("0.0.0.0:5070", "[::]:5070", "[2001:db8::1]:5060")},
		{"-listen [::ffff:192.0.2.1]:5060", func(c *Config) any { return c.Listen }, addrPorts("192.0.2.1:5060")},
		{"-listen [fe80::1%eth0]:5060", func(c *Config) any { return c.Listen }, addrPorts("[fe80::1%eth0]:5060")},
		{"-public 203.0.113.7", func(c *Config) any { return []netip.Addr{c.Public4, c.Public6} },
			[]netip.Addr{netip.MustParseAddr("203.0.113.7"), {}}},
		{"-public 2001:db8::7,203.0.113.7", func(c *Config) any { return []netip.Addr{c.Public4, c.Public6} },
			[]netip.Addr{netip.MustParseAddr("203.0.113.7"), netip.MustParseAddr("2001:db8::7")}},
		{"-realm sip.example.com", func(c *Config) any { return c.Realm }, "sip.example.com"},
		{"-domain SIP.Example.com.,192.0.2.1,2001:DB8::1,[::1]", func(c *Config) any { return c.Domains },
			[]string{"sip.example.com", "192.0.2.1", "[2001:db8::1]", "[::1]"}},
		{"-users=", func(c *Config) any { return c.Users }, ""},
		{"-rtp 30000-30003", func(c *Config) any { return []uint16{c.RTPLow, c.RTPHigh} }, []uint16{30000, 30003}},
		{"-dscp cs5", func(c *Config) any { return c.DSCP }, DSCP{40, 46}},
		{"-dscp AF31,cs0", func(c *Config) any { return c.DSCP }, DSCP{26, 0}},
		{"-dscp 63,va", func(c *Config) any { return c.DSCP }, DSCP{63, 44}},
		{"-dscp af43,le", func(c *Config) any { return c.DSCP }, DSCP{38, 1}},
		{"-dscp none", func(c *Config) any { return c.DSCP }, DSCP{}},
		{"-dscp none,af42", func(c *Config) any { return c.DSCP }, DSCP{0, 36}},
		{"-digest SHA-256,md5", func(c *Config) any { return c.Digest }, []string{"sha256", "md5"}},
		{"-dial-admins 001,alice", func(c *Config) any { return c.DialAdmins }, []string{"001", "alice"}},
		{"-keepalive 0", func(c *Config) any { return c.Keepalive }, time.Duration(0)},
		{"-timeout 1m30s", func(c *Config) any { return c.Timeout }, 90 * time.Second},
		{"-hold-timeout 168h", func(c *Config) any { return c.HoldTimeout }, 168 * time.Hour},
		{"-ice strip", func(c *Config) any { return c.ICE }, false},
		{"-status=", func(c *Config) any { return c.Status.IsValid() }, false},
		{"-status localhost:80", func(c *Config) any { return c.Status.String() }, "127.0.0.1:80"},
		{"-status :8060 -status-password-file x", func(c *Config) any { return c.Status.String() + c.StatusPasswordFile }, "[::]:8060x"},
		{"-log-days 3650", func(c *Config) any { return c.LogDays }, 3650},
		{"-log-size 64k", func(c *Config) any { return c.LogSize }, int64(64 << 10)},
		{"-log-size 1G", func(c *Config) any { return c.LogSize }, int64(1 << 30)},
		{"-log-size 70000", func(c *Config) any { return c.LogSize }, int64(70000)},
		{"-history 64m", func(c *Config) any { return c.History }, 64 << 20},
		{"-log= -state= -cdr=x", func(c *Config) any { return []string{c.Log, c.State, c.CDR} }, []string{"", "", "x"}},
		{"-check", func(c *Config) any { return c.Check }, true},
	} {
		if got := tt.get(settings(t, source{args: tt.args})); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.args, got, tt.want)
		}
	}
}

func TestForms(t *testing.T) {
	for _, args := range []string{
		"-realm a debug -rtp 30000-40000",
		"--realm a --rtp 30000-40000 debug",
		"-realm=a debug --rtp=30000-40000",
		"debug -rtp=30000-40000 -realm a",
	} {
		c := settings(t, source{args: args})
		if c.Realm != "a" || c.RTPLow != 30000 || !c.Debug || c.Notes != nil {
			t.Errorf("%s: realm %q, rtp from %d, debug %v, notes %q", args, c.Realm, c.RTPLow, c.Debug, c.Notes)
		}
	}
}

// Flag over file over environment over default.
func TestPrecedence(t *testing.T) {
	env := map[string]string{"MINISIP_REALM": "env", "MINISIP_LOG_DAYS": "3", "MINISIP_CONFIG": "minisip.conf"}
	file := "realm file\nlog-days 5\n"
	for _, tt := range []struct {
		source source
		realm  string
		days   int
	}{
		{source{}, "mini_sip_proxy", 7},
		{source{env: map[string]string{"MINISIP_REALM": "env"}}, "env", 7},
		{source{env: env, file: "realm file"}, "file", 3},
		{source{env: env, file: file}, "file", 5},
		{source{env: env, file: file, args: "-realm flag"}, "flag", 5},
		{source{env: env, file: file, args: "-config= -realm flag"}, "flag", 3},
		{source{file: file}, "mini_sip_proxy", 7}, // nobody named it
		{source{file: file, args: "-config minisip.conf"}, "file", 5},
	} {
		if c := settings(t, tt.source); c.Realm != tt.realm || c.LogDays != tt.days {
			t.Errorf("%+v: realm %q, %d days; want %q, %d", tt.source, c.Realm, c.LogDays, tt.realm, tt.days)
		}
	}
}

// The directories that systemd makes for a service are defaults, no more.
func TestServiceDirectories(t *testing.T) {
	env := map[string]string{"STATE_DIRECTORY": "/var/lib/minisip:/var/lib/other", "LOGS_DIRECTORY": "/var/log/minisip"}
	c := settings(t, source{env: env})
	if c.State != "/var/lib/minisip" || c.Log != "/var/log/minisip/sip_server.log" || c.Users != "users.conf" {
		t.Errorf("state %q, log %q, users %q", c.State, c.Log, c.Users)
	}
	env["MINISIP_STATE"] = ""
	c = settings(t, source{env: env, args: "-log x.log"})
	if c.State != "" || c.Log != "x.log" {
		t.Errorf("state %q, log %q; want none and x.log", c.State, c.Log)
	}
}

func TestFile(t *testing.T) {
	c := settings(t, source{args: "-config minisip.conf", file: "\ufeff# minisip\r\n" + `
realm a b c   # spaces are part of the value
  -log /var/log/x#1.log
users = "/etc/mini sip/users # 1.conf"	# quoted
cdr=calls.jsonl
--state ""
domain	sip.example.com,example.com
debug re_via   # two words
re_sdp`})
	want := map[string]string{"realm": "a b c", "log": "/var/log/x#1.log", "users": "/etc/mini sip/users # 1.conf",
		"cdr": "calls.jsonl", "state": "", "domain": "sip.example.com,example.com"}
	got := map[string]string{"realm": c.Realm, "log": c.Log, "users": c.Users,
		"cdr": c.CDR, "state": c.State, "domain": strings.Join(c.Domains, ",")}
	if !maps.Equal(got, want) {
		t.Errorf("settings\n%q\nwant\n%q", got, want)
	}
	if c.Features != (Features{Via: true, SDP: true}) || !c.Debug {
		t.Errorf("words: %v, debug %v", c.Features, c.Debug)
	}
	if c.File != "minisip.conf" || c.Notes != nil {
		t.Errorf("file %q, notes %q", c.File, c.Notes)
	}
}

func TestNotes(t *testing.T) {
	for _, tt := range []struct {
		source source
		want   []string
	}{
		{source{args: "-realm a -realm b"}, []string{`flag -realm: given twice, first "a", then "b", and the last wins`}},
		{source{args: "-realm a -realm=a"}, []string{`flag -realm: given twice, first "a", then "a", and the last wins`}},
		{source{args: "silent debug silent"}, []string{`word silent: given twice`}},
		{source{args: "silent no_silent"}, []string{`word no_silent: contradicts silent before it, and the last wins`}},
		{source{args: "-config minisip.conf", file: "timeout 5s\n\ntimeout 9s\nno_debug\ndebug"}, []string{
			`minisip.conf:3: timeout: given twice, first "5s", then "9s", and the last wins`,
			`minisip.conf:5: debug: contradicts no_debug before it, and the last wins`}},
		{source{env: map[string]string{"MINISIP_WORDS": "re_via no_re_via"}}, []string{
			`environment variable MINISIP_WORDS: no_re_via: contradicts re_via before it, and the last wins`}},
		// What precedence decides is no contradiction.
		{source{args: "-config minisip.conf -realm a no_silent", file: "realm b\nsilent"}, nil},
	} {
		if c := settings(t, tt.source); !slices.Equal(c.Notes, tt.want) {
			t.Errorf("%+v: notes\n  %s\nwant\n  %s", tt.source, strings.Join(c.Notes, "\n  "), strings.Join(tt.want, "\n  "))
		}
	}
}

// A variable that no flag has is named, and the one that may have been meant.
func TestStrays(t *testing.T) {
	environ := []string{
		"PATH=/bin", "MINISIP_LISTEN=:5060", "MINISIP_WORDS=debug", "MINISIP_CONFIG=x", "MINISIP_PASSWORD=x", "MINISIP=x",
		"MINISIP_LISTNE=:5062", "MINISIP_LOGDAYS=3", "MINISIP_WORD=debug", "MINISIP_Realm=x", "MINISIP_CHECK=1", "MINISIP_SERVICE_PORT_SIP=5060", "MINISIP_\x1b[31m",
	}
	want := []string{
		"environment variable MINISIP_LISTNE: found no such flag, so it changes nothing, expected MINISIP_LISTEN",
		"environment variable MINISIP_LOGDAYS: found no such flag, so it changes nothing, expected MINISIP_LOG_DAYS",
		"environment variable MINISIP_WORD: found no such flag, so it changes nothing, expected MINISIP_WORDS",
		"environment variable MINISIP_Realm: found no such flag, so it changes nothing, expected MINISIP_REALM",
		"environment variable MINISIP_CHECK: found no such flag, so it changes nothing",
		"environment variable MINISIP_SERVICE_PORT_SIP: found no such flag, so it changes nothing",
		`environment variable "MINISIP_\x1b[31m": found no such flag, so it changes nothing`,
	}
	if got := Strays(environ, "MINISIP_PASSWORD"); !slices.Equal(got, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestGiven(t *testing.T) {
	c := settings(t, source{args: "-realm mini_sip_proxy", env: map[string]string{"MINISIP_LOG": "x"}})
	for name, want := range map[string]bool{"realm": true, "log": true, "listen": false, "no-such": false} {
		if got := c.Given(name); got != want {
			t.Errorf("Given(%q) is %v, want %v", name, got, want)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, args := range []string{"-h", "--help", "-help", "help", "no-such-word -h", "-log -h"} {
		if _, err := (source{args: args}).parse(); !errors.Is(err, ErrHelp) {
			t.Errorf("%s: %v, want ErrHelp", args, err)
		}
	}
}
