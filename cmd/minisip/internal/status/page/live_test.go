//go:build interop

package page

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/status/page/chromium"
)

// with runs f while nothing else touches the fake.
func (f *fake) with(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

// follows waits until the page listens to a topic.
func (f *fake) follows(t *testing.T, topic string) {
	t.Helper()
	f.until(t, "the page follows "+topic, func() bool { return f.watched(topic) == 1 })
}

// until waits until ok holds.
func (f *fake) until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("waited in vain until " + what)
		}
	}
}

// count gives how often a path was asked for.
func (f *fake) count(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[path]
}

func faultless(t *testing.T, p *chromium.Page) {
	t.Helper()
	for _, fault := range p.Faults() {
		t.Error(fault)
	}
}

// TestLive: a call comes, is answered, grows its ladder and ends before the eyes of one who
// only looks on.
func TestLive(t *testing.T) {
	f := newFake(t, 2, 0)
	p := chromium.Start(t).Open(t, f.URL, chromium.Desktop)
	p.Wait("document.querySelector('.empty h2').innerText === 'No call is up.'")
	f.follows(t, "calls")
	call := aCall(3) // rings
	f.with(func() {
		f.calls = []object{call}
		f.tell("calls", object{"changed": []object{call}})
		f.tell("overview", f.overview())
	})
	p.Wait("document.querySelector('.calls tbody .badge')?.innerText === 'ringing'")
	p.Wait("document.querySelector('#t-ringing').innerText === '1'")
	p.Click(".calls tbody a")
	p.Wait("document.querySelectorAll('.ladder .step').length === 9")
	f.follows(t, "call:3")
	up := aCall(3)
	up["state"], up["answer"] = "up", time.Now()
	up["media"] = []object{direction(3, "005", "", 0), direction(4, "006", "", 0)}
	f.with(func() { f.calls[0] = up; f.tell("call:3", withSteps(up)) })
	p.Wait("document.querySelectorAll('.ladder .step').length === 15 && document.querySelector('.ladder .band')")
	p.Wait("document.querySelectorAll('.direction').length === 2")
	f.with(func() { f.tell("overview", f.overview()) })
	p.Wait("document.querySelector('.call .facts').innerText.includes('up for 0:0')")
	long := withSteps(up) // one in the middle has gone, one came, a text is no longer kept, a phone has a name now
	list := long["steps"].([]object)
	list[4]["message"], list[14]["label"] = "", "INFO late"
	long["columns"].([]object)[2]["name"] = "anna"
	f.with(func() { f.tell("call:3", long) })
	p.Wait("document.querySelector('.ladder').innerHTML.includes('INFO late') && document.querySelector('.ladder-head').innerText.includes('anna')")
	p.Wait("document.querySelectorAll('.ladder .step').length === 15 && !document.querySelectorAll('.ladder .step')[4].querySelector('a')")
	over := aCall(3)
	over["state"], over["answer"], over["end"], over["why"] = "ended", time.Now(), time.Now(), "hung up by 006"
	f.with(func() { f.calls[0] = over; f.tell("call:3", withSteps(over)) })
	p.Wait("document.querySelectorAll('.ladder .step').length === 22")
	p.Wait("[...document.querySelectorAll('.ladder .pause text')].at(-1).textContent === '1:59'")
	p.Wait("document.querySelector('.call .facts').innerText.includes('hung up by 006')")
	p.Wait("![...document.querySelectorAll('button.danger')].some(b => b.checkVisibility())")
	faultless(t, p)
}

// TestReconnect: a line that broke is made again, and what was missed is asked for.
func TestReconnect(t *testing.T) {
	f := newFake(t, 2, 0)
	p := chromium.Start(t).Open(t, f.URL, chromium.Desktop)
	f.follows(t, "calls")
	p.Wait("document.querySelector('#live.live')")
	f.with(func() { f.calls = []object{aCall(1)} })
	f.CloseClientConnections()
	p.Wait("document.querySelector('#live.waiting')")
	p.Wait("document.querySelector('#live.live') && document.querySelectorAll('.calls tbody tr').length === 1")
}

// TestHidden: a tab that nobody looks at asks for nothing, and catches up when it is looked at.
func TestHidden(t *testing.T) {
	f := newFake(t, 2, 0)
	p := chromium.Start(t).Open(t, f.URL, chromium.Desktop)
	f.follows(t, "calls")
	hide := func(hidden bool) {
		p.Eval(fmt.Sprintf("Object.defineProperty(document, 'hidden', {value: %v, configurable: true}); document.dispatchEvent(new Event('visibilitychange'))", hidden), nil)
	}
	hide(true)
	p.Wait("document.querySelector('#live.paused')")
	f.until(t, "the line is closed", func() bool { return f.watched("calls") == 0 })
	f.with(func() { f.calls = []object{aCall(1)} })
	hide(false)
	p.Wait("document.querySelectorAll('.calls tbody tr').length === 1")
	f.follows(t, "calls")
	faultless(t, p)
}

// TestMany: with 5,000 calls and 100,000 users a view is drawn within a second, at one of three tries, holds a page of
// them, and finds the one that is looked for.
func TestMany(t *testing.T) {
	f := newFake(t, 100_000, 5000)
	b := chromium.Start(t)
	for _, c := range []struct{ view, of, find string }{{"#/calls?state=all", "5 000", "9998"}, {"#/users", "100 000", "99999"}} {
		p, took := drawn(t, b, f.URL, c.view, c.of)
		for range 2 { // another program may have had the machine meanwhile
			if took > 1000 {
				p.Close()
				p, took = drawn(t, b, f.URL, c.view, c.of)
			}
		}
		if took > 1000 {
			t.Errorf("%s took %.0f ms each time", c.view, took)
		}
		var elements int
		p.Eval("document.querySelectorAll('*').length", &elements)
		if elements > 12_000 {
			t.Errorf("%s: %d elements", c.view, elements)
		}
		p.Click(".pager button:last-child")
		p.Wait("document.querySelector('.pager span').innerText.startsWith('51 to 100 of ')")
		p.Click("input[type=search]")
		p.Type(c.find)
		p.Wait("document.querySelectorAll('tbody tr').length === 1 && document.querySelector('tbody').innerText.includes('" + c.find + "')")
		if c.view == "#/users" { // a page beyond the end, where an old address may lead, is the last one
			p.Go(f.URL + "/?#/users?offset=123450")
			p.Wait("document.querySelector('.pager span')?.innerText.startsWith('99\u2009951 to 100\u2009000 of ')")
		}
		faultless(t, p)
		p.Close()
	}
}

// drawn opens a view in a new tab, and gives the milliseconds from the click to the frame in which its first rows are drawn.
func drawn(t *testing.T, b *chromium.Browser, url, view, of string) (p *chromium.Page, took float64) {
	t.Helper()
	p = b.Open(t, url+"/", chromium.Desktop)
	p.Wait("document.querySelector('#live.live') && document.querySelector('tbody tr')")
	p.Eval(`new Promise(done => {
		const begin = performance.now(), main = document.querySelector('main');
		const look = () => main.querySelectorAll('tbody tr').length === 50 && main.querySelector('.pager span')?.innerText === '1 to 50 of `+strings.ReplaceAll(of, " ", "\u2009")+`'
			? requestAnimationFrame(() => done(performance.now() - begin)) : requestAnimationFrame(look);
		location.hash = '`+view+`';
		look();
	})`, &took)
	t.Logf("%s: 50 rows after %.0f ms", view, took)
	return p, took
}
