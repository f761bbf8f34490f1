//go:build interop

package status

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"minisip/cmd/minisip/internal/status/page"
	"minisip/cmd/minisip/internal/status/page/chromium"
)

// TestBrowserLogin: who opens the page without a session logs in, uses it, and logs out.
func TestBrowserLogin(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/", page.Handler(true))
	mux.HandleFunc("GET /api/overview", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"version": "1.4.0", "now": "2026-01-31T12:00:00Z", "users": 41, "features": {}}`)
	})
	mux.HandleFunc("GET /api/calls", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"matched": 0, "calls": []}`) })
	mux.HandleFunc("GET /api/events", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	g := NewGuard(password, func(string) {})
	srv := httptest.NewServer(g.Wrap(mux))
	t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	p := chromium.Start(t).Open(t, srv.URL, chromium.Desktop)
	p.Wait("location.pathname === '/login' && document.activeElement.name === 'password'")
	for _, look := range []chromium.Look{chromium.Desktop, chromium.Desktop.InDark(), chromium.Phone} {
		p.Look(look)
		p.Screenshot("login")
	}
	p.Type("wrong horse")
	p.Key("Enter")
	p.Wait("document.querySelector('[role=alert]')?.innerText === 'This is not the password.'")
	p.Wait("document.activeElement.name === 'password'")
	p.Type(password)
	p.Click("button.primary")
	p.Wait("location.pathname === '/' && document.querySelector('#t-users')?.innerText === '41'")
	p.Wait("document.querySelector('#live.live')")
	var cookie string
	p.Eval("document.cookie", &cookie)
	if cookie != "" {
		t.Errorf("a script can read the cookie: %s", cookie)
	}
	p.Click("form[action='/logout'] button")
	p.Wait("location.pathname === '/login'")
	p.Go(srv.URL)
	p.Wait("location.pathname === '/login'")
}
