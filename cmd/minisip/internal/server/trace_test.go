package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"minisip/cmd/minisip/internal/capture"
	"minisip/cmd/minisip/internal/proxy"
)

// A recording of a user has the SIP and the RTP of his call, without secrets; it ends with
// who asked for it.
func TestTrace(t *testing.T) {
	cfg := testConfig(t, "127.0.0.1:0")
	cfg.TraceDir = filepath.Join(t.TempDir(), "traces")
	r := serve(t, cfg)
	a, b := newPhone(t, "127.0.0.2", "001", r.Addresses()[0]), newPhone(t, "127.0.0.3", "002", r.Addresses()[0])
	mediaA, mediaB := newAudio(t, "127.0.0.2"), newAudio(t, "127.0.0.3")
	a.register()
	b.register()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	file, err := r.Trace(ctx, "001", true, capture.Limits{})
	if err != nil {
		t.Fatal(err)
	}

	call := a.authorized(request{method: "INVITE", uri: "sip:002@" + a.server.String(), callID: "call", cseq: 1, body: mediaA.sdp()})
	a.expect("SIP/2.0 100 ")
	invite := b.expect("INVITE " + b.contact() + " SIP/2.0\r\n")
	b.respond(invite, "200 OK", mediaB.sdp())
	ok := a.expect("SIP/2.0 200 ")
	a.send(a.text(request{method: "ACK", uri: uriOf(get(ok, "Contact")), to: get(ok, "To"), callID: "call", cseq: call.cseq,
		lines: []string{"Route: " + get(ok, "Record-Route")}, branch: "ack"}))
	b.expect("ACK " + b.contact() + " SIP/2.0\r\n")
	exchange(t, mediaA, mediaB, mediaAddr(t, ok), mediaAddr(t, invite))
	stop()
	<-file.Done()

	data, err := os.ReadFile(file.Summary().Path)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{
		"INVITE sip:002@" + a.server.String() + " SIP/2.0\r\n": 2, // challenged first
		"INVITE " + b.contact() + " SIP/2.0\r\n":               1,
		"SIP/2.0 200 OK\r\n":                                   2,
		"audio of a":                                           2,
		"audio of b":                                           2,
		`response="********"`:                                  1,
	} {
		if got := strings.Count(string(data), text); got != want {
			t.Errorf("%q is there %d times, want %d", text, got, want)
		}
	}
	s := file.Summary()
	if s.Dropped != 0 || int(s.Bytes) != len(data) || s.Why != "it was stopped" {
		t.Errorf("%d bytes in the file: %s", len(data), s)
	}
}

// A recording of a call ends with the call; one that is under way when minisip stops is whole.
func TestTraceEnds(t *testing.T) {
	cfg := testConfig(t, "127.0.0.1:0")
	cfg.TraceDir = t.TempDir()
	r := serve(t, cfg)
	file, err := r.Trace(context.Background(), "002", false, capture.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Trace(context.Background(), "nobody/../x", false, capture.Limits{}); !errors.Is(err, proxy.ErrNothingToTrace) {
		t.Errorf("of nobody: %v", err)
	}
	left, err := os.ReadDir(cfg.TraceDir)
	if err != nil || len(left) != 1 {
		t.Errorf("%d files, %v, want the one of 002", len(left), err)
	}
	r.end()
	<-file.Done()
	if got := file.Summary(); got.Why != "minisip stopped" || got.Packets != 0 {
		t.Errorf("%s", got)
	}
	if _, err := r.Trace(context.Background(), "002", false, capture.Limits{}); err == nil {
		t.Error("a trace begins when minisip has stopped")
	}
}

// A recording that begins in the moment in which minisip stops is waited for.
func TestTraceBeginsLast(t *testing.T) {
	cfg := testConfig(t, "127.0.0.1:0")
	cfg.TraceDir = t.TempDir()
	var ended atomic.Bool
	cfg.Log = func(line string) {
		if strings.HasPrefix(line, "trace of 002 ended") {
			ended.Store(true)
		}
	}
	s, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	go s.Trace(context.Background(), "002", false, capture.Limits{})
	(<-s.do)() // the last that the loop does
	s.ended()
	s.traces.Wait()
	if !ended.Load() {
		t.Error("nobody has waited for it")
	}
}

func TestTraceNeedsADirectory(t *testing.T) {
	r := serve(t, testConfig(t, "127.0.0.1:0"))
	if _, err := r.Trace(context.Background(), "001", false, capture.Limits{}); !errors.Is(err, errNoTraceDir) {
		t.Errorf("%v", err)
	}
}

// A recording whose disk hangs keeps nobody from stopping.
func TestTraceHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var traces sync.WaitGroup
		if !waitFor(&traces, traceWait) {
			t.Error("without a recording there is nothing to wait for")
		}
		disk := make(chan struct{})
		traces.Go(func() { <-disk })
		if waitFor(&traces, traceWait) {
			t.Error("it has not ended yet")
		}
		close(disk)
		if !waitFor(&traces, traceWait) {
			t.Error("it has ended")
		}
	})
}
