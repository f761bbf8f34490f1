package control

import (
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/diagnosis"
	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/status"
)

func clock(ms int) time.Time {
	return time.Date(2026, 1, 31, 12, 0, 0, 0, time.Local).Add(time.Duration(ms) * time.Millisecond)
}

// aCall is one with a repetition, media, and a finding.
func aCall() *proxy.CallView {
	answer := clock(3000)
	v := &proxy.CallView{
		ID: "7", State: "ended",
		Record: proxy.Record{
			CallID: "c1@phone", From: "001", To: "002", Begin: clock(0), Answer: &answer, End: clock(45000), Seconds: 42, Why: "hung up by 001",
			Findings: []diagnosis.Finding{{Severity: diagnosis.Error, Code: "one-way", Text: "No packet ever came from 002.", Next: "See that the microphone is on."}},
		},
		Columns: []proxy.Column{{Name: "001", Addr: "198.51.100.7:31022"}, {Name: "minisip"}, {Name: "002", Addr: "192.0.2.9:5060"}, {Name: "002", Addr: "192.0.2.10:5060"}},
		Media: []proxy.DirectionView{
			{Direction: proxy.Direction{Kind: "audio", Codec: "PCMU/8000", From: "001", Source: "198.51.100.7:4000", Packets: 2105, MOS: 4.41, JitterMS: 1.2, Verdict: "fine"}},
			{Direction: proxy.Direction{Kind: "audio", Codec: "PCMU/8000", From: "002", Verdict: "no packet ever came from 002: 192.168.1.5:4002"}},
		},
	}
	for _, s := range []proxy.StepView{
		{AtMS: 0, From: 0, To: 1, Kind: "request", Label: "INVITE sdp"},
		{AtMS: 1, From: 1, To: 0, Kind: "failure", Label: "407 Proxy Authentication Required"},
		{AtMS: 21, From: 0, To: 1, Kind: "request", Label: "INVITE sdp"},
		{AtMS: 21, From: 1, To: 2, Kind: "request", Label: "INVITE sdp"},
		{AtMS: 22, From: 1, To: 3, Kind: "request", Label: "INVITE sdp"},
		{AtMS: 522, From: 1, To: 3, Kind: "request", Label: "INVITE sdp", Again: true},
		{AtMS: 3000, From: 2, To: 1, Kind: "success", Label: "200 OK sdp"},
		{AtMS: 3020, From: 0, To: 1, Kind: "media-start", Label: "PCMU/8000 from 001"},
		{AtMS: 45000, From: 1, To: 1, Kind: "note", Label: "hung up by 001"},
	} {
		v.Steps = append(v.Steps, s)
	}
	return v
}

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

func TestWriteCall(t *testing.T) {
	var b strings.Builder
	writeCall(&b, aCall())
	golden(t, "call.txt", b.String())
}

// TestReadmeCall: the call in README.md is what is printed of such a call, to the letter.
func TestReadmeCall(t *testing.T) {
	text, err := os.ReadFile("../../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(text), "$ minisip call 7\n")
	shown, _, _ = strings.Cut(shown, "```")
	v := aCall()
	answer := clock(3100)
	v.Answer, v.CallID, v.Why = &answer, "a84b4c76e66710", "hung up by 002"
	v.Findings = []diagnosis.Finding{{
		Severity: diagnosis.Error, Code: "one-way",
		Text: "No packet ever came from 002, wanted at 192.168.1.5:4002, while 001 was heard: its firewall or NAT keeps them, or the phone sends none.",
		Next: "See that the microphone is on and not muted, and that the firewall in front of 002 lets UDP out to ports 10000-20000.",
	}}
	v.Media[0].Source, v.Media[0].RTTMS = "198.51.100.7:31030", 24
	v.Columns, v.Steps = v.Columns[:3], nil
	for _, s := range []proxy.StepView{
		{AtMS: 0, From: 0, To: 1, Label: "INVITE sdp"},
		{AtMS: 0, From: 1, To: 0, Label: "407 Proxy Authentication Required"},
		{AtMS: 24, From: 0, To: 1, Label: "ACK"},
		{AtMS: 25, From: 0, To: 1, Label: "INVITE sdp"},
		{AtMS: 25, From: 1, To: 0, Label: "100 Trying"},
		{AtMS: 25, From: 1, To: 2, Label: "INVITE sdp"},
		{AtMS: 525, From: 1, To: 2, Label: "INVITE sdp", Again: true},
		{AtMS: 561, From: 2, To: 1, Label: "180 Ringing"},
		{AtMS: 561, From: 1, To: 0, Label: "180 Ringing"},
		{AtMS: 3100, From: 2, To: 1, Label: "200 OK sdp"},
		{AtMS: 3100, From: 1, To: 0, Label: "200 OK sdp"},
		{AtMS: 3125, From: 0, To: 1, Label: "ACK"},
		{AtMS: 3125, From: 1, To: 2, Label: "ACK"},
		{AtMS: 3131, From: 0, To: 1, Kind: "media-start", Label: "PCMU/8000 from 001"},
		{AtMS: 45200, From: 2, To: 1, Label: "BYE"},
		{AtMS: 45200, From: 1, To: 0, Label: "BYE"},
		{AtMS: 45211, From: 0, To: 1, Kind: "media-stop", Label: "PCMU/8000 from 001"},
		{AtMS: 45224, From: 0, To: 1, Label: "200 OK (BYE)"},
		{AtMS: 45224, From: 1, To: 2, Label: "200 OK (BYE)"},
		{AtMS: 45224, From: 1, To: 1, Kind: "note", Label: v.Why},
	} {
		v.Steps = append(v.Steps, s)
	}
	var b strings.Builder
	writeCall(&b, v)
	if b.String() != shown {
		t.Errorf("README.md shows\n%s\nbut minisip prints\n%s", shown, &b)
	}
}

func TestWriteLists(t *testing.T) {
	var b strings.Builder
	writeOverview(&b, &status.Overview{
		Version: "1.4.0", Uptime: 273_840, Users: 12, Bindings: 14, Calls: 3, Ringing: 1, Packets: 148.6, Loss: 0.2, Lag: 0.14, MaxLag: 3.2,
		State: status.State{Kept: true, Failing: true, Lost: 37}, PortsFree: 4988, PortsAll: 5000, Dropped: map[string]uint64{"malformed": 12, "duplicate": 3},
		Features: map[string]bool{"silent": true, "debug": false}, Warnings: []string{"flag -timeout: given twice"},
	})
	b.WriteString("\n")
	ringing := &proxy.CallView{ID: "8", State: "ringing", Record: proxy.Record{From: "evil\x1b[2J", To: "003", Begin: clock(60_000)}}
	writeCalls(&b, []*proxy.CallView{aCall(), ringing})
	golden(t, "lists.txt", b.String())
}

func TestStateWords(t *testing.T) {
	for want, s := range map[string]status.State{
		"not kept: a restart loses registrations and calls": {},
		"kept, 0 changes lost":                              {Kept: true},
		"kept, 3 changes lost":                              {Kept: true, Lost: 3},
		"cannot be kept at present, 3 changes lost":         {Kept: true, Failing: true, Lost: 3},
	} {
		if got := stateWords(s); got != want {
			t.Errorf("%+v: %q, want %q", s, got, want)
		}
	}
}
