package control

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/status"
)

// answering is a server at a socket, whose state directory it gives.
func answering(t *testing.T, mux *http.ServeMux) string {
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, SocketName))
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(mux)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(s.Close)
	return dir
}

// says makes a handler that answers with v.
func says(v any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { json.NewEncoder(w).Encode(v) }
}

// run runs a command line, which must succeed.
func run(t *testing.T, dir, line string) string {
	t.Helper()
	var out strings.Builder
	words := strings.Fields(line)
	if got := Run(words[0], words[1:], Terminal{Out: &out, Err: &out, StateDir: dir}); got != ExitOK {
		t.Fatalf("minisip %s: %d, %s", line, got, out.String())
	}
	return out.String()
}

// TestWholeLists: a list is printed whole, each row once, although the server gives it in parts and
// rows come and go between two of them.
func TestWholeLists(t *testing.T) {
	var ids []int
	for id := range 1000 {
		ids = append([]int{id}, ids...) // the newest first
	}
	asked := 0
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/calls", func(w http.ResponseWriter, r *http.Request) {
		offset, _ := strconv.Atoi(r.FormValue("offset"))
		limit, _ := strconv.Atoi(r.FormValue("limit"))
		if asked++; asked == 2 {
			ids = append([]int{1000}, ids...) // one comes: all others move down
		} else if asked == 4 {
			ids = ids[20:] // some end: all others move up
		}
		l := status.Calls{Total: len(ids), Matched: len(ids), Offset: offset, Calls: []*proxy.CallView{}}
		for _, id := range ids[min(offset, len(ids)):min(offset+min(limit, 200), len(ids))] {
			l.Calls = append(l.Calls, &proxy.CallView{ID: strconv.Itoa(id), State: "live"})
		}
		json.NewEncoder(w).Encode(l)
	})
	mux.HandleFunc("GET /api/users", func(w http.ResponseWriter, r *http.Request) {
		offset, _ := strconv.Atoi(r.FormValue("offset"))
		p := status.Phones{Total: 900, Matched: 777, Offset: offset}
		for i := offset; i < min(offset+200, 777); i++ {
			p.Users = append(p.Users, proxy.PhoneView{User: fmt.Sprint("u", i), Contact: "sip:x"})
		}
		json.NewEncoder(w).Encode(p)
	})
	dir := answering(t, mux)
	var got status.Calls
	if err := json.Unmarshal([]byte(run(t, dir, "calls -json")), &got); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, v := range got.Calls {
		found = append(found, v.ID)
	}
	slices.Sort(found)
	if len(found) != 1000 || len(slices.Compact(found)) != 1000 || got.Offset != 0 {
		t.Errorf("%d calls, %d of them different, from %d on", len(got.Calls), len(slices.Compact(found)), got.Offset)
	}
	if n := strings.Count(run(t, dir, "calls"), "\n"); n != len(ids)+1 {
		t.Errorf("calls printed %d lines", n)
	}
	if text := run(t, dir, "calls -limit 3"); !strings.HasSuffix(text, fmt.Sprintf("and %d older\n", len(ids)-3)) || strings.Count(text, "\n") != 5 {
		t.Errorf("with a limit:\n%s", text)
	}
	var phones status.Phones
	if err := json.Unmarshal([]byte(run(t, dir, "users -json")), &phones); err != nil || len(phones.Users) != 777 || phones.Matched != 777 || phones.Total != 900 {
		t.Errorf("%v, %d users of %d", err, len(phones.Users), phones.Matched)
	}
	if n := strings.Count(run(t, dir, "users"), "\n"); n != 778 {
		t.Errorf("users printed %d lines", n)
	}
	var out strings.Builder
	if got := Run("calls", []string{"-limit", "none"}, Terminal{Out: &out, Err: &out, StateDir: dir}); got != ExitUsage || !strings.Contains(out.String(), "expected a number of rows such as 100") {
		t.Errorf("%d %s", got, out.String())
	}
}

// TestJSON: with -json, what a command prints is JSON, of what was asked for.
func TestJSON(t *testing.T) {
	mux := http.NewServeMux()
	call := aCall()
	call.Steps[0].N, call.Steps[0].Message = 1, "77"
	call.Steps[1].N, call.Steps[1].Message = 2, "78" // no longer kept
	mux.HandleFunc("GET /api/calls/7", says(call))
	mux.HandleFunc("GET /api/messages/77", says(status.Message{Summary: status.Summary{ID: "77"}, Text: "INVITE sip:002@x SIP/2.0\r\n"}))
	mux.HandleFunc("GET /api/log", says(status.Lines{Lines: []string{"002 is here"}}))
	mux.HandleFunc("GET /api/events", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "event: log\ndata: {\"lines\":[\"001 left\",\"002 LEFT\"]}\n\n: still here\n\nevent: log\ndata: {\"lines\":[\"001 is back\"]}\n\n")
	})
	done := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
	mux.HandleFunc("POST /api/calls/7/hangup", done)
	mux.HandleFunc("DELETE /api/bans/192.0.2.7", done)
	dir := answering(t, mux)

	text := run(t, dir, "call 7 -v -json")
	var v struct {
		proxy.CallView
		Messages []status.Message
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil || len(v.Messages) != 1 || v.Messages[0].ID != "77" {
		t.Errorf("%v in %s", err, text)
	}
	plain := strings.TrimSuffix(run(t, dir, "call 7 -json"), "}\n")
	if !strings.HasPrefix(text, plain) {
		t.Errorf("with its messages a call reads\n%s\nwithout\n%s", text, plain)
	}
	if text := run(t, dir, "call 7 -v"); !strings.Contains(text, "\n    INVITE sip:002@x SIP/2.0\n") {
		t.Errorf("as text:\n%s", text)
	}
	for _, line := range []string{"hangup 7", "ban del 192.0.2.7"} {
		if got := run(t, dir, line); got != "" {
			t.Errorf("%s: %q", line, got)
		}
		if got := run(t, dir, line+" -json"); got != "{\"ok\":true}\n" {
			t.Errorf("%s -json: %q", line, got)
		}
	}
	var out strings.Builder
	Run("log", []string{"-f", "-json", "002"}, Terminal{Out: &out, Err: io.Discard, StateDir: dir}) // until the server ends
	if got, want := out.String(), "{\"lines\":[\"002 is here\"]}\n{\"lines\":[\"002 LEFT\"]}\n"; got != want {
		t.Errorf("log -f -json 002 printed\n%swant\n%s", got, want)
	}
}

// full is a disk that takes nothing more.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestFollowFails: the log is followed for as long as there is room for it.
func TestFollowFails(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/log", says(status.Lines{}))
	mux.HandleFunc("GET /api/events", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "event: log\ndata: {\"lines\":[\"001 left\"]}\n\n")
	})
	var trouble strings.Builder
	got := Run("log", []string{"-f"}, Terminal{Out: full{}, Err: &trouble, StateDir: answering(t, mux)})
	if got != ExitFailed || trouble.String() != "minisip log: no space left on device\n" {
		t.Errorf("status %d, %q", got, trouble.String())
	}
}

// impatient interrupts this process when it is first written to.
type impatient struct {
	strings.Builder
	once sync.Once
}

func (i *impatient) Write(b []byte) (int, error) {
	i.once.Do(func() { syscall.Kill(os.Getpid(), syscall.SIGINT) })
	return i.Builder.Write(b)
}

// TestTraceInterrupted: with Ctrl-C a recording ends, and how it was is told all the same: the disk may have been full just then.
func TestTraceInterrupted(t *testing.T) {
	whole := status.TraceNews{Path: "trace.pcap", Summary: "2 packets: it was stopped"}
	broken := status.TraceNews{Path: "trace.pcap", Summary: "2 packets: it cannot be written", Failed: true}
	for _, tt := range []struct {
		line   string
		end    status.TraceNews
		status int
		want   string
	}{
		{"trace 001", whole, ExitOK, "recording 001 into trace.pcap; Ctrl-C ends it\n2 packets: it was stopped\n"},
		{"trace 001", broken, ExitFailed, "recording 001 into trace.pcap; Ctrl-C ends it\nminisip trace: 2 packets: it cannot be written\n"},
		{"trace 001 -json", whole, ExitOK, `{"path":"trace.pcap"}
{"path":"trace.pcap","summary":"2 packets: it was stopped"}
`},
		{"trace 001 -json", broken, ExitFailed, `{"path":"trace.pcap"}
{"path":"trace.pcap","summary":"2 packets: it cannot be written","failed":true}
minisip trace: 2 packets: it cannot be written
`},
	} {
		mux := http.NewServeMux()
		mux.HandleFunc("POST /api/trace", func(w http.ResponseWriter, r *http.Request) {
			json.NewEncoder(w).Encode(status.TraceNews{Path: "trace.pcap"})
			http.NewResponseController(w).Flush()
			<-r.Context().Done()
			json.NewEncoder(w).Encode(tt.end)
		})
		var out impatient
		words := strings.Fields(tt.line)
		got := Run(words[0], words[1:], Terminal{Out: &out, Err: &out, StateDir: answering(t, mux)})
		if got != tt.status || out.String() != tt.want {
			t.Errorf("minisip %s: status %d, printed\n%swant %d\n%s", tt.line, got, out.String(), tt.status, tt.want)
		}
	}
}

// TestTraceFails: a recording that the disk did not take has failed, with -json too.
func TestTraceFails(t *testing.T) {
	const why = "trace.pcap: 2 packets, 400 bytes: it cannot be written: no space left on device"
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/trace", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(status.TraceNews{Path: "trace.pcap"})
		json.NewEncoder(w).Encode(status.TraceNews{Path: "trace.pcap", Summary: why, Failed: true})
	})
	dir := answering(t, mux)
	for _, args := range [][]string{{"001"}, {"001", "-json"}} {
		var out, trouble strings.Builder
		if got := Run("trace", args, Terminal{Out: &out, Err: &trouble, StateDir: dir}); got != ExitFailed || trouble.String() != "minisip trace: "+why+"\n" {
			t.Errorf("%q: status %d, %q", args, got, trouble.String())
		}
	}
}
