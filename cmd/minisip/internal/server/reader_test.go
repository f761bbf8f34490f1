package server

import (
	"strings"
	"testing"
)

// Line ends in front of a message are not kept with it; a ping stays one, and what is none becomes none.
func TestTrimmed(t *testing.T) {
	for _, tt := range []struct{ datagram, want string }{
		{"", ""},
		{"OPTIONS", "OPTIONS"},
		{"\r\n\r\n", "\r\n\r\n"},
		{"\r\n\r\nOPTIONS\r\n\r\n", "\r\n\r\nOPTIONS\r\n\r\n"},
		{"\r\n\r\n\r\n", "\r\n\r\n\r\n"},
		{strings.Repeat("\r\n", 30_000), "\r\n\r\n\r\n"},
		{strings.Repeat("\r\n", 30_000) + "OPTIONS\r\n", "\r\n\r\n\r\nOPTIONS\r\n"},
	} {
		if got := string(trimmed([]byte(tt.datagram))); got != tt.want {
			t.Errorf("%d bytes, %.20q: got %.40q, want %q", len(tt.datagram), tt.datagram, got, tt.want)
		}
	}
}
