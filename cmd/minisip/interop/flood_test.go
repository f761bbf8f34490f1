//go:build interop

package interop

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// forged are the many addresses of who floods, beside publicIP.
const forged = "198.19.0.0/16"

// newFlooder gives them to pub.
func newFlooder(t *testing.T) {
	t.Helper()
	command(t, "ip", "-n", netns("pub"), "route", "add", "local", forged, "dev", "lo")
	command(t, "ip", "-n", netns("isp"), "route", "add", forged, "via", publicIP)
}

// floodPlan is the variable that makes the test binary a flooder: "KINDS SOURCES RATE SECONDS".
const floodPlan = "MINISIP_FLOOD"

// startFlood floods the server from so many sources with kinds of datagrams in turn: u, a REGISTER of an unknown user;
// r and i, a REGISTER and an INVITE of user c00 without credentials; x, rubbish.
func startFlood(t *testing.T, kinds string, sources, rate int, d time.Duration) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	plan := fmt.Sprintf("%s=%s %d %d %g", floodPlan, kinds, sources, rate, d.Seconds())
	return start(t, netns("pub"), t.TempDir(), "the flood", "env", plan, self)
}

// flood is the flooder; it says how many datagrams it has sent.
func flood(plan string) int {
	var kinds string
	var sources, rate int
	var seconds float64
	if _, err := fmt.Sscan(plan, &kinds, &sources, &rate, &seconds); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	server := netip.MustParseAddrPort(serverIP + ":5060")
	sent, begin := 0, time.Now()
	for now := begin; now.Sub(begin).Seconds() < seconds; now = time.Now() {
		for due := int(now.Sub(begin).Seconds() * float64(rate)); sent < due; sent++ {
			source := netip.AddrFrom4([4]byte{198, 19, byte(rand.IntN(sources) >> 8), byte(rand.IntN(min(sources, 256)))})
			if _, _, err := conn.WriteMsgUDPAddrPort(floodDatagram(kinds[sent%len(kinds)], sent), fromSource(source), server); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
		time.Sleep(time.Millisecond)
	}
	fmt.Printf("%d datagrams in %.1f s\n", sent, time.Since(begin).Seconds())
	return 0
}

// fromSource is the control message that makes a datagram leave from an address: struct in_pktinfo.
func fromSource(ip netip.Addr) []byte {
	oob := make([]byte, syscall.CmsgSpace(syscall.SizeofInet4Pktinfo))
	binary.NativeEndian.PutUint64(oob, uint64(syscall.CmsgLen(syscall.SizeofInet4Pktinfo)))
	binary.NativeEndian.PutUint32(oob[8:], syscall.IPPROTO_IP)
	binary.NativeEndian.PutUint32(oob[12:], syscall.IP_PKTINFO)
	a := ip.As4()
	copy(oob[syscall.CmsgLen(0)+4:], a[:])
	return oob
}

func floodDatagram(kind byte, n int) []byte {
	method, uri, user := "REGISTER", "sip:"+serverIP, "c00"
	switch kind {
	case 'x':
		return []byte(strings.Repeat("rubbish ", 50))
	case 'u':
		user = "nobody" + strconv.Itoa(n)
	case 'i':
		method, uri = "INVITE", "sip:d00@"+serverIP
	}
	return fmt.Appendf(nil, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK%d;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:%s@%s>;tag=%d\r\nTo: <%s>\r\nCall-ID: flood-%d\r\nCSeq: 1 %s\r\nContact: <sip:%s@10.0.0.1:5060>\r\n"+
		"User-Agent: flood\r\nContent-Length: 0\r\n\r\n", method, uri, n, user, serverIP, n, uri, n, method, user)
}

// TestFlood: under 20,000 datagrams a second registered users' calls go on, and an office of 2,000 phones
// behind one address that all register at once gets through whole.
func TestFlood(t *testing.T) {
	need(t, "sipp", "sip-tester")
	const users, office, rate = 50, 2000, 20000
	conf, callers, callees, pairs := crowds(users)
	phones := "SEQUENTIAL\n"
	for i := range office {
		user := fmt.Sprintf("office%04d", i)
		_, line := accountsOf(user)
		conf += line
		phones += login(user) + "\n"
	}
	newNetwork(t)
	newFlooder(t)
	s := startServer(t, conf, "-keepalive", "0") // SIPp would count a ping as a call
	runSIPp(t, netns("a"), "register.xml", callers, users, "-r", "100")
	runSIPp(t, netns("b"), "register.xml", callees, users, "-r", "100")

	const calls = 200
	// What is lost in the flood is repeated; but for its ACK, which SIPp gives once more only until it hangs up.
	answers := patient(t, "callee.xml", `<recv request="ACK"/>`, `<recv request="ACK" optional="true"/>`)
	call := func() (statistics, time.Duration) {
		callee := startSIPp(t, netns("b"), answers, "", calls, append(lenient, "-aa")...)
		caller := startSIPp(t, netns("a"), "caller.xml", pairs, calls, append(lenient, "-d", "1000", "-r", "50", "-aa", "-trace_rtt", "-rtt_freq", "1")...)
		caller.wait(t, time.Minute)
		callee.wait(t, time.Minute)
		return caller.statistics(t), caller.setUp(t)
	}
	st, calm := call()
	t.Logf("without a flood: %d of %d calls, set-up p99 %v", st.good, calls, calm)
	for _, f := range []struct {
		name, kinds string
		sources     int
	}{
		{"from 65,536 forged sources", "urix", 65536},
		{"from one source, of a user that exists", "ri", 1},
	} {
		flooder := startFlood(t, f.kinds, f.sources, rate, 6*time.Second)
		st, p99 := call()
		flooder.wait(t, 20*time.Second)
		t.Logf("%s, %s: %d of %d calls, set-up p99 %v, %d retransmissions",
			f.name, strings.TrimSpace(flooder.output.String()), st.good, calls, p99, st.retransmissions)
		if st.good != calls || st.failed != 0 {
			t.Errorf("%s: %+v, want %d good calls", f.name, st, calls)
		}
	}
	flooder := startFlood(t, "urix", 65536, rate, 8*time.Second)
	begin := time.Now()
	p := startSIPp(t, netns("a"), "register.xml", phones, office, append(lenient, "-r", "500", "-t", "un", "-max_socket", "4000")...)
	if err := p.wait(t, time.Minute); err != nil {
		t.Errorf("the office: %v", err)
	}
	reg := p.statistics(t)
	t.Logf("of an office of %d phones %d registered in %v under the flood, %d retransmissions",
		office, reg.good, time.Since(begin).Round(100*time.Millisecond), reg.retransmissions)
	if reg.good != office {
		t.Errorf("%d of %d phones registered", reg.good, office)
	}
	flooder.wait(t, 20*time.Second)
	for line := range strings.Lines(s.log()) {
		if strings.Contains(line, "dropped") || strings.Contains(line, "overload") {
			t.Logf("logged: %s", strings.TrimSpace(line))
		}
	}
	s.freesPorts(t)
}

// setUp is within which time 99 of 100 calls were set up, from the first INVITE to the 200.
func (p *sipp) setUp(t *testing.T) time.Duration {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(p.dir, "*_rtt.csv"))
	if err != nil || len(files) != 1 {
		t.Fatalf("SIPp wrote %v, %v", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var times []float64
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(line, ";"); len(f) >= 2 {
			if ms, err := strconv.ParseFloat(f[1], 64); err == nil {
				times = append(times, ms)
			}
		}
	}
	if len(times) == 0 {
		t.Fatalf("SIPp measured nothing:\n%s", text)
	}
	slices.Sort(times)
	return time.Duration(times[len(times)*99/100] * float64(time.Millisecond)).Round(100 * time.Microsecond)
}
