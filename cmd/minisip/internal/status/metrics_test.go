package status

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/proxy"
)

// exposed is what /metrics says of a server that has seen something of each kind.
func exposed() string {
	h := proxy.Histogram{Bounds: []float64{0.1, 1, 10}, Sum: 23.5}
	h.Counts[0], h.Counts[1], h.Counts[3] = 5, 2, 1
	o := &proxy.Overview{Users: 2, Bindings: 3, Calls: 1, Histograms: proxy.Histograms{Setup: h, Duration: h, Loss: h, Jitter: h, MOS: h}}
	o.Counters.Requests[1] = 7
	var e exposition
	e.all(`v1 "quoted"`, 1.7e9, o, Health{Lag: 3 * time.Millisecond, Lags: h, PortsAll: 5000, Overload: true, State: State{Failing: true, Lost: 12}, ClockSteps: 2}, 4)
	return e.String()
}

// TestMetrics: every metric is told about, named as Prometheus wants, and written once.
func TestMetrics(t *testing.T) {
	text := exposed()
	kinds, seen := map[string]string{}, map[string]bool{}
	for l := range strings.Lines(text) {
		l = strings.TrimSuffix(l, "\n")
		if rest, ok := strings.CutPrefix(l, "# TYPE "); ok {
			name, kind, _ := strings.Cut(rest, " ")
			if kinds[name] != "" || kind == "counter" != strings.HasSuffix(name, "_total") || !regexp.MustCompile(`^(minisip|go|process)_`).MatchString(name) ||
				regexp.MustCompile(`_(percent|milliseconds|ms|kilobytes|minutes)(_|$)`).MatchString(name) { // base units alone
				t.Errorf("%s", l)
			}
			kinds[name] = kind
			continue
		}
		if strings.HasPrefix(l, "#") {
			continue
		}
		m := regexp.MustCompile(`^([a-z_]+)(\{[a-z]+="[^\n]*"\})? [-+.e0-9]+$`).FindStringSubmatch(l)
		if m == nil || seen[m[1]+m[2]] {
			t.Fatalf("no sample, or one twice: %s", l)
		}
		seen[m[1]+m[2]] = true
		base := m[1]
		if kinds[base] == "" {
			base = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(base, "")
		}
		if kinds[base] == "" {
			t.Errorf("%s has no TYPE", l)
		}
	}
	for _, want := range []string{
		`minisip_build_info{version="v1 \"quoted\""} 1`, `minisip_requests_total{method="INVITE"} 7`, "minisip_overload 1",
		`minisip_call_setup_seconds_bucket{le="0.1"} 5`, `minisip_call_setup_seconds_bucket{le="1"} 7`, `minisip_call_setup_seconds_bucket{le="10"} 7`,
		`minisip_call_setup_seconds_bucket{le="+Inf"} 8`, "minisip_call_setup_seconds_sum 23.5", "minisip_call_setup_seconds_count 8",
		"minisip_banned_sources 4", "minisip_state_failing 1", "minisip_state_lost_total 12", "minisip_clock_steps_total 2",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
}

// TestDashboard: it is JSON, and asks only for metrics that there are.
func TestDashboard(t *testing.T) {
	var b bytes.Buffer
	if err := Dashboard(&b); err != nil {
		t.Fatal(err)
	}
	var d struct {
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(b.Bytes(), &d); err != nil || len(d.Panels) < 10 {
		t.Fatalf("%v, %d panels", err, len(d.Panels))
	}
	there := strings.Fields(exposed())
	for _, p := range d.Panels {
		if p.GridPos.X+p.GridPos.W > 24 || p.ID == 0 || len(p.Targets) == 0 {
			t.Errorf("panel %+v", p)
		}
		for _, target := range p.Targets {
			names := regexp.MustCompile(`minisip_[a-z_]+`).FindAllString(target.Expr, -1)
			if strings.Count(target.Expr, "(") != strings.Count(target.Expr, ")") || len(names) == 0 {
				t.Errorf("%s: %s", p.Title, target.Expr)
			}
			for _, n := range names {
				if !slices.ContainsFunc(there, func(s string) bool { return s == n || strings.HasPrefix(s, n+"{") }) {
					t.Errorf("%s asks for %s, which /metrics has not", p.Title, n)
				}
			}
		}
	}
}
