//go:build interop

package interop

import (
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"
)

// TestManyCalls: 500 authenticated calls, 50 at a time, between 50 callers behind one NAT and
// 50 callees behind another, and none fails.
func TestManyCalls(t *testing.T) {
	need(t, "sipp", "sip-tester")
	const users, calls, atOnce = 50, 500, 50
	conf, callers, callees, pairs := crowds(users)
	newNetwork(t)
	s := startServer(t, conf, "-keepalive", "0") // SIPp would count a ping as a call
	runSIPp(t, netns("a"), "register.xml", callers, users, "-r", "100")
	runSIPp(t, netns("b"), "register.xml", callees, users, "-r", "100")
	callee := startSIPp(t, netns("b"), "callee.xml", "", calls, "-aa")
	begin := time.Now()
	st := runSIPp(t, netns("a"), "caller.xml", pairs, calls, "-d", "1000", "-r", "60", "-l", strconv.Itoa(atOnce), "-aa")
	t.Logf("%d calls in %v, %d failed, at most %d at once, %d retransmissions by the callers",
		st.good, time.Since(begin).Round(time.Second), st.failed, st.peak, st.retransmissions)
	if st.good != calls || st.failed != 0 || st.retransmissions != 0 {
		t.Errorf("callers: %+v, want %d good calls and nothing else", st, calls)
	}
	if err := callee.wait(t, 15*time.Second); err != nil {
		t.Errorf("callees: %v", err)
	}
	if st := callee.statistics(t); st.good != calls || st.failed != 0 || st.retransmissions != 0 {
		t.Errorf("callees: %+v, want %d good calls and nothing else", st, calls)
	}
	if ends := s.ends("c00", "d00"); len(ends) != calls/users {
		t.Errorf("the log has %d lines about the end of the %d calls of c00 to d00", len(ends), calls/users)
	}
	s.freesPorts(t)
}

// crowds are n callers c00, c01 ... and as many callees d00 ...: the user file, and for SIPp who calls, who is
// called, and who calls whom.
func crowds(n int) (conf, callers, callees, pairs string) {
	callers, callees, pairs = "SEQUENTIAL\n", "SEQUENTIAL\n", "SEQUENTIAL\n"
	for i := range n {
		from, to := fmt.Sprintf("c%02d", i), fmt.Sprintf("d%02d", i)
		_, lines := accountsOf(from, to)
		conf += lines
		callers += login(from) + "\n"
		callees += login(to) + "\n"
		pairs += login(from) + ";" + to + "\n"
	}
	return conf, callers, callees, pairs
}

// login is what SIPp's scenarios want of a user.
func login(user string) string {
	return fmt.Sprintf("%s;[authentication username=%s password=secret]", user, user)
}

// sipp is a SIPp that plays phones.
type sipp struct {
	*process
	dir string
}

// statistics are SIPp's own counts over a whole run.
type statistics struct{ good, failed, retransmissions, peak int }

// lenient lets SIPp pass over what comes late or twice, as phones do: a second challenge, to a request that was repeated
// before the first one came, else ends the call.
var lenient = []string{"-default_behaviors", "all,-abortunexp"}

// startSIPp starts a scenario, of testdata or by its whole path, for a number of calls. All scenarios of a namespace share a port,
// so that who registered is who is called. users, if not empty, is its injection file.
func startSIPp(t *testing.T, ns, scenario, users string, calls int, arg ...string) *sipp {
	t.Helper()
	p := &sipp{dir: t.TempDir()}
	xml := scenario
	if !filepath.IsAbs(xml) {
		var err error
		if xml, err = filepath.Abs(filepath.Join("testdata", scenario)); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"sipp", serverIP + ":5060", "-sf", xml, "-i", phoneIP, "-p", "5070", "-m", strconv.Itoa(calls),
		"-nostdin", "-trace_stat", "-stf", "stat.csv", "-fd", "1", "-trace_err", "-error_file", "errors.log"}
	if users != "" {
		if err := os.WriteFile(filepath.Join(p.dir, "users.csv"), []byte(users), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-inf", "users.csv")
	}
	t.Cleanup(func() {
		if errs, _ := os.ReadFile(filepath.Join(p.dir, "errors.log")); t.Failed() && len(errs) > 0 {
			t.Logf("---- errors of SIPp %s:\n%s", scenario, tail(string(errs), 60))
		}
	})
	p.process = startTo(t, &transcript{}, ns, p.dir, "SIPp "+filepath.Base(scenario), append(args, arg...)...)
	return p
}

// runSIPp runs a scenario to its end. Every call must succeed.
func runSIPp(t *testing.T, ns, scenario, users string, calls int, arg ...string) statistics {
	t.Helper()
	p := startSIPp(t, ns, scenario, users, calls, arg...)
	err := p.wait(t, time.Minute)
	st := p.statistics(t)
	if err != nil {
		t.Fatalf("SIPp %s: %v, %+v", scenario, err, st)
	}
	return st
}

// statistics reads the last line that SIPp wrote about itself.
func (p *sipp) statistics(t *testing.T) statistics {
	t.Helper()
	f, err := os.Open(filepath.Join(p.dir, "stat.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.FieldsPerRecord = ';', -1
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("SIPp's statistics: %d rows, %v", len(rows), err)
	}
	last := rows[len(rows)-1]
	count := func(name string) int {
		i := slices.Index(rows[0], name)
		if i < 0 || i >= len(last) {
			t.Fatalf("SIPp's statistics have no column %s", name)
		}
		n, err := strconv.Atoi(last[i])
		if err != nil {
			t.Fatalf("SIPp's statistics: %s: %v", name, err)
		}
		return n
	}
	return statistics{count("SuccessfulCall(C)"), count("FailedCall(C)"), count("Retransmissions(C)"), peak(rows)}
}

// peak is the greatest number of calls that were up at once, of the moments when SIPp looked.
func peak(rows [][]string) int {
	i, most := slices.Index(rows[0], "CurrentCall"), 0
	for _, row := range rows[1:] {
		if n, err := strconv.Atoi(row[max(i, 0)]); err == nil {
			most = max(most, n)
		}
	}
	return most
}
