package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"
)

// sample is what minisip takes up at one time.
type sample struct {
	at      time.Time
	life    int // how often it had been started again
	memory  int // KB
	files   int
	metrics map[string]float64
}

// sample looks at minisip, and keeps what it sees.
func (s *soak) sample() sample {
	s.t.Helper()
	x := sample{at: time.Now(), life: len(s.downs), metrics: map[string]float64{}}
	proc := fmt.Sprintf("/proc/%d/", s.d.cmd.Process.Pid)
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		s.t.Fatalf("minisip has ended: %v", err)
	}
	x.memory, _ = strconv.Atoi(wordAfter(string(status), "VmRSS:"))
	files, _ := os.ReadDir(proc + "fd")
	x.files = len(files)
	response, err := http.Get("http://" + s.web + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			x.metrics[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	s.samples = append(s.samples, x)
	return x
}

// busy says what is still in minisip's tables.
func (x sample) busy() string {
	m := x.metrics
	var b strings.Builder
	for _, name := range []string{"minisip_calls", "minisip_transactions", "minisip_bindings", "minisip_queue_length"} {
		if m[name] != 0 {
			fmt.Fprintf(&b, "%s %g; ", name, m[name])
		}
	}
	if free, all := m["minisip_rtp_ports_free"], m["minisip_rtp_ports"]; free != all || all == 0 {
		fmt.Fprintf(&b, "%g of %g port pairs free; ", free, all)
	}
	return b.String()
}

// drained waits until transactions and calls have run out by themselves.
func (s *soak) drained() sample {
	s.t.Helper()
	deadline := time.Now().Add(soakGiveUp + soakTimeout + 30*time.Second)
	x := s.sample()
	for ; x.busy() != "" && time.Now().Before(deadline); x = s.sample() {
		time.Sleep(time.Second)
	}
	return x
}

// judge writes the page of figures, and says what is wrong with them.
func (s *soak) judge(length time.Duration, idle, end sample) {
	t := s.t
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s with %d pairs of phones; minisip was killed %d times in the first %s\n\n", length+length/2, soakPairs, len(s.downs), length)
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\twell\tnot\thit by a kill\tof these well\tup before\tkept\t\n")
	for _, name := range slices.Sorted(maps.Keys(s.results)) {
		o := s.results[name]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t\n", name, o.good, o.bad, o.hit, o.hitGood, o.up, o.kept)
		if o.bad > 0 || o.kept < o.up {
			t.Errorf("%s: %d did not go well, %d of %d outlived a kill", name, o.bad, o.kept, o.up)
		}
	}
	w.Flush()
	for _, why := range slices.Sorted(maps.Keys(s.refused)) {
		fmt.Fprintf(&b, "%d times %s\n", s.refused[why], why)
	}
	wrong := s.flat(&b)
	fmt.Fprintf(&b, "\n%s\n", s.sparks())
	fmt.Fprintf(w, "after\tlife\tmemory\tfiles\tgoroutines\tcalls\ttransactions\tbindings\tports free\tlag\t\n")
	step := max(1, len(s.samples)/30)
	for i, x := range s.samples {
		if i%step == 0 || i == len(s.samples)-1 {
			m := x.metrics
			fmt.Fprintf(w, "%s\t%d\t%d KB\t%d\t%g\t%g\t%g\t%g\t%g\t%.1f ms\t\n", x.at.Sub(idle.at).Round(time.Second), x.life, x.memory, x.files, m["go_goroutines"],
				m["minisip_calls"], m["minisip_transactions"], m["minisip_bindings"], m["minisip_rtp_ports_free"], m["minisip_loop_lag_max_seconds"]*1000)
		}
	}
	w.Flush()
	left := cmp.Or(end.busy(), "nothing")
	was, is := idle.metrics["go_goroutines"], end.metrics["go_goroutines"]
	fmt.Fprintf(&b, "\nIn the end there is in the tables: %s. %d descriptors, %d at the beginning; %g goroutines, %g at the beginning.\n",
		left, end.files, idle.files, is, was)
	report(t, b.String())
	if left != "nothing" {
		t.Errorf("in the end there is still: %s", left)
	}
	if end.files > idle.files+1 { // one is the connection by which we ask
		t.Errorf("%d descriptors in the end, %d at the beginning", end.files, idle.files)
	}
	if is > was+2 {
		t.Errorf("%g goroutines in the end, %g at the beginning", is, was)
	}
	for _, what := range wrong {
		t.Error(what)
	}
	s.judgeLives(length)
}

// judgeLives: what is kept over a restart does not make the next process larger.
func (s *soak) judgeLives(length time.Duration) {
	s.t.Helper()
	lives := make([]int, len(s.downs)+1)
	for _, x := range s.samples {
		lives[x.life] = max(lives[x.life], x.memory)
	}
	if length < 5*time.Minute || len(lives) < 4 {
		return
	}
	if first, final := lives[1], lives[len(lives)-2]; float64(final) > float64(first)*(1+soakGrows) {
		s.t.Errorf("after the first restart memory was %d KB, after the last but one %d KB", first, final)
	}
}

// report shows a text, and keeps it where MINISIP_ARTEFACTS says.
func report(t *testing.T, text string) {
	t.Helper()
	t.Logf("\n%s", text)
	if dir := os.Getenv("MINISIP_ARTEFACTS"); dir != "" {
		if err := os.MkdirAll(dir, 0o755); err == nil {
			err = os.WriteFile(filepath.Join(dir, "soak.txt"), []byte(text), 0o644)
		}
	}
}
