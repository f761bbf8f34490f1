package session

import (
	"bytes"
	"net/netip"
	"strconv"

	"minisip/sipmsg"
)

// cookie starts every branch made by RFC 3261 (8.1.1.7).
var cookie = []byte("z9hG4bK")

// AppendKey appends the key under which the server transaction of request m is found,
// RFC 3261 17.2.3: the branch of the top Via, its sent-by and the method, where ACK counts
// as INVITE. A branch without the cookie, or with nothing behind it, is RFC 2543's: then
// Request-URI, From tag, Call-ID, CSeq number and the whole top Via count instead. The To
// tag does not: the ACK has that of the response, the INVITE has none.
//
// method is the one looked for: a CANCEL finds its INVITE by giving that. source is
// where m came from; its IP belongs to the key, so that phones with the same private
// address and the same branch behind two NATs stay apart.
func AppendKey(dst []byte, m *sipmsg.Message, method []byte, source netip.Addr) []byte {
	if bytes.Equal(method, ackName) {
		method = inviteName
	}
	ip := source.As16()
	dst = append(dst, ip[:]...)
	dst = append(append(dst, method...), ' ')
	v := m.Via()
	if len(v.Branch) > len(cookie) && bytes.EqualFold(v.Branch[:len(cookie)], cookie) {
		dst = append(append(dst, v.Branch...), ' ')
		dst = append(append(dst, v.Host...), ':')
		return strconv.AppendUint(dst, uint64(v.Port), 10)
	}
	dst = append(append(dst, m.RequestURI()...), ' ')
	dst = append(append(dst, m.FromTag()...), ' ')
	dst = append(append(dst, m.CallID()...), ' ')
	dst = append(strconv.AppendUint(dst, uint64(m.CSeq()), 10), ' ')
	return append(dst, m.ViaValue().Bytes...)
}

var (
	ackName    = []byte("ACK")
	inviteName = []byte("INVITE")
)
