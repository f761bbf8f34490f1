package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"minisip/cmd/minisip/internal/clockstep"
)

var (
	four  = netip.MustParseAddrPort("192.0.2.7:4000")
	five  = netip.MustParseAddrPort("203.0.113.1:10000")
	six   = netip.MustParseAddrPort("[2001:db8::7]:4000")
	any6  = netip.MustParseAddrPort("[::]:10000")
	noon  = time.Unix(1800000000, 123456789)
	large = bytes.Repeat([]byte("x"), 65507)
)

// onesComplement adds up what has a checksum in it: 0xffff where that is right.
func onesComplement(parts ...[]byte) uint16 {
	var s uint64
	for _, b := range parts {
		for i, x := range b {
			s += uint64(x) << (8 * ((i + 1) % 2))
		}
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}

// A record read back: addresses, ports, lengths, checksums of both headers.
func TestRecord(t *testing.T) {
	for _, tt := range []struct {
		name     string
		from, to netip.AddrPort
		payload  string
		shown    string
	}{
		{"IPv4", four, five, "hello", "192.0.2.7:4000 > 203.0.113.1:10000"},
		{"odd and even", four, five, "hell", "192.0.2.7:4000 > 203.0.113.1:10000"},
		{"empty", four, five, "", "192.0.2.7:4000 > 203.0.113.1:10000"},
		{"IPv6", six, any6, "hello", "[2001:db8::7]:4000 > [::]:10000"},
		{"IPv4 to a socket of both families", four, any6, "hello", "192.0.2.7:4000 > 0.0.0.0:10000"},
		{"from a socket of both families to IPv4", any6, four, "hello", "0.0.0.0:10000 > 192.0.2.7:4000"},
		{"mapped", netip.MustParseAddrPort("[::ffff:192.0.2.7]:4000"), five, "hello", "192.0.2.7:4000 > 203.0.113.1:10000"},
		{"two families", four, six, "hello", "[::ffff:192.0.2.7]:4000 > [2001:db8::7]:4000"},
	} {
		b := appendRecord(nil, noon, tt.from, tt.to, []byte(tt.payload))
		le := binary.LittleEndian
		if le.Uint32(b) != 1800000000 || le.Uint32(b[4:]) != 123456 || int(le.Uint32(b[8:])) != len(b)-16 || le.Uint32(b[8:]) != le.Uint32(b[12:]) {
			t.Errorf("%s: record header % x of %d bytes", tt.name, b[:16], len(b))
		}
		ip := b[16:]
		var src, dst netip.Addr
		var udp, pseudo []byte
		if ip[0]>>4 == 4 {
			src, dst = netip.AddrFrom4([4]byte(ip[12:])), netip.AddrFrom4([4]byte(ip[16:]))
			udp, pseudo = ip[20:], ip[12:20]
			if int(binary.BigEndian.Uint16(ip[2:])) != len(ip) || onesComplement(ip[:20]) != 0xffff || ip[9] != 17 {
				t.Errorf("%s: IPv4 header % x", tt.name, ip[:20])
			}
		} else {
			src, dst = netip.AddrFrom16([16]byte(ip[8:])), netip.AddrFrom16([16]byte(ip[24:]))
			udp, pseudo = ip[40:], ip[8:40]
			if int(binary.BigEndian.Uint16(ip[4:])) != len(udp) || ip[0]>>4 != 6 || ip[6] != 17 {
				t.Errorf("%s: IPv6 header % x", tt.name, ip[:40])
			}
		}
		length := udp[4:6]
		if got := onesComplement(pseudo, []byte{0, 17}, length, udp); got != 0xffff || int(binary.BigEndian.Uint16(length)) != len(udp) {
			t.Errorf("%s: UDP header % x adds up to %x", tt.name, udp[:8], got)
		}
		shown := fmt.Sprintf("%s > %s", netip.AddrPortFrom(src, binary.BigEndian.Uint16(udp)), netip.AddrPortFrom(dst, binary.BigEndian.Uint16(udp[2:])))
		if shown != tt.shown || string(udp[8:]) != tt.payload {
			t.Errorf("%s: %s %q, want %s", tt.name, shown, udp[8:], tt.shown)
		}
	}
	if b := appendRecord(nil, noon, four, five, append(large, 'x')); len(b) > 0 {
		t.Errorf("a datagram that cannot be makes %d bytes", len(b))
	}
	// RFC 768: a checksum of 0 means none, so 0 is written as all ones.
	for n := range 65536 {
		b := appendRecord(nil, noon, four, five, []byte{byte(n >> 8), byte(n)})
		if binary.BigEndian.Uint16(b[16+20+6:]) == 0 {
			t.Fatalf("payload %04x has no checksum", n)
		}
	}
}

func TestFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	f, err := Create(dir, "a.pcap", Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(dir, "a.pcap", Limits{}); !errors.Is(err, os.ErrExist) {
		t.Errorf("the same name again: %v", err)
	}
	f.Packet(noon, four, five, []byte("hello"))
	f.Packet(noon, five, four, []byte("hello"))
	f.End("enough")
	f.End("and more")
	f.Packet(noon, five, four, []byte("too late"))
	<-f.Done()
	want := appendRecord(appendRecord(fileHeader(), noon, four, five, []byte("hello")), noon, five, four, []byte("hello"))
	path := filepath.Join(dir, "a.pcap")
	got, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("file of %d bytes, %v, want %d", len(got), err, len(want))
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if s := f.Summary(); s != (Summary{path, 2, 0, int64(len(want)), "enough", false}) {
		t.Errorf("summary %+v", s)
	}
}

// TestClockSet: the packets of a file lie as far apart as they really were, whatever was done to the clock meanwhile.
func TestClockSet(t *testing.T) {
	first := time.Now()
	m := &memory{hold: make(chan struct{})}
	close(m.hold)
	f := begin(m, "a.pcap", Limits{})
	for i, step := range []time.Duration{0, time.Hour, -time.Hour} {
		f.Packet(clockstep.Step(first.Add(time.Duration(i)*time.Second), step), four, five, []byte("hello"))
	}
	f.End("enough")
	<-f.Done()
	size := (m.Len() - len(fileHeader())) / 3
	for i := range 3 {
		record := m.Bytes()[len(fileHeader())+i*size:]
		if at := binary.LittleEndian.Uint32(record); at != uint32(first.Add(time.Duration(i)*time.Second).Unix()) {
			t.Errorf("packet %d is of %d, the first of %d", i, at, first.Unix())
		}
	}
}

// memory is a disk that takes nothing until it is released.
type memory struct {
	bytes.Buffer
	hold chan struct{}
	err  error
}

func (m *memory) Write(b []byte) (int, error) {
	<-m.hold
	if m.err != nil {
		return 0, m.err
	}
	return m.Buffer.Write(b)
}

func (m *memory) Close() error { return nil }

var _ io.WriteCloser = (*memory)(nil)

func TestLimits(t *testing.T) {
	record := len(appendRecord(nil, noon, four, five, make([]byte, 172)))
	t.Run("bytes", func(t *testing.T) {
		m := &memory{hold: make(chan struct{})}
		close(m.hold)
		f := begin(m, "x", Limits{Bytes: 10_000})
		for range 100 {
			f.Packet(noon, four, five, make([]byte, 172))
		}
		<-f.Done()
		s := f.Summary()
		if int(s.Packets) != (m.Len()-24)/record || m.Len() > 10_000 || m.Len() < 9_500 || s.Why != "its limit of 10000 bytes is reached" {
			t.Errorf("%+v, %d bytes written", s, m.Len())
		}
	})
	t.Run("time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			m := &memory{hold: make(chan struct{})}
			close(m.hold)
			begun := time.Now()
			f := begin(m, "x", Limits{Time: time.Minute})
			<-f.Done()
			if took := time.Since(begun); took != time.Minute || f.Summary().Why != "its limit of 1m0s is reached" {
				t.Errorf("after %s: %+v", took, f.Summary())
			}
		})
	})
	t.Run("a disk that hangs", func(t *testing.T) {
		m := &memory{hold: make(chan struct{})}
		f := begin(m, "x", Limits{})
		const sent = 10_000
		for range sent {
			f.Packet(noon, four, five, make([]byte, 172)) // does not wait
		}
		if s := f.Summary(); s.Packets+s.Dropped != sent || int(s.Packets)*record > 2*waiting || s.Dropped == 0 {
			t.Errorf("%+v", s)
		}
		close(m.hold)
		f.End("enough")
		<-f.Done()
		if s := f.Summary(); m.Len() != int(s.Bytes) || !strings.Contains(s.String(), fmt.Sprintf("(%d packets came too fast and are missing)", s.Dropped)) {
			t.Errorf("%d bytes written: %s", m.Len(), s)
		}
	})
	t.Run("a disk that is full", func(t *testing.T) {
		m := &memory{hold: make(chan struct{}), err: errors.New("no space left on device")}
		close(m.hold)
		f := begin(m, "x", Limits{})
		<-f.Done()
		if got := f.Summary(); got.Why != "it cannot be written: no space left on device" || !got.Failed {
			t.Errorf("ended because %s, failed: %v", got.Why, got.Failed)
		}
	})
}
