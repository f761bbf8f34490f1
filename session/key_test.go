package session

import (
	"net/netip"
	"strings"
	"testing"

	"minisip/sipmsg"
)

// request is an INVITE of RFC 3261's kind; tests change words in it.
const request = `INVITE sip:bob@biloxi.example SIP/2.0
Via: SIP/2.0/UDP pc33.atlanta.example:5070;branch=z9hG4bK776asdhds;rport
Via: SIP/2.0/UDP inner.atlanta.example;branch=z9hG4bKinner
Max-Forwards: 70
To: Bob <sip:bob@biloxi.example>
From: Alice <sip:alice@atlanta.example>;tag=1928301774
Call-ID: a84b4c76e66710
CSeq: 314159 INVITE
Contact: <sip:alice@pc33.atlanta.example>
Content-Length: 0

`

var phone = netip.MustParseAddr("192.0.2.7")

// parse reads a request after the replacements, given in pairs.
func parse(t *testing.T, text string, replace ...string) *sipmsg.Message {
	t.Helper()
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(text, replace[i]) {
			t.Fatalf("%q is not in the request", replace[i])
		}
	}
	text = strings.NewReplacer(replace...).Replace(text)
	m := new(sipmsg.Message)
	if err := m.Parse([]byte(strings.ReplaceAll(text, "\n", "\r\n"))); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return m
}

// key is the one that a message itself has.
func key(m *sipmsg.Message, source netip.Addr) string {
	return string(AppendKey(nil, m, m.MethodName(), source))
}

// RFC 3261 17.2.3: which requests belong to the transaction of the INVITE.
func TestKeyMatches(t *testing.T) {
	old := strings.Replace(request, "z9hG4bK776asdhds", "776asdhds", 1) // RFC 2543
	none := strings.Replace(request, ";branch=z9hG4bK776asdhds", "", 1)
	bare := strings.Replace(request, "z9hG4bK776asdhds", "z9hG4bK", 1)
	for _, x := range []struct {
		name    string
		invite  string
		replace []string
		same    bool
	}{
		{"the same again", request, nil, true},
		{"ACK", request, []string{"INVITE", "ACK"}, true},
		{"another method", request, []string{"INVITE", "BYE"}, false},
		{"CANCEL is a transaction of its own", request, []string{"INVITE", "CANCEL"}, false},
		{"methods are told apart by case", request, []string{"INVITE", "invite"}, false},
		{"another branch", request, []string{"776asdhds", "776asdhdt"}, false},
		{"a longer branch", request, []string{"776asdhds", "776asdhds5"}, false},
		{"another sent-by host", request, []string{"pc33.atlanta.example:", "pc34.atlanta.example:"}, false},
		{"another sent-by port", request, []string{":5070", ":5071"}, false},
		{"no sent-by port", request, []string{":5070", ""}, false},
		{"with the cookie, nothing else counts", request, []string{
			"sip:bob@biloxi.example SIP", "sip:carol@192.0.2.1 SIP",
			"Bob <sip:bob@biloxi.example>", "<sip:x@y.example>;tag=1",
			"1928301774", "2", "a84b4c76e66710", "other", "314159", "1",
			";rport", ";x=y", "inner.atlanta", "outer.atlanta"}, true},

		{"RFC 2543: the same again", old, nil, true},
		{"RFC 2543: ACK, with the To tag of the response", old, []string{
			"INVITE", "ACK", "Bob <sip:bob@biloxi.example>", "Bob <sip:bob@biloxi.example>;tag=8"}, true},
		{"RFC 2543: another method", old, []string{"INVITE", "BYE"}, false},
		{"RFC 2543: another Request-URI", old, []string{"sip:bob@biloxi.example SIP", "sip:carol@biloxi.example SIP"}, false},
		{"RFC 2543: another From tag", old, []string{"1928301774", "1928301775"}, false},
		{"RFC 2543: another Call-ID", old, []string{"a84b4c76e66710", "a84b4c76e66711"}, false},
		{"RFC 2543: another CSeq number", old, []string{"314159", "314160"}, false},
		{"RFC 2543: another parameter of the top Via", old, []string{";rport", ";x=y"}, false},
		{"RFC 2543: another branch", old, []string{"776asdhds", "776asdhdt"}, false},
		{"RFC 2543: another Via below", old, []string{"inner.atlanta", "outer.atlanta"}, true},
		{"no branch: the same again", none, nil, true},
		{"no branch: another CSeq number", none, []string{"314159", "314160"}, false},
		{"the cookie alone: the same again", bare, nil, true},
		{"the cookie alone says nothing: another Call-ID", bare, []string{"a84b4c76e66710", "x"}, false},
		{"cookie or not", request, []string{"z9hG4bK776asdhds", "776asdhds"}, false},
	} {
		invite := key(parse(t, x.invite), phone)
		if other := key(parse(t, x.invite, x.replace...), phone); (invite == other) != x.same {
			t.Errorf("%s: same key: %v\n%q\n%q", x.name, invite == other, invite, other)
		}
	}
}

// RFC 3261 9.2: a CANCEL looks for the transaction as if its method were another.
func TestKeyOfWhatIsCancelled(t *testing.T) {
	for _, branch := range []string{"z9hG4bK776asdhds", "776asdhds"} {
		text := strings.Replace(request, "z9hG4bK776asdhds", branch, 1)
		invite, cancel := parse(t, text), parse(t, text, "INVITE", "CANCEL")
		found := string(AppendKey(nil, cancel, []byte("INVITE"), phone))
		if want := key(invite, phone); found != want {
			t.Errorf("%s: a CANCEL finds\n%q, want\n%q", branch, found, want)
		}
	}
}

// Two phones behind two NATs may have the same private address and the same branch.
func TestKeySource(t *testing.T) {
	for _, branch := range []string{"z9hG4bK776asdhds", "776asdhds"} {
		m := parse(t, strings.Replace(request, "z9hG4bK776asdhds", branch, 1))
		if key(m, phone) == key(m, netip.MustParseAddr("192.0.2.8")) {
			t.Errorf("%s: two sources, one key", branch)
		}
		if key(m, phone) != key(m, netip.MustParseAddr("::ffff:192.0.2.7")) {
			t.Errorf("%s: one source in two forms, two keys", branch)
		}
		if key(m, netip.MustParseAddr("2001:db8::7")) == key(m, netip.MustParseAddr("2001:db8::8")) {
			t.Errorf("%s: two IPv6 sources, one key", branch)
		}
	}
}

// What stands side by side in a key cannot be shifted from one field to the next.
func TestKeyFieldsStayApart(t *testing.T) {
	for _, x := range []struct{ name, a, b string }{
		{"host and port", "[2001:db8::1]:5070", "[2001:db8::1:5070]"},
		{"branch and host", "a.example:5070;branch=z9hG4bKx1", "1a.example:5070;branch=z9hG4bKx"},
	} {
		const via = "pc33.atlanta.example:5070"
		a, b := parse(t, request, via, x.a), parse(t, request, via, x.b)
		if strings.Contains(x.a, "branch") {
			const whole = via + ";branch=z9hG4bK776asdhds"
			a, b = parse(t, request, whole, x.a), parse(t, request, whole, x.b)
		}
		if key(a, phone) == key(b, phone) {
			t.Errorf("%s: %q", x.name, key(a, phone))
		}
	}
}

func TestAppendKeyAppends(t *testing.T) {
	m := parse(t, request)
	if got, want := string(AppendKey([]byte("front"), m, m.MethodName(), phone)), "front"+key(m, phone); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAppendKeyAllocatesNothing(t *testing.T) {
	for _, branch := range []string{"z9hG4bK776asdhds", "776asdhds"} {
		m := parse(t, strings.Replace(request, "z9hG4bK776asdhds", branch, 1), "INVITE", "ACK")
		buf := make([]byte, 0, 512)
		if n := testing.AllocsPerRun(100, func() { buf = AppendKey(buf[:0], m, m.MethodName(), phone) }); n != 0 {
			t.Errorf("%s: %v allocations", branch, n)
		}
	}
}

func BenchmarkAppendKey(b *testing.B) {
	m := new(sipmsg.Message)
	if err := m.Parse([]byte(strings.ReplaceAll(request, "\n", "\r\n"))); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 512)
	for b.Loop() {
		buf = AppendKey(buf[:0], m, m.MethodName(), phone)
	}
}
