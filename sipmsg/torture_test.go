package sipmsg

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// torture holds the 49 messages of RFC 4475 with what Parse makes of each. err nil: it parses. reply: a
// response can be made of it. method "" stands for a response.
var torture = []struct {
	name   string
	method string
	err    error
	field  string // of the error
	reply  bool
}{
	// 3.1.1, valid messages: all must parse.
	{"wsinv", "INVITE", nil, "", true}, // folds and white space wherever they may stand
	{"intmeth", "!interesting-Method0123456789_*+`.%indeed'~", nil, "", true},
	{"esc01", "INVITE", nil, "", true},       // escapes in URIs
	{"escnull", "REGISTER", nil, "", true},   // escaped NULs
	{"esc02", "RE%47IST%45R", nil, "", true}, // "%" in a method is no escape: not REGISTER
	{"lwsdisp", "OPTIONS", nil, "", true},    // no space between display name and "<"
	{"longreq", "INVITE", nil, "", true},
	{"dblreq", "REGISTER", nil, "", true}, // what lies past Content-Length is dropped
	{"semiuri", "OPTIONS", nil, "", true}, // ";" in the user part
	{"transports", "OPTIONS", nil, "", true},
	{"mpart01", "MESSAGE", nil, "", true},
	{"unreason", "", nil, "", false}, // UTF-8 in the reason phrase
	{"noreason", "", nil, "", false}, // empty reason phrase

	// 3.1.2, invalid messages.
	{"badinv01", "INVITE", ErrMalformed, "Via", true}, // empty parameters
	{"clerr", "INVITE", ErrTruncated, "body", true},   // 400
	{"ncl", "INVITE", ErrMalformed, "Content-Length", true},
	{"scalar02", "REGISTER", ErrMalformed, "CSeq", true}, // 400
	{"scalarlg", "", ErrMalformed, "CSeq", false},        // drop
	{"quotbal", "INVITE", ErrMalformed, "To", true},
	{"ltgtruri", "INVITE", ErrMalformed, "Request-URI", true}, // strict: brackets could hide parameters of either kind
	{"lwsruri", "INVITE", ErrMalformed, "Request-URI", true},  // strict: would go out again as it came
	{"lwsstart", "INVITE", ErrMalformed, "Request-URI", true}, // strict: likewise
	{"trws", "OPTIONS", ErrMalformed, "request line", true},   // strict: likewise
	{"escruri", "INVITE", nil, "", true},                      // liberal: headers in the Request-URI are never obeyed
	{"baddate", "INVITE", nil, "", true},                      // liberal: a proxy does not act on Date
	{"regbadct", "REGISTER", nil, "", true},                   // its Contact is refused when it is read
	{"badaspec", "OPTIONS", nil, "", true},                    // liberal: spaces inside <> can mean one thing only
	{"baddn", "OPTIONS", ErrTruncated, "empty line", true},    // this copy lacks its empty line; with it, see below
	{"badvers", "OPTIONS", ErrVersion, "SIP version", true},   // 505
	{"mismatch01", "OPTIONS", ErrMethod, "CSeq", true},        // 400
	{"mismatch02", "NEWMETHOD", ErrMethod, "CSeq", true},      // 400
	{"bigcode", "", ErrMalformed, "status code", false},       // drop

	// 3.2.1
	{"badbranch", "OPTIONS", nil, "", true}, // the cookie alone as branch: for the transaction matching

	// 3.3, sound syntax with an odd meaning: mostly not the parser's business.
	{"insuf", "INVITE", ErrMissing, "From", true}, // 400, without From, To and Call-ID
	{"unkscm", "OPTIONS", nil, "", true},          // 416 of the proxy
	{"novelsc", "OPTIONS", nil, "", true},         // 416 of the proxy
	{"unksm2", "REGISTER", nil, "", true},
	{"bext01", "OPTIONS", nil, "", true}, // 420 of the proxy
	{"invut", "INVITE", nil, "", true},
	{"regaut01", "REGISTER", nil, "", true},                   // challenged again
	{"multi01", "INVITE", ErrRepeated, "CSeq", true},          // 400
	{"mcl01", "OPTIONS", ErrRepeated, "Content-Length", true}, // 400
	{"bcast", "", nil, "", false},                             // the proxy drops it: its Via is not ours
	{"zeromf", "OPTIONS", nil, "", true},                      // 483 of the proxy
	{"cparam01", "REGISTER", nil, "", true},
	{"cparam02", "REGISTER", nil, "", true},
	{"regescrt", "REGISTER", nil, "", true},
	{"sdp01", "INVITE", nil, "", true},

	// 3.4.1
	{"inv2543", "INVITE", nil, "", true}, // no branch, no tag, no Content-Length, no Max-Forwards
}

func readTorture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "torture", name+".dat"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestTorture(t *testing.T) {
	files, _ := filepath.Glob("testdata/torture/*.dat")
	if len(files) != 49 || len(torture) != 49 {
		t.Fatalf("%d files and %d expectations, want 49 each", len(files), len(torture))
	}
	for _, tt := range torture {
		t.Run(tt.name, func(t *testing.T) {
			var m Message
			err := m.Parse(readTorture(t, tt.name))
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if e := (*ParseError)(nil); errors.As(err, &e) && e.Field != tt.field {
				t.Errorf("error about %q, want %q", e.Field, tt.field)
			}
			if m.CanReply() != tt.reply {
				t.Errorf("CanReply %v, want %v", m.CanReply(), tt.reply)
			}
			if m.IsRequest() != (tt.method != "") {
				t.Errorf("IsRequest %v", m.IsRequest())
			}
			if m.IsRequest() && string(m.MethodName()) != tt.method {
				t.Errorf("method %q, want %q", m.MethodName(), tt.method)
			}
			if !bytes.Equal(m.AppendTo(nil), m.Bytes()) {
				t.Error("AppendTo without edits differs from the message")
			}
		})
	}
}

// What single messages are about, beyond that they parse.

func tortureMessage(t *testing.T, name string) *Message {
	t.Helper()
	m := new(Message)
	if err := m.Parse(readTorture(t, name)); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTortureWhiteSpace(t *testing.T) {
	m := tortureMessage(t, "wsinv")
	v := m.Via()
	for _, tt := range []struct{ what, got, want string }{
		{"Via host", string(v.Host), "192.0.2.2"},
		{"Via transport", string(v.Transport), "UDP"},
		{"Via branch", string(v.Branch), "390skdjuw"},
		{"To tag", string(m.ToTag()), "1918181833n"},
		{"From tag", string(m.FromTag()), "98asjd8"},
		{"From display name", string(m.From().Display), `"J Rosenberg \\\""`},
		{"folded value", string(m.GetName("newfangledheader")), "newfangled value\r\n continued newfangled value"},
		{"empty value", string(m.GetName("Subject")), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%s %q, want %q", tt.what, tt.got, tt.want)
		}
	}
	if n, ok := m.MaxForwards(); n != 68 || !ok {
		t.Errorf("Max-Forwards %d %v, want 68", n, ok)
	}
	if m.CSeq() != 9 {
		t.Errorf("CSeq %d, want 9", m.CSeq())
	}
	var branches []string
	for it := m.Values(ViaHdr); it.Next(); {
		v, err := ParseVia(it.Value().Bytes)
		if err != nil {
			t.Fatal(err)
		}
		branches = append(branches, string(v.Transport)+" "+string(v.Branch))
	}
	if want := "UDP 390skdjuw,TCP z9hG4bK9ikj8,UDP z9hG4bK30239"; joined(branches) != want {
		t.Errorf("Vias %q, want %q", joined(branches), want)
	}
	contact, err := ParseNameAddr(m.Get(ContactHdr))
	if q, ok := contact.Param("q"); err != nil || !ok || string(q) != "0.33" {
		t.Errorf("Contact q %q %v %v", q, ok, err)
	}
}

func TestTortureCounts(t *testing.T) {
	for _, tt := range []struct {
		name string
		id   ID
		want int
	}{
		{"longreq", ViaHdr, 34},
		{"transports", ViaHdr, 5},
		{"esc02", ContactHdr, 2}, // "C%6Fntact" is another field
		{"bext01", ProxyRequireHdr, 2},
		{"escnull", ContactHdr, 2},
	} {
		m := tortureMessage(t, tt.name)
		if got := len(valuesOf(m, tt.id)); got != tt.want {
			t.Errorf("%s: %d values of %v, want %d", tt.name, got, tt.id, tt.want)
		}
	}
}

func TestTortureBodies(t *testing.T) {
	for name, want := range map[string]int{"dblreq": 0, "mpart01": 553, "invut": 40, "inv2543": 105, "bcast": 154} {
		if got := len(tortureMessage(t, name).Body()); got != want {
			t.Errorf("%s: body of %d bytes, want %d", name, got, want)
		}
	}
}

func TestTortureAddresses(t *testing.T) {
	intmeth := tortureMessage(t, "intmeth")
	u, err := ParseURI(intmeth.RequestURI())
	if err != nil || string(u.User) != "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*" ||
		string(u.Password) != "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)" || string(u.Host) != "example.com" {
		t.Errorf("intmeth: %q %q %q %v", u.User, u.Password, u.Host, err)
	}
	if got := string(intmeth.FromTag()); got != "_token~1'+`*%!-." {
		t.Errorf("intmeth: From tag %q", got)
	}
	if got := string(AppendUnescaped(nil, []byte("sips%3Auser%40example.com"))); got != "sips:user@example.com" {
		t.Errorf("unescaped %q", got)
	}
	esc, err := ParseNameAddr(tortureMessage(t, "esc01").Get(ContactHdr))
	if err != nil {
		t.Fatal(err)
	}
	if u, err = ParseURI(esc.URI); err != nil {
		t.Fatal(err)
	}
	if _, ok := u.Param("lr"); !ok {
		t.Error("esc01: %6C%72 is the lr parameter")
	}
	if v, ok := u.Param("name"); !ok || string(v) != "v%61lue%25%34%31" {
		t.Errorf("esc01: name %q %v", v, ok)
	}
	if _, err := ParseNameAddr(tortureMessage(t, "regbadct").Get(ContactHdr)); !errors.Is(err, ErrMalformed) {
		t.Errorf("regbadct: a Contact with ? outside brackets: %v", err)
	}
	c1, err1 := ParseNameAddr(tortureMessage(t, "cparam01").Get(ContactHdr))
	c2, err2 := ParseNameAddr(tortureMessage(t, "cparam02").Get(ContactHdr))
	if err1 != nil || err2 != nil || string(c1.Params) != "unknownparam" || c2.Params != nil {
		t.Errorf("cparam: parameters outside %q, inside %q", c1.Params, c2.Params)
	}
}

// The display name with a comma in baddn is let through: before "<" it can mean one thing only.
func TestTortureDisplayName(t *testing.T) {
	var m Message
	if err := m.Parse(append(readTorture(t, "baddn"), "\r\n"...)); err != nil {
		t.Fatal(err)
	}
	if got := string(m.From().Display); got != "Bell, Alexander" {
		t.Errorf("display name %q", got)
	}
}
