package digest

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/netip"
	"slices"
	"time"
)

// Verdict is what Verify finds, the better the greater.
type Verdict uint8

const (
	Denied     Verdict = iota // the digest is wrong, or the user unknown: challenge again
	NotOffered                // the digest is right, but of an algorithm that its challenge did not name: challenge again
	OtherURI                  // the digest is right, but made for another Request-URI: challenge again
	Stale                     // the digest is right, the nonce is not: challenge again with stale=true
	OK                        // let the request pass
)

// String says it in words for a log.
func (v Verdict) String() string {
	switch v {
	case OK:
		return "accepted"
	case Stale:
		return "nonce out of date"
	case NotOffered:
		return "digest of an algorithm that is not offered"
	case OtherURI:
		return "digest made for another Request-URI"
	}
	return "wrong user or password"
}

// Config is what a Server is made from. The zero value of a field but Realm
// takes the default that stands beside it.
type Config struct {
	Realm      string
	Key        []byte        // signs nonces; random
	Algorithms []Algorithm   // to challenge with, most wanted first; MD5
	NonceLife  time.Duration // how long a nonce serves; one hour
	MaxNonces  int           // used nonces remembered, in each of two tables, about 50 bytes a nonce; 131072

	// Start is when the server begins. Where it has a reading of the monotonic clock, ages of nonces are by
	// that; else, zero included, by the clock on the wall.
	Start time.Time
}

// Server challenges requests and verifies the answers. One goroutine uses it.
type Server struct {
	realm      string
	algorithms []Algorithm
	offered    int64       // since when: milliseconds since 1970
	challenges [][2]string // for each algorithm: what stands before and after the nonce
	nonces     *nonces
	nobody     User   // whose hashes stand in for a user who does not exist
	buf        []byte // what is being hashed
}

func NewServer(cfg Config) *Server {
	if cfg.NonceLife <= 0 {
		cfg.NonceLife = time.Hour
	}
	if cfg.MaxNonces <= 0 {
		cfg.MaxNonces = 1 << 17
	}
	if len(cfg.Algorithms) == 0 {
		cfg.Algorithms = []Algorithm{MD5}
	}
	s := &Server{realm: cfg.Realm, nonces: newNonces(cfg)}
	s.nobody.sha256 = new([sha256.Size]byte)
	s.SetAlgorithms(cfg.Algorithms)
	return s
}

// SetAlgorithms sets what challenges offer from now on, most wanted first. Offer
// SHA256 only while every user has that hash (Users.HasAll): a phone answers the
// first challenge it understands.
func (s *Server) SetAlgorithms(algorithms []Algorithm) {
	s.algorithms, s.offered = slices.Clone(algorithms), s.nonces.last
	s.challenges = s.challenges[:0]
	realm := appendQuoted(nil, s.realm)
	for _, a := range algorithms {
		s.challenges = append(s.challenges, [2]string{
			`: Digest realm=` + string(realm) + `, nonce="`,
			`", qop="auth", algorithm=` + a.String(),
		})
	}
}

// AppendChallenges appends one header field named name, WWW-Authenticate or
// Proxy-Authenticate, for each algorithm, in order of preference (RFC 8760 2.3),
// each with its CRLF. origin is where the request came from; answers are taken
// from there only. stale is what Verify found.
func (s *Server) AppendChallenges(dst []byte, name string, now time.Time, origin netip.Addr, stale bool) []byte {
	var b [nonceText]byte
	nonce := s.nonces.append(b[:0], now, origin)
	for _, c := range s.challenges {
		dst = append(dst, name...)
		dst = append(dst, c[0]...)
		dst = append(dst, nonce...)
		dst = append(dst, c[1]...)
		if stale {
			dst = append(dst, ", stale=true"...)
		}
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// Verify judges the credentials of a request that came from origin. u is the user
// they name, nil if there is none; then as much is computed, and the verdict is
// Denied. body counts for qop=auth-int only. On OK the count of the nonce is
// spent: the same credentials do not pass again.
func (s *Server) Verify(now time.Time, origin netip.Addr, method, requestURI, body []byte, c *Credentials, u *User) Verdict {
	if c.Algorithm == UnknownAlgorithm || c.QOP == UnknownQOP {
		return Denied
	}
	right := s.matches(method, body, c, u)
	switch {
	case !right || string(c.Realm) != s.realm:
		return Denied
	case !sameResource(c.URI, requestURI):
		return OtherURI
	case !s.nonces.spend(now, origin, c.Nonce, c.NC):
		return Stale
	case slices.Contains(s.algorithms, c.Algorithm):
	case madeAt(c.Nonce) <= s.offered: // it was offered then: let it answer what is now
		return Stale
	default:
		return NotOffered // again and again, were it asked with stale=true
	}
	return OK
}

// matches reports whether the response is the one that u's password gives. RFC
// 7616 3.4.1, with hashes H() in lower-case hexadecimal:
//
//	H(H(A1):nonce:nc:cnonce:qop:H(A2))   with qop
//	H(H(A1):nonce:H(A2))                 without
func (s *Server) matches(method, body []byte, c *Credentials, u *User) bool {
	known := u != nil && (c.Algorithm == MD5 || u.sha256 != nil)
	if !known {
		u = &s.nobody
	}
	var hash [2 * sha256.Size]byte
	ha2 := s.appendHA2(hash[:0], method, body, c)

	b := u.appendHA1(s.buf[:0], c.Algorithm)
	b = append(b, ':')
	b = append(b, c.Nonce...)
	b = append(b, ':')
	if c.QOP != NoQOP {
		b = append(b, c.nc...)
		b = append(b, ':')
		b = append(b, c.CNonce...)
		b = append(b, ':')
		b = append(b, c.qop...)
		b = append(b, ':')
	}
	b = append(b, ha2...)
	s.buf = b

	var want, got [sha256.Size]byte
	n := c.Algorithm.sum(&want, b)
	if len(c.Response) != 2*n {
		return false
	}
	if _, err := hex.Decode(got[:], c.Response); err != nil {
		return false
	}
	return subtle.ConstantTimeCompare(want[:n], got[:n]) == 1 && known
}

// appendHA2 appends H(A2), RFC 7616 3.4.3: method:uri, and :H(body) for auth-int.
func (s *Server) appendHA2(dst, method, body []byte, c *Credentials) []byte {
	b := append(s.buf[:0], method...)
	b = append(b, ':')
	b = append(b, c.URI...)
	if c.QOP == AuthInt {
		b = append(b, ':')
		b = c.Algorithm.appendSum(b, body)
	}
	s.buf = b
	return c.Algorithm.appendSum(dst, b)
}
