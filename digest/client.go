package digest

import (
	"bytes"
	"fmt"
	"strings"
)

// Challenge is the value of one WWW-Authenticate or Proxy-Authenticate field, as the one who
// has to answer it reads it (RFC 7616 3.3).
type Challenge struct {
	Realm, Nonce, Opaque string
	Algorithm            Algorithm // MD5 where none is named
	Auth                 bool      // qop=auth is offered; else the answer is that of RFC 2069
	Stale                bool      // the answer before was right, its nonce too old
}

// ParseChallenge reads a challenge. The error unwraps to ErrNotDigest or ErrMalformed.
func ParseChallenge(value []byte) (Challenge, error) {
	var c Challenge
	s := scanner{data: value}
	for s.next() {
		c.set(strings.ToLower(string(s.name)), s.value)
	}
	if s.err != nil {
		return c, s.err
	}
	if c.Nonce == "" {
		return c, &malformed{len(value), "no nonce"}
	}
	return c, nil
}

func (c *Challenge) set(name string, value []byte) {
	switch name {
	case "realm":
		c.Realm = string(value)
	case "nonce":
		c.Nonce = string(value)
	case "opaque":
		c.Opaque = string(value)
	case "algorithm":
		c.Algorithm = algorithmOf(value)
	case "stale":
		c.Stale = bytes.EqualFold(value, []byte("true"))
	case "qop":
		for q := range bytes.SplitSeq(value, []byte(",")) {
			c.Auth = c.Auth || bytes.EqualFold(bytes.TrimSpace(q), []byte("auth"))
		}
	}
}

// Answer gives the value of the Authorization or Proxy-Authorization field that answers c
// (RFC 7616 3.4). cnonce and nc, which counts the answers to one nonce from 1, matter with qop alone.
func (c *Challenge) Answer(user, password, method, uri, cnonce string, nc uint32) string {
	hash := func(parts ...string) string {
		return string(c.Algorithm.appendSum(nil, []byte(strings.Join(parts, ":"))))
	}
	ha1, ha2, count := HA1(c.Algorithm, user, c.Realm, password), hash(method, uri), fmt.Sprintf("%08x", nc)
	response := hash(ha1, c.Nonce, ha2)
	if c.Auth {
		response = hash(ha1, c.Nonce, count, cnonce, "auth", ha2)
	}
	b := appendQuoted([]byte("Digest username="), user)
	b = appendQuoted(append(b, ", realm="...), c.Realm)
	b = appendQuoted(append(b, ", nonce="...), c.Nonce)
	b = appendQuoted(append(b, ", uri="...), uri)
	b = appendQuoted(append(b, ", response="...), response)
	b = append(append(b, ", algorithm="...), c.Algorithm.String()...)
	if c.Opaque != "" {
		b = appendQuoted(append(b, ", opaque="...), c.Opaque)
	}
	if c.Auth {
		b = appendQuoted(append(b, ", cnonce="...), cnonce)
		b = append(append(b, ", qop=auth, nc="...), count...)
	}
	return string(b)
}
