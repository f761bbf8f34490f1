package digest

import (
	"errors"
	"strings"
	"testing"
)

func show(c *Credentials) string {
	part := func(name string, v []byte) string {
		if v == nil {
			return ""
		}
		return name + "<" + string(v) + ">"
	}
	return part("user", c.Username) + part(" realm", c.Realm) + part(" nonce", c.Nonce) + part(" uri", c.URI) +
		part(" response", c.Response) + part(" cnonce", c.CNonce) + part(" opaque", c.Opaque) + " " + c.Algorithm.String() +
		[]string{" none", " auth", " auth-int", " unknown"}[c.QOP] + strings.Repeat("+", int(c.NC))
}

const minimal = `username="001", realm="r", nonce="n", uri="sip:h", response="ab"`

func TestParseCredentials(t *testing.T) {
	const parsed = "user<001> realm<r> nonce<n> uri<sip:h> response<ab>"
	for _, test := range []struct{ name, in, want string }{
		{"RFC 2069", "Digest " + minimal, parsed + " MD5 none"},
		{"all", "Digest " + minimal + `, cnonce="c", opaque="o", algorithm=SHA-256, qop=auth, nc=00000003`,
			parsed + " cnonce<c> opaque<o> SHA-256 auth+++"},
		{"auth-int", "Digest " + minimal + `,cnonce="c",qop=auth-int,nc=1`, parsed + " cnonce<c> MD5 auth-int+"},
		{"names and words in any case", "dIGEST " + strings.NewReplacer("username", "USERNAME", "uri", "Uri").Replace(minimal) +
			`, Algorithm=md5, QOP=AUTH, cnonce="c", NC=00000001`, parsed + " cnonce<c> MD5 auth+"},
		{"quotes where none belong", "Digest " + minimal + `, algorithm="MD5", qop="auth", nc="00000001", cnonce="c"`,
			parsed + " cnonce<c> MD5 auth+"},
		{"no quotes where some belong", "Digest username=001, realm=r, nonce=n, uri=sip:h, response=ab", parsed + " MD5 none"},
		{"folded lines and odd spaces", "  Digest\r\n " + strings.NewReplacer(", ", " ,\r\n\t", "=", " = ").Replace(minimal) + " ",
			parsed + " MD5 none"},
		{"empty elements", "Digest ,, " + minimal + ", ,", parsed + " MD5 none"},
		{"order", `Digest response="ab",uri="sip:h",nonce="n",realm="r",username="001"`, parsed + " MD5 none"},
		{"unknown parameters", "Digest a=b, " + minimal + `, auth-param="x, y=\"z\"", averyveryverylongname=1`, parsed + " MD5 none"},
		{"unknown algorithm", "Digest " + minimal + ", algorithm=MD5-sess", parsed + " unknown none"},
		{"unknown qop", "Digest " + minimal + `, qop=token, cnonce="c", nc=00000001`, parsed + " cnonce<c> MD5 unknown+"},
		{"count without qop", "Digest " + minimal + `, cnonce="c", nc=00000001`, parsed + " cnonce<c> MD5 none"},
		{"quoted pairs", strings.Replace("Digest "+minimal, `"001"`, `"a\"b\\c\d, e=f"`, 1),
			`user<a"b\cd, e=f> realm<r> nonce<n> uri<sip:h> response<ab> MD5 none`},
		{"username*", strings.Replace("Digest "+minimal, `username="001"`, `username*=utf-8'de'J%C3%BCrg%27s`, 1),
			strings.Replace(parsed, "001", "Jürg's", 1) + " MD5 none"},
		{"empty values", `Digest username="", realm="", nonce="", uri="", response=""`,
			"user<> realm<> nonce<> uri<> response<> MD5 none"},
	} {
		c, err := ParseCredentials([]byte(test.in))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if got := show(&c); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestParseCredentialsRefuses(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"", "not digest credentials"},
		{"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "not digest credentials"},
		{"NoOneKnowsThisScheme opaque-data=here", "not digest credentials"},
		{"Bearer opaque-data", "not digest credentials"},
		{"Digestive " + minimal, "not digest credentials"},
		{"Digest", "digest credentials, byte 6: no username"},
		{"Digest " + strings.Replace(minimal, "realm", "really", 1), "digest credentials, byte 72: no realm"},
		{`Digest username="001`, "digest credentials, byte 16: the quote is never closed"},
		{`Digest username="001\`, "digest credentials, byte 16: the quote is never closed"},
		{`Digest username="001\"`, "digest credentials, byte 16: the quote is never closed"},
		{"Digest username", "digest credentials, byte 15: expected name=value"},
		{"Digest =x", "digest credentials, byte 7: expected name=value"},
		{"Digest user name=x", "digest credentials, byte 12: expected name=value"},
		{"Digest username=,realm=r", "digest credentials, byte 16: expected a value"},
		{`Digest username="001" realm="r"`, "digest credentials, byte 22: expected a comma"},
		{`Digest username="001"x`, "digest credentials, byte 21: expected a comma"},
		{`Digest username=0"1`, "digest credentials, byte 17: expected a comma"},
		{"Digest username=0\x7f1", "digest credentials, byte 17: expected a comma"},
		{"Digest " + minimal + ", username*=UTF-8''001", "digest credentials, byte 93: username and username*"},
		{strings.Replace("Digest "+minimal, `username="001"`, "username*=latin1''001", 1), "digest credentials, byte 78: username* is not UTF-8''name"},
		{strings.Replace("Digest "+minimal, `username="001"`, "username*=UTF-8'001", 1), "digest credentials, byte 76: username* is not UTF-8''name"},
		{strings.Replace("Digest "+minimal, `username="001"`, "username*=UTF-8''%4", 1), "digest credentials, byte 76: username* is not UTF-8''name"},
		{"Digest " + minimal + ", nonce=m", "digest credentials, byte 73: nonce is there twice"},
		{"Digest " + minimal + ", qop=auth, nc=00000001", "digest credentials, byte 94: qop without cnonce and nc"},
		{"Digest " + minimal + `, qop=auth, cnonce=""`, "digest credentials, byte 92: qop without cnonce and nc"},
		{"Digest " + minimal + ", qop=auth, cnonce=c, nc=0000000g", "digest credentials, byte 104: nc is not a number of up to 8 hexadecimal digits"},
		{"Digest " + minimal + ", qop=auth, cnonce=c, nc=000000001", "digest credentials, byte 105: nc is not a number of up to 8 hexadecimal digits"},
		{"Digest " + minimal + `, qop=auth, cnonce=c, nc=""`, "digest credentials, byte 98: nc is not a number of up to 8 hexadecimal digits"},
		{"Digest " + strings.Repeat("a=b,", 33), "digest credentials, byte 135: more than 32 parameters"},
	} {
		_, err := ParseCredentials([]byte(test.in))
		if err == nil || err.Error() != test.want {
			t.Errorf("%s:\n got %v\nwant %s", test.in, err, test.want)
			continue
		}
		sentinel := ErrMalformed
		if test.want == ErrNotDigest.Error() {
			sentinel = ErrNotDigest
		}
		if !errors.Is(err, sentinel) {
			t.Errorf("%s: the error does not unwrap to %v", test.in, sentinel)
		}
	}
}

func TestParseAlgorithms(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"md5", "[MD5]"},
		{"sha256,md5", "[SHA-256 MD5]"},
		{"MD5,SHA-256", "[MD5 SHA-256]"},
		{"sha1", `no digest algorithm is called "sha1"; expected md5 or sha256`},
		{"md5,MD5", `digest algorithm "MD5" is given twice`},
		{"", `no digest algorithm is called ""; expected md5 or sha256`},
	} {
		algorithms, err := ParseAlgorithms(strings.Split(test.in, ","))
		got := names(algorithms)
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%q: got %s, want %s", test.in, got, test.want)
		}
	}
	if _, err := ParseAlgorithms(nil); err == nil || err.Error() != "no digest algorithm is given; expected md5, sha256 or both" {
		t.Errorf("none: %v", err)
	}
}

func names(algorithms []Algorithm) string {
	var s []string
	for _, a := range algorithms {
		s = append(s, a.String())
	}
	return "[" + strings.Join(s, " ") + "]"
}
