//go:build interop

// Package chromium lets tests look at a page as a person does: it runs a headless Chromium
// and speaks the DevTools protocol with it over a pair of pipes, one JSON message after the
// other with a zero byte between. It knows what the tests need and no more.
package chromium

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take; the machine may be busy with other tests.
const patience = 20 * time.Second

// Browser is a running Chromium.
type Browser struct {
	t       testing.TB
	in      *os.File
	mu      sync.Mutex
	id      int
	answers map[int]chan answer
	events  map[string]func(method string, params json.RawMessage) // by session
	gone    chan struct{}
}

// answer is a response to a command, or an event.
type answer struct {
	ID      int             `json:"id"`
	Method  string          `json:"method"`
	Session string          `json:"sessionId"`
	Params  json.RawMessage `json:"params"`
	Result  json.RawMessage `json:"result"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error"`
}

// Start runs Chromium until the test ends. before, if any, is the command that runs it, as
// "ip netns exec NAME".
func Start(t testing.TB, before ...string) *Browser {
	t.Helper()
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Fatal("chromium is missing: apt-get install -y chromium")
	}
	args := append(before, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--hide-scrollbars", "--force-color-profile=srgb", "--user-data-dir="+t.TempDir(), "--remote-debugging-pipe")
	hears, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, says, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.ExtraFiles = []*os.File{hears, says} // 3 and 4
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	hears.Close()
	says.Close()
	b := &Browser{t: t, in: in, answers: make(map[int]chan answer), gone: make(chan struct{}),
		events: make(map[string]func(string, json.RawMessage))}
	go b.read(out)
	t.Cleanup(func() {
		in.Close() // it ends when nobody leads it any more
		select {
		case <-b.gone:
		case <-time.After(5 * time.Second):
		}
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		cmd.Wait()
	})
	return b
}

// read hands what Chromium says to those who wait for it.
func (b *Browser) read(out *os.File) {
	defer close(b.gone)
	defer out.Close()
	for r := bufio.NewReader(out); ; {
		text, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var a answer
		if json.Unmarshal(text[:len(text)-1], &a) != nil {
			continue
		}
		b.mu.Lock()
		wait, event := b.answers[a.ID], b.events[a.Session]
		delete(b.answers, a.ID)
		b.mu.Unlock()
		if a.Method != "" && event != nil {
			event(a.Method, a.Params)
		} else if wait != nil {
			wait <- a
		}
	}
}

// call gives a command and waits for its result.
func (b *Browser) call(session, method string, params, result any) error {
	wait := make(chan answer, 1)
	b.mu.Lock()
	b.id++
	id := b.id
	b.answers[id] = wait
	text, err := json.Marshal(map[string]any{"id": id, "method": method, "params": params, "sessionId": session})
	if session == "" {
		text, err = json.Marshal(map[string]any{"id": id, "method": method, "params": params})
	}
	if err == nil {
		_, err = b.in.Write(append(text, 0))
	}
	b.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case a := <-wait:
		if a.Error != nil {
			return fmt.Errorf("%s: %s", method, a.Error.Message)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(a.Result, result)
	case <-b.gone:
		return fmt.Errorf("%s: chromium has ended", method)
	case <-time.After(patience):
		return fmt.Errorf("%s: no answer within %v", method, patience)
	}
}
