package digest

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

const (
	md5001 = "e4a7cb3ee4f2f8d5b0a0ffe1c0f0a3b1"
	sha001 = "2b1f0f3d7c3c1b0e9a8d7c6b5a49382716051423324150617283940a1b2c3d4e"
)

func TestParseUsers(t *testing.T) {
	us, err := ParseUsers("users.conf", []byte("# phones\r\n\r\n001:r:"+md5001+"\r\n  # more\n \t\n"+
		"Anna Müller:r:"+strings.ToUpper(md5001)+":"+sha001+"\n"+`a"b\c/@#:r:`+md5001), "r")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"001", "Anna Müller", `a"b\c/@#`}
	if us.Len() != len(want) {
		t.Errorf("%d users, want %d", us.Len(), len(want))
	}
	for _, name := range want {
		if u := us.Lookup([]byte(name)); u == nil || u.Name != name || string(u.appendHA1(nil, MD5)) != md5001 {
			t.Errorf("Lookup(%q) = %+v", name, u)
		}
	}
	if u := us.Lookup([]byte("Anna Müller")); u.sha256 == nil || string(u.appendHA1(nil, SHA256)) != sha001 {
		t.Errorf("Anna Müller: %+v", u)
	}
	for _, name := range []string{"", "anna Müller", "001 ", "002"} {
		if u := us.Lookup([]byte(name)); u != nil {
			t.Errorf("Lookup(%q) = %+v", name, u)
		}
	}
	name := []byte("001")
	if n := testing.AllocsPerRun(100, func() { us.Lookup(name) }); n != 0 {
		t.Errorf("Lookup: %v allocations", n)
	}
}

func TestParseUsersRefuses(t *testing.T) {
	const expected = "expected user:realm:MD5-hash or user:realm:MD5-hash:SHA-256-hash, found "
	for _, test := range []struct{ in, want string }{
		{"001", "users.conf:1: " + expected + "1 field"},
		{"# x\n\n001:secret\n", "users.conf:3: " + expected + "2 fields"},
		{"001:r:" + md5001 + ":" + sha001 + ":x", "users.conf:1: " + expected + "5 fields"},
		{":r:" + md5001, "users.conf:1: the user name is empty"},
		{"001::" + md5001, "users.conf:1: the realm is empty"},
		{"001 :r:" + md5001, `users.conf:1: user name "001 " begins or ends with a space; leave that out`},
		{"0\x011:r:" + md5001, `users.conf:1: user name "0\x011" has a character '\x01' in it; any printable one but ':' may be used`},
		{"0\x7f1:r:" + md5001, `users.conf:1: user name "0\x7f1" has a character '\x7f' in it; any printable one but ':' may be used`},
		{"001:r\t:" + md5001, `users.conf:1: realm "r\t" has a character '\t' in it; any printable one but ':' may be used`},
		{"001:r:secret", "users.conf:1: expected 32 hexadecimal digits of the MD5 hash, found 6 characters; make the line with: minisip user add"},
		{"001:r:", "users.conf:1: expected 32 hexadecimal digits of the MD5 hash, found 0 characters; make the line with: minisip user add"},
		{"001:r:" + md5001[1:] + "g", "users.conf:1: expected 32 hexadecimal digits of the MD5 hash, found another character in it"},
		{"001:r:" + md5001 + ":", "users.conf:1: expected 64 hexadecimal digits of the SHA-256 hash, found 0 characters; make the line with: minisip user add"},
		{"001:r:" + md5001 + ":" + sha001[1:] + "z", "users.conf:1: expected 64 hexadecimal digits of the SHA-256 hash, found another character in it"},
		{"002:r:" + md5001 + "\n001:r:" + md5001 + "\n001:r:" + md5001, `users.conf:3: user "001" is on line 2 already; remove one of the two lines`},
		{"it's:asterisk:" + md5001, `users.conf:1: user "it's" is of realm "asterisk", but the realm served is "r"; start with -realm asterisk, ` +
			`or set the password anew: minisip user passwd -users users.conf -realm r 'it'\''s'`},
	} {
		us, err := ParseUsers("users.conf", []byte(test.in), "r")
		if us != nil || err == nil || err.Error() != test.want {
			t.Errorf("%q:\n got %v\nwant %s", test.in, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error shows what may be a password", test.in)
		}
	}
	if _, err := LoadUsers(filepath.Join(t.TempDir(), "none"), "r"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestAddJSON(t *testing.T) {
	us, err := ParseUsers("users.conf", []byte("001:r:"+md5001+"\n002:r:"+md5001+"\n"), "r")
	if err != nil {
		t.Fatal(err)
	}
	if us.HasAll(SHA256) || !us.HasAll(MD5) {
		t.Errorf("of MD5 lines: HasAll(SHA256) %v, HasAll(MD5) %v", us.HasAll(SHA256), us.HasAll(MD5))
	}
	if err := us.AddJSON([]byte(`{"001": "secret", "003": "x"}`)); err != nil {
		t.Fatal(err)
	}
	if got := string(us.Lookup([]byte("001")).appendHA1(nil, MD5)); got != HA1(MD5, "001", "r", "secret") {
		t.Errorf("001 keeps the password of the file: %s", got)
	}
	if err := us.AddJSON([]byte(`{"001": "again"}`)); err != nil || us.Len() != 3 || us.HasAll(SHA256) { // 002 has none
		t.Errorf("length %d, HasAll(SHA256) %v", us.Len(), us.HasAll(SHA256))
	}
	if err := us.AddJSON([]byte(`{"002": "x"}`)); err != nil || !us.HasAll(SHA256) || us.HasAll(UnknownAlgorithm) {
		t.Errorf("every user has SHA-256 now: %v, HasAll %v", err, us.HasAll(SHA256))
	}

	const shape = `expected a JSON object of names and passwords, such as {"001":"secret"}`
	for _, test := range []struct{ in, want string }{
		{"", shape},
		{"null", shape},
		{`["001"]`, shape},
		{`{"001": 1234}`, shape},
		{`{"001": "hush"`, shape},
		{`{"": "hush"}`, "the user name is empty"},
		{`{"a:b": "hush"}`, `user name "a:b" has a character ':' in it; any printable one but ':' may be used`},
		{`{"#1": "hush"}`, `user name "#1" begins with '#', which makes a line a comment; choose another`},
		{`{"004": ""}`, `user "004" has an empty password; give one`},
	} {
		if err := us.AddJSON([]byte(test.in)); err == nil || err.Error() != test.want {
			t.Errorf("%s:\n got %v\nwant %s", test.in, err, test.want)
		}
	}
}

func TestHA1(t *testing.T) {
	// The accounts of RFC 2617 3.5 and RFC 7616 3.9.1.
	if got := HA1(MD5, "Mufasa", "testrealm@host.com", "Circle Of Life"); got != "939e7578ed9e3c518a452acee763bce9" {
		t.Errorf("MD5: %s", got)
	}
	if got := HA1(SHA256, "Mufasa", "http-auth@example.org", "Circle of Life"); got != "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232" {
		t.Errorf("SHA-256: %s", got)
	}
}

func TestRandomPassword(t *testing.T) {
	seen := make(map[string]bool)
	letters := make(map[rune]bool)
	for range 1000 {
		p := RandomPassword()
		if len(p) != 14 || seen[p] || strings.ContainsAny(p, "01lioOI") {
			t.Fatalf("password %q, seen before %v", p, seen[p])
		}
		seen[p] = true
		for _, r := range p {
			letters[r] = true
		}
	}
	if len(letters) != 31 {
		t.Errorf("%d different characters are used", len(letters))
	}
}
