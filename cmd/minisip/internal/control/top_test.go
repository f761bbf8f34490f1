package control

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"minisip/cmd/minisip/internal/proxy"
	"minisip/cmd/minisip/internal/status"
)

// crowd is the state directory of a server with so many calls up, whose number can change.
func crowd(t *testing.T, calls *int) string {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/overview", says(status.Overview{Version: "devel"}))
	mux.HandleFunc("GET /api/calls", func(w http.ResponseWriter, r *http.Request) {
		offset, _ := strconv.Atoi(r.FormValue("offset"))
		limit, _ := strconv.Atoi(r.FormValue("limit"))
		l := status.Calls{Total: *calls, Matched: *calls, Offset: offset, Calls: []*proxy.CallView{}}
		for i := offset; i < min(offset+min(limit, 200), *calls); i++ {
			l.Calls = append(l.Calls, &proxy.CallView{ID: fmt.Sprint(1000 - i), State: "up"})
		}
		json.NewEncoder(w).Encode(l)
	})
	return answering(t, mux)
}

var callLine = regexp.MustCompile(`(?m)^(\d+) +up`)

// Where nothing can be drawn all calls are shown, and with -json.
func TestTopOnce(t *testing.T) {
	n := 250
	dir := crowd(t, &n)
	var out strings.Builder
	plain := Terminal{Out: &out, Err: &out, StateDir: dir, Env: func(string) (string, bool) { return "", false }, Size: func() (int, int) { return 0, 0 }}
	if got := Run("top", nil, plain); got != ExitOK || len(callLine.FindAllString(out.String(), -1)) != n {
		t.Errorf("%d, and %d calls of %d in\n%s", got, len(callLine.FindAllString(out.String(), -1)), n, out.String())
	}
	out.Reset()
	var both struct {
		Overview status.Overview
		Calls    status.Calls
	}
	if got := Run("top", []string{"-json"}, plain); got != ExitOK {
		t.Errorf("-json: %d", got)
	}
	if err := json.Unmarshal([]byte(out.String()), &both); err != nil || both.Overview.Version != "devel" || len(both.Calls.Calls) != n || both.Calls.Matched != n {
		t.Errorf("-json: %v, %d calls of %d", err, len(both.Calls.Calls), both.Calls.Matched)
	}
}

// The screen shows as many calls as fit, and keys lead to all others.
func TestTopPages(t *testing.T) {
	n := 250
	c := &call{client: newClient(crowd(t, &n), true)}
	s := &screen{rows: 24, columns: 80}
	show := func() (first, last, rows int) {
		t.Helper()
		page, err := c.topPage(s)
		if err != nil {
			t.Fatal(err)
		}
		found := callLine.FindAllSubmatch(page, -1)
		first, _ = strconv.Atoi(string(found[0][1]))
		last, _ = strconv.Atoi(string(found[len(found)-1][1]))
		if rows = strings.Count(string(page), "\n"); rows != 23 && n > len(found) {
			t.Errorf("%d lines on a screen of 24:\n%s", rows, page)
		}
		if want := fmt.Sprintf("\n%d-%d of %d; ", 1001-first, 1001-last, n); n > len(found) && !strings.Contains(string(page), want) {
			t.Errorf("no %q in\n%s", want, page)
		}
		return first, last, rows
	}
	_, last, _ := show()
	fits := 1001 - last
	for _, tt := range []struct {
		keys  string
		first int // of the calls, from 0 on
	}{
		{"", 0},
		{"\x1b[B", 1},
		{"\x1bOBj", 3},
		{"x\x1b[A?", 2},
		{"\x1b[6~", 2 + fits},
		{" b", 2 + fits},
		{"\x1b[5~\x1b[5~", 0},
		{"kk", 0},
		{strings.Repeat(" ", 100), n - fits},
		{"k", n - fits - 1},
	} {
		if s.obey([]byte(tt.keys)) {
			t.Errorf("%q ends it", tt.keys)
		}
		if first, last, _ := show(); first != 1000-tt.first || last != first-fits+1 {
			t.Errorf("after %q: calls %d to %d, want from %d on, %d of them", tt.keys, first, last, 1000-tt.first, fits)
		}
	}
	n = 5 // the others have ended
	if first, last, rows := show(); first != 1000 || last != 996 || rows >= 23 {
		t.Errorf("of five calls: %d to %d on %d lines", first, last, rows)
	}
	for _, end := range []string{"q", "Q", "\x03", "\x1b[Bq"} {
		if !s.obey([]byte(end)) {
			t.Errorf("%q does not end it", end)
		}
	}
}

// What is typed is obeyed while top waits.
func TestTopKeys(t *testing.T) {
	n := 250
	in, typed, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer typed.Close()
	var out strings.Builder
	screen := Terminal{
		In: in, Out: &out, Err: &out, StateDir: crowd(t, &n), Env: func(string) (string, bool) { return "xterm", true },
		Size: func() (int, int) { return 24, 80 }, Raw: func(*os.File) (func(), error) { return func() {}, nil },
	}
	typed.WriteString("\x1b[6~q")
	if got := Run("top", nil, screen); got != ExitOK || !strings.HasSuffix(out.String(), firstScreen) {
		t.Errorf("%d, %q", got, out.String())
	}
}
