//go:build interop

package interop

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Kinds of phones, beside the plain one.
var (
	withICE  = setup{"module ice.so\n", ";medianat=ice"}
	withSDES = setup{"module srtp.so\n", ";mediaenc=srtp-mand"}
	withDTLS = setup{"module dtls_srtp.so\n", ";mediaenc=dtls_srtp"}
)

// TestSecureAndICE: phones behind two NATs that encrypt, that do ICE, that do both, and one that
// does ICE with one that does not.
func TestSecureAndICE(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	for _, c := range []struct {
		name string
		a, b []setup
	}{
		{"SRTP by SDES", []setup{withSDES}, []setup{withSDES}},
		{"ICE", []setup{withICE}, []setup{withICE}},
		{"ICE, DTLS-SRTP", []setup{withICE, withDTLS}, []setup{withICE, withDTLS}},
		{"ICE with none", []setup{withICE}, nil},
		{"none with ICE", nil, []setup{withICE}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := startBaresip(t, netns("a"), s.accounts["001"], 440, c.a...)
			b := startBaresip(t, netns("b"), s.accounts["002"], 880, c.b...)
			a.registered(t)
			b.registered(t)
			before := len(s.ends(a.user, b.user))
			talk(t, a, b, a, b.user, 2*time.Second)
			s.logsEnd(t, a.user, b.user, before)
			for p, with := range map[*baresip][]setup{a: c.a, b: c.b} {
				out := p.output.String()
				if slices.Contains(with, withICE) && !strings.Contains(out, "\na=ice-lite\r\n") {
					t.Errorf("%s is shown no ICE-lite agent", p.user)
				}
				if slices.Contains(with, withDTLS) && !strings.Contains(out, "DTLS-SRTP complete") {
					t.Errorf("%s has not finished its DTLS handshake", p.user)
				}
			}
		})
	}
}

// TestVideo: two phones see and hear each other, with ICE and without.
func TestVideo(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "", "-cdr", "cdr.jsonl")
	camera := setup{"module fakevideo.so\nmodule vp8.so\nvideo_source fakevideo,nil\nvideo_display fakevideo,nil\nvideo_size 160x120\nvideo_fps 10\n", ""}
	for i, with := range [][]setup{{camera}, {camera, withICE}} {
		a, b := s.twoPhones(t, with...)
		talk(t, a, b, a, b.user, 2*time.Second)
		s.logsEnd(t, a.user, b.user, i)
		a.stop()
		b.stop()
	}
	calls := s.records(t, 2)
	if len(calls) != 2 {
		t.Fatalf("%d records of two calls", len(calls))
	}
	for _, r := range calls {
		seen := 0
		for _, m := range r.Media {
			t.Logf("%s from %s: %d packets of %v, %d lost", m.Kind, m.From, m.Packets, m.Types, m.Lost)
			if m.Kind == "video" && m.Packets > 10 && m.Lost == 0 {
				seen++
			}
		}
		if seen != 2 {
			t.Errorf("%d of two phones have sent video that came through: %+v", seen, r.Media)
		}
	}
}

// TestLinphoneICE: linphonec does ICE with a phone that does, and with one that does not.
func TestLinphoneICE(t *testing.T) {
	newNetwork(t)
	s := startServer(t, "")
	b := startLinphone(t, netns("b"), s.accounts["002"], 880, linphoneICE)
	b.registered(t)
	toA, toB := startCapture(t, netns("a")), startCapture(t, netns("b"))
	for i, with := range [][]setup{{withICE}, nil} {
		a := startBaresip(t, netns("a"), s.accounts["001"], 440, with...)
		a.registered(t)
		talk(t, a, b, a, b.user, 2*time.Second)
		s.logsEnd(t, a.user, b.user, 2*i)
		talk(t, b, a, b, a.user, 2*time.Second)
		s.logsEnd(t, a.user, b.user, 2*i+1)
		a.stop()
	}
	toA.whole(t, "baresip")
	toB.whole(t, "linphonec")
	log, err := os.ReadFile(filepath.Join(b.dir, "debug.log"))
	if n := strings.Count(string(log), "ice: Recv binding response"); n < 4 {
		t.Errorf("linphonec has had %d checks of its answered, %v", n, err)
	} else {
		t.Logf("linphonec has had %d checks of its answered", n)
	}
}
