//go:build interop

package interop

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	recorder "minisip/cmd/minisip/internal/capture"
)

// Wireshark finds the SIP in a recording, learns from its SDP what is RTP, and would play it:
// in both families, with right checksums.
func TestWiresharkReadsRecordings(t *testing.T) {
	need(t, "tshark", "tshark")
	for _, family := range []struct{ name, phone, us string }{
		{"IP4", "192.0.2.7", "203.0.113.1"},
		{"IP6", "2001:db8::7", "2001:db8::1"},
	} {
		f, err := recorder.Create(t.TempDir(), "call.pcap", recorder.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		phone, us := netip.MustParseAddr(family.phone), netip.MustParseAddr(family.us)
		at := time.Unix(1800000000, 0)
		sip := func(from, to netip.Addr, first, sdpAddr string, port int) {
			sdp := fmt.Sprintf("v=0\r\no=- 1 1 IN %[1]s %[2]s\r\ns=-\r\nc=IN %[1]s %[2]s\r\nt=0 0\r\nm=audio %[3]d RTP/AVP 0\r\n", family.name, sdpAddr, port)
			m := first + "\r\nVia: SIP/2.0/UDP phone;branch=z9hG4bK1\r\nFrom: <sip:001@x>;tag=1\r\nTo: <sip:002@x>;tag=2\r\nCall-ID: 1\r\n" +
				"CSeq: 1 INVITE\r\nContact: <sip:001@x>\r\nContent-Type: application/sdp\r\nContent-Length: " + fmt.Sprint(len(sdp)) + "\r\n\r\n" + sdp
			f.Packet(at, netip.AddrPortFrom(from, 5060), netip.AddrPortFrom(to, 5060), []byte(m))
		}
		sip(phone, us, "INVITE sip:002@x SIP/2.0", family.phone, 4000)
		sip(us, phone, "SIP/2.0 200 OK", family.us, 10000)
		for i := range 50 {
			p := make([]byte, 172)
			p[0] = 0x80
			binary.BigEndian.PutUint16(p[2:], uint16(i))
			binary.BigEndian.PutUint32(p[4:], uint32(i*160))
			at = at.Add(20 * time.Millisecond)
			f.Packet(at, netip.AddrPortFrom(phone, 4000), netip.AddrPortFrom(us, 10000), p)
			f.Packet(at, netip.AddrPortFrom(us, 10000), netip.AddrPortFrom(phone, 4000), p)
		}
		f.End("enough")
		<-f.Done()
		out, err := exec.Command("tshark", "-n", "-r", f.Summary().Path, "-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
			"-T", "fields", "-e", "_ws.col.Protocol", "-e", "udp.checksum.status", "-e", "ip.checksum.status", "-e", "_ws.malformed").Output()
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[string]int{}
		for line := range strings.Lines(string(out)) {
			kinds[strings.Join(strings.Fields(line), " ")]++
		}
		good := " 1" // of UDP
		if family.name == "IP4" {
			good = " 1 1"
		}
		if len(kinds) != 2 || kinds["SIP/SDP"+good] != 2 || kinds["RTP"+good] != 100 {
			t.Errorf("%s: tshark sees %v", family.name, kinds)
		}
	}
}
