package sipmsg

import (
	"errors"
	"fmt"
	"testing"
)

func TestParseNameAddr(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  string // display|URI|params|bracket
	}{
		{`sip:a@b`, `|sip:a@b||false`},
		{`sip:a@b;tag=x`, `|sip:a@b|tag=x|false`},
		{`<sip:a@b;lr>;tag=x`, `|sip:a@b;lr|tag=x|true`},
		{` <sip:a@b> ; tag = x `, `|sip:a@b| tag = x|true`},
		{`Alice <sip:a@b>`, `Alice|sip:a@b||true`},
		{`Alice<sip:a@b>`, `Alice|sip:a@b||true`},
		{`A. B  C <sip:a@b>`, `A. B  C|sip:a@b||true`},
		{`"Alice, \"<x>\"; y" <sip:a@b>;tag=x`, `"Alice, \"<x>\"; y"|sip:a@b|tag=x|true`},
		{`""<sip:a@b>`, `""|sip:a@b||true`},
		{`< sip:a@b >`, `|sip:a@b||true`},
		{"\r\n <sip:a@b>\r\n ;\r\n tag\r\n = x", "|sip:a@b|\r\n tag\r\n = x|true"},
		{`sip:a@b;x="<y>"`, `|sip:a@b|x="<y>"|false`},
		{`<tel:+81>;q=0.5;+sip.instance="<urn:uuid:0;1>"`, `|tel:+81|q=0.5;+sip.instance="<urn:uuid:0;1>"|true`},
		{`<sip:a@b?x=y,z>`, `|sip:a@b?x=y,z||true`},
	} {
		a, err := ParseNameAddr([]byte(tt.value))
		got := fmt.Sprintf("%s|%s|%s|%v", a.Display, a.URI, a.Params, a.Bracket)
		if err != nil || got != tt.want {
			t.Errorf("%q: %q %v, want %q", tt.value, got, err, tt.want)
		}
	}
}

func TestParseNameAddrErrors(t *testing.T) {
	for value, offset := range map[string]int{
		``:                         0,
		` `:                        0,
		`*`:                        0,
		`<>`:                       1,
		`<a@b>`:                    0,
		`sip:a@b?x=y`:              7,
		`sip:a@b,sip:c@d`:          7,
		`sip:a@b x`:                8,
		`<sip:a@b`:                 0,
		`<sip:a b>`:                6,
		`<sip:a@b> x`:              10,
		`<sip:a@b>;`:               10,
		`<sip:a@b>;;tag=x`:         10,
		`<sip:a@b>;tag=`:           14,
		`<sip:a@b>;tag="x`:         14,
		`<sip:a@b>;tag=x y`:        16,
		`<sip:a@b>;ta g=x`:         13,
		`<sip:a@b>;tag="x"y`:       17,
		`"Alice <sip:a@b>`:         0,
		`"Alice" sip:a@b`:          8,
		`"Alice"`:                  7,
		`sip:a@b;x=<sip:c@d>`:      7,
		`x;y <sip:a@b>`:            1,
		`A <sip:a<b>`:              8,
		"<sip:a\x00b@c>":           6,
		`"a" "b" <sip:a@b>`:        4,
		`<sip:a@b>, <sip:c@d>`:     9,
		`<sip:a@b>;x=y, <sip:c@d>`: 13,
	} {
		a, err := ParseNameAddr([]byte(value))
		var e *ParseError
		if !errors.Is(err, ErrMalformed) || !errors.As(err, &e) || e.Offset != offset || a.URI != nil {
			t.Errorf("%q: %v, want malformed at %d", value, err, offset)
		}
	}
}

func TestParam(t *testing.T) {
	params := []byte(`tag=x; Q = 0.5 ;flag;+sip.instance="<a;b>";empty="";quote="a\"b";tag=second`)
	for _, tt := range []struct {
		name, value string
		ok          bool
	}{
		{"tag", "x", true}, {"q", "0.5", true}, {"FLAG", "", true}, {"+sip.instance", "<a;b>", true},
		{"empty", "", true}, {"quote", `a\"b`, true}, {"b", "", false}, {"", "", false},
	} {
		v, ok := Param(params, tt.name)
		if string(v) != tt.value || ok != tt.ok {
			t.Errorf("%s: %q %v, want %q %v", tt.name, v, ok, tt.value, tt.ok)
		}
	}
	if v, _ := Param(params, "flag"); v != nil {
		t.Errorf("a flag has the value %q", v)
	}
	var none NameAddr
	if _, ok := none.Param("tag"); ok {
		t.Error("a parameter where there are none")
	}
	if v, _ := Param(params, "empty"); v == nil {
		t.Error("an empty value is nil, like a flag's")
	}
}

func TestParseVia(t *testing.T) {
	for _, tt := range []struct {
		value string
		want  string // transport|host|port|branch|received|rport|has rport|maddr
	}{
		{"SIP/2.0/UDP 192.0.2.1", "UDP|192.0.2.1|0|||0|false|"},
		{"SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport", "UDP|192.0.2.1|5060|z9hG4bK1||0|true|"},
		{"SIP/2.0/TCP h.example;received=192.0.2.9;rport=65535;branch=x", "TCP|h.example|0|x|192.0.2.9|65535|true|"},
		{"SIP/2.0/UDP [2001:db8::1]:5080;received=2001:db8::2", "UDP|2001:db8::1|5080||2001:db8::2|0|false|"},
		{"SIP/2.0/UDP [2001:db8::1];received=[2001:db8::2];maddr=239.0.0.1", "UDP|2001:db8::1|0||2001:db8::2|0|false|239.0.0.1"},
		{"SIP/2.0/UDP h;received=[2001:db8::2", "UDP|h|0||[2001:db8::2|0|false|"},
		{"SIP/2.0/UDP h;received=2001:db8::2]", "UDP|h|0||2001:db8::2]|0|false|"},
		{"SIP/2.0/UDP h;received=[", "UDP|h|0||[|0|false|"},
		{"sip / 2.0 / udp  h : 5070 ; Branch = x ; RPORT", "udp|h|5070|x||0|true|"},
		{"SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw", "UDP|192.0.2.2|0|390skdjuw||0|false|"},
		{"SIP/2.0/ UDP h", "UDP|h|0|||0|false|"},
		{"SIP/7.0/UDP h", "UDP|h|0|||0|false|"},
		{"SIP/2.0/UDP h;branch=a;branch=b", "UDP|h|0|a||0|false|"},
		{"SIP/2.0/UDP h;x=\"a;branch=no\";branch=b", "UDP|h|0|b||0|false|"},
	} {
		v, err := ParseVia([]byte(tt.value))
		got := fmt.Sprintf("%s|%s|%d|%s|%s|%d|%v|%s", v.Transport, v.Host, v.Port, v.Branch, v.Received, v.RPort, v.HasRPort, v.Maddr)
		if err != nil || got != tt.want {
			t.Errorf("%q: %s %v, want %s", tt.value, got, err, tt.want)
		}
	}
}

func TestParseViaErrors(t *testing.T) {
	for value, offset := range map[string]int{
		"":                              0,
		"SIP":                           3,
		"SIP/2.0":                       7,
		"SIP/2.0/":                      8,
		"SIP/2.0//UDP h":                8,
		"SIP/2.0/UDP":                   11,
		"SIP/2.0/UDP ":                  11,
		"SIP/2.0/UDP;branch=x":          11,
		"SIP 2.0/UDP h":                 4,
		"SIP/2.0/UDP h:":                14,
		"SIP/2.0/UDP h:0":               15,
		"SIP/2.0/UDP h:x":               14,
		"SIP/2.0/UDP h x":               14,
		"SIP/2.0/UDP 2001:db8::1":       17,
		"SIP/2.0/UDP [2001:db8::1":      12,
		"SIP/2.0/UDP h;":                14,
		"SIP/2.0/UDP h;;branch=x":       14,
		"SIP/2.0/UDP h;branch":          14,
		"SIP/2.0/UDP h;branch=":         21,
		"SIP/2.0/UDP h;rport=x":         14,
		"SIP/2.0/UDP h;rport=65536":     14,
		"SIP/2.0/UDP h;branch=a b":      23,
		"SIP/2.0/UDP h, SIP/2.0/UDP i":  13,
		"SIP/2.0/UDP h;a=b,SIP/2.0/UDP": 17,
	} {
		v, err := ParseVia([]byte(value))
		var e *ParseError
		if !errors.Is(err, ErrMalformed) || !errors.As(err, &e) || e.Offset != offset || v.Host != nil {
			t.Errorf("%q: %v, want malformed at %d", value, err, offset)
		}
	}
}
