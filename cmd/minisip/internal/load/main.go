//go:build linux

// Command load measures what signalling costs minisip: it starts the binary pinned to one
// CPU, plays all phones from another, and prints calls or registrations that failed, messages
// that had to be repeated, and the CPU time of the server's process for each.
//
//	go run ./cmd/minisip/internal/load -minisip ./minisip -rate 3000 -calls 60000 -words no_re_sdp
//	go run ./cmd/minisip/internal/load -minisip ./minisip -users 200000 -registers 20000 -calls 0
//
// A call is INVITE, 407, ACK, INVITE with credentials, 100, 180, 200, ACK, BYE, 200; a
// registration REGISTER, 401, REGISTER with credentials, 200. Every phone has an IP address of its
// own in 127.0.0.0/8, so that the server sees as many sources as there are users. Lost messages are
// repeated as RFC 3261 17 says; a call fails with any other final response, or with
// none in 32 s. No media is sent.
//
// It shares no code with what it measures.
package main

import (
	"flag"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// options are the command line.
type options struct {
	minisip, words     string
	serverCPU, loadCPU int
	users, calls       int
	registers          int
	rate, registerRate int
	concurrent         int
	server             netip.AddrPort
	pid                int // of the server; 0: not known
	out                io.Writer
}

func main() {
	o := options{out: os.Stdout}
	at := flag.String("at", "127.0.0.1:5070", "where the server listens")
	flag.StringVar(&o.minisip, "minisip", "./minisip", "the binary to start")
	flag.StringVar(&o.words, "words", "", "flags and words for it, as \"no_re_sdp -timeout 1m\"")
	flag.IntVar(&o.serverCPU, "server-cpu", 0, "the CPU that the server is pinned to; -1: any")
	flag.IntVar(&o.loadCPU, "load-cpu", 1, "the CPU that the phones are pinned to; -1: any")
	flag.IntVar(&o.users, "users", 1000, "callers, and as many callees")
	flag.IntVar(&o.calls, "calls", 10000, "calls to make")
	flag.IntVar(&o.registers, "registers", 0, "registrations to make again once all users are registered")
	flag.IntVar(&o.rate, "rate", 500, "calls, or measured registrations, a second")
	flag.IntVar(&o.registerRate, "register-rate", 4000, "registrations a second before anything is measured")
	flag.IntVar(&o.concurrent, "concurrent", 0, "calls that are up at a time; 0: each ends as it was answered")
	flag.Parse()
	addr, err := netip.ParseAddrPort(*at)
	if err != nil || flag.NArg() > 0 || o.users < 1 || o.users > maxUsers || o.rate < 1 || o.registerRate < 1 {
		fmt.Fprintf(os.Stderr, "load: want -at IP:PORT, -users 1 to %d, rates of 1 or more, and flags alone\n", maxUsers)
		os.Exit(2)
	}
	o.server = addr
	ok, err := o.run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// run starts the server and measures it. It reports whether nothing failed.
func (o *options) run() (ok bool, err error) {
	s, err := startServer(o)
	if err != nil {
		return false, err
	}
	defer s.stop()
	o.pid = s.cmd.Process.Pid
	if err := pin(o.loadCPU); err != nil {
		return false, err
	}
	if o.loadCPU >= 0 {
		runtime.GOMAXPROCS(1)
	}
	return o.measure()
}

// measure loads a server that is at work.
func (o *options) measure() (ok bool, err error) {
	callers, err := newAgent(o.server, "a", firstCaller, o.users)
	if err != nil {
		return false, err
	}
	defer callers.close()
	callees, err := newAgent(o.server, "b", firstCallee, o.users)
	if err != nil {
		return false, err
	}
	defer callees.close()
	before := o.memory()
	failed := 0
	for _, a := range []*agent{callers, callees} {
		failed += newRegistering(a, 0, o.users, o.registerRate).play().failed
	}
	fmt.Fprintf(o.out, "%d users registered, %d could not", 2*o.users-failed, failed)
	if o.pid != 0 {
		fmt.Fprintf(o.out, ", %.2f KB each", float64(o.memory()-before)/float64(2*o.users))
	}
	fmt.Fprintln(o.out)
	if o.registers > 0 {
		failed += o.report("registration", newRegistering(callers, o.users, o.registers, o.rate).play)
	}
	if o.calls > 0 {
		answering := newAnswering(callees)
		go answering.play()
		c := newCalling(callers, callees, o)
		failed += o.report("call", c.play)
		answering.stop()
		fmt.Fprintf(o.out, "from INVITE to 200: half within %s, 99 %% within %s\n", c.delay(50), c.delay(99))
	}
	return failed == 0, nil
}

// result is what became of one kind of work.
type result struct {
	done, failed int
	repeated     map[string]int // messages sent again, by method
	why          map[string]int // of failures
}

// report plays something and prints what it cost.
func (o *options) report(what string, play func() *result) (failed int) {
	begin, busy := time.Now(), o.cpu()
	r := play()
	took, cpu := time.Since(begin), o.cpu()-busy
	fmt.Fprintf(o.out, "%d %ss in %.1f s (%.0f a second), %d failed; repeated: %s\n",
		r.done, what, took.Seconds(), float64(r.done)/took.Seconds(), r.failed, list(r.repeated))
	if r.failed > 0 {
		fmt.Fprintf(o.out, "failures: %s\n", list(r.why))
	}
	if o.pid != 0 {
		fmt.Fprintf(o.out, "server: %.1f us CPU a %s, %.1f %% of a core, %d KB resident\n",
			float64(cpu.Microseconds())/float64(max(1, r.done)), what, 100*cpu.Seconds()/took.Seconds(), o.memory())
	}
	return r.failed
}

// list writes counts as "3 INVITE, 1 BYE".
func list(counts map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[name], name))
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}
