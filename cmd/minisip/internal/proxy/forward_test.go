package proxy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"minisip/sipmsg"
)

// What RFC 3261 19.1.1 does not allow in a Request-URI goes; what only looks like it stays.
func TestTargetURI(t *testing.T) {
	for _, tt := range []struct{ contact, want string }{
		{"sip:002@192.0.2.1", "sip:002@192.0.2.1"},
		{"sip:002@192.0.2.1:5060;transport=udp", "sip:002@192.0.2.1:5060;transport=udp"},
		{"sip:002@192.0.2.1?Subject=x&Route=%3Csip:a%3E", "sip:002@192.0.2.1"},
		{"sip:002@192.0.2.1;method=BYE", "sip:002@192.0.2.1"},
		{"sip:002@192.0.2.1;METHOD=BYE;lr", "sip:002@192.0.2.1;lr"},
		{"sip:002@192.0.2.1;ob;method=BYE;lr?Subject=x", "sip:002@192.0.2.1;ob;lr"},
		{"sip:002@192.0.2.1;method=A;method=B", "sip:002@192.0.2.1"},
		{"sip:002@192.0.2.1;methods=BYE", "sip:002@192.0.2.1;methods=BYE"},
		{"sip:a?b@192.0.2.1", "sip:a?b@192.0.2.1"},
		{"sip:a;method=x@192.0.2.1;lr", "sip:a;method=x@192.0.2.1;lr"},
		{"sip:[2001:db8::1]:5062;method=BYE", "sip:[2001:db8::1]:5062"},
		{"tel:+81312345678;phone-context=x", "tel:+81312345678;phone-context=x"},
		{"\xff\xff\xff\xff;method=x", "\xff\xff\xff\xff;method=x"},
		{"", ""},
	} {
		if got := targetURI(tt.contact); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.contact, got, tt.want)
		}
	}
}

// The shares of parallel branches make up the whole, and differ by one at most.
func TestShare(t *testing.T) {
	for breadth := range maxBreadth + 1 {
		for branches := 1; branches <= breadth; branches++ {
			sum := 0
			for i := range branches {
				n := share(breadth, i, branches)
				if n < 1 || n > share(breadth, 0, branches) || share(breadth, 0, branches) > n+1 {
					t.Fatalf("%d among %d: branch %d gets %d", breadth, branches, i, n)
				}
				sum += n
			}
			if sum != breadth {
				t.Fatalf("%d among %d makes %d", breadth, branches, sum)
			}
		}
	}
}

// RFC 3261 16.4: which Route values are ours, what follows, and where a strict router has
// put the remote target.
func TestFindRoutes(t *testing.T) {
	const phone, we, we6 = "sip:002@192.0.2.2:5060", "sip:203.0.113.1:5060;lr", "sip:[2001:db8::1]:5060;lr"
	for _, tt := range []struct {
		uri, routes  string
		domain       string
		ours         int
		next, target string
		outside      bool
	}{
		{uri: phone, target: phone},
		{uri: phone, routes: we, ours: 1, target: phone},
		{uri: phone, routes: we6 + " " + we, ours: 2, target: phone},
		{uri: phone, routes: we + " sip:edge.example;lr", ours: 1, next: "sip:edge.example;lr", target: phone},
		{uri: phone, routes: "sip:edge.example;lr " + we, ours: 2, target: phone}, // an outbound proxy by name
		{uri: phone, routes: "sip:edge.example;lr sip:other.example;lr", ours: 1, next: "sip:other.example;lr", target: phone},
		{uri: phone, routes: "sip:edge.example;lr " + we, domain: "minisip.example", next: "sip:edge.example;lr", target: phone},
		{uri: phone, routes: "sip:minisip.example;lr sip:minisip.example;lr", domain: "minisip.example", ours: 2, target: phone},
		{uri: phone, routes: "sip:192.0.2.9;lr", next: "sip:192.0.2.9;lr", target: phone},
		{uri: phone, routes: "tel:+81312345678", next: "tel:+81312345678", target: phone},
		{uri: we, routes: phone, target: phone},
		{uri: we, routes: we6 + " " + phone, ours: 1, target: phone},
		{uri: we, routes: "sip:192.0.2.9;lr " + phone, next: "sip:192.0.2.9;lr", target: phone},
		{uri: we, routes: we, target: we},
		{uri: "sip:gateway.example", routes: we, ours: 1, target: "sip:gateway.example"}, // a Contact without a user
		{uri: "sip:001@203.0.113.1", routes: we, ours: 1, target: "sip:001@203.0.113.1"},
		// Outside a dialog: what a phone does with an outbound proxy that was written without lr.
		{outside: true, uri: "sip:203.0.113.1", routes: "sip:002@minisip.example", target: "sip:002@minisip.example"},
		{outside: true, uri: "sip:proxy.example", routes: "sip:002@minisip.example", target: "sip:002@minisip.example"},
		{outside: true, uri: we, routes: we6 + " sip:002@minisip.example", ours: 1, target: "sip:002@minisip.example"},
		{outside: true, uri: we, routes: we, ours: 1, target: we},
		{outside: true, uri: we, routes: "sip:proxy@203.0.113.1;lr", ours: 1, target: we},
		{outside: true, uri: we, routes: "tel:002", next: "tel:002", target: we},
		{outside: true, uri: "sip:192.0.2.9", routes: "sip:002@192.0.2.9", next: "sip:002@192.0.2.9", target: "sip:192.0.2.9"},
		{outside: true, uri: "sip:002@203.0.113.1", routes: "sip:203.0.113.1", ours: 1, target: "sip:002@203.0.113.1"},
	} {
		w := newWorld(t)
		if tt.domain != "" {
			w.cfg.Domains = []string{tt.domain}
		}
		var b strings.Builder
		fmt.Fprintf(&b, "BYE %s SIP/2.0\r\nVia: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK-1\r\n", tt.uri)
		for _, r := range strings.Fields(tt.routes) {
			fmt.Fprintf(&b, "Route: <%s>\r\n", r)
		}
		tag := ";tag=b"
		if tt.outside {
			tag = ""
		}
		b.WriteString("From: <sip:001@minisip.example>;tag=a\r\nTo: <sip:002@minisip.example>" + tag + "\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n\r\n")
		in := &inbound{Message: new(sipmsg.Message), local: ours4}
		if err := in.Parse([]byte(b.String())); err != nil {
			t.Fatal(err)
		}
		w.start().findRoutes(in)
		next := strings.Trim(string(in.nextRoute()), "<>")
		if in.routes != tt.ours || next != tt.next || string(in.target()) != tt.target {
			t.Errorf("%s by %q: %d ours, next %q, target %q; want %d, %q, %q", tt.uri, tt.routes,
				in.routes, next, in.target(), tt.ours, tt.next, tt.target)
		}
	}
}

// With -domain the names and addresses in it are served, and what reaches us anyway; of an address, the ports that are ours.
func TestDomainsServed(t *testing.T) {
	w := newWorld(t)
	w.cfg.Domains = []string{"minisip.example", "203.0.113.99", "[2001:db8::99]"}
	w.cfg.Ours = func(at netip.AddrPort) bool { return at == ours4 || at.Addr().IsUnspecified() && at.Port() == 5070 }
	for uri, want := range map[string]bool{
		"sip:minisip.example":           true,
		"sip:001@MINISIP.example:5080":  true,
		"sip:001@minisip.example.":      true, // the absolute form of the same name
		"sip:001@minisip.example.:5080": true,
		"sip:001@minisip.example..":     false,
		"sip:001@.":                     false,
		"sip:203.0.113.1":               true,
		"sip:203.0.113.99":              true,
		"sip:001@203.0.113.99:5070":     true,
		"sip:001@203.0.113.99:31022":    false, // a phone behind the same address
		"sip:[2001:DB8:0::99]":          true,
		"sip:[2001:db8::98]":            false,
		"sip:203.0.113.98":              false,
		"sip:elsewhere.example":         false,
		"tel:+81312345678":              true,
	} {
		u, err := sipmsg.ParseURI([]byte(uri))
		if err != nil {
			t.Fatal(err)
		}
		if got := w.start().serves(&inbound{local: ours4}, &u); got != want {
			t.Errorf("%s served: %v, want %v", uri, got, want)
		}
	}
	c := w.start()
	if n := testing.AllocsPerRun(100, func() { c.listed(ours4.Addr()); c.listed(ours6.Addr()) }); n != 0 {
		t.Errorf("%v allocations, and requests are many", n)
	}
}

// A Route or a Path leads to addresses alone, never to ourselves nor to what only this machine reaches, whoever names it.
func TestRouteAddr(t *testing.T) {
	c := newWorld(t).start()
	for route, want := range map[string]string{
		"<sip:198.51.100.7;lr>":          "198.51.100.7:5060",
		"<sip:198.51.100.7:5070;lr>":     "198.51.100.7:5070",
		"<sip:[2001:db8::7]:5070;lr>":    "[2001:db8::7]:5070",
		"<sip:203.0.113.1:5060;lr>":      "",
		"<sip:203.0.113.1;lr>":           "",
		"<sip:[2001:db8::1];lr>":         "",
		"<sip:127.0.0.1:5070;lr>":        "",
		"<sip:[::ffff:127.0.0.1];lr>":    "",
		"<sip:[::1];lr>":                 "",
		"<sip:0.0.0.0:5070;lr>":          "",
		"<sip:224.0.1.75;lr>":            "",
		"<sip:[fe80::7];lr>":             "",
		"<sip:edge.example;lr>":          "",
		"<tel:+81312345678>":             "",
		"\"edge\" <sip:198.51.100.7 lr>": "",
	} {
		got := ""
		if at, ok := c.routeAddr(route); ok {
			got = at.String()
		}
		if got != want {
			t.Errorf("%s leads to %q, want %q", route, got, want)
		}
	}
}
