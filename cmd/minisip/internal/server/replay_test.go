package server

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// TestReplay: credentials that somebody has seen are worth nothing for another method, URI or address, nor a second time.
func TestReplay(t *testing.T) {
	r := serve(t, testConfig(t, "127.0.0.1:0"))
	to := r.Addresses()[0]
	a, b := newPhone(t, "127.0.0.2", "001", to), newPhone(t, "127.0.0.3", "002", to)
	b.register()
	reg := a.authorized(request{method: "REGISTER", uri: "sip:" + to.String(), to: a.aor(), callID: "reg", cseq: 1})
	a.expect("SIP/2.0 200 ")
	msg := a.authorized(request{method: "MESSAGE", uri: "sip:002@" + to.String(), callID: "msg", cseq: 1})
	b.respond(b.expect("MESSAGE "), "200 OK", "")
	a.expect("SIP/2.0 200 ")

	elsewhere, neighbour := newPhone(t, "127.0.0.4", "001", to), newPhone(t, "127.0.0.2", "001", to)
	with := func(r request, change func(*request)) request {
		r.branch = "replayed"
		change(&r)
		return r
	}
	for i, tt := range []struct {
		name   string
		p      *phone // who sends it
		r      request
		answer string
	}{
		{"from elsewhere", elsewhere, with(reg, func(*request) {}), "SIP/2.0 401 "},
		{"again", a, with(reg, func(r *request) { r.cseq += 10 }), "SIP/2.0 401 "},
		{"again, from another port", neighbour, with(reg, func(r *request) { r.cseq += 20 }), "SIP/2.0 401 "},
		{"for another method", a, with(reg, func(r *request) { r.method, r.callID = "MESSAGE", "other" }), "SIP/2.0 407 "},
		{"for another URI", a, with(msg, func(r *request) { r.uri, r.callID = "sip:003@"+to.String(), "uri" }), "SIP/2.0 407 "},
		{"for another user's binding", a, with(reg, func(r *request) { r.to, r.cseq = b.aor(), r.cseq+30 }), "SIP/2.0 401 "},
		{"a MESSAGE once more", neighbour, with(msg, func(r *request) { r.callID = "again" }), "SIP/2.0 407 "},
	} {
		tt.r.branch += fmt.Sprint(i)
		tt.p.send(a.text(tt.r))
		if m, _ := tt.p.next(); !strings.HasPrefix(m, tt.answer) {
			t.Errorf("%s: answered\n%s", tt.name, m)
		}
		b.alive() // and has got nothing
	}
	if n := r.counters().Denied; n == 0 {
		t.Error("no failure counted")
	}
}

// TestNobodyElse: whatever stands in Via, Contact, Route, Record-Route and Path, minisip sends to nobody but the phones whose
// packets it gets.
func TestNobodyElse(t *testing.T) {
	for _, reVia := range []bool{true, false} {
		cfg := testConfig(t, "127.0.0.1:0")
		cfg.Proxy.Via = reVia
		r := serve(t, cfg)
		to := r.Addresses()[0]
		a, b := newPhone(t, "127.0.0.2", "001", to), newPhone(t, "127.0.0.3", "002", to)
		victim := listenUDP(t, "127.0.0.9")
		at := localAddr(victim)
		lies := liars{t, a, b, at}
		lies.register()
		lies.outside()
		lies.inside()
		nothing(t, victim)
	}
}

// liars are two phones that name a victim's address wherever they can.
type liars struct {
	t      *testing.T
	a, b   *phone
	victim netip.AddrPort
}

// claim makes p write the victim's address where its own belongs.
func (l *liars) claim(p *phone, r request) string {
	text := p.text(r)
	text = strings.Replace(text, "Contact: <"+p.contact()+">", fmt.Sprintf("Contact: <sip:%s@%s>", p.user, l.victim), 1)
	return strings.Replace(text, fmt.Sprintf("SIP/2.0/UDP %s;rport", p.at), fmt.Sprintf("SIP/2.0/UDP %s;rport;maddr=%s;received=%s", l.victim, l.victim.Addr(), l.victim.Addr()), 1)
}

func (l *liars) prove(p *phone, r request) {
	l.t.Helper()
	p.send(l.claim(p, r))
	challenge := p.expect("SIP/2.0 40")
	field, header := "Proxy-Authenticate", "Proxy-Authorization"
	if r.method == "REGISTER" {
		field, header = "WWW-Authenticate", "Authorization"
	}
	r.cseq++
	r.lines = append(r.lines, header+": "+p.credentials(get(challenge, field), r.method, r.uri))
	p.send(l.claim(p, r))
}

// register lets b register with the victim for Contact, Path and Via; then b is called where it is.
func (l *liars) register() {
	l.t.Helper()
	for i, path := range []string{"sip:" + l.victim.String() + ";lr", "sip:127.0.0.9;lr;maddr=" + l.victim.Addr().String()} {
		l.prove(l.b, request{method: "REGISTER", uri: "sip:" + l.b.server.String(), to: l.b.aor(), callID: "reg", cseq: 10 * (i + 1),
			lines: []string{"Path: <" + path + ">", "Supported: path"}})
		l.b.expect("SIP/2.0 200 ")
	}
	l.a.register()
	l.prove(l.a, request{method: "MESSAGE", uri: "sip:002@" + l.a.server.String(), callID: "to-b", cseq: 1})
	l.b.respond(l.b.expect("MESSAGE "), "200 OK", "")
	l.a.expect("SIP/2.0 200 ")
}

// outside: what belongs to no dialog goes to users and nowhere else.
func (l *liars) outside() {
	l.t.Helper()
	v := l.victim.String()
	for i, tt := range []struct {
		name, uri string
		lines     []string
		answer    string
	}{
		{"a Route to it", "sip:002@" + l.a.server.String(), []string{"Route: <sip:" + v + ";lr>"}, "SIP/2.0 403 "},
		{"a Route to it behind ours", "sip:002@" + l.a.server.String(), []string{"Route: <sip:" + l.a.server.String() + ";lr>, <sip:" + v + ";lr>"}, "SIP/2.0 403 "},
		{"its address for Request-URI", "sip:" + v, nil, "SIP/2.0 404 "},
		{"a user at its address who does not exist", "sip:nobody@" + v, nil, "SIP/2.0 404 "},
		{"maddr", "sip:nobody@" + l.a.server.String() + ";maddr=" + l.victim.Addr().String(), nil, "SIP/2.0 404 "},
		{"a number behind it", "tel:+81312345678", []string{"Route: <sip:" + v + ">"}, "SIP/2.0 403 "},
	} {
		l.prove(l.a, request{method: "MESSAGE", uri: tt.uri, callID: fmt.Sprint("out-", i), cseq: 1, lines: tt.lines})
		if m, _ := l.a.next(); !strings.HasPrefix(m, tt.answer) {
			l.t.Errorf("%s: answered\n%s", tt.name, m)
		}
		l.b.alive()
	}
}

// inside: both record-route the victim and give it as their Contact; what follows goes to where they are.
func (l *liars) inside() {
	l.t.Helper()
	v := l.victim.String()
	uri := "sip:002@" + l.a.server.String()
	l.prove(l.a, request{method: "INVITE", uri: uri, callID: "in", cseq: 1, lines: []string{"Record-Route: <sip:" + v + ";lr>"}})
	l.a.expect("SIP/2.0 100 ")
	invite := l.b.expect("INVITE ")
	lying := strings.Replace(invite, "Record-Route: ", "Record-Route: <sip:"+v+";lr>\r\nRecord-Route: ", 1)
	contact := l.b.at
	l.b.at = l.victim // in the Contact of its answers
	l.b.respond(lying, "200 OK", "")
	l.b.at = contact
	ok := l.a.expect("SIP/2.0 200 ")
	routes := all(ok, "Record-Route")
	for i, j := 0, len(routes)-1; i < j; i, j = i+1, j-1 {
		routes[i], routes[j] = routes[j], routes[i]
	}
	next := func(method string, cseq int, routes ...string) {
		r := request{method: method, uri: uriOf(get(ok, "Contact")), to: get(ok, "To"), callID: "in", cseq: cseq, branch: method}
		for _, route := range routes {
			r.lines = append(r.lines, "Route: "+route)
		}
		l.a.send(l.claim(l.a, r))
	}
	ours := "<sip:" + l.a.server.String() + ";lr>"
	next("ACK", 2, routes...)
	l.b.expect("ACK ")
	next("INFO", 3, routes...)
	l.b.respond(l.b.expect("INFO "), "200 OK", "")
	l.a.expect("SIP/2.0 200 ")
	next("MESSAGE", 4, ours, "<sip:127.0.0.9:9;lr>") // which nobody recorded
	l.a.expect("SIP/2.0 403 ")
	next("BYE", 5, ours)
	l.b.respond(l.b.expect("BYE "), "200 OK", "")
	l.a.expect("SIP/2.0 200 ")
}
