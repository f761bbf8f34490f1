package sipmsg

import (
	"strings"
	"testing"
)

// crlf turns the line ends of a readable text into those of SIP.
func crlf(s string) []byte {
	return []byte(strings.ReplaceAll(s, "\n", "\r\n"))
}

// head is a sound set of the mandatory fields, without a start line.
const head = `Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1
From: <sip:001@example.com>;tag=a
To: <sip:002@example.com>
Call-ID: c1@192.0.2.1
CSeq: 7 INVITE
`

func mustParse(t testing.TB, data []byte) *Message {
	t.Helper()
	m := new(Message)
	if err := m.Parse(data); err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	return m
}

// invite parses an INVITE with more fields behind the mandatory ones.
func invite(t testing.TB, more string) *Message {
	t.Helper()
	return mustParse(t, crlf("INVITE sip:002@example.com SIP/2.0\n"+head+more+"\n"))
}

func valuesOf(m *Message, id ID) (values []string) {
	for it := m.Values(id); it.Next(); {
		values = append(values, string(it.Value().Bytes))
	}
	return values
}

func joined(values []string) string { return strings.Join(values, ",") }
