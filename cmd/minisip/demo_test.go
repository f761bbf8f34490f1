package main

import (
	"io"
	"net/http"
	"os"
	"regexp"
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
		"001 hears 002: 880 Hz", "002 hears 001: 440 Hz", "hung up by 002; media: ",
	} {
		i := strings.Index(got.stdout[from:], want)
		if i < 0 {
			t.Fatalf("no %q, or not where it should be, in\n%s", want, got.stdout)
		}
		from += i
	}
	if mos := regexp.MustCompile(`hears .*, MOS [1-4]\.\d\n`).FindAllString(got.stdout, -1); len(mos) != 2 {
		t.Errorf("%d phones give a MOS, want both, in\n%s", len(mos), got.stdout)
	}
}

// TestDemoPage: the link that is printed leads to the call that was played; nothing there can be changed.
func TestDemoPage(t *testing.T) {
	cmd := minisip(t, t.TempDir(), nil, "demo", "-page", "-talk", "300ms")
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	d := &daemon{t: t, cmd: cmd, lines: make(chan string, 1000)}
	go d.read(stdout)
	t.Cleanup(func() { cmd.Process.Kill() })
	link := regexp.MustCompile(`(http://127\.0\.0\.1:\d+/)#/calls/(\d+) `).FindStringSubmatch(d.waitFor("status page"))
	if link == nil {
		t.Fatalf("no link to the call in\n%s", d.output())
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"GET", "", "", 200, `<main id="main"`},
		{"GET", "api/calls/" + link[2], "", 200, `"state":"ended",.*"from":"001",.*"to":"002",.*"steps":\[\{`},
		{"GET", "api/overview", "", 200, `"uptime_s":[0-9]`},
		{"POST", "api/set", `{"option": "timeout", "value": "9s"}`, 403, "minisip set"},
	} {
		r, err := http.NewRequest(c.method, link[1]+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(got.Body)
		got.Body.Close()
		if err != nil || got.StatusCode != c.status || !regexp.MustCompile(c.want).Match(body) {
			t.Errorf("%s /%s: %s, %v\n%s", c.method, c.path, got.Status, err, body)
		}
	}
	if status := d.end(os.Interrupt); status != exitOK {
		t.Errorf("Ctrl-C: status %d", status)
	}
	if !strings.Contains(d.output(), "hung up by 002; media: ") {
		t.Errorf("at the end it said\n%s", d.output())
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
		{"001", "secret", exitOK, []string{at + " answers", "registered    as 001", "no NAT in between", "call          to itself", "came back, 0.0 % lost", `MOS [1-4]\.\d\n`}, nil},
		{"001", "wrong", exitFailed, []string{at + " answers"}, []string{"FAILED: registration: the password of 001 is wrong. Set it with: minisip user passwd 001"}},
	} {
		cmd := minisip(t, t.TempDir(), nil, "probe", at, test.user, "-talk", "300ms")
		cmd.Stdin = strings.NewReader(test.password + "\n")
		got := finish(t, cmd)
		if got.status != test.status {
			t.Errorf("%s, %s: %+v", test.user, test.password, got)
		}
		for _, want := range test.stdout {
			if !regexp.MustCompile(want).MatchString(got.stdout) {
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

// TestProbeInterrupted: Ctrl-C in the middle of the call ends it, and takes the registration back.
func TestProbeInterrupted(t *testing.T) {
	d := start(t, t.TempDir(), []string{usersVariable + `={"001": "secret"}`}, "-users", "")
	cmd := minisip(t, t.TempDir(), []string{passwordVariable + "=secret"}, "probe", d.at.String(), "001", "-talk", "1m")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &daemon{t: t, cmd: cmd, lines: make(chan string, 1000)}
	cmd.Stderr = &p.stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.read(stdout)
	t.Cleanup(func() { cmd.Process.Kill() })
	p.waitFor("call          to itself")
	if status := p.end(os.Interrupt); status != exitFailed || p.stderr.String() != "FAILED: interrupted\n" {
		t.Errorf("status %d, %s", status, &p.stderr)
	}
	d.waitFor("hung up by 001")
	d.waitFor("001 unregistered from ")
}
