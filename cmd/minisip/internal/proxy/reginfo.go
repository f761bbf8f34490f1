package proxy

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"

	"minisip/cmd/minisip/internal/location"
)

// reginfo writes the document of RFC 3680 5 for the watched address of record, with the public
// GRUUs of RFC 5628 4.
func (w *subscriber) reginfo(now time.Time) []byte {
	var b bytes.Buffer
	contacts := w.bindingsNow(now)
	state := "active"
	switch {
	case len(contacts) > 0:
	case len(w.gone) > 0:
		state = "terminated"
	default:
		state = "init"
	}
	b.WriteString("<?xml version=\"1.0\"?>\r\n" +
		"<reginfo xmlns=\"urn:ietf:params:xml:ns:reginfo\" xmlns:gr=\"urn:ietf:params:xml:ns:gruuinfo\"")
	fmt.Fprintf(&b, " version=\"%d\" state=\"full\">\r\n <registration", w.version)
	attribute(&b, "aor", w.aor)
	attribute(&b, "id", "r")
	attribute(&b, "state", state)
	b.WriteString(">\r\n")
	for _, k := range contacts {
		w.contactElement(&b, now, k, "active")
	}
	for _, k := range w.gone {
		w.contactElement(&b, now, k, "terminated")
	}
	b.WriteString(" </registration>\r\n</reginfo>\r\n")
	return b.Bytes()
}

// contactElement writes one contact: RFC 3680 5.3.3.
func (w *subscriber) contactElement(b *bytes.Buffer, now time.Time, k watched, state string) {
	x := k.binding
	b.WriteString("  <contact")
	attribute(b, "id", "c"+strconv.Itoa(k.id))
	attribute(b, "state", state)
	attribute(b, "event", k.event)
	left := int64(0) // who is gone is given that as well: Kamailio passes over a contact without
	if state == "active" {
		left = secondsLeft(now, w.core.where.Expires(x))
	}
	attribute(b, "expires", strconv.FormatInt(left, 10))
	attribute(b, "q", strconv.FormatFloat(float64(x.Q)/1000, 'f', -1, 64))
	attribute(b, "callid", x.CallID())
	attribute(b, "cseq", strconv.FormatUint(uint64(x.CSeq), 10))
	b.WriteString(">\r\n")
	element(b, "uri", "", x.Contact())
	if x.Instance() != "" {
		element(b, "unknown-param", "+sip.instance", `"`+x.Instance()+`"`)
	}
	if x.RegID != 0 {
		element(b, "unknown-param", "reg-id", strconv.FormatUint(uint64(x.RegID), 10))
	}
	if x.Instance() != "" && strings.HasPrefix(w.aor, "sip:") {
		b.WriteString("   <gr:pub-gruu")
		attribute(b, "uri", string(location.AppendGRUU(nil, w.aor, x.Instance())))
		b.WriteString("/>\r\n")
	}
	b.WriteString("  </contact>\r\n")
}

func attribute(b *bytes.Buffer, name, value string) {
	b.WriteString(" " + name + `="`)
	escape(b, value)
	b.WriteByte('"')
}

func element(b *bytes.Buffer, tag, name, value string) {
	b.WriteString("   <" + tag)
	if name != "" {
		attribute(b, "name", name)
	}
	b.WriteByte('>')
	escape(b, value)
	b.WriteString("</" + tag + ">\r\n")
}

// escape writes text for any place in XML. A bytes.Buffer takes everything.
func escape(b *bytes.Buffer, text string) { _ = xml.EscapeText(b, []byte(text)) }
