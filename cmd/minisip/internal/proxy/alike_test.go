package proxy

import (
	"regexp"
	"strings"
	"testing"
)

var nonces = regexp.MustCompile(`nonce="[^"]*"`)

// With silent off a user that exists and one that does not are answered alike, whatever they bring: but for the nonce and
// their names no byte differs. With it on and a few names asked for, neither is answered.
func TestNamesLookAlike(t *testing.T) {
	const wrong = `Authorization: Digest username="NAME", realm="mini_sip_proxy", nonce="a", uri="sip:minisip.example", response="0123456789abcdef0123456789abcdef"`
	answers := func(s *script, name, method, target string, lines ...string) string {
		s.t.Helper()
		p := s.phone("x")
		p.user = name
		s.events = nil
		for i := range lines {
			lines[i] = strings.ReplaceAll(lines[i], "NAME", name)
		}
		if err := s.run("x: "+method+" "+target, append(lines, "From: <sip:"+name+"@minisip.example>;tag=same", "CSeq: 1 "+method, "Call-ID: same", "Via: SIP/2.0/UDP 198.51.100.7:5060;rport;branch=z9hG4bKsame")); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, e := range s.events {
			if e.from == "minisip" {
				m := readText([]byte(e.text))
				b.WriteString(strings.ReplaceAll(nonces.ReplaceAllString(e.text, `nonce="NONCE"`), name, "NAME"))
				if tag := tagOf(m.get("To")); len(tag) != 16 {
					t.Errorf("%s: To tag %q", name, tag)
				}
			}
		}
		return b.String()
	}
	for _, silent := range []bool{false, true} {
		s := &script{newWorld(t)}
		s.cfg.Silent = silent
		s.cfg.Bans.Count, s.cfg.Bans.Within, s.cfg.Bans.For = 1000, 1<<40, 1<<40
		s.do("user 001", "phone x at 198.51.100.7:5060 password none")
		for _, unknown := range []string{"771", "772", "773"} {
			answers(s, unknown, "REGISTER", "")
		}
		for _, tt := range []struct {
			method, target string
			lines          []string
		}{
			{"REGISTER", "", nil}, {"REGISTER", "", []string{wrong}}, {"INVITE", "002", nil}, {"MESSAGE", "002", []string{"Proxy-" + wrong}}, {"OPTIONS", "002", nil},
			{"REGISTER", "", []string{wrong, "Require: x"}}, {"INVITE", "002", []string{wrong, "Proxy-Require: x"}},
			{"INVITE", "002", []string{wrong, "Max-Forwards: 0"}}, {"INVITE", "002", []string{wrong, "Max-Forwards: y"}},
			{"OPTIONS", "sip:minisip.example", []string{wrong}}, {"OPTIONS", "sip:minisip.example", []string{"Authorization: none"}},
		} {
			exists := answers(s, "001", tt.method, tt.target, append([]string(nil), tt.lines...)...)
			work := s.core.in.proof
			not := answers(s, "999", tt.method, tt.target, append([]string(nil), tt.lines...)...)
			if as := s.core.in.proof; as.tried != work.tried {
				t.Errorf("silent %v, %s %q: %d passwords were verified for 001, %d for 999", silent, tt.method, tt.lines, work.tried, as.tried)
			}
			if exists != not {
				t.Errorf("silent %v, %s: 001 is answered\n%s\n999\n%s", silent, tt.method, exists, not)
			}
			if (exists == "") != silent {
				t.Errorf("silent %v, %s: answered %q", silent, tt.method, exists)
			}
		}
	}
}
