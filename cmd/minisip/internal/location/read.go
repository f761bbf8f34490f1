package location

import (
	"bytes"
	"strings"
	"time"

	"minisip/sipmsg"
)

// ReadRegister fills u with what the REGISTER m says: Call-ID, CSeq, User-Agent, Path, and the
// Contacts with their parameters. The other fields are the caller's. The strings are copies.
// Anything wrong is an *Error with status 400.
func ReadRegister(m *sipmsg.Message, u *Update) error {
	u.CallID, u.CSeq = string(m.CallID()), m.CSeq()
	u.UserAgent = text(m.Get(sipmsg.UserAgentHdr))
	u.Star, u.Path, u.Contacts = false, u.Path[:0], u.Contacts[:0]

	for it := m.Values(sipmsg.PathHdr); it.Next(); {
		v := it.Value().Bytes
		if !readable(v) {
			return errPath // it would stand as a Route in every request to the phone
		}
		u.Path = append(u.Path, text(v))
	}
	header := time.Duration(-1)
	if m.Index(sipmsg.ExpiresHdr) >= 0 {
		header = seconds(m.Get(sipmsg.ExpiresHdr))
	}
	stars := 0
	for it := m.Values(sipmsg.ContactHdr); it.Next(); {
		v := it.Value().Bytes
		if string(v) == "*" {
			stars++
			continue
		}
		c, err := readContact(v, header)
		if err != nil {
			return err
		}
		u.Contacts = append(u.Contacts, c)
	}
	// RFC 3261 10.3 step 6: "If the request has additional Contact fields or an
	// expiration time other than zero, the request is invalid, and the server
	// MUST return a 400 (Invalid Request)"
	if stars > 0 && (stars > 1 || len(u.Contacts) > 0 || header != 0) {
		return errStar
	}
	u.Star = stars > 0
	return nil
}

// readable says whether v is a URI, in brackets or not.
func readable(v []byte) bool {
	addr, err := sipmsg.ParseNameAddr(v)
	if err == nil {
		_, err = sipmsg.ParseURI(addr.URI)
	}
	return err == nil
}

// readContact reads one Contact value; header is the interval of the Expires header field, or negative.
func readContact(v []byte, header time.Duration) (Contact, error) {
	addr, err := sipmsg.ParseNameAddr(v)
	if err != nil {
		return Contact{}, errContact
	}
	c := Contact{URI: string(addr.URI), Params: text(addr.Params), Expires: header}
	if e, ok := addr.Param("expires"); ok {
		c.Expires = seconds(e)
		c.Params = withoutParam(c.Params, "expires")
	}
	// RFC 5627: these are the registrar's to write; a phone that sends them back is not believed.
	for _, name := range [...]string{"pub-gruu", "temp-gruu"} {
		if _, ok := addr.Param(name); ok {
			c.Params = withoutParam(c.Params, name)
		}
	}
	q, _ := addr.Param("q")
	instance, _ := addr.Param("+sip.instance")
	id, _ := addr.Param("reg-id")
	n, _ := number(id, 1<<31-1)
	c.Q, c.Instance, c.RegID = qvalue(q), string(instance), uint32(n)
	return c, nil
}

// seconds reads an expiry interval. RFC 3261 20.10 and 10.2.1.1: "Malformed values
// SHOULD be treated as equivalent to 3600".
func seconds(b []byte) time.Duration {
	n, ok := number(b, 1<<32-1)
	if !ok {
		n = 3600
	}
	return time.Duration(n) * time.Second
}

// number reads decimal digits and nothing else; what is over limit counts as limit.
func number(b []byte, limit uint64) (n uint64, ok bool) {
	for _, d := range b {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = min(n*10+uint64(d-'0'), limit)
	}
	return n, len(b) > 0
}

// qvalue reads a q-value as thousandths. Like an absent one, one that is no number counts
// as 1: refusing the phone would help nobody.
func qvalue(b []byte) int {
	whole, fraction, _ := bytes.Cut(b, []byte{'.'})
	w, ok := number(whole, 1)
	if !ok && len(whole) > 0 || len(b) == 0 {
		return 1000
	}
	q, unit := int(w)*1000, 100
	for _, d := range fraction {
		if d < '0' || d > '9' {
			return 1000
		}
		q += int(d-'0') * unit
		unit /= 10
	}
	return min(q, 1000)
}

// text copies b; the line ends of a folded header field become blanks.
func text(b []byte) string {
	s := string(b)
	if strings.ContainsAny(s, "\r\n") {
		s = strings.NewReplacer("\r", " ", "\n", " ").Replace(s)
	}
	return s
}

// withoutParam takes every parameter called name out of ";"-separated parameters.
func withoutParam(params, name string) string {
	var kept strings.Builder
	for len(params) > 0 {
		p := params[:paramEnd(params)]
		params = strings.TrimPrefix(params[len(p):], ";")
		key, _, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			continue
		}
		if kept.Len() > 0 {
			kept.WriteByte(';')
		}
		kept.WriteString(p)
	}
	return strings.TrimSpace(kept.String())
}

// paramEnd returns the length of the first parameter; semicolons in quotes do not end it.
func paramEnd(params string) int {
	quoted := false
	for i := 0; i < len(params); i++ {
		switch c := params[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ';' && !quoted:
			return i
		}
	}
	return len(params)
}
