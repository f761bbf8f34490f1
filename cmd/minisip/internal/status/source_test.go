package status

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

// TestBehindProxy: of a proxy on this host its word is taken for who asks and how, of others not;
// and of what it passes on, that which it has added itself.
func TestBehindProxy(t *testing.T) {
	h, lines := guarded(password)
	enter := func(peer, password string, header ...string) *http.Response {
		return ask(h, "POST", "/login", func(r *http.Request) {
			r.RemoteAddr = peer
			r.PostForm = url.Values{"password": {password}}
			r.Form = r.PostForm
			for i := 0; i < len(header); i += 2 {
				r.Header.Add(header[i], header[i+1])
			}
		})
	}
	const forwarded, proto, proxy = "X-Forwarded-For", "X-Forwarded-Proto", "127.0.0.1:40000"
	for i := range sourceBurst {
		wantStatus(t, "one client guesses", enter(proxy, "wrong horse", forwarded, fmt.Sprintf("203.0.113.%d, 192.0.2.1", i)), 403)
	}
	if got := (*lines)[0]; got != "status page: wrong password from 192.0.2.1 by way of 127.0.0.1:40000" {
		t.Errorf("log: %s", got)
	}
	wantStatus(t, "he makes up another address", enter(proxy, password, forwarded, "203.0.113.77", forwarded, "192.0.2.1"), 429)
	wantStatus(t, "or names a port", enter(proxy, password, forwarded, "192.0.2.1:99"), 429)
	got := enter(proxy, password, forwarded, "192.0.2.2", proto, "https")
	wantStatus(t, "another client", got, 303)
	if !got.Cookies()[0].Secure {
		t.Error("over HTTPS the cookie is sent without it too")
	}
	wantStatus(t, "with IPv6, brackets and a port", enter("[::1]:1", password, forwarded, "[2001:db8::1]:9"), 303)
	if enter(proxy, password, proto, "http").Cookies()[0].Secure {
		t.Error("over HTTP the cookie would never come back")
	}
	got = enter("198.51.100.1:1", password, forwarded, "192.0.2.1", proto, "https")
	wantStatus(t, "from elsewhere, who says to be the one that guessed", got, 303)
	if got.Cookies()[0].Secure {
		t.Error("what others say of HTTPS counts")
	}
	for i := range sourceBurst {
		enter("198.51.100.2:1", "wrong horse", forwarded, fmt.Sprintf("203.0.113.%d", i))
	}
	wantStatus(t, "from elsewhere, with an address for each guess", enter("198.51.100.2:1", password, forwarded, "203.0.113.99"), 429)
}
