package proxy

import (
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"strings"

	"minisip/sipmsg"
)

// refuse makes the checks of RFC 3261 16.3 and sends the refusal, if any.
func (c *Core) refuse(in *inbound) bool {
	switch uri := in.URI(); {
	case strings.EqualFold(string(uri.Scheme), "sips"):
		// RFC 3261 26.2.2: sips promises TLS on each hop, and here is none.
		c.refuseWith(in, 416, "", "")
		return true
	case !uri.IsSIP() && !strings.EqualFold(string(uri.Scheme), "tel"):
		c.refuseWith(in, 416, "", "")
		return true
	}
	if n, ok := in.MaxForwards(); ok && n == 0 && !c.forUs(in) && in.Method() != sipmsg.REGISTER {
		c.refuseWith(in, 483, "", "")
		return true
	}
	if c.looped(in) {
		c.refuseWith(in, 482, "", "")
		return true
	}
	if tags := c.unsupported(in); tags != "" {
		c.refuseWith(in, 420, "", "Unsupported: "+tags+"\r\n")
		return true
	}
	return false
}

// looped finds our own Via with the hash that this request would get again: the same
// request a second time, not one that came back changed (RFC 5393 4.2).
func (c *Core) looped(in *inbound) bool {
	if len(in.Via().Branch) == 0 {
		return false
	}
	top := in.Via()
	hash, hashed := uint64(0), false
	for it := in.Values(sipmsg.ViaHdr); it.Next(); top = nil {
		v := top
		if v == nil {
			below, err := sipmsg.ParseVia(it.Value().Bytes)
			if err != nil {
				continue
			}
			v = &below
		}
		h, ok := branchLoop(v.Branch)
		if !ok {
			continue // most messages have never been here
		}
		if !hashed {
			hash, hashed = uint64(c.loopHash(in.Message)), true
		}
		if h == hash && c.ours(in.local, v.Host, v.Port) {
			return true
		}
	}
	return false
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// fieldEnd parts what is hashed, so that no two lists of fields run into one text.
var fieldEnd = []byte{0}

// loopHash covers what decides where a request goes, and which request it is. It need
// not withstand forgery: who forges one gets his own request refused.
func (c *Core) loopHash(m *sipmsg.Message) uint32 {
	h := c.loopSeed
	for _, b := range [...][]byte{m.RequestURI(), m.FromTag(), m.ToTag(), m.CallID(), m.Get(sipmsg.CSeqHdr)} {
		h = crc32.Update(h, castagnoli, b)
		h = crc32.Update(h, castagnoli, fieldEnd)
	}
	for it := m.Values(sipmsg.RouteHdr); it.Next(); {
		h = crc32.Update(h, castagnoli, it.Value().Bytes)
		h = crc32.Update(h, castagnoli, fieldEnd)
	}
	return h
}

// understood are the option tags that this proxy and registrar act on, asProxy those on which a proxy does.
var (
	understood = []string{"path", "outbound", "gruu"}
	asProxy    = append([]string{"timer"}, understood...)
)

// unsupported lists the option tags of Proxy-Require that we do not know, and, where
// the request ends here, those of Require: RFC 3261 16.3 step 5 and 8.2.2.3.
func (c *Core) unsupported(in *inbound) string {
	bad := unknownTags(in, sipmsg.ProxyRequireHdr, asProxy)
	if in.Method() == sipmsg.REGISTER || c.forUs(in) {
		bad = append(bad, unknownTags(in, sipmsg.RequireHdr, understood)...)
	}
	return strings.Join(bad, ", ")
}

func unknownTags(in *inbound, id sipmsg.ID, known []string) (bad []string) {
next:
	for it := in.Values(id); it.Next(); {
		tag := string(it.Value().Bytes)
		for _, u := range known {
			if strings.EqualFold(tag, u) {
				continue next
			}
		}
		if tag != "" {
			bad = append(bad, tag)
		}
	}
	return bad
}

// forUs says whether in is an OPTIONS to the proxy itself: RFC 3261 11, 16.3 step 3.
func (c *Core) forUs(in *inbound) bool {
	if in.Method() != sipmsg.OPTIONS || len(in.ToTag()) > 0 {
		return false
	}
	uri := in.meant()
	return uri.IsSIP() && len(uri.User) == 0
}

const allowed = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, PRACK, UPDATE, INFO, MESSAGE, SUBSCRIBE, NOTIFY, REFER, PUBLISH\r\n"

// options answers an OPTIONS to ourselves, without a challenge and without state. RFC 3261 11.2: Allow, Accept and
// Supported "SHOULD be present"; where they would amplify what came, whoever asks is told at least that we live.
func (c *Core) options(in *inbound) {
	b := append(c.startResponse(in, 200, ""), allowed+"Accept: application/sdp\r\nSupported: path, outbound, gruu\r\n"...)
	if c.buf = sipmsg.EndResponse(b); c.amplifies(in) {
		c.buf = sipmsg.EndResponse(c.startResponse(in, 200, ""))
	}
	c.sendBack(in)
}

// tagFor derives the To tag of our own responses from the request: 64 bits of a hash
// that nobody can compute without our secret.
func (c *Core) tagFor(in *inbound) []byte {
	b := append(c.head[:0], c.secret[:]...)
	b = append(append(b, in.CallID()...), 0)
	b = append(append(b, in.FromTag()...), 0)
	b = append(b, in.Via().Branch...)
	sum := sha256.Sum256(b)
	c.head = appendHex(b[:0], binary.BigEndian.Uint64(sum[:]), 16)
	return c.head
}
