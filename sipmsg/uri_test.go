package sipmsg

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestParseURI(t *testing.T) {
	for _, tt := range []struct {
		uri  string
		want string // scheme|user|password|host|port|params|headers
	}{
		{"sip:example.com", "sip|||example.com|0||"},
		{"sip:alice@example.com", "sip|alice||example.com|0||"},
		{"SIPS:alice:secret@example.com:5061", "SIPS|alice|secret|example.com|5061||"},
		{"sip:alice:@example.com", "sip|alice||example.com|0||"},
		{"sip:192.0.2.1:5060;lr", "sip|||192.0.2.1|5060|lr|"},
		{"sip:a@[2001:db8::1]:5080;transport=udp;lr?Subject=x&a=b", "sip|a||2001:db8::1|5080|transport=udp;lr|Subject=x&a=b"},
		{"sip:[::ffff:192.0.2.1]", "sip|||::ffff:192.0.2.1|0||"},
		{"sip:a@b?Route=%3Csip:c%3E", "sip|a||b|0||Route=%3Csip:c%3E"},
		{"sip:a;b=c%40d@e", "sip|a;b=c%40d||e|0||"},
		{"sip:a?b/c@d", "sip|a?b/c||d|0||"},
		{"sip:+81-3-1234@gw_1.example.;user=phone", "sip|+81-3-1234||gw_1.example.|0|user=phone|"},
		{"sip:a@b;", "sip|a||b|0||"},
		{"tel:+81312345678;phone-context=example.com", "tel|+81312345678|||0|phone-context=example.com|"},
		{"isbn:2983792873", "isbn|2983792873|||0||"},
		{"http://www.example.com/?q=1;x", "http|//www.example.com/?q=1;x|||0||"},
	} {
		u, err := ParseURI([]byte(tt.uri))
		got := fmt.Sprintf("%s|%s|%s|%s|%d|%s|%s", u.Scheme, u.User, u.Password, u.Host, u.Port, u.Params, u.Headers)
		if err != nil || got != tt.want {
			t.Errorf("%s: %s %v, want %s", tt.uri, got, err, tt.want)
		}
	}
}

func TestParseURIErrors(t *testing.T) {
	for _, tt := range []struct {
		uri    string
		offset int
		err    error
	}{
		{"", 0, ErrMalformed},
		{"sip", 0, ErrMalformed},
		{":a@b", 0, ErrMalformed},
		{"1sip:a@b", 0, ErrMalformed},
		{"s/p:a@b", 0, ErrMalformed},
		{"sip:", 4, ErrMalformed},
		{"tel:", 4, ErrMalformed},
		{"tel:;a", 4, ErrMalformed},
		{"sip:@b", 4, ErrMalformed},
		{"sip::pw@b", 4, ErrMalformed},
		{"sip:a@", 6, ErrMalformed},
		{"sip:a@b@c", 7, ErrMalformed},
		{"sip:a@@b", 6, ErrMalformed},
		{"sip:a@b:5@c", 9, ErrMalformed},
		{"sip:a@b;x@y", 9, ErrMalformed},
		{"sip:a@b?x@y", 9, ErrMalformed},
		{"sip:a@b:", 8, ErrMalformed},
		{"sip:a@b:0", 9, ErrMalformed},
		{"sip:a@b:65536", 13, ErrMalformed},
		{"sip:a@b:50x0", 10, ErrMalformed},
		{"sip:a@b/c", 7, ErrMalformed},
		{"sip:a@2001:db8::1", 11, ErrMalformed},
		{"sip:a@[2001:db8::1", 6, ErrMalformed},
		{"sip:a@[]", 6, ErrMalformed},
		{"sip:a@[example.com]", 6, ErrMalformed},
		{"sip:a b@c", 5, ErrMalformed},
		{"sip:a@b;x=<y>", 10, ErrMalformed},
		{"<sip:a@b>", 0, ErrMalformed},
		{"sip:a@b" + strings.Repeat(";x", MaxParams+1), 7, ErrTooMany},
		{"sip:a@b?x" + strings.Repeat("&x", MaxParams), 7, ErrTooMany},
		{"tel:1" + strings.Repeat(";x", MaxParams+1), 4, ErrTooMany},
	} {
		u, err := ParseURI([]byte(tt.uri))
		var e *ParseError
		if !errors.Is(err, tt.err) || !errors.As(err, &e) || e.Offset != tt.offset || u.Scheme != nil {
			t.Errorf("%q: %v, want %v at %d", tt.uri, err, tt.err, tt.offset)
		}
	}
}

func TestURIParam(t *testing.T) {
	u, err := ParseURI([]byte("sip:a@b;Transport=UDP;lr;;x=;%6dethod=BYE;y=1=2"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, value string
		ok          bool
	}{
		{"transport", "UDP", true}, {"LR", "", true}, {"x", "", true}, {"method", "BYE", true}, {"y", "1=2", true},
		{"l", "", false}, {"", "", false}, {"UDP", "", false},
	} {
		v, ok := u.Param(tt.name)
		if string(v) != tt.value || ok != tt.ok {
			t.Errorf("%q: %q %v, want %q %v", tt.name, v, ok, tt.value, tt.ok)
		}
	}
}

// The examples of RFC 3261 19.1.4, and what they leave open.
func TestEqualURI(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true},
		{"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
			"sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
		{"sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},

		{"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
		{"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
		{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
		{"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;newparam=6", false},

		{"sip:a@b", "sips:a@b", false},
		{"sip:a@b", "sip:b", false},
		{"sip:a:pw@b", "sip:a@b", false},
		{"sip:a:pw@b", "sip:a:PW@b", false},
		{"sip:a@b;user=phone", "sip:a@b", false},
		{"sip:a@b", "sip:a@b;ttl=1", false},
		{"sip:a@b;maddr=1.2.3.4", "sip:a@b", false},
		{"sip:a@b;lr", "sip:a@b;LR", true},
		{"sip:a@b;x=1;y", "sip:a@b;Y;X=1", true},
		{"sip:a%40b@c", "sip:a%40B@c", false},
		{"sip:a%2ab@c", "sip:a*b@c", true},
		{"sip:%6Fa%6fb@c", "sip:oaob@c", true},
		{"sip:%6ga@c", "sip:%6Ga@c", false}, // no escape, so case counts
		{"sip:a%3Bb@c", "sip:a;b@c", false}, // ";" is reserved: escaped it is another character
		{"sip:a%3Bb@c", "sip:a%3bb@c", true},
		{"sip:a@b?x=1", "sip:a@b?x=2", false},
		{"sip:a@b?x=1&x=1", "sip:a@b?x=1", true},
		{"sip:a@b?x=1&&y=2&", "sip:a@b?y=2&x=1", true},
		{"sip:a@[2001:db8::1]:5060", "sip:a@[2001:DB8:0:0::0001]:5060", true},
		{"sip:a@[2001:db8::1]", "sip:a@[2001:db8::2]", false},
		{"sip:a@[::ffff:192.0.2.1]", "sip:a@[::ffff:c000:201]", true},
		{"sip:a@[::ffff:192.0.2.1]", "sip:a@192.0.2.1", false},
		{"sip:a@b;%6Cr;x=%31", "sip:a@b;X=1;LR", true},
		{"sip:a@b;%6Cr=1", "sip:a@b;Lr=2", false},
		{"sip:a@b;x=1;x=1;y", "sip:a@b;y;x=1", true},
		{"sip:a@b;x=1;x=2", "sip:a@b;x=1;y", false}, // neither may have two
		{"sip:a@b;;x=1;", "sip:a@b;x=1", true},
		{"sip:a@b;x", "sip:a@b;x=", true},
		{"sip:a@b" + many(0, 63), "sip:a@b" + many(63, 0), true}, // 64 each
		{"sip:a@b" + many(0, 62) + ";ttl", "sip:a@b" + many(0, 63), false},
		{"sip:a@b" + many(0, 62) + ";p63=2", "sip:a@b" + many(63, 0), false},
		{"tel:+1-201", "TEL:+1-201", true},
		{"tel:+1;ext=1", "tel:+1;ext=2", false},
		{"urn:service:sos", "URN:service:SOS", true},
		{"urn:service:sos", "urn:service:fire", false},
	} {
		a, err1 := ParseURI([]byte(tt.a))
		b, err2 := ParseURI([]byte(tt.b))
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if got := EqualURI(&a, &b); got != tt.want {
			t.Errorf("%s and %s: %v", tt.a, tt.b, got)
		}
		if EqualURI(&a, &b) != EqualURI(&b, &a) {
			t.Errorf("%s and %s: the order counts", tt.a, tt.b)
		}
		if !EqualURI(&a, &a) {
			t.Errorf("%s does not equal itself", tt.a)
		}
	}
}

// many are parameters with numbers from first to last, up or down.
func many(first, last int) (params string) {
	step := 1
	if last < first {
		step = -1
	}
	for n := first; n != last+step; n += step {
		params += fmt.Sprintf(";p%d=%d", n, n)
	}
	return params
}

func TestAppendUnescaped(t *testing.T) {
	for in, want := range map[string]string{"": "", "abc": "abc", "%41%62": "Ab", "a%": "a%", "%4": "%4", "%zz%20": "%zz ", "%%41": "%A"} {
		if got := string(AppendUnescaped([]byte("_"), []byte(in))); got != "_"+want {
			t.Errorf("%q: %q, want %q", in, got, "_"+want)
		}
	}
}

// TestAppendEscapedUser: a URI can be made of every name, and gives it back.
func TestAppendEscapedUser(t *testing.T) {
	if got := string(AppendEscapedUser([]byte("sip:"), "a@b 1;x=%y/ü")); got != "sip:a%40b%201;x=%25y/%C3%BC" {
		t.Error(got)
	}
	for c := range 256 {
		name := "0" + string([]byte{byte(c)}) + "1"
		uri := append(AppendEscapedUser([]byte("sip:"), name), "@a"...)
		u, err := ParseURI(uri)
		if got := string(AppendUnescaped(nil, u.User)); err != nil || got != name {
			t.Errorf("%q: %q has the user %q, %v", name, uri, got, err)
		}
	}
}
