package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/config"
)

// TestLogFormat: every line of the log has the script's time in front, those of a longer entry a margin.
func TestLogFormat(t *testing.T) {
	d, dir, _ := serving(t, "-log", "sip.log", "no_silent")
	a := newAsker(t, d.at, "001")
	a.register("secret-001")
	a.register("wrong")
	a.dial("990", "secret-001")
	newAsker(t, d.at, "002").send("")
	a.dial("989", "secret-001")
	d.end(syscall.SIGTERM)
	log := string(read(t, dir+"/sip.log"))
	format := regexp.MustCompile(`^(\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\] \S.*|    .*)$`)
	var events []string
	debug := false
	for l := range strings.Lines(log) {
		l = strings.TrimSuffix(l, "\n")
		if !format.MatchString(l) {
			t.Errorf("a line of the log: %q", l)
		}
		_, text, _ := strings.Cut(l, "] ")
		if text == "log debug: 990 dialled by 001" {
			debug = true
		}
		if !debug && !strings.HasPrefix(text, "the event loop was held for ") { // which it is on a busy machine
			events = append(events, regexp.MustCompile(`\d+\.\d+\.\d+\.\d+:\d+`).ReplaceAllString(text, "ADDRESS"))
		}
		debug = debug && text != "log brief: 989 dialled by 001"
	}
	want := []string{
		"minisip devel started: re_contact re_sdp re_via duplicate; log brief",
		"001 registered from ADDRESS",
		"REGISTER from ADDRESS for 001 refused: wrong user or password",
		"minisip stopped",
	}
	if !slices.Equal(events, want) {
		t.Errorf("events of the log:\n%s\nwant\n%s", strings.Join(events, "\n"), strings.Join(want, "\n"))
	}
	if !strings.Contains(log, "\n    REGISTER sip:") || !strings.Contains(log, "\n    SIP/2.0 401 Unauthorized\n") {
		t.Errorf("debug mode shows no messages:\n%s", log)
	}
}

// TestFullDisk: /dev/full refuses what is written as a full disk does. That is said once and
// keeps nobody from serving; when there is room, the log goes on.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/users.conf", line("001"))
	for _, name := range []string{"sip.log", "cdr.jsonl"} {
		if err := os.Symlink("/dev/full", filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	d := start(t, dir, nil, "-log", "sip.log", "-cdr", "cdr.jsonl")
	for range 3 {
		if got := register(t, d.at, "001", "secret-001"); got != ok {
			t.Errorf("001 got %s", got)
		}
	}
	if err := os.Remove(filepath.Join(dir, "sip.log")); err != nil {
		t.Fatal(err)
	}
	d.signal(syscall.SIGUSR1)
	d.until("the log has all", func() bool {
		log := read(t, filepath.Join(dir, "sip.log"))
		return bytes.Contains(log, []byte("started: ")) && bytes.Contains(log, []byte("001 registered from"))
	})
	d.end(syscall.SIGTERM)
	const want = "log sip.log: cannot be written: no space left on device (make room on its disk); records wait in memory until it can\n" +
		"log sip.log: can be written again\n"
	if got := d.stderr.String(); got != want {
		t.Errorf("stderr %q, want %q", got, want)
	}
}

// TestCallRecords: -cdr gets a JSON object a line for each call.
func TestCallRecords(t *testing.T) {
	d, dir, _ := serving(t, "-cdr", "cdr.jsonl")
	a := newAsker(t, d.at, "001")
	a.register("secret-001")
	b := newAsker(t, d.at, "002")
	b.register("secret-002")
	a.invite("002", "secret-001")
	b.refuse()
	record := regexp.MustCompile(`^\{"call":1,"call_id":"[^"]+","from":"001","from_addr":"127\.0\.0\.1:\d+","to":"002","begin":"[^"]+","end":"[^"]+","seconds":0,"why":"busy \(486\)"\}\n$`)
	d.until("the file has the call", func() bool { return record.Match(read(t, filepath.Join(dir, "cdr.jsonl"))) })
}

// TestRecordsLost: each line of the CDR file is an object, also the one that says how many are missing.
func TestRecordsLost(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "none yet")
	j := openJournal(&config.Config{CDR: filepath.Join(dir, "cdr.jsonl")}, io.Discard)
	const size, records = 1 << 10, 10 << 10 // more than may wait
	for n := range records {
		fmt.Fprintf(j.cdr, "{\"call\":%d,\"to\":%q}\n", n, strings.Repeat("x", size))
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	j.close()
	var kept, lost int
	for line := range bytes.Lines(read(t, filepath.Join(dir, "cdr.jsonl"))) {
		var r struct {
			Lost int
			Seen time.Time
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		if kept++; r.Lost > 0 {
			kept, lost = kept-1, lost+r.Lost
			if time.Since(r.Seen) > time.Hour {
				t.Errorf("seen at %v", r.Seen)
			}
		}
	}
	if lost == 0 || kept+lost != records {
		t.Errorf("%d kept and %d lost of %d", kept, lost, records)
	}
}
