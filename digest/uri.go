package digest

import (
	"bytes"
	"encoding/hex"
)

// sameResource reports whether the URI in a digest and the Request-URI have the same
// scheme, user and host. The digest is made before, and checked after, what a phone or a
// gateway in front of it does to port and parameters, so those may differ. A digest for
// the server as a whole (no user; SIPp and some phones make such) serves any user there:
// its nonce and count still let it pass only once.
func sameResource(digest, request []byte) bool {
	aScheme, aUser, aHost := splitURI(digest)
	bScheme, bUser, bHost := splitURI(request)
	return bytes.EqualFold(aScheme, bScheme) && bytes.EqualFold(aHost, bHost) &&
		(len(aUser) == 0 || equalUser(aUser, bUser))
}

// splitURI cuts scheme:user@host:port;params?headers. What has no user and is no
// SIP URI (tel:+4930;phone-context=x) comes back as host, up to its parameters.
func splitURI(uri []byte) (scheme, user, host []byte) {
	scheme, rest, _ := bytes.Cut(uri, []byte(":"))
	if at := bytes.IndexByte(rest, '@'); at >= 0 {
		user, rest = rest[:at], rest[at+1:]
	}
	if i := bytes.IndexAny(rest, ";?"); i >= 0 {
		rest = rest[:i]
	}
	if i := bytes.LastIndexByte(rest, ':'); i > bytes.IndexByte(rest, ']') {
		rest = rest[:i]
	}
	return scheme, user, rest
}

// equalUser compares user parts; an escaped character equals itself unescaped
// (RFC 3261 19.1.4).
func equalUser(a, b []byte) bool {
	for len(a) > 0 && len(b) > 0 {
		var x, y byte
		x, a = nextUnescaped(a)
		y, b = nextUnescaped(b)
		if x != y {
			return false
		}
	}
	return len(a) == len(b)
}

func nextUnescaped(b []byte) (byte, []byte) {
	var v [1]byte
	if b[0] == '%' && len(b) > 2 {
		if _, err := hex.Decode(v[:], b[1:3]); err == nil {
			return v[0], b[3:]
		}
	}
	return b[0], b[1:]
}
