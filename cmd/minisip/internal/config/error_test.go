package config

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// Each refusal with its whole sentence: where, what was found, what was
// expected, an example.
func TestErrors(t *testing.T) {
	file := func(text string) source { return source{args: "-config minisip.conf", file: text} }
	env := func(name, value string) source { return source{env: map[string]string{name: value}} }
	for _, tt := range []struct {
		source source
		want   string
	}{
		{source{args: "-rtp 10000"}, `flag -rtp: found "10000", expected two ports LO-HI from 1024 to 65535, HI at least 3 above LO, 4 if LO is odd, for example -rtp 10000-20000`},
		{source{args: "-listen 192.0.2.1"}, `flag -listen: found "192.0.2.1", expected IP:PORT or :PORT, several separated by commas, for example -listen 192.0.2.1:5060`},
		{source{args: "-listen :5060,sip:5060"}, `flag -listen: found "sip:5060", expected IP:PORT or :PORT, several separated by commas, for example -listen 192.0.2.1:5060`},
		{source{args: "-listen :5060,0.0.0.0:5060"}, `flag -listen: found "0.0.0.0:5060", expected each address and port once, for example -listen 192.0.2.1:5060`},
		{source{args: "-listen 127.0.0.1:5060,:5060"}, `flag -listen: found ":5060", expected each address and port once, for example -listen 192.0.2.1:5060`},
		{source{args: "-listen [::]:5060,[::1]:5060"}, `flag -listen: found "[::1]:5060", expected each address and port once, for example -listen 192.0.2.1:5060`},
		{source{args: "-public 192.0.2.1,192.0.2.2"}, `flag -public: found "192.0.2.1,192.0.2.2", expected an IPv4 address, an IPv6 address, or one of each separated by a comma, for example -public 203.0.113.7`},
		{source{args: "-domain sip:example.com"}, `flag -domain: found "sip:example.com", expected host names or IP addresses separated by commas, without sip: and without a port, for example -domain sip.example.com`},
		{source{args: "-digest sha1"}, `flag -digest: found "sha1", expected md5 or sha256, each at most once, separated by commas, for example -digest sha256,md5`},
		{source{args: "-digest="}, `flag -digest: found nothing, expected md5 or sha256, or both separated by a comma, for example -digest sha256,md5`},
		{source{args: "-realm a:b"}, `flag -realm: found "a:b", expected 1 to 128 printable characters without a colon, a quote and a backslash, for example -realm mini_sip_proxy`},
		{source{args: "-timeout 30"}, `flag -timeout: found "30", expected a time from 1s to 24h, for example -timeout 30s`},
		{source{args: "-keepalive 100ms"}, `flag -keepalive: found "100ms", expected a time from 1s to 1h, or 0, for example -keepalive 25s`},
		{source{args: "-log-size 5X"}, `flag -log-size: found "5X", expected a size from 64K to 1024G, for example -log-size 100M`},
		{source{args: "-status 8060"}, `flag -status: found "8060", expected IP:PORT, :PORT for every address, or "" for none, for example -status 127.0.0.1:8060`},
		{source{args: "-status :0"}, `flag -status: found ":0", expected IP:PORT, :PORT for every address, or "" for none, for example -status 127.0.0.1:8060`},
		{source{args: "-status 192.0.2.1:80"}, `flag -status: found 192.0.2.1:80, which others can reach, and no password; expected -status-password-file FILE beside it, or a loopback address, for example -status 127.0.0.1:8060`},
		{source{args: "-users a.conf -log ./a.conf"}, `flag -log: found ./a.conf, which is the file of -users, expected one of its own, for example -log /var/log/minisip/sip_server.log`},
		{source{args: "-log a.log -cdr a.log"}, `flag -cdr: found a.log, which is the file of -log, expected one of its own, for example -cdr /var/log/minisip/cdr.jsonl`},
		{source{args: "-log-days 0"}, `flag -log-days: found "0", expected a number of days from 1 to 3650, for example -log-days 7`},
		{source{args: "-dial-admins a,,b"}, `flag -dial-admins: found nothing, expected user names separated by commas, for example -dial-admins 001,002`},
		{source{args: "-ban 10"}, `flag -ban: found "10", expected failures from 1 to 1000, a slash, within what time (1s to 24h), a comma, for how long (1s to 8760h), or off, for example -ban 10/1m,1h`},
		{source{args: "-dscp cs8"}, `flag -dscp: found "cs8", expected one code point for SIP, or one for SIP and one for RTP separated by a comma: cs0 to cs7, af11 to af43, ef, va, le, a number up to 63, or none, for example -dscp cs3,ef`},
		{source{args: "-trust 192.0.2.0/33"}, `flag -trust: found "192.0.2.0/33", expected networks as ADDRESS/BITS, or addresses, separated by commas, for example -trust 192.0.2.0/24,2001:db8::/32`},
		{source{args: "-realm"}, `flag -realm: found nothing after it, expected NAME, for example -realm mini_sip_proxy`},
		{source{args: "-log -rtp 1-2"}, `flag -log: found the flag -rtp after it, expected FILE, for example -log /var/log/minisip/sip_server.log`},
		{source{args: "-check=yes"}, `flag -check: found the value "yes", expected none, for example -check`},

		{source{args: "-relm x"}, `flag -relm: found no such flag, expected -realm`},
		{source{args: "--log_size 1M"}, `flag -log_size: found no such flag, expected -log-size`},
		{source{args: "-verbose"}, `flag -verbose: found no such flag, expected one that minisip -h lists, for example -realm`},
		{source{args: "-debug"}, `flag -debug: found a word with a dash before it, expected debug`},
		{source{args: "re-via"}, `word re-via: found no such word, expected re_via`},
		{source{args: "RE_SDP"}, `word RE_SDP: found no such word, expected re_sdp`},
		{source{args: "no_slient"}, `word no_slient: found no such word, expected no_silent`},
		{source{args: "versoin"}, `word versoin: found no such word, expected version`},
		{source{args: "realm"}, `word realm: found a flag without its dash, expected -realm mini_sip_proxy`},
		{source{args: "debug user list"}, `word user: found a command after flags or words, expected it first, for example minisip user`},
		{source{args: "shrill"}, `word shrill: found no such word, expected one of debug, re_contact, re_sdp, re_via, duplicate, silent or the same after no_, for example no_silent`},

		{env("MINISIP_LOG_DAYS", "x"), `environment variable MINISIP_LOG_DAYS: found "x", expected a number of days from 1 to 3650, for example MINISIP_LOG_DAYS=7`},
		{env("MINISIP_WORDS", "debug re_vai"), `environment variable MINISIP_WORDS: re_vai: found no such word, expected re_via`},

		{file("\nrtp 5\n"), `minisip.conf:2: rtp: found "5", expected two ports LO-HI from 1024 to 65535, HI at least 3 above LO, 4 if LO is odd, for example rtp 10000-20000`},
		{file("realm"), `minisip.conf:1: realm: found nothing, expected NAME (or "" for an empty value), for example realm mini_sip_proxy`},
		{file(`realm "a`), `minisip.conf:1: realm: found "\"a", expected a second " at the end of the value, for example realm mini_sip_proxy`},
		{file(`realm "a" b`), `minisip.conf:1: realm: found "b", expected nothing after the second ", for example realm mini_sip_proxy`},
		{file("relm x"), `minisip.conf:1: relm: found no such flag, expected realm`},
		{file("\x7fELF\xff\x1b[31m x"), `minisip.conf:1: "\x7fELF\xff\x1b[31m": found no such flag, expected one that minisip -h lists, for example realm`},
		{file("\x1b[31m"), `minisip.conf:1: "\x1b[31m": found no such word, expected one of debug, re_contact, re_sdp, re_via, duplicate, silent or the same after no_, for example no_silent`},
		{file("# a\ndebug re_vai"), `minisip.conf:2: re_vai: found no such word, expected re_via`},
		{file("silnt"), `minisip.conf:1: silnt: found no such word, expected silent`},
		{file("check"), `minisip.conf:1: check: found a flag that has no meaning in a file, expected it on the command line, for example minisip -check`},
		{file("config x"), `minisip.conf:1: config: found a flag that has no meaning in a file, expected it on the command line, for example minisip -config /etc/minisip/minisip.conf`},
		{source{args: "-config gone"}, `flag -config: found that "gone" cannot be read (file does not exist), expected a readable file, for example -config /etc/minisip/minisip.conf`},
		{env("MINISIP_CONFIG", "gone"), `environment variable MINISIP_CONFIG: found that "gone" cannot be read (file does not exist), expected a readable file, for example MINISIP_CONFIG=/etc/minisip/minisip.conf`},

		{source{args: "-listen :15060"}, `flag -listen: found port 15060 in -listen and inside -rtp 10000-20000, expected it in one of them, for example -listen :5060 -rtp 10000-20000`},
		{file("rtp 5000-6000"), `minisip.conf:1: rtp: found port 5060 in -listen and inside -rtp 5000-6000, expected it in one of them, for example -listen :5060 -rtp 10000-20000`},
		{source{args: "-log " + strings.Repeat("x", 40) + " -realm " + strings.Repeat("é", 70)},
			`flag -realm: found "` + strings.Repeat("é", 60) + `...", expected 1 to 128 printable characters without a colon, a quote and a backslash, for example -realm mini_sip_proxy`},
	} {
		_, err := tt.source.parse()
		var e *Error
		if !errors.As(err, &e) || err.Error() != tt.want {
			t.Errorf("%+v:\n  %v\nwant\n  %s", tt.source, err, tt.want)
		}
	}
}

func TestMoreBadValues(t *testing.T) {
	for _, args := range []string{
		"-listen=", "-listen :0", "-listen :65536", "-listen 224.0.0.1:5060", "-listen *:5060", "-listen ::1:5060x",
		"-ban=", "-ban 0/1m,1h", "-ban 1001/1m,1h", "-ban 10/1m", "-ban 10,1h", "-ban 10/0s,1h", "-ban 10/1m,0", "-ban on",
		"-trust host", "-trust 192.0.2.1:5060", "-trust ::ffff:192.0.2.1/112", "-trust fe80::1%eth0",
		"-public 0.0.0.0", "-public ::", "-public 224.0.0.1", "-public 255.255.255.255", "-public fe80::1%eth0", "-public host", "-public 192.0.2.1:5060",
		"-rtp 20000-10000", "-rtp 10000-10002", "-rtp 10001-10004", "-rtp 80-20000", "-rtp 10000-65536", "-rtp 10000-20000-30000", "-rtp=",
		"-dscp=", "-dscp 64", "-dscp -1", "-dscp cs3,", "-dscp ,ef", "-dscp cs3,ef,ef", "-dscp af14", "-dscp af01", "-dscp af51", "-dscp cs", "-dscp 0x2e", "-dscp csx",
		"-realm=", `-realm a"b`, `-realm a\b`, "-realm a\x7fb",
		"-domain a..b", "-domain example.com:5060", "-domain [192.0.2.1]", "-domain a,,b", "-domain a/b", "-domain fe80::1%eth0",
		"-digest md5,md5", "-digest md5,", "-dial-admins a:b",
		"-timeout 0", "-timeout -5s", "-timeout 25h", "-timeout ten", "-hold-timeout 169h", "-keepalive 2h", "-keepalive 0.5s",
		"-history 512K", "-history 2G", "-history=", "-log-size 1K", "-log-size 99999999999999999999", "-log-size 9999999999G", "-log-size -1M", "-log-size M", "-log-size=", "-log-size 1.5M",
		"-log-days 3651", "-log-days 1.5", "-log a\x00b", "-", "--", "-=x", "---realm",
	} {
		_, err := source{args: args}.parse()
		if e := (*Error)(nil); !errors.As(err, &e) {
			t.Errorf("%q: %v, want an *Error", args, err)
		}
	}
}

func TestErrorUnwraps(t *testing.T) {
	if _, err := (source{args: "-config gone"}).parse(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v does not unwrap to fs.ErrNotExist", err)
	}
}

// Every default and every example is good wherever it may stand.
func TestExamplesAreGood(t *testing.T) {
	for o := range options {
		if o.arg == "" || o.name == "config" {
			continue
		}
		for _, s := range []source{
			{args: "-" + o.name + " " + o.example},
			{args: "-" + o.name + "=" + o.def},
			{args: "-config minisip.conf", file: o.name + " " + o.example},
			{env: map[string]string{o.variable(): o.example}},
		} {
			if _, err := s.parse(); err != nil {
				t.Errorf("%+v: %v", s, err)
			}
		}
	}
}

func TestNearest(t *testing.T) {
	for text, want := range map[string]string{
		"re_va":                        "re_via",
		"er_via":                       "re_via",
		"recontact":                    "re_contact",
		"no-silent":                    "no_silent",
		"dupicate":                     "duplicate",
		"DEBUG":                        "debug",
		"x":                            "",
		"":                             "",
		"unrelated?":                   "",
		strings.Repeat("silent", 1000): "",
	} {
		if got := nearest(text, wordNames()); got != want {
			t.Errorf("nearest to %.20q is %q, want %q", text, got, want)
		}
	}
}
