package main

import (
	"strings"
	"testing"
)

// TestDemo: the demonstration ends well, and shows the ladder, what was repaired, and how it sounded.
func TestDemo(t *testing.T) {
	got := finish(t, minisip(t, t.TempDir(), nil, "demo", "-talk", "300ms"))
	if got.status != exitOK || got.stderr != "" {
		t.Fatalf("%+v", got)
	}
	from := 0
	for _, want := range []string{ // in this order
		"001 ", "minisip", "|-- REGISTER +digest ----->|", "|-- INVITE +digest +SDP -->|", "|<-- 180 Ringing ----------|",
		"== RTP", "BYE", "<sip:001@192.168.1.2:", "-> <sip:001@127.0.0.", "c=IN IP4 192.168.1.2", "-> c=IN IP4 127.0.0.1",
		"001 hears 002: 880 Hz", "002 hears 001: 440 Hz", "MOS 4.", "hung up by 002; media: ",
	} {
		i := strings.Index(got.stdout[from:], want)
		if i < 0 {
			t.Fatalf("no %q, or not where it should be, in\n%s", want, got.stdout)
		}
		from += i
	}
}

// TestProbe: a server is checked from outside; what is wrong is said with the next step.
func TestProbe(t *testing.T) {
	d := start(t, t.TempDir(), []string{usersVariable + `={"001": "secret"}`}, "-users", "")
	at := d.at.String()
	for _, test := range []struct {
		user, password string
		status         int
		stdout, stderr []string
	}{
		{"001", "secret", exitOK, []string{at + " answers", "registered    as 001", "no NAT in between", "call          to itself", "came back, 0.0 % lost", "MOS 4."}, nil},
		{"001", "wrong", exitFailed, []string{at + " answers"}, []string{"FAILED: registration: the password of 001 is wrong. Set it with: minisip user passwd 001"}},
	} {
		cmd := minisip(t, t.TempDir(), nil, "probe", at, test.user, "-talk", "300ms")
		cmd.Stdin = strings.NewReader(test.password + "\n")
		got := finish(t, cmd)
		if got.status != test.status {
			t.Errorf("%s, %s: %+v", test.user, test.password, got)
		}
		for _, want := range test.stdout {
			if !strings.Contains(got.stdout, want) {
				t.Errorf("no %q in %s%s", want, got.stdout, got.stderr)
			}
		}
		for _, want := range test.stderr {
			if !strings.Contains(got.stderr, want) {
				t.Errorf("no %q in %s", want, got.stderr)
			}
		}
	}
}
