package proxy

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/guard"
)

// One request tries few passwords: of many credentials for our realm only the first are
// looked at, and from a banned address one.
func TestCredentialsTriedAtATime(t *testing.T) {
	for _, tt := range []struct {
		wrong  int // in front of the right ones
		banned bool
		want   string
	}{{0, false, "100"}, {1, false, "100"}, {3, false, "100"}, {4, false, "407"}, {20, false, "407"}, {0, true, "100"}, {1, true, "407"}} {
		s := stage(t, 1, func(c *Config) { c.Bans = guard.Limits{Count: 1, Within: time.Minute, For: time.Hour} })
		p := s.phone("001")
		if tt.banned {
			s.core.bans.Charge(s.now, p.addr.Addr(), guard.Failure{User: []byte("001"), Why: "test"})
		}
		s.do("001: INVITE 002")
		if got := s.core.bans.Banned(s.now, p.addr.Addr()); got != tt.banned {
			t.Fatalf("banned: %v", got)
		}
		m := p.request("INVITE", &wish{target: "002", auth: p})
		right := m.get("Proxy-Authorization")
		m.set("Proxy-Authorization", "")
		for i := range tt.wrong {
			m.add("Proxy-Authorization", fmt.Sprintf(`Digest username="001", realm="%s", nonce="%s", uri="%s", response="%032x"`, testRealm, p.nonce, m.uri(), i))
		}
		m.add("Proxy-Authorization", right)
		s.transmit(p, m)
		if got := word(s.answerTo001(), 1); got != tt.want {
			t.Errorf("after %d wrong ones, banned %v: got %s, want %s", tt.wrong, tt.banned, got, tt.want)
		}
		s.finish()
	}
}

// A user's name may hold what URIs and quoted strings must write otherwise: From and To have it with %-escapes, the
// credentials with quoted pairs or as username*. It is one name in the user file, in bindings and calls.
func TestUserNames(t *testing.T) {
	for _, name := range []string{"001", `a"b\c`, "J\u00fcrg", "100%41", "a b", "a;b?c=d@e/f", "<sip>", "'", "a,b"} {
		w := newWorld(t)
		w.users[name] = "secret"
		s := &script{w}
		p := w.addPhone("phone", "192.0.2.1:5060")
		aor := "<sip:"
		for _, c := range []byte(name) {
			aor += fmt.Sprintf("%%%02X", c)
		}
		aor += "@minisip.example>"
		for _, extended := range []bool{false, true} {
			field := `username="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
			if extended {
				field = "username*=UTF-8''" + url.PathEscape(name)
			}
			s.transmit(p, p.request("REGISTER", &wish{fields: [][]string{{"From", aor + ";tag=f"}, {"To", aor}}}))
			p.user, p.password = name, "secret"
			m := p.request("REGISTER", &wish{auth: p, fields: [][]string{{"From", aor + ";tag=f"}, {"To", aor}, {"Contact", "<sip:x@192.0.2.1>"}}})
			m.set("Authorization", strings.Replace(m.get("Authorization"), `username="`+name+`"`, field, 1))
			s.transmit(p, m)
			p.user = "x"
			bindings := s.core.where.Lookup(s.now, name)
			if got := p.answer["REGISTER"].status(); got != "200" || len(bindings) != 1 {
				t.Errorf("%s as %s, %s: %s, %d bindings", name, aor, field, got, len(bindings))
			}
		}
		s.finish()
	}
}

// Whom a URI names: escapes are undone, and of a telephone number neither its visual separators nor its parameters count.
func TestUserOf(t *testing.T) {
	for uri, want := range map[string]string{
		"sip:0-0.2@minisip.example":       "0-0.2",
		"sip:%30%30%32@minisip.example":   "002",
		"sip:minisip.example":             "",
		"tel:002":                         "002",
		"TEL:+81(3)12-34.5;phone-context": "+81312345",
		"tel:%30%2D2":                     "02",
		"mailto:a.b@minisip.example":      "a.b@minisip.example",

		"sip:002;phone-context=+49@minisip.example;user=phone":       "002",
		"sip:002;ext=1;isub=2@minisip.example;lr;USER=Phone":         "002",
		"sip:%30%302;phone-context=a%3Bb@minisip.example;user=phone": "002",
		"sip:0%3B2@minisip.example;user=phone":                       "0;2",
		"sip:002;phone-context=+49@minisip.example":                  "002;phone-context=+49",
		"sip:;ext=1@minisip.example;user=phone":                      ";ext=1",
		"sip:002;phone-context=+49@minisip.example;user=ip":          "002;phone-context=+49",
	} {
		if got := string(userPart([]byte(uri))); got != want {
			t.Errorf("%s names %q, want %q", uri, got, want)
		}
	}
}

// A phone that is set to another realm answers every challenge, and is challenged again: the log says why. Credentials
// for other servers, which answer no challenge of ours, are nobody's mistake.
func TestOtherRealm(t *testing.T) {
	for _, ours := range []bool{true, false} {
		s := stage(t, 0, nil)
		p := s.phone("001")
		s.do("001: INVITE 002")
		m := p.request("INVITE", &wish{target: "002", auth: p})
		field := strings.Replace(m.get("Proxy-Authorization"), testRealm, "elsewhere", 1)
		want := `INVITE from 198.51.100.7:5060 for 001 refused: the phone is set to the realm "elsewhere", and -realm is "mini_sip_proxy"`
		if !ours {
			field, want = strings.Replace(field, p.nonce, strings.Repeat("x", len(p.nonce)), 1), ""
		}
		m.set("Proxy-Authorization", field)
		s.events = nil
		s.transmit(p, m)
		if got := word(s.answerTo001(), 1); got != "407" {
			t.Errorf("got %s, want 407", got)
		}
		if log := strings.Join(s.logged(), "\n"); log != want {
			t.Errorf("logged %q, want %q", log, want)
		}
		s.finish()
	}
}

// A router in front of us may put our private address in the place of the public one, for which the phone made its digest: both
// are we. For anybody else, and for another user, a digest is none of this request.
func TestDigestForAnotherAddressOfOurs(t *testing.T) {
	for uri, want := range map[string]string{
		"sip:002@192.0.2.200":       "100",
		"SIP:%30%302@192.0.2.200":   "100",
		"sip:192.0.2.200":           "100",
		"sip:003@192.0.2.200":       "407",
		"sip:002@192.0.2.201":       "407",
		"sip:002@minisip.elsewhere": "407",
		"sips:002@192.0.2.200":      "407",
		"sip:":                      "407",
	} {
		s := stage(t, 1, func(c *Config) { c.Public4 = netip.MustParseAddr("192.0.2.200") })
		p := s.phone("001")
		s.do("001: INVITE 002")
		m := p.request("INVITE", &wish{target: "002"})
		m.first = "INVITE " + uri + " SIP/2.0"
		p.authorize(m)
		m.first = "INVITE sip:002@" + ours4.String() + " SIP/2.0"
		s.transmit(p, m)
		if got := word(s.answerTo001(), 1); got != want {
			t.Errorf("%s: got %s, want %s", uri, got, want)
		}
		s.finish()
	}
}
