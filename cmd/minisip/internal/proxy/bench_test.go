package proxy

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"minisip/cmd/minisip/internal/pack"
	"minisip/session"
	"minisip/sipmsg"
)

// template is a datagram with gaps: text and names of gaps in turn.
type template []string

// newTemplate makes one of lines with ${gaps} and a body.
func newTemplate(head, body string) template {
	m := strings.ReplaceAll(head, "\n", "\r\n") + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	return strings.FieldsFunc(strings.ReplaceAll(m, "${", "}"), func(r rune) bool { return r == '}' })
}

const (
	benchSDP = "v=0\r\no=- 3847 3847 IN IP4 192.168.1.10\r\ns=call\r\nc=IN IP4 192.168.1.10\r\nt=0 0\r\n" +
		"m=audio 4000 RTP/AVP 8 0 9 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:9 G722/8000\r\n" +
		"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
	benchPhone = `Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY, REFER, UPDATE, MESSAGE
Supported: replaces, timer
User-Agent: Phone/4.2
`
	fromTo  = "From: <sip:001@minisip.example>;tag=a${n}\nTo: <sip:002@minisip.example>%s\nCall-ID: ${n}@192.168.1.10\nCSeq: %s\n"
	via     = "Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK-%s-${n};rport\nMax-Forwards: 70\n"
	answer  = "SIP/2.0 %s\n${via}Via: SIP/2.0/UDP 192.168.1.10:5060;branch=z9hG4bK-%s-${n};rport=5060;received=198.51.100.7\n"
	contact = "Contact: <sip:%s@192.168.1.10:5060>\n"
	route   = "Route: <sip:203.0.113.1:5060;lr>\n"
	digests = `uri="%s", response="${response}", algorithm=MD5, cnonce="c0ffee", qop=auth, nc=00000001` + "\n"
	creds   = `: Digest username="001", realm="mini_sip_proxy", nonce="${nonce}", ` + digests
)

var (
	sp          = fmt.Sprintf
	inviteURI   = "sip:002@minisip.example"
	toTag       = ";tag=b${n}"
	benchInvite = newTemplate("INVITE sip:002@minisip.example SIP/2.0\n"+sp(via, "i")+sp(fromTo, "", "1 INVITE")+sp(contact, "001")+benchPhone+"Content-Type: application/sdp\n", benchSDP)
	benchRefAck = newTemplate("ACK sip:002@minisip.example SIP/2.0\n"+sp(via, "i")+sp(fromTo, ";tag=${tag}", "1 ACK"), "")
	benchAuth   = newTemplate("INVITE sip:002@minisip.example SIP/2.0\n"+sp(via, "j")+sp(fromTo, "", "2 INVITE")+sp(contact, "001")+"Proxy-Authorization"+sp(creds, inviteURI)+benchPhone+"Content-Type: application/sdp\n", benchSDP)
	benchTrying = newTemplate(sp(answer, "100 Trying", "j")+sp(fromTo, "", "2 INVITE"), "")
	benchRings  = newTemplate(sp(answer, "180 Ringing", "j")+"Record-Route: <sip:203.0.113.1:5060;lr>\n"+sp(fromTo, toTag, "2 INVITE")+sp(contact, "002"), "")
	benchOK     = newTemplate(sp(answer, "200 OK", "j")+"Record-Route: <sip:203.0.113.1:5060;lr>\n"+sp(fromTo, toTag, "2 INVITE")+sp(contact, "002")+"Content-Type: application/sdp\n", benchSDP)
	benchAck    = newTemplate("ACK sip:002@192.0.2.1:5060 SIP/2.0\n"+sp(via, "a")+route+sp(fromTo, toTag, "2 ACK"), "")
	benchBye    = newTemplate("BYE sip:002@192.0.2.1:5060 SIP/2.0\n"+sp(via, "b")+route+sp(fromTo, toTag, "3 BYE"), "")
	benchByeOK  = newTemplate(sp(answer, "200 OK", "b")+sp(fromTo, toTag, "3 BYE"), "")

	registerURI = "sip:minisip.example"
	registerTo  = strings.ReplaceAll(fromTo, "002", "001")
	benchReg    = newTemplate("REGISTER sip:minisip.example SIP/2.0\n"+sp(via, "r")+sp(registerTo, "", "1 REGISTER")+sp(contact, "001")+"Expires: 3600\n"+benchPhone, "")
	benchRegOK  = newTemplate("REGISTER sip:minisip.example SIP/2.0\n"+sp(via, "s")+sp(registerTo, "", "2 REGISTER")+sp(contact, "001")+"Authorization"+sp(creds, registerURI)+"Expires: 3600\n"+benchPhone, "")
)

// bench is a core with two phones that only fill in templates.
type bench struct {
	*world
	n          int       // calls made
	latest     [2][]byte // datagram to the caller and the callee
	out        []byte
	number     []byte
	via, nonce []byte
	tag        []byte // of the challenge
	response   [32]byte
	message    *sipmsg.Message
	data       []byte
	spent      []*sipmsg.Message
}

// benchPhones are the caller, the callee, and somebody else.
var benchPhones = [...]netip.AddrPort{
	netip.MustParseAddrPort("198.51.100.7:5060"), netip.MustParseAddrPort("192.0.2.1:5060"), netip.MustParseAddrPort("192.0.2.66:5060"),
}

func newBench(tb testing.TB) *bench {
	b := &bench{world: stage(tb, 1, nil).world, message: new(sipmsg.Message)}
	b.core.out, b.core.relay = b, quietRelay{}
	return b
}

// Send implements Output.
func (b *bench) Send(_, to netip.AddrPort, datagram []byte) bool {
	i := 0
	if to == benchPhones[1] {
		i = 1
	}
	b.latest[i] = append(b.latest[i][:0], datagram...)
	return true
}

// Log, Record and Reuse implement Output.
func (b *bench) Log(string)              {}
func (b *bench) Record(*Record)          {}
func (b *bench) Reuse(m *sipmsg.Message) { b.spent = append(b.spent, m) }

// quietRelay opens streams that cost nothing.
type quietRelay struct{}

func (quietRelay) Free() int { return 1 << 20 }

func (quietRelay) Open(_, _ Leg) (Stream, error)                      { return quietRelay{}, nil }
func (quietRelay) Port(session.Role) uint16                           { return 10000 }
func (quietRelay) Expect(session.Role, Peer, map[uint8]uint32)        {}
func (quietRelay) MoveTo(_ session.Role, local netip.Addr) netip.Addr { return local }
func (quietRelay) SetICE(session.Role, ICE)                           {}
func (quietRelay) LastMedia(session.Role) time.Time                   { return time.Time{} }
func (quietRelay) Flow(session.Role) Flow                             { return Flow{} }
func (quietRelay) Tap(Tap)                                            {}
func (quietRelay) Reopen(_, _ Leg, _ time.Time, _ *pack.Reader) (Stream, error) {
	return quietRelay{}, nil
}
func (quietRelay) Moves() uint32                            { return 0 }
func (quietRelay) AppendState(b []byte, _ time.Time) []byte { return b }
func (quietRelay) Close()                                   {}

// give fills in a template and delivers it, as the server would: a message that the core
// lets go of serves again, with its bytes.
func (b *bench) give(from int, t template) {
	out := slices.Grow(b.data[:0], maxBench)
	for i, part := range t {
		if i%2 == 0 {
			out = append(out, part...)
			continue
		}
		switch part {
		case "n":
			out = append(out, b.number...)
		case "via":
			out = append(out, b.via...)
		case "nonce":
			out = append(out, b.nonce...)
		case "response":
			out = append(out, b.response[:]...)
		case "tag":
			out = append(out, b.tag...)
		}
	}
	b.data = out
	err := b.message.Parse(out)
	if b.core.Receive(b.now, ours4, benchPhones[from], b.message, err) {
		if len(b.spent) == 0 {
			b.spent = append(b.spent, new(sipmsg.Message))
		}
		last := len(b.spent) - 1
		b.message, b.spent = b.spent[last], b.spent[:last]
		b.data = b.message.Bytes()
	}
}

// maxBench is the size of the largest datagram.
const maxBench = 1280

// begin starts another round, a moment later.
func (b *bench) begin(pause time.Duration) {
	b.advance(pause)
	b.n++
	b.number = strconv.AppendInt(b.number[:0], int64(100_000_000+b.n), 10)
}

// answerChallenge takes tag and nonce out of the challenge and makes the response.
func (b *bench) answerChallenge(method, uri string) {
	_, to, _ := bytes.Cut(b.latest[0], []byte("\r\nTo: "))
	to, _, _ = bytes.Cut(to, []byte("\r\n"))
	_, tag, _ := bytes.Cut(to, []byte(";tag="))
	b.tag = append(b.tag[:0], tag...)
	at := bytes.Index(b.latest[0], []byte(`nonce="`)) + len(`nonce="`)
	b.nonce = append(b.nonce[:0], b.latest[0][at:at+32]...)
	ha1 := md5.Sum([]byte("001:mini_sip_proxy:secret-001"))
	ha2 := md5.Sum([]byte(method + ":" + uri))
	text := append(hex.AppendEncode(b.out[:0], ha1[:]), ':')
	text = append(append(text, b.nonce...), ":00000001:c0ffee:auth:"...)
	b.out = hex.AppendEncode(text, ha2[:])
	sum := md5.Sum(b.out)
	hex.Encode(b.response[:], sum[:])
}

// takeVia keeps the top Via line of what the callee got.
func (b *bench) takeVia() {
	_, rest, _ := bytes.Cut(b.latest[1], []byte("\r\n"))
	b.via = append(b.via[:0], rest[:bytes.IndexByte(rest, '\n')+1]...)
}

// call is a whole call: challenged, set up, ended.
func (b *bench) call() {
	b.begin(10 * time.Millisecond)
	b.give(0, benchInvite)
	b.answerChallenge("INVITE", inviteURI)
	b.give(0, benchRefAck)
	b.give(0, benchAuth)
	b.takeVia()
	b.give(1, benchTrying)
	b.give(1, benchRings)
	b.give(1, benchOK)
	b.give(0, benchAck)
	b.give(0, benchBye)
	b.takeVia()
	b.give(1, benchByeOK)
}

// register is a registration: challenged, then accepted.
func (b *bench) register() {
	b.begin(time.Millisecond)
	b.give(0, benchReg)
	b.answerChallenge("REGISTER", registerURI)
	b.give(0, benchRegOK)
}

// TestBenchmarksSucceed makes sure that the benchmarks measure what they say.
func TestBenchmarksSucceed(t *testing.T) {
	b := newBench(t)
	for range 3 {
		b.call()
		if got := firstLine(string(b.latest[0])); got != "SIP/2.0 200 OK" {
			t.Fatalf("the call ended with %s", got)
		}
		b.register()
		if got := firstLine(string(b.latest[0])); got != "SIP/2.0 200 OK" {
			t.Fatalf("the registration ended with %s", got)
		}
	}
	if n := b.core.Counters(); n.Completed != 3 || n.Denied != 0 {
		t.Errorf("%d of 3 calls completed, %d denied", n.Completed, n.Denied)
	}
	b.finish()
}

// TestCallAllocates: what a call leaves to the garbage collector is little, the four lines that the log gets
// included; its two requests that wait for an answer serve again.
func TestCallAllocates(t *testing.T) {
	b := newBench(t)
	for range 100 {
		b.call()
	}
	if n := testing.AllocsPerRun(500, b.call); n > 35 {
		t.Errorf("%.0f allocations a call, want 35 at most", n)
	}
	b.finish()
}

func BenchmarkCall(b *testing.B) {
	w := newBench(b)
	b.ReportAllocs()
	for b.Loop() {
		w.call()
	}
}

func BenchmarkRegister(b *testing.B) {
	w := newBench(b)
	b.ReportAllocs()
	for b.Loop() {
		w.register()
	}
}
