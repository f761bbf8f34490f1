package proxy

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The sample request of RFC 5769 2.1, with attributes of ICE, integrity and a fingerprint.
const sampleRequest = `000100582112a442b7e7a701bc34d686fa87dfae
	802200105354554e207465737420636c69656e74 002400046e0001ff 80290008932ff9b151263b36
	000600096576746a3a68367659202020 000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004e57a3bcf`

// TestSTUN: Binding requests and what comes back. RFC 5769 2.2 and 2.3 give the masked addresses.
func TestSTUN(t *testing.T) {
	const (
		head    = "2112a442b7e7a701bc34d686fa87dfae"
		four    = "002000080001a147e112a643"
		six     = "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
		source4 = "192.0.2.1:32853"
		source6 = "[2001:db8:1234:5678:11:2233:4455:6677]:32853"
	)
	for _, tt := range []struct{ name, source, request, want string }{
		{"plain", source4, "00010000" + head, "0101000c" + head + four},
		{"IPv6", source6, "00010000" + head, "01010018" + head + six},
		{"sample", source4, sampleRequest, "01010014" + head + four + "80280004"},
		{"wrong fingerprint", source4, strings.Replace(sampleRequest, "e57a3bcf", "e57a3bce", 1), ""},
		{"optional attribute", source4, "00010008" + head + "8022000161000000", "0101000c" + head + four},
		{"unknown ones", source4, "00010008" + head + "7f01000000020000",
			"01110010" + head + "0009000400000414" + "000a00047f010002"},
		{"one unknown", source4, "00010004" + head + "7f010000", "01110010" + head + "0009000400000414" + "000a00027f010000"},
		{"indication", source4, "00110000" + head, ""},
		{"another method", source4, "00030000" + head, ""},
		{"a response", source4, "0101000c" + head + four, ""},
		{"attribute beyond the end", source4, "00010004" + head + "80220004", ""},
	} {
		got := hex.EncodeToString(appendSTUN(nil, unhex(t, tt.request), netip.MustParseAddrPort(tt.source)))
		if !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" || strings.HasSuffix(tt.want, "80280004") != (len(got) > len(tt.want)) {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
		if b := unhex(t, got); got != "" && (!isSTUN(b) || tt.name == "sample" && !fingerprinted(b)) {
			t.Errorf("%s: %s is no STUN message, or its fingerprint is wrong", tt.name, got)
		}
	}
	for _, no := range []string{"", "00010000" + head[:30], "00010004" + head, "00010001" + head + "00", "c0010000" + head, "000100002112a443b7e7a701bc34d686fa87dfae"} {
		if isSTUN(unhex(t, no)) {
			t.Errorf("%s is no STUN message", no)
		}
	}
}

func fingerprinted(b []byte) bool {
	_, fingerprint, ok := readSTUN(b)
	return fingerprint && ok
}

// Keepalives are answered where a binding registered from, and nowhere else; they put a phone
// back into routing, and count as dropped only from strangers.
func TestKeepalivesAnswered(t *testing.T) {
	binding := "00010000" + "2112a442b7e7a701bc34d686fa87dfae"
	for _, tt := range []struct {
		name, datagram string
		registered     bool
		want           string // "" for silence
		dropped        uint64
	}{
		{"CRLF CRLF", "0d0a0d0a", true, "0d0a", 0},
		{"half a ping", "0d0a", true, "", 0},
		{"zeros", "00000000", true, "", 0},
		{"nothing at all", "", true, "", 0},
		{"more zeros", "0000000000", true, "", 1},
		{"STUN", binding, true, "mapped", 0},
		{"from a stranger: CRLF CRLF", "0d0a0d0a", false, "", 1},
		{"from a stranger: STUN", binding, false, "", 1},
	} {
		s := stage(t, 1, nil)
		s.do("phone 666 at 192.0.2.66:6666", "phone 001x at 198.51.100.9:4660 user 001")
		s.lawless = true
		p := s.phone("666")
		if tt.registered {
			p = s.phone("001x")
			s.do("registered 001x")
		}
		s.events = nil
		dropped := s.core.count.Dropped[Malformed]
		s.send(p, unhex(t, tt.datagram))
		got := ""
		for _, e := range s.events[1:] {
			if e.from != "" {
				got = hex.EncodeToString([]byte(e.text))
			}
		}
		if tt.want == "mapped" {
			tt.want = hex.EncodeToString(appendSTUN(nil, unhex(t, binding), p.addr))
		}
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if n := s.core.count.Dropped[Malformed] - dropped; n != tt.dropped {
			t.Errorf("%s: %d dropped, want %d", tt.name, n, tt.dropped)
		}
	}
}
