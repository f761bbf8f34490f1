//go:build linux

package main

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"slices"
	"strconv"
)

// body is what a phone offers and answers.
const body = "v=0\r\no=- 3847 3847 IN IP4 192.168.1.10\r\ns=call\r\nc=IN IP4 192.168.1.10\r\nt=0 0\r\n" +
	"m=audio 4000 RTP/AVP 8 0 9 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:9 G722/8000\r\n" +
	"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"

// usual is what phones add to their requests.
const usual = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY, REFER, UPDATE, MESSAGE\r\n" +
	"Supported: replaces, timer\r\nUser-Agent: load\r\n"

// request is what goes into a phone's request.
type request struct {
	method, uri string
	user        int
	work, cseq  int
	to          string // the whole value
	routes      []string
	credentials string // the whole line
	contact     bool
	body        string
}

// appendRequest writes a request. Its Call-ID begins with the number of the work it belongs to.
func (a *agent) appendRequest(b []byte, r *request) []byte {
	b = append(append(append(append(b, r.method...), ' '), r.uri...), " SIP/2.0\r\nVia: SIP/2.0/UDP "...)
	b = append(a.appendHost(b, r.user), ";rport;branch=z9hG4bK"...)
	b = strconv.AppendInt(append(append(b, a.name...), r.method...), int64(r.work), 10)
	b = strconv.AppendInt(append(b, '-'), int64(r.cseq), 10)
	b = append(b, "\r\nMax-Forwards: 70\r\n"...)
	for _, route := range r.routes {
		b = append(append(append(b, "Route: "...), route...), "\r\n"...)
	}
	b = append(a.appendUser(append(b, "From: <sip:"...), r.user), "@load>;tag="...)
	b = strconv.AppendInt(b, int64(r.work), 10)
	b = append(append(append(b, "\r\nTo: "...), r.to...), "\r\nCall-ID: "...)
	b = append(strconv.AppendInt(b, int64(r.work), 10), '@')
	b = append(append(b, a.name...), ".load\r\nCSeq: "...)
	b = append(append(strconv.AppendInt(b, int64(r.cseq), 10), ' '), r.method...)
	b = append(b, "\r\n"...)
	if r.contact {
		b = append(a.appendContact(b, r.user), usual...)
	}
	b = append(b, r.credentials...)
	return appendBody(b, r.body)
}

func (a *agent) appendContact(b []byte, user int) []byte {
	b = append(a.appendUser(append(b, "Contact: <sip:"...), user), '@')
	return append(a.appendHost(b, user), ">\r\n"...)
}

func appendBody(b []byte, text string) []byte {
	if text != "" {
		b = append(b, "Content-Type: application/sdp\r\n"...)
	}
	b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(text)), 10)
	return append(append(b, "\r\n\r\n"...), text...)
}

// appendResponse answers a request as RFC 3261 8.2.6 says, from the phone of user.
func (a *agent) appendResponse(b, req []byte, status string, user int, text string) []byte {
	b = append(append(append(b, "SIP/2.0 "...), status...), "\r\n"...)
	for line := range bytes.Lines(req[:headEnd(req)]) {
		for _, name := range [...]string{"Via:", "Record-Route:", "From:", "To:", "Call-ID:", "CSeq:"} {
			if !bytes.HasPrefix(line, []byte(name)) {
				continue
			}
			if name == "To:" && !bytes.Contains(line, []byte(";tag=")) {
				b = append(append(b, line[:len(line)-2]...), ";tag=callee\r\n"...)
			} else {
				b = append(b, line...)
			}
		}
	}
	return appendBody(a.appendContact(b, user), text)
}

// headEnd is where the empty line begins.
func headEnd(m []byte) int {
	if i := bytes.Index(m, []byte("\r\n\r\n")); i >= 0 {
		return i + 2
	}
	return len(m)
}

// value gives the first value of a field; name is written as the server writes it.
func value(m []byte, name string) []byte {
	_, rest, ok := bytes.Cut(m[:headEnd(m)], []byte("\r\n"+name+": "))
	if !ok {
		return nil
	}
	v, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return v
}

// routeSet gives the Record-Route values in reverse: RFC 3261 12.1.2.
func routeSet(m []byte) (routes []string) {
	for line := range bytes.Lines(m[:headEnd(m)]) {
		if v, ok := bytes.CutPrefix(line, []byte("Record-Route: ")); ok {
			routes = append(routes, string(bytes.TrimSpace(v)))
		}
	}
	slices.Reverse(routes)
	return routes
}

// number reads the digits at the start of b.
func number(b []byte) int {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// response reads what a phone must know of a response: its status, the work that it
// belongs to, and the CSeq.
func response(m []byte) (status, work, cseq int, method []byte, ok bool) {
	if !bytes.HasPrefix(m, []byte("SIP/2.0 ")) {
		return 0, 0, 0, nil, false
	}
	c := value(m, "CSeq")
	_, method, _ = bytes.Cut(c, []byte(" "))
	return number(m[len("SIP/2.0 "):]), number(value(m, "Call-ID")), number(c), method, true
}

// credentials answers a challenge: RFC 7616 with MD5 and qop=auth.
func (a *agent) credentials(m []byte, user int, method, uri string) string {
	field, line := "WWW-Authenticate", "Authorization: "
	if method != "REGISTER" {
		field, line = "Proxy-Authenticate", "Proxy-Authorization: "
	}
	_, rest, _ := bytes.Cut(value(m, field), []byte(`nonce="`))
	nonce, _, _ := bytes.Cut(rest, []byte(`"`))
	name := string(a.appendUser(nil, user))
	ha1, ha2 := hash(name+":"+realm+":"+password), hash(method+":"+uri)
	response := hash(ha1 + ":" + string(nonce) + ":00000001:c0ffee:auth:" + ha2)
	return line + `Digest username="` + name + `", realm="` + realm + `", nonce="` + string(nonce) + `", uri="` + uri +
		`", response="` + response + `", algorithm=MD5, cnonce="c0ffee", qop=auth, nc=00000001` + "\r\n"
}

func hash(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}
