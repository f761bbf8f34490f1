package digest

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

var (
	// ErrNotDigest is returned for credentials of another scheme than Digest.
	ErrNotDigest = errors.New("not digest credentials")
	// ErrMalformed is what every other error of ParseCredentials unwraps to.
	ErrMalformed = errors.New("malformed digest credentials")
)

// QOP is the quality of protection that credentials name (RFC 7616 3.4).
type QOP uint8

const (
	NoQOP      QOP = iota // none named: RFC 2069
	Auth                  // auth
	AuthInt               // auth-int
	UnknownQOP            // anything else; never verified
)

// Credentials are the value of one Authorization or Proxy-Authorization field.
// The slices are parts of the parsed value, without their quotes; those that held
// quoted pairs, or came as username*, are unescaped copies.
type Credentials struct {
	Username, Realm, Nonce, URI, Response, CNonce, Opaque []byte

	Algorithm Algorithm // MD5 where none is named
	QOP       QOP
	NC        uint32 // 0 without qop

	algorithm, qop, nc []byte // as written: qop and nc are hashed so
	extended           []byte // username*
}

// malformed says where a value broke off being credentials.
type malformed struct {
	offset  int
	problem string
}

func (e *malformed) Error() string {
	return fmt.Sprintf("digest credentials, byte %d: %s", e.offset, e.problem)
}

func (e *malformed) Unwrap() error { return ErrMalformed }

// ParseCredentials reads the value of an Authorization or Proxy-Authorization
// field (RFC 7616 3.4, RFC 3261 25.1). The error unwraps to ErrNotDigest or
// ErrMalformed. An algorithm or qop nobody knows is no error, since the
// credentials may be for someone else; Verify denies them.
func ParseCredentials(value []byte) (Credentials, error) {
	var c Credentials
	s := scanner{data: value}
	for s.next() {
		dst := c.field(s.name)
		if dst == nil {
			continue // RFC 7616 3.4: an unknown parameter MUST be ignored
		}
		if *dst != nil {
			return c, &malformed{s.offset, string(s.name) + " is there twice"}
		}
		*dst = s.value
	}
	if s.err != nil {
		return c, s.err
	}
	return c, c.complete(len(value))
}

// field returns where the parameter of that name goes, nil if it is of no concern.
func (c *Credentials) field(name []byte) *[]byte {
	var lower [9]byte // the longest name of concern: algorithm
	if len(name) > len(lower) {
		return nil
	}
	for i, b := range name {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		lower[i] = b
	}
	switch string(lower[:len(name)]) {
	case "username":
		return &c.Username
	case "username*":
		return &c.extended
	case "realm":
		return &c.Realm
	case "nonce":
		return &c.Nonce
	case "uri":
		return &c.URI
	case "response":
		return &c.Response
	case "cnonce":
		return &c.CNonce
	case "opaque":
		return &c.Opaque
	case "algorithm":
		return &c.algorithm
	case "qop":
		return &c.qop
	case "nc":
		return &c.nc
	}
	return nil
}

// complete checks that what must be there is, and reads algorithm, qop and nc.
func (c *Credentials) complete(end int) error {
	if c.extended != nil {
		if c.Username != nil {
			return &malformed{end, "username and username*"} // RFC 7616 3.4: never both
		}
		name, ok := extendedValue(c.extended)
		if !ok {
			return &malformed{end, "username* is not UTF-8''name"}
		}
		c.Username = name
	}
	for _, f := range [...]struct {
		name  string
		value []byte
	}{
		{"username", c.Username}, {"realm", c.Realm}, {"nonce", c.Nonce}, {"uri", c.URI}, {"response", c.Response},
	} {
		if f.value == nil {
			return &malformed{end, "no " + f.name}
		}
	}
	c.Algorithm = algorithmOf(c.algorithm)
	switch {
	case c.qop == nil:
		// RFC 2617 3.2.2: cnonce and nc MUST NOT be sent without qop. Some phones
		// send them; the digest is that of RFC 2069 all the same.
		return nil
	case bytes.EqualFold(c.qop, []byte("auth")):
		c.QOP = Auth
	case bytes.EqualFold(c.qop, []byte("auth-int")):
		c.QOP = AuthInt
	default:
		c.QOP = UnknownQOP
	}
	if c.CNonce == nil || c.nc == nil {
		return &malformed{end, "qop without cnonce and nc"}
	}
	nc, err := strconv.ParseUint(string(c.nc), 16, 32)
	if err != nil || len(c.nc) > 8 {
		return &malformed{end, "nc is not a number of up to 8 hexadecimal digits"}
	}
	c.NC = uint32(nc)
	return nil
}

// extendedValue reads UTF-8'language'name with %-escapes (RFC 8187 3.2, once RFC 5987): a client
// may send a name so that has other bytes than those of ASCII (RFC 7616 3.4).
func extendedValue(b []byte) ([]byte, bool) {
	charset, rest, _ := bytes.Cut(b, []byte("'"))
	_, value, ok := bytes.Cut(rest, []byte("'"))
	if !ok || !bytes.EqualFold(charset, []byte("UTF-8")) {
		return nil, false
	}
	name := make([]byte, 0, len(value))
	for len(value) > 0 {
		c, left := nextUnescaped(value)
		if value[0] == '%' && len(value)-len(left) != 3 {
			return nil, false
		}
		name, value = append(name, c), left
	}
	return name, true
}
