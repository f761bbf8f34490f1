package main

import (
	"strings"
	"syscall"
	"testing"
)

// TestSet: what minisip set changes holds at once and over a reload; what is wrong, or needs a restart, changes nothing
// and says why.
func TestSet(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/users.conf", line("001"))
	write(t, dir+"/minisip.conf", "no_silent\ntimeout 20s\n")
	d := start(t, dir, nil, "-config", "minisip.conf")
	set := func(words ...string) result {
		return finish(t, minisip(t, dir, nil, append([]string{"set"}, words...)...))
	}
	for _, step := range []struct {
		words []string
		says  string // in the log, or on standard error
		ok    bool
	}{
		{[]string{"timeout", "9s"}, `the operator set -timeout to "9s"`, true},
		{[]string{"timeout", "45s"}, `the operator set -timeout to "45s"`, true},
		{[]string{"keepalive", "0"}, `the operator set -keepalive to "0"`, true},
		{[]string{"timeout", "soon"}, `-timeout: found "soon", expected a time from 1s to 24h`, false},
		{[]string{"timeuot", "9s"}, "found no such flag, expected -timeout", false},
		{[]string{"rtp", "1024-2048"}, "only a restart changes -rtp", false},
		{[]string{"history", "64M"}, "only a restart changes -history", false},
		{[]string{"ice", "strip"}, "only a restart changes -ice", false},
		{[]string{"config", "other.conf"}, "only a restart changes -config", false},
		{[]string{"h", "x"}, "only a restart changes -h", false},
		{[]string{"check", "x"}, "only a restart changes -check", false},
		{[]string{"users", "none.conf"}, "cannot read the user file none.conf", false},
		{[]string{"domain", "sip.example.com"}, `the operator set -domain to "sip.example.com"`, true},
	} {
		got := set(step.words...)
		if (got.status == exitOK) != step.ok {
			t.Errorf("%v: %+v", step.words, got)
		}
		if step.ok {
			d.waitFor(step.says)
		} else if !strings.Contains(got.stderr, step.says) {
			t.Errorf("%v: %q, want %q", step.words, got.stderr, step.says)
		}
	}
	d.signal(syscall.SIGHUP)
	d.waitFor("users reloaded: 1")
	a := newAsker(t, d.at, "001")
	if got := a.register("secret-001"); got != ok {
		t.Errorf("001 got %s", got)
	}
}
