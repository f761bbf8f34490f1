package digest

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The responses are those of the RFCs, so it is proven that the digest is right;
// the nonces are theirs too, so each is Stale here, and a wrong one is Denied.
func TestRFCExamples(t *testing.T) {
	for _, test := range []struct{ name, password, value string }{
		{"RFC 7616 3.9.1, MD5", "Circle of Life", `Digest username="Mufasa", realm="http-auth@example.org",
			uri="/dir/index.html", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001,
			cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth,
			response="8ca523f5e9506fed4657c9700eebdbec", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`},
		{"RFC 7616 3.9.1, SHA-256", "Circle of Life", `Digest username="Mufasa", realm="http-auth@example.org",
			uri="/dir/index.html", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001,
			cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth,
			response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"`},
		{"RFC 2617 3.5", "Circle Of Life", `Digest username="Mufasa", realm="testrealm@host.com",
			nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b",
			response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"`},
		{"RFC 2069 2.4, with its erratum 749", "CircleOfLife", `Digest username="Mufasa", realm="testrealm@host.com",
			nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", response="1949323746fe6a43ef61f9606e7febea"`},
	} {
		c, err := ParseCredentials([]byte(test.value))
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		r := newRig(t, Config{Realm: string(c.Realm), Algorithms: []Algorithm{SHA256, MD5}})
		r.users = mustUsers(t, string(c.Realm), `{"Mufasa": "`+test.password+`"}`)
		if got := r.judge(test.value, "GET", "/dir/index.html", ""); got != Stale {
			t.Errorf("%s: %v", test.name, got)
		}
		capitals := strings.Replace(test.value, string(c.Response), strings.ToUpper(string(c.Response)), 1)
		if got := r.judge(capitals, "GET", "/dir/index.html", ""); got != Stale {
			t.Errorf("%s, response in capitals: %v", test.name, got)
		}
		if got := r.judge(test.value, "PUT", "/dir/index.html", ""); got != Denied {
			t.Errorf("%s, other method: %v", test.name, got)
		}
		r.users = mustUsers(t, string(c.Realm), `{"Mufasa": "circle"}`)
		if got := r.judge(test.value, "GET", "/dir/index.html", ""); got != Denied {
			t.Errorf("%s, other password: %v", test.name, got)
		}
	}
}

func TestChallenges(t *testing.T) {
	r := newRig(t, Config{Realm: `a "re\alm"`, Algorithms: []Algorithm{SHA256, MD5}})
	const nonce = `[A-Za-z0-9_-]{32}`
	check := func(want, got string) {
		t.Helper()
		if !regexp.MustCompile(`\A` + want + `\z`).MatchString(got) {
			t.Errorf("got  %q\nwant %s", got, want)
		}
	}
	check(`x: y\r\nWWW-Authenticate: Digest realm="a \\"re\\\\alm\\"", nonce="`+nonce+`", qop="auth", algorithm=SHA-256\r\n`+
		`WWW-Authenticate: Digest realm="a \\"re\\\\alm\\"", nonce="`+nonce+`", qop="auth", algorithm=MD5\r\n`,
		string(r.server.AppendChallenges([]byte("x: y\r\n"), "WWW-Authenticate", r.now, r.origin, false)))
	r.server.SetAlgorithms([]Algorithm{MD5})
	check(`Proxy-Authenticate: Digest realm="a \\"re\\\\alm\\"", nonce="`+nonce+`", qop="auth", algorithm=MD5, stale=true\r\n`,
		string(r.server.AppendChallenges(nil, "Proxy-Authenticate", r.now, r.origin, true)))
	if r.nonce() == r.nonce() {
		t.Error("two nonces of one moment are the same")
	}
}

func TestVerify(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(p *phone)
		want   Verdict
	}{
		{"right", func(p *phone) {}, OK},
		{"no qop", func(p *phone) { p.qop = "" }, OK},
		{"auth-int", func(p *phone) { p.qop, p.body = "auth-int", "v=0\r\n" }, OK},
		{"qop in capitals, hashed so", func(p *phone) { p.qop = "AUTH" }, OK},
		{"short nc, hashed so", func(p *phone) { p.nc = "1" }, OK},
		{"MD5 named", func(p *phone) { p.algorithm = "MD5" }, OK},
		{"SHA-256", func(p *phone) { p.algorithm = "SHA-256" }, OK},
		{"SHA-256 without qop", func(p *phone) { p.algorithm, p.qop = "sha-256", "" }, OK},
		{"name with quoted pairs", func(p *phone) { p.name, p.password = `a"b\c`, "x" }, OK},
		{"wrong password", func(p *phone) { p.password = "Secret" }, Denied},
		{"name in another case", func(p *phone) { p.name = "ANNA" }, Denied},
		{"unknown user", func(p *phone) { p.name = "999" }, Denied},
		{"empty name", func(p *phone) { p.name = "" }, Denied},
		{"password of another user", func(p *phone) { p.name = "002" }, Denied},
		{"another realm", func(p *phone) { p.realm = "asterisk" }, Denied},
		{"algorithm never offered", func(p *phone) { p.algorithm = "MD5-sess" }, Denied},
		{"qop never offered", func(p *phone) { p.qop = "token" }, Denied},
		{"MD5 without a SHA-256 hash", func(p *phone) { p.name, p.password = "old", "x" }, OK},
		{"no SHA-256 hash", func(p *phone) { p.name, p.password, p.algorithm = "old", "x", "SHA-256" }, Denied},
	} {
		r := newRig(t, Config{Algorithms: []Algorithm{SHA256, MD5}})
		old := "old:mini_sip_proxy:" + HA1(MD5, "old", "mini_sip_proxy", "x") + "\n"
		users, err := ParseUsers("users.conf", []byte(old), "mini_sip_proxy")
		if err != nil {
			t.Fatal(err)
		}
		if err := users.AddJSON([]byte(`{"001":"secret", "002":"other", "anna":"secret", "a\"b\\c":"x"}`)); err != nil {
			t.Fatal(err)
		}
		r.users = users
		p := newPhone()
		test.change(&p)
		if got := r.verify(p, r.nonce()); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// A right answer, bent in one place.
func TestVerifyBent(t *testing.T) {
	r := newRig(t, Config{Algorithms: []Algorithm{SHA256, MD5}})
	right := newPhone().answer(r.nonce())
	_, response, _ := strings.Cut(right, `response="`)
	response = response[:32]
	for _, test := range []struct{ name, from, to string }{
		{"another realm named than hashed", "mini_sip_proxy", "asterisk"},
		{"another user named", `"001"`, `"002"`},
		{"response cut short", response, response[:30]},
		{"response made longer", response, response + "00"},
		{"response of SHA-256's length", response, response + response},
		{"response of another length than any", response, strings.Repeat(response, 9)},
		{"no response", response, ""},
		{"response not hexadecimal", response, "g" + response[1:]},
		{"another count than hashed", "nc=00000001", "nc=00000002"},
		{"qop left out", ", qop=auth", ""},
	} {
		if got := r.judge(strings.Replace(right, test.from, test.to, 1), "REGISTER", "sip:example.org", ""); got != Denied {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	// Even who knew the hash that stands in for nobody would not get in as nobody.
	r.server.nobody = *r.users.Lookup([]byte("001"))
	r.users = mustUsers(t, "mini_sip_proxy", `{}`)
	if got := r.judge(right, "REGISTER", "sip:example.org", ""); got != Denied {
		t.Errorf("nobody: %v", got)
	}
	r.users = mustUsers(t, "mini_sip_proxy", `{"001": "secret"}`)
	if got := r.judge(right, "REGISTER", "sip:example.org", ""); got != OK {
		t.Errorf("after all that, the right answer: %v", got)
	}
}

// Credentials that pass once are replayed with something else about the request.
func TestReplayFails(t *testing.T) {
	for _, test := range []struct {
		name               string
		method, uri, body  string
		origin             string
		want               Verdict
		wantWithoutReplays Verdict // before the first use
	}{
		{"nothing else", "INVITE", "sip:002@example.org", "v=0", "192.0.2.7", Stale, OK},
		{"other method", "MESSAGE", "sip:002@example.org", "v=0", "192.0.2.7", Denied, Denied},
		{"other user", "INVITE", "sip:900@example.org", "v=0", "192.0.2.7", OtherURI, OtherURI},
		{"other body", "INVITE", "sip:002@example.org", "v=1", "192.0.2.7", Denied, Denied},
		{"other address", "INVITE", "sip:002@example.org", "v=0", "192.0.2.8", Stale, Stale},
		{"IPv6", "INVITE", "sip:002@example.org", "v=0", "2001:db8::7", Stale, Stale},
		{"same address, IPv4 in IPv6", "INVITE", "sip:002@example.org", "v=0", "::ffff:192.0.2.7", Stale, OK},
	} {
		for _, replay := range []bool{false, true} {
			r := newRig(t, Config{})
			p := newPhone()
			p.method, p.uri, p.body, p.qop = "INVITE", "sip:002@example.org", "v=0", "auth-int"
			value := p.answer(r.nonce())
			want := test.wantWithoutReplays
			if replay {
				want = test.want
				if got := r.judge(value, p.method, p.uri, p.body); got != OK {
					t.Fatalf("%s: first use: %v", test.name, got)
				}
			}
			r.origin = netip.MustParseAddr(test.origin)
			if got := r.judge(value, test.method, test.uri, test.body); got != want {
				t.Errorf("%s, replay %v: %v, want %v", test.name, replay, got, want)
			}
		}
	}
}

func TestDigestURI(t *testing.T) {
	for _, test := range []struct {
		digest, request string
		want            Verdict
	}{
		{"sip:002@example.org", "sip:002@example.org", OK},
		{"sip:002@example.org", "SIP:002@Example.ORG:5060;transport=udp", OK},
		{"sip:002@example.org:5070;user=phone?a=b", "sip:002@example.org", OK},
		{"sip:002@[2001:db8::1]", "sip:002@[2001:DB8::1]:5060", OK},
		{"sip:%300%32@example.org", "sip:002@example.org", OK},
		{"sip:a;b?c@example.org", "sip:a;b?c@example.org;lr", OK},
		{"sip:example.org", "sip:example.org;transport=udp", OK},
		{"tel:+4930123;phone-context=a", "tel:+4930123", OK},
		{"sip:100%@example.org", "sip:100%@example.org", OK},
		{"sips:002@example.org", "sip:002@example.org", OtherURI},
		{"sip:002@example.org", "sip:002@example.com", OtherURI},
		{"sip:002@example.org", "sip:003@example.org", OtherURI},
		{"sip:002@example.org", "sip:0022@example.org", OtherURI},
		{"sip:0022@example.org", "sip:002@example.org", OtherURI},
		{"sip:%zz@example.org", "sip:%yy@example.org", OtherURI},
		{"sip:anna@example.org", "sip:Anna@example.org", OtherURI},
		{"sip:example.org", "sip:002@example.org", OK}, // made for the whole server
		{"sip:002@[2001:db8::1]", "sip:002@[2001:db8::2]", OtherURI},
		{"tel:+4930123", "tel:+4930124", OtherURI},
		{"", "sip:002@example.org", OtherURI},
	} {
		r := newRig(t, Config{})
		p := newPhone()
		p.uri = test.digest
		if got := r.judge(p.answer(r.nonce()), p.method, test.request, ""); got != test.want {
			t.Errorf("digest for %s, request to %s: %v, want %v", test.digest, test.request, got, test.want)
		}
	}
}

// A phone that holds a SHA-256 challenge when the offer changes is asked again,
// not told that its password is wrong.
func TestAlgorithmNoLongerOffered(t *testing.T) {
	r := newRig(t, Config{Algorithms: []Algorithm{SHA256, MD5}})
	p := newPhone()
	p.algorithm = "SHA-256"
	nonce := r.nonce()
	r.server.SetAlgorithms([]Algorithm{MD5})
	if got := r.verify(p, nonce); got != Stale {
		t.Errorf("right digest: %v", got)
	}
	p.password = "wrong"
	if got := r.verify(p, nonce); got != Denied {
		t.Errorf("wrong digest: %v", got)
	}
}

// A phone that answers a challenge with an algorithm that it does not name is asked without stale=true: it has
// nothing better to give.
func TestAlgorithmNotOffered(t *testing.T) {
	r := newRig(t, Config{Algorithms: []Algorithm{MD5}})
	r.nonce()
	r.server.SetAlgorithms([]Algorithm{SHA256})
	r.now = r.now.Add(time.Millisecond)
	p := newPhone()
	for range 2 {
		if got := r.verify(p, r.nonce()); got != NotOffered {
			t.Errorf("right digest: %v", got)
		}
	}
	p.password = "wrong"
	if got := r.verify(p, r.nonce()); got != Denied {
		t.Errorf("wrong digest: %v", got)
	}
}

func TestAllocations(t *testing.T) {
	r := newRig(t, Config{Algorithms: []Algorithm{SHA256, MD5}})
	dst := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() {
		dst = r.server.AppendChallenges(dst[:0], "WWW-Authenticate", r.now, r.origin, true)
	}); n != 0 {
		t.Errorf("AppendChallenges: %v allocations", n)
	}
	for _, algorithm := range []string{"MD5", "SHA-256"} {
		for _, qop := range []string{"auth", "auth-int"} {
			p := newPhone()
			p.algorithm, p.qop = algorithm, qop
			nonce, method, uri := r.nonce(), []byte(p.method), []byte(p.uri)
			var values [][]byte // one more than runs: there is one to warm up
			for nc := range 101 {
				p.nc = fmt.Sprintf("%08x", nc+1)
				values = append(values, []byte(p.answer(nonce)))
			}
			passed := 0
			if n := testing.AllocsPerRun(100, func() {
				c, err := ParseCredentials(values[passed])
				if err != nil {
					t.Fatal(err)
				}
				if r.server.Verify(r.now, r.origin, method, uri, nil, &c, r.users.Lookup(c.Username)) == OK {
					passed++
				}
			}); n != 0 || passed != len(values) {
				t.Errorf("%s, %s: %v allocations, %d of %d pass", algorithm, qop, n, passed, len(values))
			}
		}
	}
}

// BenchmarkVerify is what a request costs that answers a challenge: parse, look
// up, verify, remember the nonce.
func BenchmarkVerify(b *testing.B) {
	r := newRig(new(testing.T), Config{})
	p := newPhone()
	values := make([][]byte, 4096)
	for i := range values {
		values[i] = []byte(p.answer(r.nonce()))
	}
	method, uri := []byte(p.method), []byte(p.uri)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%len(values) == 0 {
			clear(r.server.nonces.used) // all may be spent once more
		}
		c, err := ParseCredentials(values[i%len(values)])
		if err != nil {
			b.Fatal(err)
		}
		if v := r.server.Verify(r.now, r.origin, method, uri, nil, &c, r.users.Lookup(c.Username)); v != OK {
			b.Fatal(v)
		}
	}
}

func BenchmarkChallenge(b *testing.B) {
	s := NewServer(Config{Realm: "mini_sip_proxy"})
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		dst = s.AppendChallenges(dst[:0], "WWW-Authenticate", epoch, home, false)
	}
}
