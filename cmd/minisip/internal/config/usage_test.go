package config

import (
	"flag"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := "testdata/" + name
	if *rewrite {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("%s differs (go test -rewrite writes it anew); now it is\n%s", path, text)
	}
}

func TestUsage(t *testing.T) {
	var b strings.Builder
	Usage(&b)
	golden(t, "usage.txt", b.String())
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > helpWidth {
			t.Errorf("%d columns, more than %d: %s", n, helpWidth, line)
		}
	}
	for _, name := range append(optionNames(), wordNames()[:len(words)]...) {
		if !strings.Contains(b.String(), "    "+name+" ") && !strings.Contains(b.String(), "    -"+name+" ") {
			t.Errorf("help says nothing about %s", name)
		}
	}
}

func TestDescribe(t *testing.T) {
	c := settings(t, source{
		args: "-config minisip.conf -rtp 30000-40000 -public= -rtp 40000-50000",
		env:  map[string]string{"MINISIP_LOG": "/var/log/sip.log", "STATE_DIRECTORY": "/var/lib/minisip", "MINISIP_WORDS": "debug"},
		file: "realm two words\nre_via re_sdp\n\nno_debug",
	})
	var b strings.Builder
	c.Describe(&b)
	golden(t, "describe.txt", b.String())
}
