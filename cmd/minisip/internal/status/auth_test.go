package status

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"minisip/cmd/minisip/internal/status/page"
)

const password = "correct horse"

// guarded is a guard in front of a handler that says what it was asked for, with its log.
func guarded(password string) (http.Handler, *[]string) {
	var lines []string
	g := NewGuard(password, func(l string) { lines = append(lines, l) })
	mux := http.NewServeMux()
	mux.Handle("/", page.Handler(password != ""))
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Method, " ", r.URL.Path) })
	return g.Wrap(mux), &lines
}

// ask sends a request; edit may change it first.
func ask(h http.Handler, method, path string, edit func(r *http.Request)) *http.Response {
	r := httptest.NewRequest(method, "http://127.0.0.1:8060"+path, nil)
	r.RemoteAddr = "192.0.2.1:40000"
	if edit != nil {
		edit(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// logIn posts the form from an address, and gives the answer.
func logIn(h http.Handler, from, password string) *http.Response {
	return ask(h, "POST", "/login", func(r *http.Request) {
		r.RemoteAddr = from
		r.PostForm = url.Values{"password": {password}}
		r.Form = r.PostForm
	})
}

func with(c *http.Cookie) func(*http.Request) { return func(r *http.Request) { r.AddCookie(c) } }

func wantStatus(t *testing.T, what string, got *http.Response, want int) {
	t.Helper()
	if got.StatusCode != want {
		t.Errorf("%s: %d, want %d", what, got.StatusCode, want)
	}
}

func TestLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, lines := guarded(password)
		wantStatus(t, "API without a session", ask(h, "GET", "/api/users", nil), 401)
		wantStatus(t, "the page, which holds no secret", ask(h, "GET", "/", nil), 200)
		wantStatus(t, "the form", ask(h, "GET", "/login", nil), 200)
		wantStatus(t, "a wrong password", logIn(h, "192.0.2.1:40000", "wrong horse"), 403)
		if got := strings.Join(*lines, ";"); got != "status page: wrong password from 192.0.2.1:40000" {
			t.Errorf("log: %s", got)
		}
		got := logIn(h, "192.0.2.1:40000", password)
		wantStatus(t, "the right password", got, 303)
		c := got.Cookies()[0]
		if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || len(c.Value) < 26 || c.Path != "/" {
			t.Errorf("cookie %+v", c)
		}
		wantStatus(t, "API with the session", ask(h, "GET", "/api/users", with(c)), 200)
		wantStatus(t, "API with another", ask(h, "GET", "/api/users", with(&http.Cookie{Name: c.Name, Value: c.Value + "A"})), 401)
		time.Sleep(sessionIdle)
		wantStatus(t, "API after a pause", ask(h, "GET", "/api/users", with(c)), 200)
		time.Sleep(sessionIdle + time.Second)
		wantStatus(t, "API after too long a pause", ask(h, "GET", "/api/users", with(c)), 401)

		c = logIn(h, "192.0.2.1:40000", password).Cookies()[0]
		out := ask(h, "POST", "/logout", with(c))
		wantStatus(t, "log out", out, 303)
		if gone := out.Cookies()[0]; gone.MaxAge >= 0 {
			t.Errorf("cookie after logging out: %+v", gone)
		}
		wantStatus(t, "API after logging out", ask(h, "GET", "/api/users", with(c)), 401)
	})
}

// TestSessionLife: a session ends at last, however often it is used.
func TestSessionLife(t *testing.T) {
	var s sessions
	now := time.Unix(1e9, 0)
	token := s.begin(now)
	for at := now; at.Before(now.Add(sessionLife)); at = at.Add(sessionIdle / 2) {
		if !s.use(token, at) {
			t.Fatalf("over after %v", at.Sub(now))
		}
	}
	if s.use(token, now.Add(sessionLife+1)) {
		t.Error("it lasts for ever")
	}
}

// TestManySessions: the one that was longest not used makes room.
func TestManySessions(t *testing.T) {
	var s sessions
	now := time.Unix(1e9, 0)
	first, second := s.begin(now), s.begin(now.Add(1))
	s.use(first, now.Add(2))
	for i := range maxSessions - 1 {
		s.begin(now.Add(time.Duration(3 + i)))
	}
	if len(s.all) != maxSessions || !s.use(first, now) || s.use(second, now) {
		t.Errorf("%d sessions; the first one lasts: %v, the second: %v", len(s.all), s.use(first, now), s.use(second, now))
	}
}

func TestBasic(t *testing.T) {
	h, _ := guarded(password)
	basic := func(p string) func(*http.Request) { return func(r *http.Request) { r.SetBasicAuth("prometheus", p) } }
	wantStatus(t, "right", ask(h, "GET", "/api/users", basic(password)), 200)
	wrong := ask(h, "GET", "/api/users", basic("wrong horse"))
	wantStatus(t, "wrong", wrong, 401)
	if got := wrong.Header.Get("WWW-Authenticate"); got == "" || strings.HasPrefix(got, "Basic") {
		t.Errorf("a browser would ask by itself: challenge %q", got)
	}
	if got := ask(h, "GET", "/metrics", nil).Header.Get("WWW-Authenticate"); got != `Basic realm="minisip"` {
		t.Errorf("challenge for /metrics: %s", got)
	}
	for range sourceBurst - 1 {
		ask(h, "GET", "/api/users", basic("wrong horse"))
	}
	late := ask(h, "GET", "/api/users", basic(password))
	wantStatus(t, "right, after too many wrong ones", late, 429)
	if late.Header.Get("Retry-After") == "" {
		t.Error("it does not say when to try again")
	}
}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, lines := guarded(password)
		wantStatus(t, "from somewhere at first", logIn(h, "203.0.113.9:1", password), 303)
		for i := range sourceBurst {
			wantStatus(t, fmt.Sprint("attempt ", i), logIn(h, "[2001:db8:1:2::1]:1", "wrong horse"), 403)
		}
		wantStatus(t, "one more from that network", logIn(h, "[2001:db8:1:2::99]:1", password), 429)
		if len(*lines) != sourceBurst {
			t.Errorf("%d lines in the log", len(*lines))
		}
		wantStatus(t, "one from elsewhere", logIn(h, "[2001:db8:1:3::1]:1", "wrong horse"), 403)
		time.Sleep(sourceEvery)
		wantStatus(t, "20 s later", logIn(h, "[2001:db8:1:2::1]:1", "wrong horse"), 403)
		wantStatus(t, "and again", logIn(h, "[2001:db8:1:2::1]:1", "wrong horse"), 429)
		time.Sleep(time.Hour)
		for i := range totalBurst {
			logIn(h, fmt.Sprintf("198.51.100.%d:1", i), "wrong horse")
		}
		wantStatus(t, "a new source, after many", logIn(h, "198.51.100.200:1", "wrong horse"), 429)
		wantStatus(t, "a source that has been right", logIn(h, "203.0.113.9:1", password), 303)
		time.Sleep(totalEvery)
		wantStatus(t, "a new source, 1 s later", logIn(h, "198.51.100.201:1", password), 303)
	})
}

// TestManySources: however many try, what is kept of them is bounded, and they are still counted.
func TestManySources(t *testing.T) {
	var th throttle
	now := time.Unix(1e9, 0)
	for i := range maxSources + 100 {
		r := &http.Request{RemoteAddr: fmt.Sprintf("[2001:db8:%x:%x::1]:1", i>>8, i&255)}
		th.spend(Source(asker(r)), now)
	}
	if len(th.sources) != maxSources {
		t.Errorf("%d sources kept", len(th.sources))
	}
	if wait := th.spend(Source(netip.MustParseAddr("192.0.2.77")), now); wait <= 0 {
		t.Error("one more may try")
	}
	if wait := th.spend(Source(netip.MustParseAddr("192.0.2.77")), now.Add(time.Hour)); wait > 0 || len(th.sources) != 1 {
		t.Errorf("an hour later: wait %v, %d sources kept", wait, len(th.sources))
	}
}

// TestOrigins: what a browser says of who asks decides.
func TestOrigins(t *testing.T) {
	h, _ := guarded("")
	for _, c := range []struct {
		name, method, host, origin, site string
		want                             int
	}{
		{"the page itself", "POST", "127.0.0.1:8060", "http://127.0.0.1:8060", "same-origin", 200},
		{"not a browser", "POST", "127.0.0.1:8060", "", "", 200},
		{"through a tunnel", "GET", "localhost:18060", "", "same-origin", 200},
		{"IPv6", "GET", "[::1]:8060", "", "", 200},
		{"another site changes", "POST", "127.0.0.1:8060", "http://evil.example", "cross-site", 403},
		{"another site, an old browser", "POST", "127.0.0.1:8060", "http://evil.example", "", 403},
		{"another port changes", "DELETE", "127.0.0.1:8060", "http://127.0.0.1:9000", "same-site", 403},
		{"another site reads", "GET", "127.0.0.1:8060", "", "cross-site", 403},
		{"another port reads", "GET", "127.0.0.1:8060", "", "same-site", 403},
		{"a name that leads here", "GET", "evil.example:8060", "", "same-origin", 403},
		{"a name that looks like ours", "GET", "127.0.0.1.evil.example", "", "same-origin", 403},
		{"another address of ours", "GET", "192.0.2.1:8060", "", "same-origin", 403},
	} {
		got := ask(h, c.method, "/api/set", func(r *http.Request) {
			r.Host = c.host
			if c.origin != "" {
				r.Header.Set("Origin", c.origin)
			}
			if c.site != "" {
				r.Header.Set("Sec-Fetch-Site", c.site)
			}
		})
		wantStatus(t, c.name, got, c.want)
	}
	behind, _ := guarded(password)
	got := ask(behind, "GET", "/login", func(r *http.Request) { r.Host = "sip.example.com" })
	wantStatus(t, "with a password any name will do", got, 200)
}

func TestHeaders(t *testing.T) {
	h, _ := guarded(password)
	for _, path := range []string{"/", "/login", "/api/users", "/nothing"} {
		got := ask(h, "GET", path, nil).Header
		for name, want := range map[string]string{
			"Content-Security-Policy": page.Policy, "X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
		} {
			if got.Get(name) != want {
				t.Errorf("%s: %s: %q", path, name, got.Get(name))
			}
		}
	}
}

func TestReadPassword(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		text      string
		mode      os.FileMode
		want, err string
	}{
		{password + "\nnot this", 0o600, password, ""},
		{password + "\r\n", 0o400, password, ""},
		{password, 0o640, "", "its mode 0640 lets others read it; chmod 600"},
		{password, 0o604, "", "its mode 0604 lets others read it"},
		{"\n" + password, 0o600, "", "its first line, the password, is empty"},
		{"short", 0o600, "", "has 5 characters, at least 8 are wanted"},
		{strings.Repeat("x", maxForm), 0o600, "", "too long"},
	} {
		path := filepath.Join(dir, "password")
		os.Remove(path)
		if err := os.WriteFile(path, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		os.Chmod(path, c.mode)
		got, err := ReadPassword(path)
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%.20q, mode %o: %q, %v", c.text, c.mode, got, err)
		}
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "none"), dir, pipe} {
		if _, err := ReadPassword(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}
