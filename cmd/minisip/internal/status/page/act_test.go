//go:build interop

package page

import (
	"strings"
	"testing"

	"minisip/cmd/minisip/internal/status/page/chromium"
)

// TestMessage: an arrow leads to its message with what was changed, by mouse and by keyboard.
func TestMessage(t *testing.T) {
	f := newFake(t, 2, 9)
	p := chromium.Start(t).Open(t, f.URL+"/#/calls/9", chromium.Desktop)
	p.Click(".ladder a[href$='/m/6'] .label")
	p.Wait("document.querySelector('dialog[open] del.line')")
	var marks []string
	p.Eval("[...document.querySelectorAll('dialog mark')].map(m => m.innerText)", &marks)
	want := "198.51.100.10 192.168.1.2:5060 =31022;received=203.0.113.2 70 69 192.168.1.2:5060 203.0.113.2:31022 192.168.1.2 198.51.100.10 4000 10004 4001 10005"
	if got := strings.Join(marks, " "); got != want {
		t.Errorf("marked are\n%s\nwant\n%s", got, want)
	}
	var added []string
	p.Eval("[...document.querySelectorAll('dialog ins.line')].map(m => m.innerText.slice(1)).filter(l => /^(Record|Via: SIP.2.0.UDP 198)/.test(l.trim()))", &added)
	if len(added) != 2 {
		t.Errorf("added lines: %q", added)
	}
	p.Click("dialog .segments button:nth-child(2)")
	p.Wait("!document.querySelector('dialog mark') && document.querySelector('dialog .text').innerText.includes('Contact: <sip:001@192.168.1.2:5060>')")
	p.Key("Escape")
	p.Wait("!document.querySelector('dialog[open]') && location.hash === '#/calls/9'")
	p.Wait("document.activeElement.getAttribute('href')?.endsWith('/m/6')")
	over := withSteps(f.calls[0])
	over["why"] = "and something new"
	f.follows(t, "call:9")
	f.with(func() { f.tell("call:9", over) })
	p.Wait("document.querySelector('.call .facts').innerText.includes('and something new')")
	p.Wait("!document.querySelector('dialog[open]')") // what was put away stays away
	p.Key("Tab")
	p.Wait("document.activeElement.getAttribute('href')?.endsWith('/m/7')")
	p.Key("Enter")
	p.Wait("document.querySelector('dialog[open]') && location.hash === '#/calls/9/m/7'")
	p.Go(f.URL + "/#/calls/404404")
	p.Wait("document.querySelector('.empty h2').innerText === 'There is no call 404404.'")
}

// TestTextIsText: what strangers wrote is shown, and never becomes a part of the page.
func TestTextIsText(t *testing.T) {
	f := newFake(t, 2, 1)
	const evil = `<img src=x onerror="document.title='taken'"><script>document.title='taken'</script>`
	f.calls[0]["from"], f.calls[0]["call_id"] = evil, evil
	f.lines = []string{evil, "[x] " + evil}
	p := chromium.Start(t).Open(t, f.URL+"/#/calls", chromium.Desktop)
	p.Wait("document.querySelector('tbody b')?.innerText.includes('<script>')")
	p.Click("tbody a")
	p.Wait("document.querySelector('.ladder-head b')?.innerText.includes('<script>')")
	p.Click("nav a[href='#/log']")
	p.Wait("document.querySelectorAll('.lines div').length === 2")
	var taken bool
	p.Eval("document.title === 'taken' || Boolean(document.querySelector('main img, main script'))", &taken)
	if taken {
		t.Error("it became a part of the page")
	}
	faultless(t, p)
}

// TestActs: switches, the lifting of a ban, and a call hung up by pressing twice.
func TestActs(t *testing.T) {
	f := newFake(t, 2, 1)
	f.bans = []object{{"ip": "192.0.2.66", "until": began.Add(280_000e9), "failures": 31, "why": "wrong passwords"}}
	p := chromium.Start(t).Open(t, f.URL+"/#/features", chromium.Desktop)
	p.Click("[data-word=re_contact]:not(:disabled)")
	p.Wait("document.querySelector('[data-word=re_contact]').getAttribute('aria-checked') === 'false'")
	f.with(func() {
		if f.features["re_contact"] != false {
			t.Errorf("features: %v", f.features)
		}
	})
	p.Click("nav a[href='#/bans']")
	p.Click(".act button")
	p.Wait("document.querySelector('.act button.sure')")
	p.Click(".act button")
	p.Wait("document.querySelector('.empty h2')?.innerText === 'Nobody is banned.'")
	p.Click("nav a[href='#/calls']")
	p.Click("tbody a")
	p.Click("button.danger")
	p.Wait("document.querySelector('button.danger.sure')")
	if n := f.count("/api/calls/1/hangup"); n != 0 {
		t.Error("once was enough")
	}
	p.Click("button.danger")
	f.until(t, "the call is hung up", func() bool { return f.count("/api/calls/1/hangup") == 1 })
	faultless(t, p)
}

// TestLog: the end of the log, lines that come, and a filter over both.
func TestLog(t *testing.T) {
	f := newFake(t, 2, 0)
	f.lines = logLines
	p := chromium.Start(t).Open(t, f.URL+"/#/log", chromium.Desktop)
	p.Wait("document.querySelectorAll('.lines div').length === 8")
	p.Click("input[type=search]")
	p.Type("Call 7")
	p.Wait("document.querySelectorAll('.lines div').length === 4")
	f.follows(t, "log")
	f.with(func() { f.tell("log", object{"lines": []string{"[x] call 8: over", "[x] CALL 7: seen"}}) })
	p.Wait("document.querySelectorAll('.lines div').length === 5 && document.querySelector('.lines').lastChild.innerText.includes('seen')")
	f.with(func() {
		for range 3 {
			var many []string
			for range 500 {
				many = append(many, "[x] call 7: again")
			}
			f.tell("log", object{"lines": many})
		}
	})
	p.Wait("document.querySelectorAll('.lines div').length === 1000")
	faultless(t, p)
}

// TestNewcomer: where nothing is yet, the page says what to do.
func TestNewcomer(t *testing.T) {
	f := newFake(t, 0, 0)
	b := chromium.Start(t)
	for _, look := range looks {
		p := b.Open(t, f.URL, look)
		p.Wait("document.querySelector('.empty a')")
		p.Click(".empty a")
		p.Wait("document.querySelector('.empty ol')")
		p.Screenshot("newcomer")
		faultless(t, p)
		p.Close()
	}
}
