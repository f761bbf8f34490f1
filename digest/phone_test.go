package digest

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// phone is a client written apart from the code under test: strings and fmt only.
type phone struct {
	name, password, realm string

	algorithm string // as credentials name it; MD5 where empty
	qop       string
	nc        string
	cnonce    string
	uri       string
	method    string
	body      string
}

func newPhone() phone {
	return phone{
		name: "001", password: "secret", realm: "mini_sip_proxy",
		qop: "auth", nc: "00000001", cnonce: "0a4f113b", uri: "sip:example.org", method: "REGISTER",
	}
}

func (p phone) hash(text string) string {
	if strings.EqualFold(p.algorithm, "SHA-256") {
		return fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	}
	return fmt.Sprintf("%x", md5.Sum([]byte(text)))
}

// answer gives the value of an Authorization field.
func (p phone) answer(nonce string) string {
	a2 := p.method + ":" + p.uri
	if strings.EqualFold(p.qop, "auth-int") {
		a2 += ":" + p.hash(p.body)
	}
	a1 := p.hash(p.name + ":" + p.realm + ":" + p.password)
	text := a1 + ":" + nonce + ":" + p.hash(a2)
	if p.qop != "" {
		text = strings.Join([]string{a1, nonce, p.nc, p.cnonce, p.qop, p.hash(a2)}, ":")
	}
	name := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(p.name)
	v := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s"`, name, p.realm, nonce, p.uri, p.hash(text))
	if p.algorithm != "" {
		v += ", algorithm=" + p.algorithm
	}
	if p.qop != "" {
		v += fmt.Sprintf(`, cnonce="%s", qop=%s, nc=%s`, p.cnonce, p.qop, p.nc)
	}
	return v
}

// rig is a server with its users, a clock and an address that requests come from.
type rig struct {
	t      *testing.T
	server *Server
	users  *Users
	now    time.Time
	origin netip.Addr
}

var (
	epoch = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	home  = netip.MustParseAddr("192.0.2.7")
)

func newRig(t *testing.T, cfg Config) *rig {
	t.Helper()
	if cfg.Realm == "" {
		cfg.Realm = "mini_sip_proxy"
	}
	r := &rig{t: t, server: NewServer(cfg), now: epoch, origin: home}
	r.users = mustUsers(t, cfg.Realm, `{"001": "secret", "002": "other"}`)
	return r
}

func mustUsers(t *testing.T, realm, json string) *Users {
	t.Helper()
	us, err := ParseUsers("users.conf", nil, realm)
	if err == nil {
		err = us.AddJSON([]byte(json))
	}
	if err != nil {
		t.Fatal(err)
	}
	return us
}

// nonce asks for a challenge and reads the nonce in it.
func (r *rig) nonce() string {
	r.t.Helper()
	c := string(r.server.AppendChallenges(nil, "WWW-Authenticate", r.now, r.origin, false))
	_, rest, ok := strings.Cut(c, `nonce="`)
	nonce, _, closed := strings.Cut(rest, `"`)
	if !ok || !closed || nonce == "" {
		r.t.Fatalf("no nonce in %q", c)
	}
	return nonce
}

// verify lets the server judge what p answers to nonce.
func (r *rig) verify(p phone, nonce string) Verdict {
	r.t.Helper()
	return r.judge(p.answer(nonce), p.method, p.uri, p.body)
}

func (r *rig) judge(value, method, requestURI, body string) Verdict {
	r.t.Helper()
	c, err := ParseCredentials([]byte(value))
	if err != nil {
		r.t.Fatalf("%s: %v", value, err)
	}
	return r.server.Verify(r.now, r.origin, []byte(method), []byte(requestURI), []byte(body), &c, r.users.Lookup(c.Username))
}
