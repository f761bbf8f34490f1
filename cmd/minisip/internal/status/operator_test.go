package status

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestOperator: without a password anybody on the host gets to the page, who may not do what
// needs the server's rights; with the password, and on the socket, it is done.
func TestOperator(t *testing.T) {
	rig := newRig(t)
	var done []string
	rig.api.cfg.Change = func(_ context.Context, option, value string) error {
		done = append(done, option+"="+value)
		return nil
	}
	rig.api.cfg.Trace = func(_ context.Context, what string, _ bool) (*Trace, error) {
		done = append(done, "trace "+what)
		over := make(chan struct{})
		close(over)
		return &Trace{Done: over, Summary: func() (string, bool) { return "", false }}, nil
	}
	for _, c := range []struct {
		name string
		h    http.Handler
		user string
		want int
	}{
		{"the page without a password", NewGuard("", func(string) {}).Wrap(rig.api), "", 403},
		{"the page with a password", NewGuard(password, func(string) {}).Wrap(rig.api), password, 200},
		{"with a password, which was not shown", NewGuard(password, func(string) {}).Wrap(rig.api), "", 401},
		{"the socket", rig.api, "", 200},
	} {
		post := func(path, body string) *http.Response {
			return ask(c.h, "POST", path, func(r *http.Request) {
				r.Body = io.NopCloser(strings.NewReader(body))
				if c.user != "" {
					r.SetBasicAuth("x", c.user)
				}
			})
		}
		done = nil
		wantStatus(t, c.name+", set an option", post("/api/set", `{"option": "users", "value": "/tmp/evil.conf"}`), c.want)
		wantStatus(t, c.name+", trace", post("/api/trace", `{"what": "001"}`), c.want)
		if want := c.want == 200; (len(done) == 2) != want || !want && len(done) > 0 {
			t.Errorf("%s: done: %q", c.name, done)
		}
		word := c.want
		if word == 403 {
			word = 200 // the page has switches for words
		}
		wantStatus(t, c.name+", set a word", post("/api/set", `{"word": "debug", "on": false}`), word)
	}
	rig.api.cfg.Change = nil
	if status, body := rig.ask("POST", "/api/set", `{"option": "timeout", "value": "9s"}`); status != 400 {
		t.Errorf("where nothing changes: %d %s", status, body)
	}
}

// TestEventsEnd: who listens does so as long as his session lasts, which listening keeps from
// getting idle; logging out ends it.
func TestEventsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewGuard(password, func(string) {}).Wrap(newRig(t).api)
		listen := func(who func(*http.Request)) (over chan struct{}, stop context.CancelFunc) {
			ctx, stop := context.WithCancel(t.Context())
			over = make(chan struct{})
			go func() {
				defer close(over)
				r := httptest.NewRequestWithContext(ctx, "GET", "http://127.0.0.1:8060/api/events?topics=bans", nil)
				who(r)
				h.ServeHTTP(&endless{ResponseRecorder: httptest.NewRecorder()}, r)
			}()
			return over, stop
		}
		ended := func(over chan struct{}) bool {
			synctest.Wait()
			select {
			case <-over:
				return true
			default:
				return false
			}
		}
		c := logIn(h, "192.0.2.1:40000", password).Cookies()[0]
		over, _ := listen(with(c))
		other, quit := listen(with(logIn(h, "192.0.2.1:40000", password).Cookies()[0]))
		always, stop := listen(func(r *http.Request) { r.SetBasicAuth("x", password) })
		defer stop()
		time.Sleep(sessionIdle + time.Hour)
		if ended(over) {
			t.Fatal("a session in use has ended")
		}
		wantStatus(t, "log out", ask(h, "POST", "/logout", with(c)), 303)
		time.Sleep(quietLimit)
		if !ended(over) {
			t.Error("after logging out it goes on")
		}
		if ended(other) {
			t.Error("another's session has ended too")
		}
		if ended(always) {
			t.Error("who sent the password with his request has been sent away")
		}
		stop()
		quit()
		if !ended(always) || !ended(other) {
			t.Error("nobody is there, and it goes on")
		}
		time.Sleep(2 * hubEvery)
	})
}

// endless takes an answer of any length, and deadlines.
type endless struct{ *httptest.ResponseRecorder }

func (*endless) Write(b []byte) (int, error)      { return len(b), nil }
func (*endless) SetWriteDeadline(time.Time) error { return nil }
