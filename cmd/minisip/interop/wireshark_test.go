//go:build interop

package interop

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
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

// traced is the sound in one RTP stream of a recording, as Wireshark would play it.
type traced struct {
	file, filter string
}

func (r traced) recorded() (recording, error) {
	rec := recording{rate: 8000}
	out, err := exec.Command("tshark", "-n", "-r", r.file, "-Y", "rtp.p_type == 0 && "+r.filter, "-T", "fields", "-e", "rtp.payload").Output()
	for line := range strings.Lines(string(out)) {
		payload, bad := hex.DecodeString(strings.TrimSpace(line))
		if bad != nil {
			return rec, bad
		}
		for _, v := range payload {
			rec.pcm = append(rec.pcm, ulaw(v))
		}
	}
	return rec, err
}

// TestTrace: what `minisip trace` records of a call between two phones behind NATs, begun in
// its middle, is SIP and RTP for Wireshark, and sounds like what the phones heard.
func TestTrace(t *testing.T) {
	need(t, "tshark", "tshark")
	newNetwork(t)
	s := startServer(t, "")
	a, b := s.twoPhones(t)
	call(t, a, b, b.user)
	p := start(t, s.ns, s.dir, "minisip trace", minisip, "trace", b.user, "-media")
	eventually(t, 5*time.Second, "minisip trace says that it records", func() bool { return strings.Contains(p.output.String(), "recording 002 into ") })
	both(t, a, 880, b, 440, 3*time.Second)
	a.hangup(t)
	a.closed(t)
	b.closed(t)
	if !p.stop() || !strings.Contains(p.output.String(), ": it was stopped\n") {
		t.Errorf("minisip trace wrote\n%s", p.output.String())
	}
	files, err := filepath.Glob(filepath.Join(s.dir, "state", "traces", "*-002.pcap"))
	if err != nil || len(files) != 1 {
		t.Fatalf("recordings: %q, %v", files, err)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode() != 0o600 {
		t.Errorf("the recording has mode %v, %v", info.Mode(), err)
	}
	for _, way := range []struct {
		filter string
		hz     float64
	}{
		{"ip.dst == 192.0.2.2", 440}, {"ip.src == 192.0.2.2", 880}, // the NAT in front of b
		{"ip.dst == 203.0.113.2", 880}, {"ip.src == 203.0.113.2", 440}, // and of a
	} {
		if got := hears(traced{files[0], way.filter}, way.hz).tone; got < 2*time.Second {
			t.Errorf("%s: %v of the tone of %v Hz", way.filter, got, way.hz)
		}
	}
	out, err := exec.Command("tshark", "-n", "-r", files[0], "-Y", "sip || _ws.malformed", "-T", "fields", "-e", "sip.Method", "-e", "_ws.malformed").Output()
	if err != nil || strings.Count(string(out), "BYE") < 2 || strings.Count(string(out), "INVITE") < 2 || strings.Contains(strings.ToLower(string(out)), "malformed") {
		t.Errorf("SIP in the recording: %q, %v", out, err)
	}
}
