package digest

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Algorithm is a hash that digests are made with.
type Algorithm uint8

const (
	MD5    Algorithm = iota // RFC 2617; what every phone knows
	SHA256                  // SHA-256, RFC 8760
	UnknownAlgorithm
)

// String gives the name that stands in challenges.
func (a Algorithm) String() string {
	switch a {
	case MD5:
		return "MD5"
	case SHA256:
		return "SHA-256"
	}
	return "unknown"
}

// ParseAlgorithms reads names as an operator writes them, most wanted first: md5,
// sha256 or sha-256, in any case.
func ParseAlgorithms(names []string) ([]Algorithm, error) {
	var algorithms []Algorithm
	for _, name := range names {
		var a Algorithm
		switch strings.ToLower(name) {
		case "md5":
			a = MD5
		case "sha256", "sha-256":
			a = SHA256
		default:
			return nil, fmt.Errorf("no digest algorithm is called %q; expected md5 or sha256", name)
		}
		for _, have := range algorithms {
			if have == a {
				return nil, fmt.Errorf("digest algorithm %q is given twice", name)
			}
		}
		algorithms = append(algorithms, a)
	}
	if len(algorithms) == 0 {
		return nil, fmt.Errorf("no digest algorithm is given; expected md5, sha256 or both")
	}
	return algorithms, nil
}

// algorithmOf reads the algorithm parameter of credentials.
func algorithmOf(name []byte) Algorithm {
	switch {
	case name == nil, bytes.EqualFold(name, []byte("MD5")):
		return MD5 // RFC 7616 3.4: if there is none, MD5 is assumed
	case bytes.EqualFold(name, []byte("SHA-256")):
		return SHA256
	}
	return UnknownAlgorithm
}

// sum puts the hash of data into out and returns its length in bytes.
func (a Algorithm) sum(out *[sha256.Size]byte, data []byte) int {
	if a == SHA256 {
		*out = sha256.Sum256(data)
		return sha256.Size
	}
	sum := md5.Sum(data)
	return copy(out[:], sum[:])
}

// appendSum appends the hash of data in lower-case hexadecimal.
func (a Algorithm) appendSum(dst, data []byte) []byte {
	var out [sha256.Size]byte
	n := a.sum(&out, data)
	return hex.AppendEncode(dst, out[:n])
}

// HA1 is the hash of user, realm and password in lower-case hexadecimal: all that
// is kept of a password (RFC 7616 3.4.2, H(A1)).
func HA1(a Algorithm, user, realm, password string) string {
	return string(a.appendSum(nil, []byte(user+":"+realm+":"+password)))
}
