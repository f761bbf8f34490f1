//go:build interop

package interop

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/status/page/chromium"
)

const statusPage = "http://127.0.0.1:8060/"

// browse opens the server's status page as somebody at the server does.
func (s *server) browse(t *testing.T, path string) *chromium.Page {
	t.Helper()
	return chromium.Start(t, "ip", "netns", "exec", s.ns).Open(t, statusPage+path, chromium.Desktop)
}

// arrows is the ladder as the page tells it to who cannot see, without the times.
func arrows(p *chromium.Page) (list []string) {
	p.Eval(`[...document.querySelectorAll('.ladder a')].map(a => a.getAttribute('aria-label').replace(/^\S+ s, /, ''))`, &list)
	return list
}

// inOrder says which of the wanted lines is the first that does not come in its turn; "": all do.
func inOrder(list, want []string) string {
	for _, w := range want {
		i := slices.Index(list, w)
		if i < 0 {
			return w
		}
		list = list[i+1:]
	}
	return ""
}

var setUp = []string{
	"001 to minisip: INVITE sdp", "minisip to 001: 407 Proxy Authentication Required", "001 to minisip: ACK", "001 to minisip: INVITE sdp",
	"minisip to 002: INVITE sdp", "002 to minisip: 180 Ringing", "minisip to 001: 180 Ringing",
}

// TestStatusPage: somebody looks at the page while two phones behind NATs call each other.
func TestStatusPage(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	a, b := s.twoPhones(t)
	p := s.browse(t, "#/users")
	seesUsers(t, p)
	seesCall(t, p, a, b)
	switches(t, p, a, b)
	seesRefusal(t, p, a, b)
	for _, fault := range p.Faults() {
		t.Errorf("the page: %s", fault)
	}
}

// seesUsers: who is registered, the messages of one, and the log.
func seesUsers(t *testing.T, p *chromium.Page) {
	t.Helper()
	p.Wait("document.querySelectorAll('.users tbody tr').length === 2")
	if text := p.Text(".users tbody"); !strings.Contains(text, natA+":") || !strings.Contains(text, "baresip") || strings.Count(text, "behind NAT") != 2 {
		t.Errorf("the users are\n%s", text)
	}
	p.Click(".users tbody a")
	p.Wait("/200 OK \\(REGISTER\\)[^]*REGISTER[^]*401 Unauthorized \\(REGISTER\\)[^]*REGISTER/.test(document.querySelector('.messages tbody').innerText)") // the newest first
	p.Click(".messages a[href*='/m/']")
	p.Wait("document.querySelector('dialog[open] .text')?.innerText.includes('CSeq:')")
	p.Key("Escape")
	look(p, "real-user")
	p.Click("nav a[href='#/log']")
	p.Wait("document.querySelector('.lines')?.innerText.includes('001 registered')")
}

// seesCall: a call from its first message to its last, with its media, and what a message was changed to.
func seesCall(t *testing.T, p *chromium.Page, a, b *baresip) {
	t.Helper()
	p.Click("nav a[href='#/calls']")
	p.Wait("document.querySelector('.empty h2')?.innerText === 'No call is up.' && document.querySelector('#live.live')")

	a.dial(t, b.user)
	b.ringing(t)
	p.Wait("document.querySelector('.calls tbody .badge')?.innerText === 'ringing'")
	p.Click(".calls tbody a")
	p.Wait("document.querySelectorAll('.ladder a').length >= 8")
	if missing := inOrder(arrows(p), setUp); missing != "" {
		t.Errorf("the ladder lacks %q:\n%s", missing, strings.Join(arrows(p), "\n"))
	}
	b.answer(t)
	a.connected(t)
	b.connected(t)
	both(t, a, b.hz, b, a.hz, 6*time.Second) // so long that loss and jitter have been sampled
	answer := []string{"002 to minisip: 200 OK sdp", "minisip to 001: 200 OK sdp", "001 to minisip: ACK", "minisip to 002: ACK"}
	p.Wait("document.querySelector('.ladder a[aria-label$=\"minisip to 002: ACK\"]')")
	if missing := inOrder(arrows(p), append(slices.Clone(setUp), answer...)); missing != "" {
		t.Errorf("the ladder lacks %q:\n%s", missing, strings.Join(arrows(p), "\n"))
	}
	p.Wait("document.querySelectorAll('.ladder .band').length === 2")
	p.Wait("[...document.querySelectorAll('.direction .score b')].filter(b => parseFloat(b.innerText) > 4).length === 2")
	p.Wait("document.querySelectorAll('.direction .jitter').length === 2")
	look(p, "real-call")

	p.Click(".ladder a[aria-label$='minisip to 002: INVITE sdp'] .label")
	if changed := contactChange(p); !strings.Contains(changed, phoneIP) || !strings.Contains(changed, natA) {
		t.Errorf("with re_contact on the Contact changes like this: %q", changed)
	}
	look(p, "real-message")
	p.Key("Escape")

	a.hangup(t)
	b.closed(t)
	p.Wait("document.querySelector('h1 .badge')?.innerText === 'ended'")
	end := []string{"001 to minisip: BYE", "minisip to 002: BYE", "002 to minisip: 200 OK (BYE)", "minisip to 001: 200 OK (BYE)"}
	p.Wait("document.querySelector('.ladder a[aria-label$=\"minisip to 001: 200 OK (BYE)\"]')")
	if missing := inOrder(arrows(p), end); missing != "" {
		t.Errorf("the ladder lacks %q:\n%s", missing, strings.Join(arrows(p), "\n"))
	}
}

// switches: re_contact is switched off, and the next call shows it. It is hung up from the page.
func switches(t *testing.T, p *chromium.Page, a, b *baresip) {
	t.Helper()
	p.Click("nav a[href='#/features']")
	p.Click("[data-word=re_contact]:not(:disabled)")
	p.Wait("document.querySelector('[data-word=re_contact]').getAttribute('aria-checked') === 'false'")
	p.Click("nav a[href='#/calls']")
	a.dial(t, b.user)
	b.ringing(t)
	p.Click(".calls tbody a")
	p.Click(".ladder a[aria-label$='minisip to 002: INVITE sdp'] .label")
	if changed := contactChange(p); changed != "" {
		t.Errorf("with re_contact off the Contact changes like this: %q", changed)
	}
	p.Click("dialog .close")
	p.Click("button.danger")
	p.Click("button.danger.sure")
	a.closed(t)
	b.closed(t)
	p.Wait("document.querySelector('h1 .badge')?.innerText === 'failed'")
}

// seesRefusal: a call to somebody who has left, with the reason.
func seesRefusal(t *testing.T, p *chromium.Page, a, b *baresip) {
	t.Helper()
	b.stop() // it takes leave
	p.Wait("document.querySelector('#t-users').innerText === '1'")
	a.dial(t, b.user)
	a.closed(t)
	p.Click("nav a[href='#/calls']")
	p.Click(".segments button:nth-child(2)")
	p.Wait("document.querySelector('.calls tbody .trouble.error')?.innerText === 'No phone of 002 is registered.'")
	p.Click(".calls tbody a")
	p.Wait("document.querySelector('.finding.error')?.innerText.startsWith('No phone of 002 is registered.\\n')")
	look(p, "real-refused")
}

// contactChange gives the changed Contact lines of the message that is open.
func contactChange(p *chromium.Page) (text string) {
	p.Wait("document.querySelector('dialog[open] .line')")
	p.Eval("[...document.querySelectorAll('dialog :is(del, ins).line')].map(l => l.innerText).filter(l => l.includes('Contact:')).join(' ')", &text)
	return text
}

// look keeps pictures at both sizes and in both colours, and goes back to the first.
func look(p *chromium.Page, name string) {
	for _, l := range []chromium.Look{chromium.Phone, chromium.Phone.InDark(), chromium.Desktop.InDark(), chromium.Desktop} {
		p.Look(l)
		p.Eval("new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 50))", nil)
		p.Screenshot(name)
	}
}

// TestStatusPageFromOutside: where others can reach the page it is not served without a password,
// and with it only to who knows it.
func TestStatusPageFromOutside(t *testing.T) {
	newNetwork(t)
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := exec.Command("ip", "netns", "exec", netns("srv"), minisip, "-status", ":8060")
	open.Dir = t.TempDir()
	if out, err := open.CombinedOutput(); err == nil || !strings.Contains(string(out), "-status-password-file") {
		t.Errorf("on all addresses without a password: %v\n%s", err, out)
	}
	s := startServer(t, "", "-status", ":8060", "-status-password-file", file)
	p := chromium.Start(t, "ip", "netns", "exec", netns("isp")).Open(t, "http://"+serverIP+":8060/", chromium.Phone)
	p.Wait("location.pathname === '/login' && document.activeElement.name === 'password'")
	p.Type("wrong horse")
	p.Click("button.primary")
	p.Wait("document.querySelector('[role=alert]')?.innerText === 'This is not the password.'")
	eventually(t, 5*time.Second, "the log says who guessed", func() bool { return strings.Contains(s.log(), "wrong password from 198.51.100.1:") })
	p.Wait("document.activeElement.name === 'password'")
	p.Type("correct horse")
	p.Click("button.primary")
	p.Wait("document.querySelector('#live.live') && document.querySelector('.empty h2').innerText === 'Nobody is registered yet.'")
	p.Click(".empty a")
	p.Wait("document.querySelector('.account')?.innerText.includes('" + serverIP + "')")
	p.Screenshot("outside")
}

// TestStatusPageManyCalls: with 5,000 calls up and 250 more a second, the page is drawn within a
// second, and being looked at does not hold up the loop: if an answer for the page took it more than 60 ms, over
// one in a hundred of each second's datagrams would wait for more than 50 ms. The browser only gets what CPU
// time the others leave: as a rule it runs on another machine.
func TestStatusPageManyCalls(t *testing.T) {
	newNetwork(t)
	dir := t.TempDir()
	load := filepath.Join(dir, "load")
	if out, err := exec.Command("go", "build", "-o", load, "../internal/load").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	words := "-timeout 10m"
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Max < 4*5200 {
		t.Logf("with at most %d open files the relay has no room for 5,000 calls: their media pass it by", files.Max)
		words += " no_re_sdp"
	}
	s := &server{ns: netns("srv")}
	s.process = start(t, s.ns, dir, "load", load, "-minisip", minisip, "-users", "5000", "-calls", "30000", "-rate", "250",
		"-concurrent", "5000", "-server-cpu", "-1", "-load-cpu", "-1", "-words", words)
	eventually(t, time.Minute, "minisip listens at port 8060", func() bool {
		return strings.Contains(command(t, "ip", "netns", "exec", s.ns, "cat", "/proc/net/tcp"), "0100007F:1F7C ")
	})
	b := chromium.Start(t, "ip", "netns", "exec", s.ns, "nice", "-n", "19")
	p := b.Open(t, statusPage+"icon.svg", chromium.Desktop) // from here the API can be asked, and nothing else goes on
	calls := func() (n int) {
		p.Eval("fetch('/api/overview').then(r => r.json()).then(o => o.calls)", &n)
		return n
	}
	eventually(t, time.Minute, "5,000 calls are up", func() bool { return calls() >= 4900 })
	const times = 5 // the machine may be busy with something else at one of them
	alone := s.late(t, func() {
		for range times {
			p.Eval(wait, nil)
		}
	})
	quickest, asked := math.Inf(1), 0
	seen := s.late(t, func() {
		for range times {
			took, n := opens(p)
			quickest, asked = min(quickest, took), asked+n
		}
	})
	p.Screenshot("many-calls")
	t.Logf("%d calls: drawn after %.0f ms; %.2f %% of the datagrams waited long with nobody, %.2f %% with somebody looking on, who asked for calls %d times",
		calls(), quickest, 100*alone, 100*seen, asked)
	if quickest > 1000 {
		t.Errorf("the page was drawn after %.0f ms", quickest)
	}
	if asked <= times {
		t.Errorf("calls were asked for %d times: nobody looked on", asked)
	}
	if seen > max(0.01, 2*alone) {
		t.Errorf("being looked at made %.2f %% of the datagrams wait for over 50 ms, %.2f %% before", 100*seen, 100*alone)
	}
}

// wait is some seconds of looking on.
const wait = "new Promise(done => setTimeout(done, 4000))"

// opens looks at the page for some seconds, and gives how many milliseconds it took to be drawn, and how often it has asked for calls.
func opens(p *chromium.Page) (took float64, asked int) {
	p.Go(statusPage + "icon.svg")
	p.Go(statusPage)
	p.Eval(`new Promise(done => {
		const seen = () => document.querySelectorAll('.calls tbody tr').length === 50 ? requestAnimationFrame(() => done(performance.now())) : setTimeout(seen, 5);
		seen();
	})`, &took)
	p.Wait("document.querySelector('#live.live')")
	p.Eval(wait, nil)
	p.Eval("performance.getEntriesByType('resource').filter(e => e.name.includes('/api/calls')).length", &asked)
	return took, asked
}

// late gives how many of the datagrams that came meanwhile waited for the loop for over 50 ms, as a share of one.
func (s *server) late(t *testing.T, meanwhile func()) float64 {
	t.Helper()
	count := func() (all, late float64) {
		text := s.metrics(t)
		all = figure(t, text, "minisip_loop_lag_seconds_count")
		return all, all - figure(t, text, `minisip_loop_lag_seconds_bucket{le="0.05"}`)
	}
	all, late := count()
	meanwhile()
	allNow, lateNow := count()
	if allNow == all {
		t.Fatal("no datagram came meanwhile: nothing is told of how long they waited")
	}
	return (lateNow - late) / (allNow - all)
}
