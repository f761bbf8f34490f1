// Package page is the status page that an operator's browser shows: HTML, style sheets and
// scripts, embedded, without a framework, a build step or anything from another host.
//
// The scripts (static/*.js, ES modules) draw what /api of package status answers, and follow
// /api/events (server-sent events, HTML Living Standard 9.2) while somebody looks at the page;
// a hidden tab asks for nothing. Lists are searched and paged by the server, so that the
// browser holds fifty rows of 100,000. [Policy] allows no inline script or style, no other
// origin, and no element made from a string; nothing here needs one.
//
//	app.js                  the frame: which view, the top line, the line to the server
//	api.js                  requests and events
//	dom.js, table.js        elements, words for times and numbers; tables with pages
//	calls.js, call.js       the list, and one call: findings, media, messages
//	ladder.js, chart.js     drawn as SVG
//	message.js, changes.js  a message before and after rewriting, changes marked
//	users.js, user.js       who is registered; the messages of one
//	log.js, bans.js, features.js
//
// It does not know sessions or passwords: those are package status's.
package page

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

// Policy is the Content-Security-Policy of everything that is served here (CSP Level 3).
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

//go:embed static
var static embed.FS

var pages = template.Must(template.ParseFS(static, "static/*.html"))

// Handler serves the page at / and what it is made of. password says that there is a login,
// and so something to log out of.
func Handler(password bool) http.Handler {
	var index bytes.Buffer
	if err := pages.ExecuteTemplate(&index, "index.html", struct{ Password bool }{password}); err != nil {
		panic(err) // embedded: a test has seen it work
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(index.Bytes())
	})
	for name, data := range files {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", types[path.Ext(name)])
			w.Write(data)
		})
	}
	return mux
}

// types stand here because mime.TypeByExtension asks the host, which may not know .js.
var types = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// files are what stands beside the HTML, by name.
var files = assets()

func assets() map[string][]byte {
	files := make(map[string][]byte)
	entries, err := fs.ReadDir(static, "static")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		if types[path.Ext(e.Name())] == "" {
			continue
		}
		data, err := static.ReadFile("static/" + e.Name())
		if err != nil {
			panic(err)
		}
		files[e.Name()] = data
	}
	return files
}

// Login answers with the form that asks for the password; wrong, if not empty, says why again.
func Login(w http.ResponseWriter, status int, wrong string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	pages.ExecuteTemplate(w, "login.html", wrong)
}

// ForAnybody says whether a path is of the page itself, which holds no secret: what it shows
// comes from elsewhere.
func ForAnybody(path string) bool {
	if path == "/" {
		return true
	}
	_, ok := files[strings.TrimPrefix(path, "/")]
	return ok
}
