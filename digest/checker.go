package digest

import (
	"crypto/hmac"
	"crypto/sha256"
	"net/netip"
	"time"
)

// Checker says of nonces whether a Server gave them out, and nothing of what they were used for. So
// it costs little, and a goroutine that has a Checker of its own need not ask the Server's.
type Checker struct{ nonces }

// Checker makes one.
func (s *Server) Checker() *Checker {
	return &Checker{nonces{mac: hmac.New(sha256.New, s.nonces.key), base: s.nonces.base, life: s.nonces.life}}
}

// Ours says whether a nonce was made here for that origin, and is not older than nonces serve.
func (c *Checker) Ours(now time.Time, origin netip.Addr, nonce []byte) bool {
	id, mac := decode(nonce)
	age := c.millis(now) - id.millis()
	return age < c.life && -age < c.life && hmac.Equal(mac[:], c.sign(id, origin))
}
