package status

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"minisip/cmd/minisip/internal/status/page"
)

// Guard stands between a TCP listener and the handler: who may ask, and what a browser may
// do with the answer.
//
// With a password, /api and /metrics want a session, which the form at /login begins, or the
// password by Basic authentication (RFC 7617; any user name), which Prometheus and curl
// speak. Wrong ones are throttled. Without a password, only requests to a loopback name are
// answered: another name that leads here is a web site's trick to read the page (DNS
// rebinding), and what only the operator may do is refused: every account of the host gets to
// loopback. Changes from another origin's page are refused in any case.
type Guard struct {
	sum      [sha256.Size]byte // of the password
	asks     bool
	log      func(line string)
	sessions sessions
	tries    throttle
}

// NewGuard makes one. password may be empty: then the listener must be on loopback.
func NewGuard(password string, log func(line string)) *Guard {
	return &Guard{sum: sha256.Sum256([]byte(password)), asks: password != "", log: log}
}

// Wrap puts the guard in front of a handler.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	if !g.asks {
		next = forAnybody(next)
	}
	mux := http.NewServeMux()
	mux.Handle("/", g.known(next))
	if g.asks {
		mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) { page.Login(w, http.StatusOK, "") })
		mux.HandleFunc("POST /login", g.login)
		mux.HandleFunc("POST /logout", g.logout)
	}
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, "A page of another origin may change nothing here.")
	}))
	return g.harden(origin.Handler(mux))
}

// anybody marks the requests of those of whom nothing is known but that they are on this host.
type anybody struct{}

func forAnybody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), anybody{}, true)))
	})
}

// operator fails unless who asks has shown a password or may open the socket. What it stands
// before reads and writes files with the server's rights, or decides who may call.
func operator(r *http.Request) error {
	if r.Context().Value(anybody{}) == nil {
		return nil
	}
	return &failure{http.StatusForbidden, "Anybody on this host could ask this here: use the command line (minisip set, minisip trace), or set -status-password-file."}
}

// harden tells the browser to keep the page to itself, and refuses names that are not ours.
func (g *Guard) harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", page.Policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // with no-referrer a form's Origin would be null
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !g.asks && !loopback(r.Host) {
			refuse(w, http.StatusForbidden, fmt.Sprintf("%q is no name of this host's loopback: open http://127.0.0.1 with the port, or set -status-password-file.", r.Host))
			return
		}
		if site := r.Header.Get("Sec-Fetch-Site"); strings.HasPrefix(r.URL.Path, "/api/") && (site == "cross-site" || site == "same-site") {
			refuse(w, http.StatusForbidden, "A page of another origin may not ask here.")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// known lets through who has shown the password, and what holds no secret.
func (g *Guard) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.asks || page.ForAnybody(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		if inSession := func() bool { return g.sessions.use(token(r), time.Now()) }; inSession() {
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), stays{}, inSession)))
			return
		}
		if _, password, ok := r.BasicAuth(); ok {
			if wait := g.try(r, password); wait > 0 {
				tooMany(w, wait)
				refuse(w, http.StatusTooManyRequests, tooManyText(wait))
				return
			} else if wait == right {
				next.ServeHTTP(w, r)
				return
			}
		}
		// RFC 9110 15.5.2: a 401 MUST have a challenge. For one that it knows a browser opens a
		// window of its own and lets the page's request wait; the page has a form.
		scheme := `Form realm="minisip"`
		if r.URL.Path == "/metrics" {
			scheme = `Basic realm="minisip"`
		}
		w.Header().Set("WWW-Authenticate", scheme)
		refuse(w, http.StatusUnauthorized, "Log in first.")
	})
}

// stays marks requests of a session with what tells whether it still lasts.
type stays struct{}

// mayStay says whether an answer that goes on may do so: not after the session has ended. To
// listen is to use it.
func mayStay(r *http.Request) bool {
	inSession, ok := r.Context().Value(stays{}).(func() bool)
	return !ok || inSession()
}

// What try says beside a time to wait.
const (
	right = time.Duration(0)
	wrong = time.Duration(-1)
)

// try compares a password. Attempts are counted before it is looked at, so that many at once
// find out no more than one after the other.
func (g *Guard) try(r *http.Request, password string) time.Duration {
	source := Source(asker(r))
	if wait := g.tries.spend(source, time.Now()); wait > 0 {
		return wait
	}
	sum := sha256.Sum256([]byte(password))
	if subtle.ConstantTimeCompare(sum[:], g.sum[:]) != 1 {
		g.log(fmt.Sprintf("status page: wrong password from %s", from(r)))
		return wrong
	}
	g.tries.forgive(source, time.Now())
	return right
}

// maxForm bounds what is read of a login.
const maxForm = 8 << 10

func (g *Guard) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	switch wait := g.try(r, r.PostFormValue("password")); {
	case wait > 0:
		tooMany(w, wait)
		page.Login(w, http.StatusTooManyRequests, tooManyText(wait))
	case wait == wrong:
		page.Login(w, http.StatusForbidden, "This is not the password.")
	default:
		http.SetCookie(w, cookie(r, g.sessions.begin(time.Now())))
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

func (g *Guard) logout(w http.ResponseWriter, r *http.Request) {
	g.sessions.end(token(r))
	gone := cookie(r, "")
	gone.MaxAge = -1
	http.SetCookie(w, gone)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

const cookieName = "minisip"

func cookie(r *http.Request, token string) *http.Cookie {
	return &http.Cookie{Name: cookieName, Value: token, Path: "/", HttpOnly: true, Secure: overTLS(r), SameSite: http.SameSiteStrictMode}
}

func token(r *http.Request) string {
	if c, err := r.Cookie(cookieName); err == nil {
		return c.Value
	}
	return ""
}

// refuse answers with an error as the API words it.
func refuse(w http.ResponseWriter, status int, sentence string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"error": sentence})
}

func tooMany(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(seconds(wait)))
}

func tooManyText(wait time.Duration) string {
	return fmt.Sprintf("Too many wrong passwords. Try again in %d s.", seconds(wait))
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// minPassword is the shortest password taken for a page that others can reach.
const minPassword = 8

// ReadPassword takes the password from the first line of a file that nobody else can read.
func ReadPassword(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // of a pipe nobody shall wait for the other end
	if err != nil {
		return "", fmt.Errorf("-status-password-file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("-status-password-file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("-status-password-file %s: it is not a plain file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fmt.Errorf("-status-password-file %s: its mode %04o lets others read it; chmod 600 %[1]s", path, mode)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxForm))
	if err != nil {
		return "", fmt.Errorf("-status-password-file: %w", err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	switch line = strings.TrimSuffix(line, "\r"); {
	case line == "":
		return "", fmt.Errorf("-status-password-file %s: its first line, the password, is empty", path)
	case len(line) < minPassword:
		return "", fmt.Errorf("-status-password-file %s: the password in its first line has %d characters, at least %d are wanted", path, len(line), minPassword)
	case len(line) > maxPassword:
		return "", errors.New("-status-password-file " + path + ": its first line is too long for a password")
	}
	return line, nil
}

// maxPassword leaves room in a login for what a form makes of each byte.
const maxPassword = maxForm/3 - 64
