package proxy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// response makes the response to the latest request, or to the latest of a method.
func (p *phone) response(status, reason string, w *wish) *text {
	req := p.last
	if w.to != "" {
		req = p.got[w.to]
	}
	if req == nil {
		p.world.t.Fatalf("phone %s has got no %s to answer", p.name, w.to)
	}
	m := &text{first: strings.TrimSpace("SIP/2.0 " + status + " " + reason)}
	for _, name := range []string{"Via", "Record-Route", "From", "To", "Call-ID", "CSeq"} {
		for _, v := range req.all(name) {
			m.add(name, v)
		}
	}
	if status > "100" && tagOf(m.get("To")) == "" {
		m.set("To", m.get("To")+";tag="+p.tagFor(req.get("Call-ID")))
	}
	invite := req.method() == "INVITE"
	final2xx := status >= "200" && status < "300"
	switch {
	case status > "100" && status < "300" && (invite || req.method() == "SUBSCRIBE" || req.method() == "UPDATE"):
		m.add("Contact", p.contact())
	}
	if w.sdp == "" && invite && (final2xx || status == "183") {
		w.sdp = "audio"
	}
	p.dress(m, w)
	return m
}

// tagFor gives the To tag with which the phone answers a call.
func (p *phone) tagFor(callID string) string {
	if p.tags[callID] == "" {
		p.early++
		p.tags[callID] = fmt.Sprintf("%s-t%d", p.name, p.early)
	}
	return p.tags[callID]
}

// sending notes what the phone sends.
func (p *phone) sending(m *text) {
	p.outbox = append(p.outbox, m)
	if m.isRequest() {
		p.sent[m.method()] = m
		return
	}
	// A response that makes a dialog makes it for the phone called, too: RFC 3261 12.1.1.
	accepts := m.status() > "100" && m.status() < "300" && (tagOf(m.get("To")) != "" || m.status() >= "200")
	if req := p.got[m.method()]; req != nil && accepts && m.get("Contact") != "" {
		d := p.find(m.get("Call-ID"), m.get("To"), m.get("From"))
		if d.target == "" {
			d.routes = m.all("Record-Route")
		}
		d.target = uriOf(req.get("Contact"))
	}
}

// find gives the dialog between two sides, a new one if need be.
func (p *phone) find(callID, local, remote string) *phoneDialog {
	i := slices.IndexFunc(p.dialogs, func(d *phoneDialog) bool {
		return d.callID == callID && tagOf(d.local) == tagOf(local) && tagOf(d.remote) == tagOf(remote)
	})
	if i >= 0 {
		return p.dialogs[i]
	}
	d := &phoneDialog{callID: callID, local: local, remote: remote}
	p.dialogs = append(p.dialogs, d)
	return d
}

// receive notes what comes in.
func (p *phone) receive(m *text) {
	if m.isRequest() {
		p.got[m.method()] = m
		if m.method() != "ACK" {
			p.last = m
		}
		if tagOf(m.get("To")) != "" && m.get("Contact") != "" && m.method() != "REGISTER" {
			d := p.find(m.get("Call-ID"), m.get("To"), m.get("From"))
			if d.target == "" && m.method() == "NOTIFY" { // RFC 6665 4.4.1: it makes the subscriber's dialog
				d.routes = m.all("Record-Route")
				if s := p.sent["SUBSCRIBE"]; s != nil { // else nobody asked for it
					d.cseq, _ = strconv.Atoi(s.cseq())
				}
			}
			d.target = uriOf(m.get("Contact"))
		}
		return
	}
	p.answer[m.method()] = m
	for _, f := range m.fields {
		if n := paramOf(f.value, "nonce"); n != "" {
			p.nonce, p.nc = n, 0
		}
	}
	dialog := m.method() == "INVITE" || m.method() == "SUBSCRIBE" || m.method() == "UPDATE"
	if !dialog || m.status() == "100" || m.status() >= "300" || m.get("Contact") == "" {
		return
	}
	d := p.find(m.get("Call-ID"), m.get("From"), m.get("To"))
	d.target = uriOf(m.get("Contact"))
	if d.cseq == 0 { // RFC 3261 12.1.2: the route set is that of the response, in reverse
		d.routes = m.all("Record-Route")
		slices.Reverse(d.routes)
	}
	if n, _ := strconv.Atoi(m.cseq()); n > d.cseq {
		d.cseq = n
	}
	if m.method() == "INVITE" {
		d.offered = m.cseq()
	}
}
