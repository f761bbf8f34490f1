package hep

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var (
	at    = time.Date(2026, 1, 31, 12, 0, 0, 123456000, time.UTC)
	alice = netip.MustParseAddrPort("198.51.100.7:31022")
	ours  = netip.MustParseAddrPort("203.0.113.10:5060")
	bob6  = netip.MustParseAddrPort("[2001:db8::7]:5060")
	text  = []byte("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP x\r\ni: 4711@x\r\n\r\nCall-ID: no\r\n")
)

// chunks takes a packet apart, as its reader would.
func chunks(t *testing.T, b []byte) map[uint16]string {
	t.Helper()
	if string(b[:4]) != "HEP3" || int(binary.BigEndian.Uint16(b[4:])) != len(b) {
		t.Fatalf("not a HEP3 packet of its length: %q", b)
	}
	out := map[uint16]string{}
	for b = b[6:]; len(b) > 0; {
		vendor, kind, size := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint16(b[4:])
		if vendor != 0 || size < 6 || int(size) > len(b) {
			t.Fatalf("chunk %d of vendor %d has size %d of %d", kind, vendor, size, len(b))
		}
		out[kind] = string(b[6:size])
		b = b[size:]
	}
	return out
}

func TestPacket(t *testing.T) {
	p := packet{kind: sip, at: at, from: alice, to: ours, callID: []byte("4711@x"), payload: text}
	b, ok := p.append(nil, 2001, "home")
	if !ok {
		t.Fatal("it does not fit")
	}
	got := chunks(t, b)
	for kind, want := range map[uint16]string{
		1: "\x02", 2: "\x11", 3: "\xc6\x33\x64\x07", 4: "\xcb\x00\x71\x0a", 7: "\x79\x2e", 8: "\x13\xc4",
		9: string(binary.BigEndian.AppendUint32(nil, uint32(at.Unix()))), 10: "\x00\x01\xe2\x40",
		11: "\x01", 12: "\x00\x00\x07\xd1", 15: string(text), 17: "4711@x", 19: "home",
	} {
		if got[kind] != want {
			t.Errorf("chunk %d: %q, want %q", kind, got[kind], want)
		}
	}
	// Where one side is IPv6, both are written so.
	p.to = bob6
	b, _ = p.append(nil, 1, "")
	got = chunks(t, b)
	if got[1] != "\x0a" || len(got[5]) != 16 || got[6] != string(bob6.Addr().AsSlice()) || got[3] != "" || got[19] != "" {
		t.Errorf("%v", got)
	}
	p.payload = make([]byte, maxPacket)
	if b, ok := p.append([]byte("x"), 1, ""); ok || string(b) != "x" {
		t.Error("a packet that no datagram holds was made")
	}
}

func TestCallID(t *testing.T) {
	for in, want := range map[string]string{
		string(text): "4711@x",
		"BYE sip:a SIP/2.0\r\nCALL-ID : a b \r\n": "a b",
		"BYE sip:a SIP/2.0\r\n\r\nCall-ID: no":    "",
		"":                                        "",
	} {
		if got := string(callID([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// TestSender: messages arrive masked, reports as JSON.
func TestSender(t *testing.T) {
	homer, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer homer.Close()
	mask := func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("sip:a"), []byte("*****")) }
	s := New(Config{Server: homer.LocalAddr().String(), Agent: 1, Mask: mask, Log: func(line string) { t.Error(line) }})
	s.SIP(at, alice, ours, text)
	s.Report(at, alice, ours, &Report{CallID: "4711@x", Packets: 5, MOS: 4.4})
	s.Close()
	homer.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 65536)
	read := func() map[uint16]string {
		n, _, err := homer.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		return chunks(t, b[:n])
	}
	if got := read(); got[chunkPayload] != strings.Replace(string(text), "sip:a", "*****", 1) || got[chunkCorrelation] != "4711@x" {
		t.Errorf("%v", got)
	}
	got := read()
	var r map[string]any
	if err := json.Unmarshal([]byte(got[chunkPayload]), &r); err != nil || got[chunkPayloadType] != "\x22" ||
		r["TOTAL_PK"] != 5.0 || r["SRC_IP"] != "198.51.100.7" || r["RTP_SIP_CALL_ID"] != "4711@x" || r["TYPE"] != "HANGUP" {
		t.Errorf("%v, %v", got, err)
	}
}

// TestNobodyWaits: what finds no room is lost and counted.
func TestNobodyWaits(t *testing.T) {
	s := &Sender{queue: make(chan packet, 1)}
	for range 3 {
		s.SIP(at, alice, ours, text)
	}
	s.SIP(at, alice, ours, make([]byte, maxMessage+1))
	if n := s.lost.Load(); n != 3 {
		t.Errorf("%d lost, want 3", n)
	}
}

// TestReach: a server that cannot be found is looked for again, now and then.
func TestReach(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	tries := 0
	s := &Sender{dial: func() (net.Conn, error) {
		if tries++; tries < 3 {
			return nil, fmt.Errorf("no such host, %d", tries)
		}
		return here, nil
	}}
	for _, step := range []struct {
		after time.Duration
		want  string
	}{
		{0, "no such host, 1"}, {quiet - 1, "no such host, 1"}, {quiet, "no such host, 2"}, {2*quiet - 1, "no such host, 2"},
	} {
		if err := s.write(at.Add(step.after), text); err == nil || err.Error() != step.want {
			t.Errorf("after %v: %v, want %s", step.after, err, step.want)
		}
	}
	go s.write(at.Add(2*quiet), text)
	b := make([]byte, len(text))
	if _, err := io.ReadFull(there, b); err != nil || !bytes.Equal(b, text) {
		t.Errorf("got %q, %v", b, err)
	}
}

// TestNotes: a server's host that refuses every other packet is named once, and is well only when it has refused none for
// a while; what is lost is told now and then.
func TestNotes(t *testing.T) {
	var lines []string
	s := &Sender{queue: make(chan packet, 1), log: func(line string) { lines = append(lines, line) }}
	now, refused := at, errors.New("connection refused")
	for _, step := range []struct {
		after string
		err   error
		lost  uint64
		want  string // how the line begins
	}{
		{"0s", nil, 0, ""},
		{"0s", refused, 0, "cannot send to the HEP server: connection refused"},
		{"1ms", nil, 0, ""},
		{"1ms", refused, 0, ""},
		{"9s", nil, 1, "1 messages were not sent"},
		{"999ms", nil, 1, ""},
		{"1ms", nil, 1, "the HEP server takes messages again"},
		{"1ms", refused, 0, "cannot send"},
		{"9s", refused, 0, "2 messages were not sent"},
		{"9s", nil, 0, ""},
		{"1s", nil, 0, "the HEP server takes messages again"},
	} {
		d, err := time.ParseDuration(step.after)
		if err != nil {
			t.Fatal(err)
		}
		now, lines = now.Add(d), nil
		s.lost.Add(step.lost)
		s.note(now, step.err)
		if got := strings.Join(lines, "; "); !strings.HasPrefix(got, step.want) || (got == "") != (step.want == "") {
			t.Errorf("%s later, %v: %q, want %q", step.after, step.err, got, step.want)
		}
	}
}
