package nat

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"minisip/sipmsg"
)

// request gives a REGISTER with the given Via value and further header lines.
func request(t testing.TB, via string, lines ...string) *sipmsg.Message {
	t.Helper()
	raw := "REGISTER sip:example.com SIP/2.0\r\nVia: " + via + "\r\n" +
		"From: <sip:001@example.com>;tag=1\r\nTo: <sip:001@example.com>\r\n" +
		"Call-ID: 1\r\nCSeq: 1 REGISTER\r\n"
	for _, l := range lines {
		raw += l + "\r\n"
	}
	m := new(sipmsg.Message)
	if err := m.Parse([]byte(raw + "Content-Length: 0\r\n\r\n")); err != nil {
		t.Fatalf("%v in\n%s", err, raw)
	}
	return m
}

// edited gives the value of field name as it goes out.
func edited(m *sipmsg.Message, name string) string {
	for line := range strings.Lines(string(m.AppendTo(nil))) {
		if v, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSuffix(v, "\r\n")
		}
	}
	return ""
}

func TestFixVia(t *testing.T) {
	const src = "203.0.113.9:40123"
	for _, tt := range []struct {
		name, via, src, off, on string // off, on: with re_via off and on; "" for as it was
	}{
		{"not asked, same host", "SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bKa", src,
			"", "SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bKa;received=203.0.113.9;rport=40123"},
		{"not asked, other host", "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa", src,
			"SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa;received=203.0.113.9",
			"SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa;received=203.0.113.9;rport=40123"},
		{"not asked, host name", "SIP/2.0/UDP phone.example.com;branch=z9hG4bKa", src,
			"SIP/2.0/UDP phone.example.com;branch=z9hG4bKa;received=203.0.113.9",
			"SIP/2.0/UDP phone.example.com;branch=z9hG4bKa;received=203.0.113.9;rport=40123"},
		{"asked, same host", "SIP/2.0/UDP 203.0.113.9:5060;rport;branch=z9hG4bKa", src,
			"SIP/2.0/UDP 203.0.113.9:5060;rport=40123;branch=z9hG4bKa;received=203.0.113.9",
			"SIP/2.0/UDP 203.0.113.9:5060;rport=40123;branch=z9hG4bKa;received=203.0.113.9"},
		{"values of the sender's own are replaced",
			"SIP/2.0/UDP 10.0.0.1;received=192.0.2.66;rport=1;branch=z9hG4bKa", src,
			"SIP/2.0/UDP 10.0.0.1;received=203.0.113.9;rport=40123;branch=z9hG4bKa",
			"SIP/2.0/UDP 10.0.0.1;received=203.0.113.9;rport=40123;branch=z9hG4bKa"},
		{"received of the sender's own, same host",
			"SIP/2.0/UDP 203.0.113.9;received=192.0.2.66;branch=z9hG4bKa", src,
			"SIP/2.0/UDP 203.0.113.9;received=203.0.113.9;branch=z9hG4bKa",
			"SIP/2.0/UDP 203.0.113.9;received=203.0.113.9;branch=z9hG4bKa;rport=40123"},
		{"other parameters and their form stay",
			`SIP / 2.0 / UDP 10.0.0.1:5060 ;ttl=16; RPort ;x="a;received=b\";rport;" ;branch=z9hG4bKa;alias`, src,
			`SIP / 2.0 / UDP 10.0.0.1:5060 ;ttl=16;rport=40123;x="a;received=b\";rport;" ;branch=z9hG4bKa;alias;received=203.0.113.9`,
			`SIP / 2.0 / UDP 10.0.0.1:5060 ;ttl=16;rport=40123;x="a;received=b\";rport;" ;branch=z9hG4bKa;alias;received=203.0.113.9`},
		{"copies go", "SIP/2.0/UDP 10.0.0.1;rport;Received=192.0.2.66;rport=5;received=192.0.2.67;branch=z9hG4bKa", src,
			"SIP/2.0/UDP 10.0.0.1;rport=40123;received=203.0.113.9;branch=z9hG4bKa",
			"SIP/2.0/UDP 10.0.0.1;rport=40123;received=203.0.113.9;branch=z9hG4bKa"},
		{"IPv6 without brackets", "SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bKa;rport", "[2001:db8::9]:5062",
			"SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bKa;rport=5062;received=2001:db8::9",
			"SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bKa;rport=5062;received=2001:db8::9"},
		{"IPv6 in another spelling is the same host", "SIP/2.0/UDP [2001:DB8:0::9];branch=z9hG4bKa", "[2001:db8::9]:5062",
			"", "SIP/2.0/UDP [2001:DB8:0::9];branch=z9hG4bKa;received=2001:db8::9;rport=5062"},
		{"a mapped source is IPv4", "SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKa", "[::ffff:203.0.113.9]:5062",
			"", "SIP/2.0/UDP 203.0.113.9;branch=z9hG4bKa;received=203.0.113.9;rport=5062"},
		{"only the top Via", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa, SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKb;rport", src,
			"SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa;received=203.0.113.9, SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKb;rport",
			"SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa;received=203.0.113.9;rport=40123, SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKb;rport"},
	} {
		for force, want := range map[bool]string{false: tt.off, true: tt.on} {
			t.Run(fmt.Sprint(tt.name, " ", force), func(t *testing.T) {
				m := request(t, tt.via)
				FixVia(m, netip.MustParseAddrPort(tt.src), force)
				if want == "" {
					want = tt.via
				}
				if got := edited(m, "Via"); got != want {
					t.Errorf("\ngot  %s\nwant %s", got, want)
				}
			})
		}
	}
}

// What FixVia writes is where the request came from.
func TestViaRoundTrip(t *testing.T) {
	for _, src := range []string{"203.0.113.9:40123", "[2001:db8::9]:65535"} {
		src := netip.MustParseAddrPort(src)
		m := request(t, "SIP/2.0/UDP phone.invalid;branch=z9hG4bKa")
		FixVia(m, src, true)
		v, err := sipmsg.ParseVia([]byte(edited(m, "Via")))
		if err != nil {
			t.Fatal(err)
		}
		if string(v.Received) != src.Addr().String() || v.RPort != src.Port() {
			t.Errorf("received %s, rport %d, want %v", v.Received, v.RPort, src)
		}
	}
}

// Every request takes these steps.
func TestFixAllocatesNothing(t *testing.T) {
	m := request(t, "SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKa;rport", `Contact: "A" <sip:001@10.0.0.1:5060;ob>;expires=60`)
	src := netip.MustParseAddrPort("203.0.113.9:40123")
	out := make([]byte, 0, 2048)
	n := testing.AllocsPerRun(100, func() {
		m.ResetEdits()
		FixVia(m, src, true)
		FixContact(m, src)
		if !Behind(m, src) {
			t.Fatal("not behind a NAT")
		}
		out = m.AppendTo(out[:0])
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}
