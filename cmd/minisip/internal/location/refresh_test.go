package location

import (
	"testing"
	"time"
)

// What alone differs from the REGISTER before is kept as well.
func TestRefreshChanges(t *testing.T) {
	for name, change := range map[string]func(u *Update){
		"parameters": func(u *Update) { u.Contacts[0].Params = "x=2" },
		"instance":   func(u *Update) { u.Contacts[0].Instance = "<urn:y>" },
		"Call-ID":    func(u *Update) { u.CallID = "d" },
		"Path":       func(u *Update) { u.Path = []string{"<sip:p2;lr>"} },
		"URI":        func(u *Update) { u.Contacts[0].URI = "sip:a@10.0.0.1;ob" },
		"source":     func(u *Update) { u.Source = source("1:4000") },
		"ours":       func(u *Update) { u.Local = source("202") },
		"agent":      func(u *Update) { u.UserAgent = "other" },
	} {
		table, fresh := New(Limits{}), New(Limits{})
		u := &Update{AOR: "a", CallID: "c", CSeq: 1, Source: source("1"), Local: source("201"), Path: []string{"<sip:p1;lr>"}, UserAgent: "phone",
			Contacts: []Contact{{URI: "sip:a@10.0.0.1", Params: "x=1", Instance: "<urn:x>", RegID: 1, Q: 1000, Expires: time.Minute}}}
		if name == "instance" {
			u.Contacts[0].Instance, u.Contacts[0].RegID = "", 0
		}
		table.Register(epoch, u)
		u.CSeq = 2
		change(u)
		table.Register(epoch, u)
		fresh.Register(epoch, u)
		if got, want := dump(table), dump(fresh); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
		check(t, table)
	}
}
