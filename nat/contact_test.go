package nat

import (
	"net/netip"
	"testing"
)

func TestFixContact(t *testing.T) {
	const v4, v6 = "203.0.113.9:40123", "[2001:db8::9]:5062"
	for _, tt := range []struct{ name, contact, src, want string }{
		{"plain", "<sip:001@10.0.0.1:5060>", v4, "<sip:001@203.0.113.9:40123>"},
		{"no port", "<sip:001@10.0.0.1>", v4, "<sip:001@203.0.113.9:40123>"},
		{"no user", "<sip:10.0.0.1:5060>", v4, "<sip:203.0.113.9:40123>"},
		{"host name", "<sip:001@phone.local>", v4, "<sip:001@203.0.113.9:40123>"},
		{"IPv6 to IPv4", "<sip:001@[fd00::1]:5060>", v4, "<sip:001@203.0.113.9:40123>"},
		{"IPv4 to IPv6", "<sip:001@10.0.0.1>", v6, "<sip:001@[2001:db8::9]:5062>"},
		{"user and password", "<sip:0%401;x=y?z:pa$s@10.0.0.1>", v4, "<sip:0%401;x=y?z:pa$s@203.0.113.9:40123>"},
		{"sips", "<sips:001@10.0.0.1>", v4, "<sips:001@203.0.113.9:40123>"},
		{"scheme in capitals", "<SIP:001@10.0.0.1>", v4, "<SIP:001@203.0.113.9:40123>"},
		{"parameters of both kinds, and a header",
			`"Ann <a@b> \" O" <sip:001@10.0.0.1;transport=udp;ob?X=1>;expires=60;+sip.instance="<urn:uuid:0>"`, v4,
			`"Ann <a@b> \" O" <sip:001@203.0.113.9:40123;transport=udp;ob?X=1>;expires=60;+sip.instance="<urn:uuid:0>"`},
		{"display name without quotes", "Ann Other   <sip:001@10.0.0.1>", v4, "Ann Other   <sip:001@203.0.113.9:40123>"},
		{"display name that is the URI", `"sip:001@10.0.0.1" <sip:001@10.0.0.1>`, v4, `"sip:001@10.0.0.1" <sip:001@203.0.113.9:40123>`},
		{"bare", "sip:001@10.0.0.1:5060", v4, "sip:001@203.0.113.9:40123"},
		{"bare with header parameter", "sip:001@10.0.0.1:5060;expires=60", v4, "sip:001@203.0.113.9:40123;expires=60"},
		{"several", "<sip:001@10.0.0.1>;q=0.5 ,  <sip:001@10.0.0.2:5070>", v4,
			"<sip:001@203.0.113.9:40123>;q=0.5 ,  <sip:001@203.0.113.9:40123>"},
		{"star", "*", v4, "*"},
		{"a GRUU", "<sip:001@example.com;gr=urn:uuid:0>;+sip.instance=\"<urn:uuid:0>\"", v4, "<sip:001@example.com;gr=urn:uuid:0>;+sip.instance=\"<urn:uuid:0>\""},
		{"another scheme", "<tel:+81312345678>", v4, "<tel:+81312345678>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := request(t, "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa", "Contact: "+tt.contact)
			FixContact(m, netip.MustParseAddrPort(tt.src))
			if got := edited(m, "Contact"); got != tt.want {
				t.Errorf("\ngot  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Contacts in several fields, one of them in compact form, are all rewritten.
func TestFixContactFields(t *testing.T) {
	m := request(t, "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa", "Contact: <sip:001@10.0.0.1>", "m: <sip:001@10.0.0.2>")
	FixContact(m, netip.MustParseAddrPort("203.0.113.9:5060"))
	const want = "<sip:001@203.0.113.9:5060>"
	if a, b := edited(m, "Contact"), edited(m, "m"); a != want || b != want {
		t.Errorf("%s and %s", a, b)
	}
}

func TestAppendContactURI(t *testing.T) {
	src := netip.MustParseAddrPort("[::ffff:203.0.113.9]:5060") // as an IPv6 socket shows it
	for in, want := range map[string]string{
		"sip:001@10.0.0.1;ob":  "x:sip:001@203.0.113.9:5060;ob",
		"sip:10.0.0.1?a=b":     "x:sip:203.0.113.9:5060?a=b",
		"tel:+81312345678":     "x:tel:+81312345678",
		"sip:001@10.0.0.1:bad": "x:sip:001@10.0.0.1:bad", // no URI: as it is
	} {
		if got := string(AppendContactURI([]byte("x:"), []byte(in), src)); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestBehind(t *testing.T) {
	const src = "203.0.113.9:5060"
	const here, private = "SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKa", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa"
	for _, tt := range []struct {
		name, via, contact, src string
		want                    bool
	}{
		{"both are the source", here, "<sip:001@203.0.113.9>", src, false},
		{"explicit default port", "SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bKa", "<sip:001@203.0.113.9:5060>", src, false},
		{"private Via", private, "<sip:001@203.0.113.9>", src, true},
		{"private Contact", here, "<sip:001@10.0.0.1>", src, true},
		{"other port in Via", "SIP/2.0/UDP 203.0.113.9:5070;branch=z9hG4bKa", "<sip:001@203.0.113.9>", src, true},
		{"other port in Contact", here, "<sip:001@203.0.113.9:5070>", src, true},
		{"host names cannot be judged", "SIP/2.0/UDP a.example.com;branch=z9hG4bKa", "<sip:001@a.example.com>", src, false},
		{"second Contact", here, "<sip:001@203.0.113.9>, <sip:001@10.0.0.1>", src, true},
		{"star", here, "*", src, false},
		{"tel", here, "<tel:+81312345678>", src, false},
		{"sips has 5061", "SIP/2.0/UDP 203.0.113.9:5061;branch=z9hG4bKa", "<sips:001@203.0.113.9>", "203.0.113.9:5061", false},
		{"SIPS too", "SIP/2.0/UDP 203.0.113.9:5061;branch=z9hG4bKa", "<SIPS:001@203.0.113.9>", "203.0.113.9:5061", false},
		{"IPv6 in another spelling", "SIP/2.0/UDP [2001:DB8:0::9];branch=z9hG4bKa", "<sip:001@[2001:db8::9]:5060>", "[2001:db8::9]:5060", false},
		{"a mapped source", here, "<sip:001@203.0.113.9>", "[::ffff:203.0.113.9]:5060", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := request(t, tt.via, "Contact: "+tt.contact)
			if got := Behind(m, netip.MustParseAddrPort(tt.src)); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
	if Behind(request(t, here), netip.MustParseAddrPort(src)) {
		t.Error("a request without Contact is behind a NAT")
	}
}

// What AppendContactURI did is undone with the Contact that the phone registered, whatever else its URI holds.
func TestAppendWithHost(t *testing.T) {
	for _, tt := range []struct{ uri, contact, want string }{
		{"sip:a@192.0.2.1:4000;line=1?x=y", "sip:b@10.0.0.4", "sip:a@10.0.0.4;line=1?x=y"},
		{"sip:192.0.2.1:4000", "sip:b;c@phone.example:5070;ob", "sip:phone.example:5070"},
		{"sip:a;b=c@[2001:db8::1]:4000", "sips:[fd00::1]", "sip:a;b=c@[fd00::1]"},
		{"tel:+1", "sip:b@10.0.0.4", "tel:+1"},
		{"sip:a@192.0.2.1", "tel:+1", "sip:a@192.0.2.1"},
		{"sip:a@@", "sip:b@10.0.0.4", "sip:a@@"},
	} {
		if got := string(AppendWithHost(nil, []byte(tt.uri), []byte(tt.contact))); got != tt.want {
			t.Errorf("%s for %s: %s, want %s", tt.uri, tt.contact, got, tt.want)
		}
	}
}
