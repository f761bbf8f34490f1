//go:build interop

package chromium

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Look is how a page is looked at.
type Look struct {
	Width, Height int
	Dark          bool
}

// The two sizes that everything must look good at.
var (
	Desktop = Look{Width: 1440, Height: 900}
	Phone   = Look{Width: 390, Height: 844}
)

// InDark is the same in dark colours.
func (l Look) InDark() Look {
	l.Dark = true
	return l
}

// Page is a tab.
type Page struct {
	t       testing.TB
	b       *Browser
	target  string
	session string
	look    Look
	mu      sync.Mutex
	faults  []string
	torn    bool // a part of it did not arrive
}

// Open opens an address in a new tab.
func (b *Browser) Open(t testing.TB, url string, look Look) *Page {
	t.Helper()
	p := &Page{t: t, b: b}
	var target struct{ TargetID string }
	p.must(b.call("", "Target.createTarget", map[string]any{"url": "about:blank"}, &target))
	var attached struct{ SessionID string }
	p.must(b.call("", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached))
	p.target, p.session = target.TargetID, attached.SessionID
	b.mu.Lock()
	b.events[p.session] = p.event
	b.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		p.do(domain+".enable", nil, nil)
	}
	p.Look(look)
	p.Go(url)
	return p
}

// Close closes the tab.
func (p *Page) Close() {
	p.t.Helper()
	p.must(p.b.call("", "Target.closeTarget", map[string]any{"targetId": p.target}, nil))
}

// Look changes size and colours.
func (p *Page) Look(l Look) {
	p.t.Helper()
	p.look = l
	phone, scheme := l.Width < 600, "light"
	if l.Dark {
		scheme = "dark"
	}
	p.do("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": l.Width, "height": l.Height, "deviceScaleFactor": 1 + b2i(phone), "mobile": phone}, nil)
	p.do("Emulation.setEmulatedMedia", map[string]any{
		"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Go leads the tab to an address.
func (p *Page) Go(url string) {
	p.t.Helper()
	var nav struct{ ErrorText string }
	p.do("Page.navigate", map[string]any{"url": url}, &nav)
	if nav.ErrorText != "" {
		p.t.Fatalf("%s: %s", url, nav.ErrorText)
	}
}

// event notes what a page must not do: break, or want what its policy forbids.
func (p *Page) event(method string, params json.RawMessage) {
	var e struct {
		Type             string
		ExceptionDetails struct {
			Text      string
			Exception struct{ Description string }
		}
		Entry struct{ Level, Text, URL string }
		Args  []struct{ Value any }
	}
	json.Unmarshal(params, &e)
	fault := ""
	switch {
	case method == "Runtime.exceptionThrown":
		fault = e.ExceptionDetails.Text + " " + e.ExceptionDetails.Exception.Description
	case method == "Log.entryAdded" && strings.Contains(e.Entry.Text, "ERR_NETWORK_CHANGED"):
		// The browser drops what it is loading when the machine gets or loses an address. That is no fault of
		// the page, which asks again for its data; a module that is missing takes a reload.
		if strings.HasSuffix(e.Entry.URL, ".js") || strings.HasSuffix(e.Entry.URL, ".css") {
			p.mu.Lock()
			p.torn = true
			p.mu.Unlock()
		}
	case method == "Log.entryAdded" && e.Entry.Level == "error":
		fault = e.Entry.Text + " " + e.Entry.URL
	case method == "Runtime.consoleAPICalled" && e.Type == "error":
		fault = fmt.Sprint(e.Args)
	}
	if fault != "" {
		p.mu.Lock()
		p.faults = append(p.faults, fault)
		p.mu.Unlock()
	}
}

// Faults gives the exceptions, console errors and policy violations so far.
func (p *Page) Faults() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.faults)
}

func (p *Page) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *Page) do(method string, params, result any) {
	p.t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	p.must(p.b.call(p.session, method, params, result))
}

// eval gives the value of a JavaScript expression.
func (p *Page) eval(expression string, into any) error {
	var got struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	err := p.b.call(p.session, "Runtime.evaluate", map[string]any{
		"expression": expression, "returnByValue": true, "awaitPromise": true, "userGesture": true}, &got)
	switch {
	case err != nil:
		return err
	case got.ExceptionDetails != nil:
		return fmt.Errorf("%s: %s %s", expression, got.ExceptionDetails.Text, got.ExceptionDetails.Exception.Description)
	case into == nil || got.Result.Value == nil:
		return nil
	}
	return json.Unmarshal(got.Result.Value, into)
}

// Eval gives the value of a JavaScript expression, which may be a promise.
func (p *Page) Eval(expression string, into any) {
	p.t.Helper()
	p.must(p.eval(expression, into))
}

// Wait waits until a JavaScript expression is true.
func (p *Page) Wait(expression string) {
	p.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var last error
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if p.wasTorn() {
			p.do("Page.reload", nil, nil)
		}
		var ok bool
		if last = p.eval("Boolean("+expression+")", &ok); ok {
			return
		}
	}
	var text string
	p.eval("document.body.innerText.slice(0, 2000)", &text)
	p.t.Fatalf("not within %v: %s (%v; faults: %q)\nthe page says:\n%s", patience, expression, last, p.Faults(), text)
}

// wasTorn says, once, that a part of the page did not arrive.
func (p *Page) wasTorn() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	torn := p.torn
	p.torn = false
	return torn
}

// Text gives the text that is seen in the first element that a selector finds.
func (p *Page) Text(selector string) (text string) {
	p.t.Helper()
	p.Eval(fmt.Sprintf("document.querySelector(%q)?.innerText ?? ''", selector), &text)
	return text
}

// Click waits until an element is seen and presses the mouse in its middle, or a finger on a phone.
func (p *Page) Click(selector string) {
	p.t.Helper()
	find := fmt.Sprintf("document.querySelector(%q)", selector)
	p.Wait(find + "?.checkVisibility()")
	var at struct{ X, Y float64 }
	p.Eval("(e => { e.scrollIntoView({block: 'center'}); const r = e.getClientRects()[0]; return {x: r.x + r.width / 2, y: r.y + r.height / 2} })("+find+")", &at)
	for _, typ := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
		p.do("Input.dispatchMouseEvent", map[string]any{"type": typ, "x": at.X, "y": at.Y, "button": "left", "clickCount": 1}, nil)
	}
}

// Key presses a key: Enter, Escape, Tab.
func (p *Page) Key(key string) {
	p.t.Helper()
	code := map[string]int{"Enter": 13, "Escape": 27, "Tab": 9, " ": 32}[key]
	down := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code}
	if key == "Enter" {
		down["text"] = "\r"
	}
	p.do("Input.dispatchKeyEvent", down, nil)
	p.do("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code}, nil)
}

// Type writes into what has the focus.
func (p *Page) Type(text string) {
	p.t.Helper()
	p.do("Input.insertText", map[string]any{"text": text}, nil)
}

// Screenshot keeps a picture of what is seen of the page among the test's artefacts: in the
// directory $MINISIP_ARTEFACTS if that is set, else where go test -artifacts keeps them.
func (p *Page) Screenshot(name string) {
	p.t.Helper()
	if p.look.Dark {
		name += "-dark"
	}
	name = fmt.Sprintf("%s-%d.png", name, p.look.Width)
	dir := os.Getenv("MINISIP_ARTEFACTS")
	if dir == "" {
		dir = p.t.ArtifactDir()
	}
	var shot struct{ Data string }
	p.do("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	p.must(err)
	p.must(os.MkdirAll(dir, 0o755))
	p.must(os.WriteFile(filepath.Join(dir, name), png, 0o644))
}
