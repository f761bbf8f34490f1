package fuzz

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"minisip/digest"
)

// FuzzCredentials: whatever a field holds, ParseCredentials gives an error that
// unwraps, or credentials whose parts stand in the input, and that written out
// anew are read as the same. None of them gets anybody in.
func FuzzCredentials(f *testing.F) {
	for _, seed := range []string{
		`Digest username="001", realm="r", nonce="n", uri="sip:h", response="6629fae49393a05397450978507c4ef1"`,
		`Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=SHA-256, nonce="7ypf", nc=00000001, cnonce="f2/w", qop=auth, response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", opaque="FQ"`,
		"dIGEST\r\n USERNAME = \"a\\\"b\\\\\" ,, realm=r,nonce=n,uri=sip:h;x=y,response=\"\",qop=auth-int,nc=ffffffff,cnonce=\"\",x=y",
		`Digest username="001`,
		`Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==`,
		`Digest nc=+1`,
		`Digest username*=UTF-8''J%C3%BCrg, realm="r", nonce="n", uri="sip:h", response="66"`,
	} {
		f.Add([]byte(seed))
	}
	users, err := digest.ParseUsers("users.conf", nil, "r")
	if err == nil {
		err = users.AddJSON([]byte(`{"001": "secret", "Mufasa": "Circle of Life"}`))
	}
	if err != nil {
		f.Fatal(err)
	}
	server := digest.NewServer(digest.Config{Realm: "r", Algorithms: []digest.Algorithm{digest.SHA256, digest.MD5}})
	now, origin := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), netip.MustParseAddr("192.0.2.7")

	f.Fuzz(func(t *testing.T, value []byte) {
		before := bytes.Clone(value)
		c, err := digest.ParseCredentials(value)
		if !bytes.Equal(value, before) {
			t.Fatalf("the input was changed to %q", value)
		}
		if err != nil {
			if errors.Is(err, digest.ErrNotDigest) == errors.Is(err, digest.ErrMalformed) {
				t.Fatalf("%v is not one of the two errors", err)
			}
			return
		}
		if !bytes.ContainsAny(value, `\*`) { // else parts may be unescaped copies
			for _, part := range [][]byte{c.Username, c.Realm, c.Nonce, c.URI, c.Response, c.CNonce, c.Opaque} {
				if !bytes.Contains(value, part) {
					t.Fatalf("%q is not in the input", part)
				}
			}
		}
		again, err := digest.ParseCredentials([]byte(credentialsText(&c)))
		if err != nil {
			t.Fatalf("%s: %v", credentialsText(&c), err)
		}
		if got, want := credentialsFields(again), credentialsFields(c); !reflect.DeepEqual(got, want) {
			t.Fatalf("written out and read again:\n got %q\nwant %q", got, want)
		}
		if v := server.Verify(now, origin, []byte("INVITE"), c.URI, nil, &c, users.Lookup(c.Username)); v != digest.Denied {
			t.Fatalf("a made-up digest: %v", v)
		}
	})
}

// FuzzVerify: the digest that the password gives lets its user in once, whatever the name, the URI, the
// count and the body; no other response, method, origin or repetition does.
func FuzzVerify(f *testing.F) {
	f.Add("001", "sip:002@example.com", "c0ffee", []byte("v=0\r\n"), uint32(1), byte(0))
	f.Add(`J\"ü%41*`, "sip:a%20b@[::1]:5060;x=y", "", []byte(nil), uint32(0xffffffff), byte(7))
	now, here := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), netip.MustParseAddr("192.0.2.7")
	f.Fuzz(func(t *testing.T, name, uri, cnonce string, body []byte, nc uint32, how byte) {
		users, err := digest.ParseUsers("users.conf", nil, "r")
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(uri+cnonce, "\"\\") || users.Add([]digest.Account{{Name: name, Password: "secret"}}) != nil {
			return
		}
		server := digest.NewServer(digest.Config{Realm: "r", Algorithms: []digest.Algorithm{digest.SHA256, digest.MD5}})
		challenge := string(server.AppendChallenges(nil, "WWW-Authenticate", now, here, false))
		_, nonce, _ := strings.Cut(challenge, `nonce="`)
		nonce, _, _ = strings.Cut(nonce, `"`)

		hash, algorithm := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }, "MD5"
		if how&1 != 0 {
			hash, algorithm = func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }, "SHA-256"
		}
		qop, a2 := "auth", "INVITE:"+uri
		if how&2 != 0 {
			qop, a2 = "auth-int", a2+":"+hash(string(body))
		}
		count := fmt.Sprintf("%08x", nc)
		response := hash(strings.Join([]string{hash(name + ":r:secret"), nonce, count, cnonce, qop, hash(a2)}, ":"))
		user := `username="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
		if how&4 != 0 {
			user = "username*=UTF-8''" + url.PathEscape(name)
		}
		text := fmt.Sprintf(`Digest %s, realm="r", nonce="%s", uri="%s", response="%s", algorithm=%s, cnonce="%s", qop=%s, nc=%s`,
			user, nonce, uri, response, algorithm, cnonce, qop, count)
		c, err := digest.ParseCredentials([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if string(c.Username) != name {
			t.Fatalf("%s is read as %q", text, c.Username)
		}
		verify := func(origin netip.Addr, method string, c digest.Credentials) digest.Verdict {
			return server.Verify(now, origin, []byte(method), []byte(uri), body, &c, users.Lookup(c.Username))
		}
		bent := c
		bent.Response = bytes.Clone(c.Response)
		bent.Response[int(how)%len(bent.Response)] ^= 1
		for _, step := range []struct {
			what string
			got  digest.Verdict
			want digest.Verdict
		}{
			{"another response", verify(here, "INVITE", bent), digest.Denied},
			{"another method", verify(here, "BYE", c), digest.Denied},
			{"another origin", verify(netip.MustParseAddr("192.0.2.8"), "INVITE", c), digest.Stale},
			{"the right one", verify(here, "INVITE", c), digest.OK},
			{"again", verify(here, "INVITE", c), digest.Stale},
		} {
			if step.got != step.want {
				t.Errorf("%s: %s: %v, want %v", text, step.what, step.got, step.want)
			}
		}
	})
}

// credentialsText gives the credentials as a client would write them.
func credentialsText(c *digest.Credentials) string {
	quoted := func(b []byte) string {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(string(b)) + `"`
	}
	s := "Digest username=" + quoted(c.Username) + ", realm=" + quoted(c.Realm) + ", nonce=" + quoted(c.Nonce) +
		", uri=" + quoted(c.URI) + ", response=" + quoted(c.Response) + ", algorithm=" + c.Algorithm.String()
	if c.CNonce != nil {
		s += ", cnonce=" + quoted(c.CNonce)
	}
	if c.Opaque != nil {
		s += ", opaque=" + quoted(c.Opaque)
	}
	if c.QOP != digest.NoQOP {
		name := map[digest.QOP]string{digest.Auth: "auth", digest.AuthInt: "auth-int", digest.UnknownQOP: "unknown"}[c.QOP]
		s += fmt.Sprintf(", qop=%s, nc=%08x", name, c.NC)
	}
	return s
}

// credentialsFields gives the fields anyone can see.
func credentialsFields(c digest.Credentials) []string {
	return []string{
		string(c.Username), string(c.Realm), string(c.Nonce), string(c.URI), string(c.Response), string(c.CNonce), string(c.Opaque),
		c.Algorithm.String(), fmt.Sprint(c.QOP), fmt.Sprint(c.NC), fmt.Sprint(c.CNonce == nil, c.Opaque == nil),
	}
}

// FuzzUsers: whatever a user file holds, it is refused with the line that is
// wrong, or every user in it is found by name.
func FuzzUsers(f *testing.F) {
	const hash = "e4a7cb3ee4f2f8d5b0a0ffe1c0f0a3b1"
	for _, seed := range []string{
		"001:r:" + hash + "\n# comment\n\n002:r:" + hash + ":" + hash + hash + "\r\n",
		"001:r:" + hash + "\n001:r:" + hash,
		"001:other:" + hash,
		"001:secret",
		"\n\n:r:" + hash,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		users, err := digest.ParseUsers("users.conf", data, "r")
		if err != nil {
			var line int
			if _, scanErr := fmt.Sscanf(err.Error(), "users.conf:%d: ", &line); scanErr != nil || line < 1 || line > bytes.Count(data, []byte("\n"))+1 {
				t.Fatalf("error without its line: %v", err)
			}
			return
		}
		found := 0 // a name is in the file once
		for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
			name, _, _ := bytes.Cut(line, []byte(":r:"))
			if u := users.Lookup(name); u != nil {
				found++
				if u.Name != string(name) {
					t.Fatalf("asked for %q, got %q", name, u.Name)
				}
			}
		}
		if found != users.Len() {
			t.Fatalf("%d users are found by the names in the file, there are %d", found, users.Len())
		}
	})
}
