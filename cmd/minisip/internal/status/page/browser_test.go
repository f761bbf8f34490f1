//go:build interop

package page

import (
	"testing"

	"minisip/cmd/minisip/internal/status/page/chromium"
)

// looks are those in which each view is pictured.
var looks = []chromium.Look{chromium.Desktop, chromium.Desktop.InDark(), chromium.Phone, chromium.Phone.InDark()}

// TestViews opens every view at each size and in each colour, and wants no fault of any kind and no
// more width than the screen has.
func TestViews(t *testing.T) {
	f := newFake(t, 48, 40)
	f.bans = []object{{"ip": "192.0.2.66", "until": began.Add(280_000e9), "failures": 31, "why": "wrong passwords for 100, 101, admin"}}
	f.lines = logLines
	b := chromium.Start(t)
	for _, view := range []struct{ name, path, ready string }{
		{"calls", "#/calls", "document.querySelectorAll('.calls tbody tr').length >= 20"},
		{"ended", "#/calls?state=ended", "document.querySelectorAll('.calls tbody tr').length >= 4"},
		{"call", "#/calls/7", "document.querySelector('.ladder svg a')"},
		{"forked", "#/calls/11", "document.querySelector('.skipped:not([hidden])')"},
		{"unrelayed", "#/calls/6", "document.querySelector('.media .muted')"},
		{"failed", "#/calls/5", "document.querySelector('.finding.error')"},
		{"message", "#/calls/9/m/6", "document.querySelector('dialog[open] mark')"},
		{"users", "#/users", "document.querySelectorAll('.users tbody tr').length === 48"},
		{"user", "#/users/001", "document.querySelectorAll('.messages tbody tr').length === 10"},
		{"log", "#/log", "document.querySelector('.lines div')"},
		{"bans", "#/bans", "document.querySelector('.bans tbody tr')"},
		{"features", "#/features", "document.querySelector('[role=switch]:not(:disabled)')"},
	} {
		t.Run(view.name, func(t *testing.T) {
			for _, look := range looks {
				p := b.Open(t, f.URL+"/"+view.path, look)
				p.Wait(view.ready)
				p.Wait("document.querySelector('#live.live')")
				p.Screenshot(view.name)
				var wide bool
				p.Eval("document.documentElement.scrollWidth > innerWidth", &wide)
				if wide {
					t.Errorf("at %d the page is wider than the screen", look.Width)
				}
				for _, fault := range p.Faults() {
					t.Errorf("at %d: %s", look.Width, fault)
				}
				p.Close()
			}
		})
	}
}

// TestTopLine: what was dropped unfolds within the screen, and warnings are seen.
func TestTopLine(t *testing.T) {
	f := newFake(t, 2, 1)
	f.warnings = []string{"the limit of 1024 open files holds 230 calls with audio at once: raise it to 30100 (ulimit -n)", "127.0.0.1 is reached from this machine only"}
	b := chromium.Start(t)
	for _, look := range looks {
		p := b.Open(t, f.URL, look)
		p.Wait("document.querySelectorAll('#warnings p').length === 2 && document.querySelector('tbody tr')")
		p.Click(".dropped summary")
		p.Wait("document.querySelector('#reasons').checkVisibility()")
		var at struct{ Left, Right float64 }
		p.Eval("(r => ({left: r.left, right: r.right}))(document.querySelector('#reasons').getBoundingClientRect())", &at)
		if at.Left < 0 || at.Right > float64(look.Width) {
			t.Errorf("at %d the reasons go from %.0f to %.0f", look.Width, at.Left, at.Right)
		}
		p.Screenshot("topline")
		faultless(t, p)
		p.Close()
	}
}

var logLines = []string{
	"[2026-01-31 11:58:02] minisip 1.4.0 started: re_contact re_sdp re_via duplicate silent; log brief",
	"[2026-01-31 11:58:09] 001 registered from 203.0.113.2:31022 (behind NAT), expires in 60s, baresip v1.0.0 (x86_64/linux)",
	"[2026-01-31 11:58:11] 002 registered from 192.0.2.2:40118 (behind NAT), expires in 60s, Linphone-Desktop/5.2.4",
	"[2026-01-31 12:00:25] call 7: 001 at 203.0.113.2:31022 calls 002",
	"[2026-01-31 12:00:25] call 7: 002 rings at 192.0.2.2:40118",
	"[2026-01-31 12:00:29] call 7: answered by 002 at 192.0.2.2:40118 after 4.0s",
	"[2026-01-31 12:01:07] call 7: 001 -> 002 ended after 42.1s: hung up by 002; from 001 2105 packets, 0.0 % lost, jitter 1 ms, MOS 4.4: fine; from 002 0 packets, 0.0 % lost, jitter 0 ms: no packet ever came from 002: 192.0.2.7:4000",
	"[2026-01-31 12:02:00] dropped in the last minute: 204 not SIP, 12 of unknown users",
}
