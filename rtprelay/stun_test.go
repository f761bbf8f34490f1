package rtprelay

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func bytesOf(text string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// RFC 5769: the test vectors for STUN with short-term credentials.
const vectorPassword = "VOkJxbRl1RmTxUk/WvJxBt"

var (
	vectorRequest = bytesOf(`
		00010058 2112a442 b7e7a701 bc34d686 fa87dfae
		80220010 5354554e 20746573 7420636c 69656e74
		00240004 6e0001ff
		80290008 932ff9b1 51263b36
		00060009 6576746a 3a683676 59202020
		00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2
		80280004 e57a3bcf`)
	vectorResponse = bytesOf(`
		0101003c 2112a442 b7e7a701 bc34d686 fa87dfae
		8022000b 74657374 20766563 746f7220
		00200008 0001a147 e112a643
		00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7
		80280004 c07d4c96`)
	vectorIPv6 = bytesOf(`00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9`)
)

// RFC 5769 2.1
func TestSTUNRequest(t *testing.T) {
	m, ok := parseSTUN(vectorRequest)
	if !ok || m.kind != bindingRequest || string(m.username) != "evtj:h6vY" || m.priority != 0x6e0001ff ||
		m.unknown != 0 || m.nominates || !m.controlled {
		t.Fatalf("read as %+v, %v", m, ok)
	}
	var sum [integritySize]byte
	before := slices.Clone(vectorRequest)
	if right := newSecret(ICE{Pwd: vectorPassword}); !m.proven(vectorRequest, right.mac, &sum) {
		t.Error("the right password does not prove it")
	}
	if wrong := newSecret(ICE{Pwd: "wrong"}); m.proven(vectorRequest, wrong.mac, &sum) {
		t.Error("a wrong password proves it")
	}
	if !slices.Equal(before, vectorRequest) {
		t.Error("the datagram has changed")
	}
}

// RFC 5769 2.2 and 2.3
func TestSTUNResponse(t *testing.T) {
	by := newSecret(ICE{Pwd: vectorPassword})
	b := appendHeader(nil, bindingSuccess, vectorRequest)
	b = append(appendAttribute(b, 0x8022, 11), "test vector "...) // SOFTWARE
	b = seal(appendMapped(b, netip.MustParseAddrPort("192.0.2.1:32853")), by.mac)
	if !slices.Equal(b, vectorResponse) {
		t.Errorf("wrote\n%x, want\n%x", b, vectorResponse)
	}
	six := netip.MustParseAddrPort("[2001:db8:1234:5678:11:2233:4455:6677]:32853")
	if b := appendMapped(appendHeader(nil, bindingSuccess, vectorRequest), six)[stunHeader:]; !slices.Equal(b, vectorIPv6) {
		t.Errorf("wrote %x, want %x", b, vectorIPv6)
	}
}

// Whatever is cut or changed in a message, it is refused or cannot be proven.
func TestSTUNChanged(t *testing.T) {
	by := newSecret(ICE{Pwd: vectorPassword})
	var sum [integritySize]byte
	good := func(b []byte) bool {
		m, ok := parseSTUN(b)
		return ok && m.integrity != 0 && m.proven(b, by.mac, &sum)
	}
	for n := range vectorRequest {
		if _, ok := parseSTUN(vectorRequest[:n]); ok {
			t.Errorf("the first %d bytes are a message", n)
		}
		for bit := range 8 {
			b := slices.Clone(vectorRequest)
			b[n] ^= 1 << bit
			if good(b) && n < len(b)-8 {
				t.Errorf("byte %d, bit %d is not protected", n, bit)
			}
			// Without the fingerprint, what is left is the proof alone.
			b = b[:len(b)-8]
			binary.BigEndian.PutUint16(b[2:], binary.BigEndian.Uint16(b[2:])-8)
			if good(b) && n < len(b) {
				t.Errorf("byte %d, bit %d is not proven", n, bit)
			}
		}
	}
}

func TestSTUNMalformed(t *testing.T) {
	const head = "0001%s 2112a442 000000000000000000000000"
	for name, tc := range map[string]struct {
		body string
		ok   bool
	}{
		"nothing in it":                       {"", true},
		"an attribute cut in its head":        {"0006", false},
		"an attribute longer than the rest":   {"00060008 61626364", false},
		"padded":                              {"00060001 61000000", true},
		"not padded":                          {"00060001 61", false},
		"PRIORITY of 3 bytes":                 {"00240003 00000000", false},
		"MESSAGE-INTEGRITY of 4 bytes":        {"00080004 00000000", false},
		"FINGERPRINT that is wrong":           {"80280004 00000000", false},
		"anything behind MESSAGE-INTEGRITY":   {"00080014 0000000000000000000000000000000000000000 00240001 00000000", true},
		"a large attribute that does not fit": {"8022ffff 00000000", false},
	} {
		body := bytesOf(tc.body)
		b := append(bytesOf(strings.Replace(head, "%s", hex.EncodeToString([]byte{0, byte(len(body))}), 1)), body...)
		if _, ok := parseSTUN(b); ok != tc.ok {
			t.Errorf("%s: %v, want %v", name, ok, tc.ok)
		}
	}
}

// RFC 8489 14.7: FINGERPRINT is the last attribute, be it right.
func TestSTUNFingerprintLast(t *testing.T) {
	b := bytesOf("00010010 2112a442 000000000000000000000000 80220000 80280004 00000000 80220000")
	binary.BigEndian.PutUint32(b[28:], crc32.ChecksumIEEE(b[:24])^fingerprintXOR)
	if _, ok := parseSTUN(b); ok {
		t.Error("an attribute behind a right FINGERPRINT is read")
	}
	b = b[:32]
	binary.BigEndian.PutUint16(b[2:], 12)
	binary.BigEndian.PutUint32(b[28:], crc32.ChecksumIEEE(b[:24])^fingerprintXOR)
	if _, ok := parseSTUN(b); !ok {
		t.Error("where it is the last, the message is refused")
	}
}

// Whatever bytes come, reading them does not fail, and only what is whole is a message.
func TestSTUNOfAnyBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	whole := 0
	for range 20_000 {
		b := slices.Clone(vectorRequest)
		for range 1 + rng.IntN(4) {
			b[rng.IntN(len(b))] = byte(rng.Uint32())
		}
		b = b[:4*rng.IntN(len(b)/4+1)]
		if rng.IntN(2) == 0 && len(b) >= stunHeader {
			binary.BigEndian.PutUint16(b[2:], uint16(len(b)-stunHeader))
		}
		m, ok := parseSTUN(b)
		if !ok {
			continue
		}
		whole++
		if len(b) < stunHeader || m.integrity != 0 && m.integrity > len(b)-4-integritySize {
			t.Fatalf("%x is read as %+v", b, m)
		}
	}
	if whole < 100 {
		t.Errorf("only %d were messages", whole)
	}
}
