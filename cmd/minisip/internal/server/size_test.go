package server

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// TestLargestDatagrams: a request that fills a UDP datagram comes in, goes out and is answered in
// one as large, byte for byte, and the log says once that it is large.
func TestLargestDatagrams(t *testing.T) {
	for _, ip := range []string{"127.0.0.1", "::1"} {
		t.Run(ip, func(t *testing.T) {
			r := serve(t, testConfig(t, netip.AddrPortFrom(netip.MustParseAddr(ip), 0).String()))
			server := r.Addresses()[0]
			a, b := newPhone(t, ip, "001", server), newPhone(t, ip, "002", server)
			b.register()
			for i := range 2 {
				req := request{method: "MESSAGE", uri: "sip:002@" + server.String(), callID: fmt.Sprintf("large-%d", i), cseq: 1}
				// What is sent without credentials is smaller by them. Those go, and a Via comes.
				req.body = strings.Repeat("0123456789abcde\n", largest/16-100)
				req = a.authorized(req)
				m := b.expect("MESSAGE ")
				if _, body, _ := strings.Cut(m, "\r\n\r\n"); body != req.body {
					t.Errorf("the body of %d bytes arrives as %d others", len(req.body), len(body))
				}
				filled := strings.Repeat("answer\r\n", (largest-len(m)+len(req.body))/8-100)
				b.respond(m, "200 OK", filled)
				if _, body, _ := strings.Cut(a.expect("SIP/2.0 200 "), "\r\n\r\n"); body != filled {
					t.Errorf("the answer's body of %d bytes arrives as %d others", len(filled), len(body))
				}
			}
			if n := r.log.count("MESSAGE of ", " bytes to "+b.at.String()); n != 1 {
				t.Errorf("%d lines in the log about large requests, want 1", n)
			}
		})
	}
}

// TestSeveralAddresses: each address that is listened on answers for itself, and a call between
// phones at two of them has each phone talk to the address it knows.
func TestSeveralAddresses(t *testing.T) {
	r := serve(t, testConfig(t, "127.0.0.1:0", "127.0.0.2:0", "[::1]:0"))
	var phones []*phone
	for i, at := range r.Addresses() {
		p := newPhone(t, at.Addr().String(), []string{"001", "002"}[i%2], at)
		p.alive()
		phones = append(phones, p)
	}
	callee := phones[1]
	callee.register()
	for i, caller := range []*phone{phones[0], phones[2]} {
		callID := fmt.Sprintf("across-%d", i)
		call := caller.authorized(request{method: "INVITE", uri: "sip:002@" + caller.server.String(), callID: callID, cseq: 1})
		caller.expect("SIP/2.0 100 ")
		invite := callee.expect("INVITE ")
		want := []string{"<sip:" + callee.server.String() + ";lr>", "<sip:" + caller.server.String() + ";lr>"}
		if got := all(invite, "Record-Route"); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("Record-Route %s, want %s", got, want)
		}
		callee.respond(invite, "200 OK", "")
		ok := caller.expect("SIP/2.0 200 ")
		inDialog := request{method: "ACK", uri: uriOf(get(ok, "Contact")), to: get(ok, "To"), callID: callID, cseq: call.cseq, branch: "ack",
			lines: []string{"Route: " + want[1], "Route: " + want[0]}}
		caller.send(caller.text(inDialog))
		callee.expect("ACK ")
		inDialog.method, inDialog.cseq = "BYE", call.cseq+1
		caller.send(caller.text(inDialog))
		bye := callee.expect("BYE ")
		if got := all(bye, "Route"); len(got) != 0 {
			t.Errorf("the BYE came with Route %s", got)
		}
		callee.respond(bye, "200 OK", "")
		caller.expect("SIP/2.0 200 ")
	}
}
