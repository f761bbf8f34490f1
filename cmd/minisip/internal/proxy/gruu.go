package proxy

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"minisip/cmd/minisip/internal/location"
	"minisip/session"
	"minisip/sipmsg"
)

// gruuOf is the URI that the public GRUUs in a 200 to REGISTER are made of, the address of
// record; "" where the phone does not know GRUUs: RFC 5627 5.2.
func (c *Core) gruuOf(in *inbound) string {
	if !in.supports("gruu") {
		return ""
	}
	uri, err := sipmsg.ParseURI(in.To().URI)
	if err != nil || !uri.IsSIP() {
		return "" // RFC 5627 3.1.1: made of a SIP URI
	}
	return addressOfRecord(&uri)
}

// addressOfRecord is a URI in the form of RFC 3261 10.3 step 5: without parameters.
func addressOfRecord(uri *sipmsg.URI) string {
	if !uri.IsSIP() {
		return string(uri.Scheme) + ":" + string(uri.User)
	}
	host := string(uri.Host)
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if uri.Port != 0 {
		host += ":" + strconv.Itoa(int(uri.Port))
	}
	return "sip:" + string(bareUser(uri)) + "@" + host
}

// isGRUU says whether a URI is a GRUU of a user here.
func (c *Core) isGRUU(in *inbound, text string) bool {
	uri, err := sipmsg.ParseURI([]byte(text))
	if err != nil {
		return false
	}
	_, gruu := uri.Param("gr")
	return gruu && c.serves(in, &uri) && c.users.Lookup(userOf(&uri)) != nil
}

// instance is the binding that a GRUU of ours leads to: of several flows the one from an address, else the
// best; nil where uri is none, or that phone is not there.
func (c *Core) instance(now time.Time, uri *sipmsg.URI, from netip.AddrPort) *location.Binding {
	gr, gruu := uri.Param("gr")
	if !gruu {
		return nil
	}
	flows := c.where.Instance(now, string(userOf(uri)), gr)
	for _, b := range flows {
		if b.Source() == from {
			return b
		}
	}
	if len(flows) == 0 {
		return nil
	}
	return flows[0]
}

// remoteURI is the Request-URI that a side of a dialog gets: its Contact, and where that is
// a GRUU of its own, what the GRUU stands for (RFC 5627 6.1), on the flow that it will take.
func (c *Core) remoteURI(now time.Time, p *session.Party) string {
	if strings.Contains(p.Contact, ";gr=") {
		uri, err := sipmsg.ParseURI([]byte(p.Contact))
		if err == nil {
			if b := c.instance(now, &uri, p.Addr); b != nil && b.AOR() == p.User {
				return targetURI(b.Contact())
			}
		}
	}
	return targetURI(p.Contact)
}
