package location

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"minisip/sipmsg"
)

// register parses a REGISTER with the given header lines.
func register(t *testing.T, lines string) *sipmsg.Message {
	t.Helper()
	const head = "REGISTER sip:example.com SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n" +
		"From: <sip:a@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\nCall-ID: c@10.0.0.1\r\nCSeq: 7 REGISTER\r\n"
	if lines != "" {
		lines = strings.ReplaceAll(lines, "\n", "\r\n") + "\r\n"
	}
	m := new(sipmsg.Message)
	if err := m.Parse([]byte(head + lines + "\r\n")); err != nil {
		t.Fatalf("%s: %v", lines, err)
	}
	return m
}

func TestReadRegister(t *testing.T) {
	tests := []struct {
		name, lines string
		want        string // "URI;params instance/reg-id q interval", joined by ", "; "*"; or "STATUS REASON"
	}{
		{"query", "", ""},
		{"no interval", "Contact: <sip:a@h>", "sip:a@h [] / 1000 none"},
		{"Expires header", "Contact: <sip:a@h>\nExpires: 120", "sip:a@h [] / 1000 2m0s"},
		{"the parameter counts before the header", "Contact: <sip:a@h>;expires=60, <sip:b@h>\nExpires: 120",
			"sip:a@h [] / 1000 1m0s, sip:b@h [] / 1000 2m0s"},
		{"several fields, compact form", "m: <sip:a@h>\nContact: sip:b@h", "sip:a@h [] / 1000 none, sip:b@h [] / 1000 none"},
		{"zero", "Contact: <sip:a@h>;expires=0", "sip:a@h [] / 1000 0s"},
		{"malformed intervals are an hour", "Contact: <sip:a@h>;expires=soon, <sip:b@h>;expires, <sip:c@h>;expires=-1\nExpires: x",
			"sip:a@h [] / 1000 1h0m0s, sip:b@h [] / 1000 1h0m0s, sip:c@h [] / 1000 1h0m0s"},
		{"malformed header", "Contact: <sip:a@h>\nExpires: Thu, 01 Dec 1994 16:00:00 GMT", "sip:a@h [] / 1000 1h0m0s"},
		{"interval beyond 32 bits", "Contact: <sip:a@h>;expires=99999999999999999999999", "sip:a@h [] / 1000 1193046h28m15s"},
		{"URI parameters stay in the URI", "Contact: <sip:a@h;ob;expires=5>;expires=60", "sip:a@h;ob;expires=5 [] / 1000 1m0s"},
		{"a bare URI's are the header's", "Contact: sip:a@h;expires=60;x=1", "sip:a@h [x=1] / 1000 1m0s"},
		{"q", "Contact: <sip:a@h>;q=0.7, <sip:b@h>;q=0, <sip:c@h>;q=1.000, <sip:d@h>;q=0.123, <sip:e@h>;q=.5, <sip:f@h>;q=0.05",
			"sip:a@h [q=0.7] / 700 none, sip:b@h [q=0] / 0 none, sip:c@h [q=1.000] / 1000 none, sip:d@h [q=0.123] / 123 none, sip:e@h [q=.5] / 500 none, sip:f@h [q=0.05] / 50 none"},
		{"q that is none", "Contact: <sip:a@h>;q=high, <sip:b@h>;q=0.x, <sip:c@h>;q=-1, <sip:d@h>;q=7, <sip:e@h>;q=0.9999999, <sip:f@h>;q=0.00x, <sip:g@h>;q=0.00-, <sip:h@h>;q=1.5",
			"sip:a@h [q=high] / 1000 none, sip:b@h [q=0.x] / 1000 none, sip:c@h [q=-1] / 1000 none, sip:d@h [q=7] / 1000 none, sip:e@h [q=0.9999999] / 999 none, " +
				"sip:f@h [q=0.00x] / 1000 none, sip:g@h [q=0.00-] / 1000 none, sip:h@h [q=1.5] / 1000 none"},
		{"instance and reg-id", `Contact: <sip:a@h>;reg-id=2;expires=60;+sip.instance="<urn:uuid:1;expires=9>"`,
			`sip:a@h [reg-id=2;+sip.instance="<urn:uuid:1;expires=9>"] <urn:uuid:1;expires=9>/2 1000 1m0s`},
		{"bad reg-id", `Contact: <sip:a@h>;reg-id=x;+sip.instance="<urn:1>"`, `sip:a@h [reg-id=x;+sip.instance="<urn:1>"] <urn:1>/ 1000 none`},
		{"quoted, with white space, in capitals", `Contact: <sip:a@h>; Expires = 60 ;x="a\";expires=5;"`, `sip:a@h [x="a\";expires=5;"] / 1000 1m0s`},
		{"a GRUU is ours to give", `Contact: <sip:a@h>;pub-gruu="sip:b@h;gr";q=0.5;temp-gruu="sip:c@h;gr"`, "sip:a@h [q=0.5] / 500 none"},
		{"folded", "Contact: <sip:a@h>;x=1;\n  y=2", "sip:a@h [x=1;    y=2] / 1000 none"},
		{"other schemes", "Contact: <mailto:a@h>", "mailto:a@h [] / 1000 none"},
		{"star", "Contact: *\nExpires: 0", "*"},
		{"star without Expires", "Contact: *", "400 Contact * Needs Expires 0 Alone"},
		{"star with an interval", "Contact: *\nExpires: 60", "400 Contact * Needs Expires 0 Alone"},
		{"star with a malformed interval", "Contact: *\nExpires: none", "400 Contact * Needs Expires 0 Alone"},
		{"star and another", "Contact: *, <sip:a@h>\nExpires: 0", "400 Contact * Needs Expires 0 Alone"},
		{"another and star", "Contact: <sip:a@h>;expires=0\nContact: *\nExpires: 0", "400 Contact * Needs Expires 0 Alone"},
		{"two stars", "Contact: *\nContact: *\nExpires: 0", "400 Contact * Needs Expires 0 Alone"},
		{"question mark outside brackets", "Contact: sip:a@h?Route=%3Csip:h%3E", "400 Bad Contact"},
		{"inside", "Contact: <sip:a@h?Route=%3Csip:h%3E>", "sip:a@h?Route=%3Csip:h%3E [] / 1000 none"},
		{"open bracket", "Contact: <sip:a@h", "400 Bad Contact"},
		{"a Path that leads nowhere", "Contact: <sip:a@h>\nPath: <sip:p1;lr>, edge", "400 Bad Path"},
		{"a Path that is no URI", "Contact: <sip:a@h>\nPath: <sip:h:port;lr>", "400 Bad Path"},
		{"a Path torn", "Contact: <sip:a@h>\nPath: <sip:p1;lr", "400 Bad Path"},
	}
	u := &Update{Star: true, Path: []string{"old"}, Contacts: []Contact{{URI: "old"}}}
	for _, tt := range tests {
		err := ReadRegister(register(t, tt.lines), u)
		if got := readString(u, err); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func readString(u *Update, err error) string {
	var refused *Error
	if errors.As(err, &refused) {
		return fmt.Sprintf("%d %s", refused.Status, refused.Reason)
	}
	if u.Star {
		return "*"
	}
	var out []string
	for _, c := range u.Contacts {
		interval, regID := "none", ""
		if c.Expires >= 0 {
			interval = c.Expires.String()
		}
		if c.RegID > 0 {
			regID = fmt.Sprint(c.RegID)
		}
		out = append(out, fmt.Sprintf("%s [%s] %s/%s %d %s", c.URI, c.Params, c.Instance, regID, c.Q, interval))
	}
	return strings.Join(out, ", ")
}

func TestReadRegisterRest(t *testing.T) {
	u := new(Update)
	m := register(t, "Path: <sip:p1@h;lr>,\n <sip:p2;lr>\nUser-Agent: Phone 1.0\n (folded)\nPath: <sip:p3;lr>")
	if err := ReadRegister(m, u); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s %d %q %q", u.CallID, u.CSeq, u.UserAgent, u.Path)
	want := `c@10.0.0.1 7 "Phone 1.0   (folded)" ["<sip:p1@h;lr>" "<sip:p2;lr>" "<sip:p3;lr>"]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// From the message into the table: nothing there points into the datagram.
func TestNothingKeepsTheDatagram(t *testing.T) {
	m := register(t, `Contact: <sip:a@10.0.0.1:5062;ob>;x=1;+sip.instance="<urn:uuid:1>";expires=60`+"\nPath: <sip:p;lr>\nUser-Agent: Phone")
	u := &Update{AOR: "a", Source: source("1"), Local: source("2")}
	if err := ReadRegister(m, u); err != nil {
		t.Fatal(err)
	}
	table := New(Limits{})
	list, err := table.Register(epoch, u)
	if err != nil {
		t.Fatal(err)
	}
	before := dump(table)
	clear(m.Bytes())
	for i := range u.Contacts {
		u.Contacts[i] = Contact{}
	}
	clear(u.Path)
	if got := dump(table); got != before {
		t.Errorf("the binding changed with the datagram: %s, was %s", got, before)
	}
	if got := answer(table, epoch.Add(time.Second), list, nil); got != "sip:a@10.0.0.1:5062;ob 59" {
		t.Errorf("registered %s", got)
	}
}
