package sipmsg

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// Every field is found by its full name in any case, and by its compact form.
func TestLookup(t *testing.T) {
	for id := Other + 1; id < numIDs; id++ {
		name := id.String()
		for _, s := range []string{name, strings.ToUpper(name), strings.ToLower(name)} {
			if got := lookup([]byte(s)); got != id {
				t.Errorf("%q is field %d, want %d", s, got, id)
			}
		}
		if got := lookup([]byte(name + "s")); got != Other {
			t.Errorf("%q is field %v", name+"s", got)
		}
	}
	compact := map[string]string{
		"v": "Via", "f": "From", "t": "To", "m": "Contact", "i": "Call-ID", "e": "Content-Encoding", "l": "Content-Length",
		"c": "Content-Type", "k": "Supported", "o": "Event", "r": "Refer-To", "x": "Session-Expires",
	}
	for c := range 256 {
		letter := string([]byte{byte(c)})
		if got, want := lookup([]byte(letter)).String(), compact[strings.ToLower(letter)]; got != want {
			t.Errorf("%q is %q, want %q", letter, got, want)
		}
	}
	m := invite(t, "Session-ID: 1\ns: hello\nU: talk\nb: <sip:b@c>\na: 2\nD: 3\nj: 4\nn: 5\nY: 6\n")
	for name, want := range map[string]string{
		"Subject": "hello", "allow-events": "talk", "Referred-By": "<sip:b@c>", "Accept-Contact": "2",
		"Request-Disposition": "3", "Reject-Contact": "4", "Identity-Info": "5", "Identity": "6",
	} {
		if got := string(m.GetName(name)); got != want {
			t.Errorf("%s %q, want %q", name, got, want)
		}
	}
}

// Each field is found in a message however its line is written, and none is taken for another.
func TestFieldsAreRecognised(t *testing.T) {
	for id := Other + 1; id < numIDs; id++ {
		name := id.String()
		for _, s := range []string{name, strings.ToUpper(name), strings.ToLower(name)} {
			for _, line := range []string{s + ": x y", s + ":x y", s + " :  x y \t", s + ": \r\n x y"} {
				var m Message
				m.Parse([]byte("OPTIONS sip:a@b SIP/2.0\r\n" + line + "\r\nX-Other: something more\r\n\r\n")) // what else must stand there is missing
				if h := m.Header(0); m.Index(id) != 0 || h.ID != id || string(h.Name) != s || string(h.Value) != "x y" {
					t.Errorf("%q is field %v: %q %q", line, h.ID, h.Name, h.Value)
				}
			}
		}
		other := name[:len(name)-1] + "!"
		var m Message
		m.Parse([]byte("OPTIONS sip:a@b SIP/2.0\r\n" + other + ": x y\r\nX-Other: something more\r\n\r\n"))
		if h := m.Header(0); m.Index(Other) != 0 || h.ID != Other || string(h.Name) != other || string(h.Value) != "x y" {
			t.Errorf("%q is field %v: %q %q", other, h.ID, h.Name, h.Value)
		}
	}
}

// Whatever byte stands wherever in a value, the field ends where its line does: at the byte where that is LF. That and a CR are refused.
func TestAnyByteInAValue(t *testing.T) {
	const value = "a-value-of-25-bytes......"
	for _, name := range []string{"v", "To", "Supported", "Session-Expires", "X-Line"} {
		for at := range value {
			for c := range 256 {
				written := value[:at] + string([]byte{byte(c)}) + value[at+1:]
				want := strings.Trim(written, " \t")
				if c == '\n' {
					want = value[:at]
				}
				var m Message
				err := m.Parse([]byte("OPTIONS sip:a@b SIP/2.0\r\n" + name + ": " + written + "\r\nX-Other: something more\r\n\r\n"))
				var e *ParseError // what else must stand there is missing
				if refused := errors.As(err, &e) && e.Field == "line end"; refused != (c == '\r' || c == '\n') {
					t.Errorf("%s: %q: %v", name, written, err)
				}
				if h := m.Header(0); string(h.Name) != name || string(h.Value) != want && c != '\r' {
					t.Errorf("%s: %q is %q: %q", name, written, h.Name, h.Value)
				}
			}
		}
	}
}

// A list of spellings is not walked through for names that begin in another way.
func TestSpellings(t *testing.T) {
	found := 0
	for i, s := range spellings {
		for begins := uint32(s.low); s.text != ""; s = s.next {
			if found++; uint32(s.low) != begins || spread(s.low) != uint32(i) {
				t.Errorf("%q is in list %d", s.text, i)
			}
		}
	}
	if want := int(numIDs-1) + len(unnamed); found != want {
		t.Errorf("%d spellings, want %d", found, want)
	}
	for _, name := range unnamed {
		m := invite(t, name+": x y\n")
		if h := m.Header(m.NumHeaders() - 1); h.ID != Other || string(h.Name) != name || string(h.Value) != "x y" || lookup([]byte(name)) != Other {
			t.Errorf("%s is field %v: %q %q", name, h.ID, h.Name, h.Value)
		}
	}
}

// RFC 3261 7.3.1 and 20: which fields may stand once only, and which are lists, in one field or in several. Of the others each
// field is one value, as long as it is.
func TestFieldsRepeated(t *testing.T) {
	once := strings.Fields(`From To Call-ID CSeq Max-Forwards Content-Type Content-Length Expires Min-Expires Event
		Subscription-State Refer-To Replaces Session-Expires Min-SE Max-Breadth`)
	lists := strings.Fields(`Via Contact Route Record-Route Content-Encoding Require Proxy-Require Supported Unsupported Allow
		Path Reason`)
	for id := Other + 1; id < numIDs; id++ {
		name := id.String()
		values := 2
		if slices.Contains(lists, name) {
			values = 3
		}
		var m Message
		err := m.Parse([]byte("OPTIONS sip:a@b SIP/2.0\r\n" + name + ": a, b\r\n" + name + ": c\r\n\r\n"))
		if got := errors.Is(err, ErrRepeated); got != slices.Contains(once, name) {
			t.Errorf("two %s: %v", name, err)
		}
		if got := valuesOf(&m, id); len(got) != values {
			t.Errorf("two %s have the values %q, want %d", name, got, values)
		}
	}
}
