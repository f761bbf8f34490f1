//go:build interop

package interop

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience is how long whoever repeats himself may take over the air: RFC 3261's 64*T1, and a little.
const patience = 40 * time.Second

// much is how many RTP packets make a call lossy whatever chance does: of a call so long that they are less than 3 %
// the air would have taken 50.
const much = 15

// TestLossyCalls: over a network that loses one datagram in ten, brings one in ten twice and reorders all, two phones
// behind NATs register and call each other, both ways, again and again. The log and the records say what was lost.
func TestLossyCalls(t *testing.T) {
	air := newAir(t)
	s := startServer(t, "", "-cdr", "cdr.jsonl")
	a := startBaresip(t, netns("a"), s.accounts["001"], 440)
	b := startBaresip(t, netns("b"), s.accounts["002"], 880)
	for _, p := range []*baresip{a, b} {
		p.sees(t, patience, "REGISTER_OK")
	}
	for i := range 4 {
		caller, callee := a, b
		if i%2 == 1 {
			caller, callee = b, a
		}
		ender := []*baresip{a, a, b, b}[i]
		lostA, lostB := air.mediaLost(natA), air.mediaLost(natB)
		before := len(s.ends(caller.user, callee.user))
		caller.dial(t, callee.user)
		callee.sees(t, patience, "CALL_INCOMING")
		callee.answer(t)
		caller.sees(t, patience, "CALL_ESTABLISHED")
		callee.sees(t, patience, "CALL_ESTABLISHED")
		eventually(t, patience, "both phones have heard the other for a second, and much of both is lost", func() bool {
			return hears(a, b.hz).tone >= time.Second && hears(b, a.hz).tone >= time.Second &&
				min(air.mediaLost(natA)-lostA, air.mediaLost(natB)-lostB) >= much
		})
		ender.hangup(t)
		caller.sees(t, patience, "CALL_CLOSED")
		callee.sees(t, patience, "CALL_CLOSED")
		eventually(t, patience, "the log says that the call has ended", func() bool { return len(s.ends(caller.user, callee.user)) > before })
		s.logsEnd(t, caller.user, callee.user, before)
		line := s.ends(caller.user, callee.user)[before]
		if !strings.Contains(line, "hung up by "+ender.user+";") || strings.Count(line, ": lossy") != 2 {
			t.Errorf("the log says %q of a call that %s ended", line, ender.user)
		}
		for _, m := range s.records(t, i+1)[i].Media {
			lost := map[string]int{a.user: air.mediaLost(natA) - lostA, b.user: air.mediaLost(natB) - lostB}[m.From]
			t.Logf("of %s %d packets came, %d are said to be lost, %d were", m.From, m.Packets, m.Lost, lost)
			if most := 3; int(m.Lost) > lost+most || int(m.Lost) < lost-most {
				t.Errorf("%d packets of %s are said to be lost, %d were", m.Lost, m.From, lost)
			}
		}
	}
	s.leavesNothing(t, 4)
}

// TestLossySIPp: over the same network 300 authenticated calls of SIPp, 50 at a time, are set up and hung up.
func TestLossySIPp(t *testing.T) {
	need(t, "sipp", "sip-tester")
	const users, calls = 50, 300
	conf, callers, callees, pairs := crowds(users)
	newAir(t)
	s := startServer(t, conf, "-keepalive", "0")
	registers, answers, asks := patient(t, "register.xml"), patient(t, "callee.xml"), patient(t, "caller.xml")
	for _, r := range []struct{ ns, users string }{{"a", callers}, {"b", callees}} {
		st := runSIPp(t, netns(r.ns), registers, r.users, users, append(lenient, "-r", "50")...)
		t.Logf("%d phones registered, with %d retransmissions", st.good, st.retransmissions)
	}
	// SIPp gives its ACK once more only until it hangs up. So a call is long enough for ten copies of the answer: between a
	// copy and the callee's sight of the ACK lie four ways, and each loses two at most.
	callee := startSIPp(t, netns("b"), answers, "", calls, append(lenient, "-aa")...)
	caller := startSIPp(t, netns("a"), asks, pairs, calls, append(lenient, "-d", "28000", "-r", "50", "-l", "400", "-aa")...)
	for _, p := range []*sipp{caller, callee} {
		err := p.wait(t, 2*time.Minute)
		st := p.statistics(t)
		t.Logf("%s: %d of %d calls, %d failed, %d retransmissions", p.name, st.good, calls, st.failed, st.retransmissions)
		if err != nil || st.good != calls || st.failed != 0 {
			t.Errorf("%s: %v, %+v, want %d good calls", p.name, err, st, calls)
		}
	}
	s.leavesNothing(t, calls)
	eventually(t, patience, "no transaction is left", func() bool { return s.metric(t, "minisip_transactions") == 0 })
}

// patient gives a scenario whose ended calls still answer what is repeated (RFC 3261 17: timers D, J and K). change is
// what else is to be replaced in it, and by what.
func patient(t *testing.T, scenario string, change ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", scenario))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), scenario)
	change = append(change, "</scenario>", `<timewait milliseconds="8000"/></scenario>`)
	text := strings.NewReplacer(change...).Replace(string(b))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// leavesNothing wants so many calls in the log, all of them hung up, and nothing left of them in minisip.
func (s *server) leavesNothing(t *testing.T, calls int) {
	t.Helper()
	ends := endLine.FindAllString(s.log(), -1)
	for _, line := range ends {
		if !strings.Contains(line, ": hung up by ") {
			t.Errorf("logged: %s", line)
		}
	}
	if len(ends) != calls {
		t.Errorf("the log has %d lines about the end of %d calls", len(ends), calls)
	}
	s.freesPorts(t)
	if n := s.metric(t, "minisip_calls"); n != 0 {
		t.Errorf("%v calls are left", n)
	}
	if free, all := s.metric(t, "minisip_rtp_ports_free"), s.metric(t, "minisip_rtp_ports"); free != all {
		t.Errorf("%v of %v ports are free", free, all)
	}
}

// metric reads one of minisip's figures.
func (s *server) metric(t *testing.T, name string) float64 {
	t.Helper()
	return figure(t, s.metrics(t), name)
}

// figure is one of them in the text of all.
func figure(t *testing.T, metrics, name string) float64 {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + ` (\S+)$`).FindStringSubmatch(metrics)
	if m == nil {
		t.Fatalf("there is no metric %s", name)
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// metrics asks for all of them, in the server's namespace.
func (s *server) metrics(t *testing.T) string {
	t.Helper()
	var conn net.Conn
	err := inNamespace(filepath.Join("/run/netns", s.ns), func() (err error) {
		conn, err = net.Dial("tcp4", "127.0.0.1:8060")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /metrics HTTP/1.0\r\nHost: 127.0.0.1:8060\r\n\r\n")
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
