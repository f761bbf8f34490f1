package proxy

import "testing"

func TestChanges(t *testing.T) {
	for _, c := range []struct{ name, before, after, want string }{
		{"nothing", "a\r\nb\r\n", "a\r\nb\r\n", ""},
		{"a line new on top", "a\r\n", "x\r\na\r\n", "+ x\n"},
		{"a line gone", "a\r\nb\r\nc\r\n", "a\r\nc\r\n", "- b\n"},
		{"Contact rewritten", "To: b\r\nContact: <sip:1@192.168.1.2>\r\n\r\nv=0\r\n", "To: b\r\nContact: <sip:1@198.51.100.7:31022>\r\n\r\nv=0\r\n",
			"- Contact: <sip:1@192.168.1.2>\n+ Contact: <sip:1@198.51.100.7:31022>\n"},
		{"from nothing", "", "a\r\n", "+ a\n"},
	} {
		if got := string(appendChanges(nil, []byte(c.before), []byte(c.after))); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
