//go:build interop

package interop

import (
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
