package page

import (
	"io/fs"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func fetch(password bool, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	Handler(password).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w
}

// TestAssets: what HTML and scripts refer to is there, with its type, and comes from here alone.
func TestAssets(t *testing.T) {
	refers := regexp.MustCompile(`(?:src|href)="(/[^"#]+)"|from '\./([^']+)'`)
	asked := map[string]bool{"/": true}
	for queue := []string{"/"}; len(queue) > 0; queue = queue[1:] {
		w := fetch(false, queue[0])
		if w.Code != 200 {
			t.Fatalf("GET %s: %d", queue[0], w.Code)
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
			t.Errorf("GET %s: Content-Type %s", queue[0], w.Header().Get("Content-Type"))
		}
		for _, m := range refers.FindAllStringSubmatch(w.Body.String(), -1) {
			if path := "/" + strings.TrimPrefix(m[1]+m[2], "/"); !asked[path] {
				asked[path] = true
				queue = append(queue, path)
			}
		}
	}
	files, err := fs.ReadDir(static, "static")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := "/" + f.Name(); !strings.HasSuffix(name, ".html") && !asked[name] {
			t.Errorf("%s is embedded, and nothing refers to it", name)
		}
	}
}

// TestPolicyHolds: nothing that the policy would forbid stands in what is served.
func TestPolicyHolds(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)<style|style="|\son[a-z]+="|javascript:|https?://|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|<script(?: type="module")?>`)
	namespace := regexp.MustCompile(`http://www\.w3\.org/2000/svg`)
	files, err := fs.ReadDir(static, "static")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := static.ReadFile("static/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if found := forbidden.Find(namespace.ReplaceAll(text, nil)); found != nil {
			t.Errorf("%s has %q", f.Name(), found)
		}
	}
}

func TestLogOut(t *testing.T) {
	const form = `action="/logout"`
	if strings.Contains(fetch(false, "/").Body.String(), form) {
		t.Error("without a password there is a way to log out")
	}
	if !strings.Contains(fetch(true, "/").Body.String(), form) {
		t.Error("with a password there is no way to log out")
	}
}

func TestLogin(t *testing.T) {
	w := httptest.NewRecorder()
	Login(w, 403, "It is <wrong>.")
	if body := w.Body.String(); w.Code != 403 || !strings.Contains(body, `role="alert">It is &lt;wrong&gt;.</p>`) {
		t.Errorf("%d\n%s", w.Code, body)
	}
	for path, want := range map[string]bool{"/": true, "/style.css": true, "/app.js": true, "/api/users": false, "/metrics": false, "/index.html": false, "": false} {
		if ForAnybody(path) != want {
			t.Errorf("ForAnybody(%s) = %v", path, !want)
		}
	}
}
