package digest

import (
	"errors"
	"strings"
	"testing"
)

// The example of RFC 7616 3.9.1, from the side of the one who answers.
func TestAnswer(t *testing.T) {
	c, err := ParseChallenge([]byte(`Digest
	realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5,
	nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`))
	if err != nil || !c.Auth || c.Stale || c.Algorithm != MD5 {
		t.Fatalf("%+v, %v", c, err)
	}
	got, err := ParseCredentials([]byte(c.Answer("Mufasa", "Circle of Life", "GET", "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", 1)))
	if err != nil || string(got.Response) != "8ca523f5e9506fed4657c9700eebdbec" || string(got.Opaque) != c.Opaque {
		t.Errorf("%s, %v", got.Response, err)
	}
}

func TestParseChallenge(t *testing.T) {
	got, err := ParseChallenge([]byte(`DIGEST Realm="r", NONCE="n", Domain="d", Opaque=o, Algorithm=sha-256, Qop="auth-int , AUTH", Stale=TRUE`))
	if want := (Challenge{Realm: "r", Nonce: "n", Opaque: "o", Algorithm: SHA256, Auth: true, Stale: true}); got != want || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := ParseChallenge([]byte(`Digest nonce=n, qop="auth-int"`)); got != (Challenge{Nonce: "n"}) || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestAnswersPass: what the server here asks for, with each algorithm, is answered so that it is content.
func TestAnswersPass(t *testing.T) {
	for _, a := range []Algorithm{MD5, SHA256} {
		r := newRig(t, Config{Algorithms: []Algorithm{a}})
		value := r.server.AppendChallenges(nil, "", r.now, r.origin, true)
		c, err := ParseChallenge(value[len(": ") : len(value)-len("\r\n")])
		if err != nil || c.Algorithm != a || !c.Stale {
			t.Fatalf("%s: %+v, %v", value, c, err)
		}
		for nc := range uint32(2) {
			answer := c.Answer("001", "secret", "INVITE", "sip:002@example.org", "c0ffee", nc+1)
			if v := r.judge(answer, "INVITE", "sip:002@example.org", ""); v != OK {
				t.Errorf("%s: %s: %v", a, answer, v)
			}
		}
		c.Auth, c.Nonce = false, r.nonce() // as a server of RFC 2069 asks
		answer := c.Answer("001", "secret", "INVITE", "sip:002@example.org", "c0ffee", 1)
		if v := r.judge(answer, "INVITE", "sip:002@example.org", ""); v != OK || strings.Contains(answer, "cnonce") || strings.Contains(answer, "opaque") {
			t.Errorf("%s: %s: %v", a, answer, v)
		}
	}
}

func TestParseChallengeRefuses(t *testing.T) {
	for value, want := range map[string]error{
		`Basic realm="x"`:          ErrNotDigest,
		`Digest realm="x"`:         ErrMalformed,
		`Digest realm="x", nonce=`: ErrMalformed,
		``:                         ErrNotDigest,
	} {
		if _, err := ParseChallenge([]byte(value)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", value, err, want)
		}
	}
}
