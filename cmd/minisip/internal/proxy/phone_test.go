package proxy

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// phone is a user agent that does nothing by itself: a script says what it sends. It
// only knows how its messages look, and remembers what they are made from.
type phone struct {
	world          *world
	name, user     string
	password       string
	addr           netip.AddrPort // where its packets come from
	claims, rtp    netip.AddrPort // what it believes itself, and writes
	nonce          string         // of the latest challenge
	spent          string         // digest of the latest credentials
	sha256         bool           // that is what it answers with
	nc             int            // how often that nonce was used
	calls, tries   int            // Call-IDs and branches given
	regSeq         int
	sent           map[string]*text // by method: the latest request
	got            map[string]*text // by method: the latest request received
	answer         map[string]*text // by method: the latest response received
	last           *text            // the latest request received, ACK apart
	outbox         []*text          // all it sent
	tags           map[string]string
	dialogs        []*phoneDialog
	version, early int // of its SDP; tags given
}

// phoneDialog is one side's view of a dialog: RFC 3261 12.
type phoneDialog struct {
	callID, local, remote string // From and To values with their tags
	target                string
	routes                []string
	cseq                  int
	offered               string // CSeq number of the latest INVITE in it
}

// wish is what a script asks a phone to send, apart from the method or status.
type wish struct {
	target  string     // user or URI; "": inside the dialog
	auth    *phone     // whose credentials go in
	sdp     string     // "audio", "hold", "inactive", "none", or "": what is usual
	with    string     // the peer, where there are several dialogs
	to      string     // method that a response answers
	as      *phone     // whose state is used, and whose name is claimed
	fields  [][]string // to be set, or with "+" in front added
	body    string
	hasBody bool
}

func (p *phone) contact() string { return fmt.Sprintf("<sip:%s@%s>", p.user, p.claims) }

func (p *phone) aor() string { return "<sip:" + p.user + "@minisip.example>" }

func (p *phone) branch() string {
	p.tries++
	return fmt.Sprintf("z9hG4bK-%s-%d", p.name, p.tries)
}

func (p *phone) via() string {
	return fmt.Sprintf("SIP/2.0/UDP %s;branch=%s;rport", p.claims, p.branch())
}

// outside makes a request outside a dialog; with auth, the one before once more where
// that was challenged.
func (p *phone) outside(method string, w *wish) *text {
	uri := w.target
	if uri == "" {
		uri = "sip:minisip.example" // REGISTER
	} else if !strings.Contains(uri, ":") {
		uri = "sip:" + uri + "@minisip.example"
	}
	m := &text{first: method + " " + uri + " SIP/2.0"}
	m.add("Via", p.via())
	m.add("Max-Forwards", "70")
	before := p.sent[method]
	retry := w.auth != nil && before != nil && before.uri() == uri && p.challenged(method)
	switch {
	case method == "REGISTER":
		p.regSeq++
		m.add("From", p.aor()+";tag="+p.name+"-reg")
		m.add("To", p.aor())
		m.add("Call-ID", "registration@"+p.name)
		m.add("CSeq", fmt.Sprintf("%d REGISTER", p.regSeq))
	case retry:
		n, _ := strconv.Atoi(before.cseq())
		for _, name := range []string{"From", "To", "Call-ID"} {
			m.add(name, before.get(name))
		}
		m.add("CSeq", fmt.Sprintf("%d %s", n+1, method))
	default:
		p.calls++
		m.add("From", fmt.Sprintf("%s;tag=%s-%d", p.aor(), p.name, p.calls))
		m.add("To", "<"+uri+">")
		m.add("Call-ID", fmt.Sprintf("call-%d@%s", p.calls, p.name))
		m.add("CSeq", "1 "+method)
	}
	return m
}

// challenged says whether the latest request of a method was.
func (p *phone) challenged(method string) bool {
	a, r := p.answer[method], p.sent[method]
	return a != nil && (a.status() == "401" || a.status() == "407") && a.get("CSeq") == r.get("CSeq") && a.get("Call-ID") == r.get("Call-ID")
}

// inside makes a request in the latest dialog, or the one with a peer.
func (p *phone) inside(method string, w *wish) *text {
	d := p.dialog(w.with)
	m := &text{first: method + " " + d.target + " SIP/2.0"}
	for _, r := range d.routes {
		m.add("Route", r)
	}
	m.add("Via", p.via())
	m.add("Max-Forwards", "70")
	m.add("From", d.local)
	m.add("To", d.remote)
	m.add("Call-ID", d.callID)
	if method == "ACK" {
		m.add("CSeq", d.offered+" ACK")
		return m
	}
	d.cseq++
	if method == "INVITE" {
		d.offered = strconv.Itoa(d.cseq)
	}
	m.add("CSeq", fmt.Sprintf("%d %s", d.cseq, method))
	return m
}

// dialog gives the latest dialog, or the latest with a peer of that name.
func (p *phone) dialog(with string) *phoneDialog {
	for _, d := range slices.Backward(p.dialogs) {
		if strings.HasPrefix(tagOf(d.remote), with) {
			return d
		}
	}
	p.world.t.Fatalf("phone %s has no dialog with %q", p.name, with)
	return nil
}

// follow makes the CANCEL of the latest INVITE, or the ACK of its refusal.
func (p *phone) follow(method string) *text {
	inv := p.sent["INVITE"]
	if inv == nil {
		p.world.t.Fatalf("phone %s has sent no INVITE to %s", p.name, method)
	}
	m := &text{first: method + " " + inv.uri() + " SIP/2.0"}
	m.add("Via", inv.get("Via"))
	for _, r := range inv.all("Route") {
		m.add("Route", r)
	}
	m.add("Max-Forwards", "70")
	m.add("From", inv.get("From"))
	m.add("To", inv.get("To"))
	if method == "ACK" {
		m.set("To", p.answer["INVITE"].get("To"))
	}
	m.add("Call-ID", inv.get("Call-ID"))
	m.add("CSeq", inv.cseq()+" "+method)
	return m
}

// request makes whatever request the script asks for.
func (p *phone) request(method string, w *wish) *text {
	var m *text
	refused := method == "ACK" && p.sent["INVITE"] != nil && p.answer["INVITE"] != nil && p.answer["INVITE"].status() >= "300"
	switch {
	case method == "CANCEL", refused && w.with == "":
		m = p.follow(method)
	case w.target != "" || method == "REGISTER":
		m = p.outside(method, w)
	default:
		m = p.inside(method, w)
	}
	switch method {
	case "INVITE", "REGISTER", "UPDATE", "SUBSCRIBE", "NOTIFY", "REFER":
		m.add("Contact", p.contact())
	}
	if method == "INVITE" && w.sdp == "" {
		w.sdp = "audio"
	}
	if w.auth != nil {
		w.auth.authorize(m)
	}
	p.dress(m, w)
	return m
}

// authorize adds credentials for the latest challenge: RFC 7616 3.4, qop=auth.
func (p *phone) authorize(m *text) {
	p.nc++
	nc := fmt.Sprintf("%08x", p.nc)
	h, algorithm := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }, "MD5"
	if p.sha256 {
		h, algorithm = func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }, "SHA-256"
	}
	ha1 := h(p.user + ":" + testRealm + ":" + p.password)
	response := h(strings.Join([]string{ha1, p.nonce, nc, "c0ffee", "auth", h(m.method() + ":" + m.uri())}, ":"))
	p.spent = response
	name := "Proxy-Authorization"
	if m.method() == "REGISTER" {
		name = "Authorization"
	}
	m.add(name, fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s", algorithm=%s, cnonce="c0ffee", qop=auth, nc=%s`,
		p.user, testRealm, p.nonce, m.uri(), response, algorithm, nc))
}

// dress puts in the body and what else the script wishes.
func (p *phone) dress(m *text, w *wish) {
	switch {
	case w.hasBody:
		m.body = w.body
	case w.sdp != "" && w.sdp != "none":
		m.add("Content-Type", "application/sdp")
		m.body = p.sdp(w.sdp)
	}
	for _, f := range w.fields {
		if name, ok := strings.CutPrefix(f[0], "+"); ok {
			m.add(name, f[1])
		} else {
			m.set(f[0], f[1])
		}
	}
}

func (p *phone) sdp(kind string) string {
	p.version++
	family := "IP4"
	if p.rtp.Addr().Is6() {
		family = "IP6"
	}
	lines := []string{
		"v=0", fmt.Sprintf("o=- %d %d IN %s %s", p.version, p.version, family, p.rtp.Addr()), "s=-",
		fmt.Sprintf("c=IN %s %s", family, p.rtp.Addr()), "t=0 0", fmt.Sprintf("m=audio %d RTP/AVP 0 8 101", p.rtp.Port()),
	}
	if kind == "hold" {
		kind = "sendonly"
	}
	if kind != "audio" {
		lines = append(lines, "a="+kind)
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}
