//go:build interop

package hep

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/capture"
)

// TestTshark: others read what is sent: the SIP in it, from whom to whom, and when.
func TestTshark(t *testing.T) {
	homer, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer homer.Close()
	s := New(Config{Server: homer.LocalAddr().String(), Agent: 2001, Node: "minisip", Mask: bytes.Clone, Log: func(line string) { t.Error(line) }})
	s.SIP(at, alice, ours, []byte("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:a>\r\n"+
		"Call-ID: 4711@x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"))
	s.SIP(at, ours, alice, []byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nFrom: <sip:a>;tag=1\r\nTo: <sip:a>;tag=2\r\n"+
		"Call-ID: 4711@x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"))
	s.Report(at, alice, ours, &Report{CallID: "4711@x", Packets: 5, MOS: 4.4})
	s.Close()
	file, err := capture.Create(t.TempDir(), "hep.pcap", capture.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	homer.SetReadDeadline(time.Now().Add(10 * time.Second))
	b := make([]byte, 65536)
	server := netip.MustParseAddrPort("127.0.0.1:9060")
	for range 3 {
		n, _, err := homer.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		file.Packet(at, netip.MustParseAddrPort("127.0.0.1:40000"), server, b[:n])
	}
	file.End("all is there")
	<-file.Done()
	// Debian's tshark knows no HEP, but sngrep does: it takes the SIP out as Homer would, and tshark reads that.
	inside := file.Summary().Path + ".sip"
	if out, err := exec.Command("sngrep", "-F", "-N", "-q", "-E", "-I", file.Summary().Path, "-O", inside).CombinedOutput(); err != nil {
		t.Fatalf("sngrep: %v: %s", err, out)
	}
	pcap, err := os.ReadFile(inside)
	if err != nil || len(pcap) < 24 {
		t.Fatalf("sngrep wrote nothing: %v", err)
	}
	pcap[20] = 1 // it writes Ethernet frames, and the link type of what it read
	if err := os.WriteFile(inside, pcap, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("tshark", "-r", inside, "-Y", "sip", "-T", "fields", "-E", "separator=|",
		"-e", "ip.src", "-e", "ip.dst", "-e", "udp.srcport", "-e", "udp.dstport", "-e", "frame.time_epoch", "-e", "sip.Method", "-e", "sip.Status-Code", "-e", "sip.Call-ID").Output()
	if err != nil {
		t.Fatalf("tshark: %v: %s", err, out)
	}
	lines := slices.Compact(slices.Collect(strings.Lines(string(out)))) // it writes each twice
	t.Logf("tshark reads\n%s", strings.Join(lines, ""))
	want := "198.51.100.7|203.0.113.10|31022|5060|1769860800.123456000|OPTIONS||4711@x\n" +
		"203.0.113.10|198.51.100.7|5060|31022|1769860800.123456000||200|4711@x\n"
	if strings.Join(lines, "") != want {
		t.Errorf("want\n%s", want)
	}
}
