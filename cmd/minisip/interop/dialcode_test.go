//go:build interop

package interop

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// dialer is a network with users 001 to 004, where 001 dials codes and 002 is called.
type dialer struct {
	*server
	a, b *baresip
}

func newDialer(t *testing.T) *dialer {
	t.Helper()
	newNetwork(t)
	accounts, file := accountsOf("001", "002", "003", "004")
	d := &dialer{server: startServer(t, file)}
	d.accounts = accounts
	d.a, d.b = d.twoPhones(t)
	return d
}

// code lets 001 dial a code and wants the phrase on its display and in the log.
func (d *dialer) code(t *testing.T, code, phrase string) { d.codeBy(t, d.a, code, phrase) }

func (d *dialer) codeBy(t *testing.T, p *baresip, code, phrase string) {
	t.Helper()
	p.dial(t, code)
	if got, want := p.closed(t), "404 "+phrase; got != want {
		t.Errorf("%s shows %q on the phone, want %q", code, got, want)
	}
	line := fmt.Sprintf("%s: %s dialled by %s\n", phrase, code, p.user)
	eventually(t, 5*time.Second, "the log says "+line, func() bool { return strings.Contains(d.log(), line) })
}

// rings lets 001 call 002 and gives the INVITE that 002 gets, with its phone still ringing.
func (d *dialer) rings(t *testing.T) (invite string) {
	t.Helper()
	before := len(d.b.output.String())
	d.a.dial(t, d.b.user)
	d.b.ringing(t)
	// What the phone prints comes on another way than what it reports, and may be later.
	eventually(t, 5*time.Second, "002's phone shows the whole INVITE", func() (whole bool) {
		_, got, _ := strings.Cut(d.b.output.String()[before:], "INVITE sip:")
		invite, _, whole = strings.Cut(got, "SIP/2.0 180 ")
		return whole
	})
	return invite
}

func (d *dialer) cancel(t *testing.T) {
	t.Helper()
	d.a.hangup(t)
	d.a.closed(t)
	d.b.closed(t)
}

// relayPorts lists the open ports of the media range.
func (d *dialer) relayPorts(t *testing.T) []uint16 {
	t.Helper()
	return slices.DeleteFunc(d.ports(t), func(p uint16) bool { return p < 10000 || p > 20000 })
}

// TestDialFeatures: what the codes 991 to 996 switch, seen on the wire.
func TestDialFeatures(t *testing.T) {
	d := newDialer(t)
	const private, public = "c=IN IP4 " + phoneIP + "\r\n", "c=IN IP4 " + serverIP + "\r\n"
	for _, step := range []struct {
		code, phrase string
		contact, sdp string // in the INVITE that 002 gets
	}{
		{"995", "Contact OFF", "@" + phoneIP + ":", public},
		{"993", "SDP OFF", "@" + phoneIP + ":", private},
		{"996", "Contact ON", "@" + natA + ":", private},
		{"994", "SDP ON", "@" + natA + ":", public},
	} {
		t.Run(step.code, func(t *testing.T) {
			d.freesPorts(t)
			d.code(t, step.code, step.phrase)
			invite := d.rings(t)
			_, contact, _ := strings.Cut(invite, "\nContact: ")
			contact, _, _ = strings.Cut(contact, "\r\n")
			if !strings.Contains(contact, step.contact) {
				t.Errorf("002 gets Contact %s, want %s", contact, step.contact)
			}
			if !strings.Contains(invite, step.sdp) {
				t.Errorf("002 does not get %q:\n%s", step.sdp, invite)
			}
			if ports := d.relayPorts(t); (len(ports) > 0) != (step.sdp == public) {
				t.Errorf("open relay ports: %v", ports)
			}
			d.cancel(t)
		})
	}
}

// passerIP is the address of somebody next to the server, passerPort the port that he claims.
const passerIP, passerPort = "198.51.100.1", 5099

// passBy sends a request for a user from any port, with a Via that asks for nothing.
func passBy(t *testing.T, method, user, branch string) {
	t.Helper()
	cmd := exec.Command("ip", "netns", "exec", netns("isp"), "bash", "-c", "cat >/dev/udp/"+serverIP+"/5060")
	cmd.Stdin = strings.NewReader(fmt.Sprintf("%[1]s sip:%[2]s@%[3]s SIP/2.0\r\nVia: SIP/2.0/UDP %[4]s:%[5]d;branch=z9hG4bK%[6]s\r\n"+
		"Max-Forwards: 70\r\nFrom: <sip:%[2]s@%[3]s>;tag=1\r\nTo: <sip:%[2]s@%[3]s>\r\nCall-ID: %[6]s\r\nCSeq: 1 %[1]s\r\n"+
		"Contact: <sip:%[2]s@%[4]s:%[5]d>\r\nContent-Length: 0\r\n\r\n", method, user, serverIP, passerIP, passerPort, branch))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// answer waits for the response with a branch.
func (c *capture) answer(t *testing.T, branch string) (port uint16, response string) {
	t.Helper()
	eventually(t, 5*time.Second, "an answer comes to "+branch, func() bool {
		datagrams, _ := c.datagrams()
		for _, d := range datagrams {
			if text := string(d.payload); strings.HasPrefix(text, "SIP/2.0 ") && strings.Contains(text, "branch=z9hG4bK"+branch) {
				port, response = d.port, text
				return true
			}
		}
		return false
	})
	return port, response
}

// TestDialVia: after 991 no received is forced and an answer goes to the port that Via names;
// after 992 both are added, and it goes where the request came from.
func TestDialVia(t *testing.T) {
	d := newDialer(t)
	seen := startCaptureTo(t, d.ns, passerIP)
	for _, step := range []struct {
		code, phrase string
		forced       bool
	}{{"991", "Via OFF", false}, {"992", "Via ON", true}} {
		d.code(t, step.code, step.phrase)
		passBy(t, "INVITE", "003", step.code)
		port, response := seen.answer(t, step.code)
		_, via, _ := strings.Cut(response, "\nVia: ")
		via, _, _ = strings.Cut(via, "\r\n")
		sent := fmt.Sprintf("SIP/2.0/UDP %s:%d;branch=z9hG4bK%s", passerIP, passerPort, step.code)
		want := sent
		if step.forced {
			want = fmt.Sprintf("%s;received=%s;rport=%d", sent, passerIP, port)
		}
		if via != want || (port != passerPort) != step.forced {
			t.Errorf("after %s the answer to %s goes to port %d with Via %s", step.code, sent, port, via)
		}
	}
}

// TestDialSilent: after 985 an unknown user gets his 401 and 407, after 986 nothing again.
func TestDialSilent(t *testing.T) {
	d := newDialer(t)
	seen := startCaptureTo(t, d.ns, passerIP)
	passBy(t, "REGISTER", "777", "first")
	eventually(t, 5*time.Second, "the log says what it hides, and the way out", func() bool {
		return strings.Contains(d.log(), "silent: REGISTER from "+passerIP+":") && strings.Contains(d.log(), "/users.conf 777)\n")
	})
	d.code(t, "985", "silent OFF")
	for method, status := range map[string]string{"REGISTER": "401", "INVITE": "407"} {
		passBy(t, method, "777", "heard"+method)
		if _, response := seen.answer(t, "heard"+method); !strings.HasPrefix(response, "SIP/2.0 "+status+" ") {
			t.Errorf("%s of an unknown user is answered\n%s", method, response)
		}
	}
	d.code(t, "986", "silent ON")
	for _, method := range []string{"REGISTER", "INVITE"} {
		passBy(t, method, "777", "hushed"+method)
	}
	passBy(t, "INVITE", "003", "known") // comes after those, so its answer does too
	seen.answer(t, "known")
	datagrams, err := seen.datagrams()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range datagrams {
		if text := string(g.payload); strings.Contains(text, "hushed") || strings.Contains(text, "branch=z9hG4bKfirst") {
			t.Errorf("an unknown user is answered\n%s", text)
		}
	}
}

// TestDialDuplicate: after 987 the caller gets both copies of an answer, after 988 one.
func TestDialDuplicate(t *testing.T) {
	need(t, "sipp", "sip-tester")
	d := newDialer(t)
	runSIPp(t, netns("b"), "register.xml", "SEQUENTIAL\n004;[authentication username=004 password=secret]\n", 1)
	seen := startCapture(t, netns("a"))
	answers := func(method string) (n int) {
		datagrams, _ := seen.datagrams()
		for _, g := range datagrams {
			if text := string(g.payload); strings.HasPrefix(text, "SIP/2.0 200 ") && strings.Contains(text, " "+method+"\r\n") {
				n++
			}
		}
		return n
	}
	for _, step := range []struct {
		code, phrase string
		want         int
	}{{"987", "duplicate OFF", 2}, {"988", "duplicate ON", 1}} {
		d.code(t, step.code, step.phrase)
		callee := startSIPp(t, netns("b"), "answers-twice.xml", "", 1, "-aa")
		eventually(t, 5*time.Second, "SIPp listens", func() bool {
			return strings.Contains(command(t, "ip", "netns", "exec", netns("b"), "cat", "/proc/net/udp"), ":13CE ") // 5070
		})
		before, ended := answers("INVITE"), answers("BYE")
		d.a.dial(t, "004")
		d.a.connected(t)
		d.a.hangup(t)
		d.a.closed(t)
		if err := callee.wait(t, 10*time.Second); err != nil {
			t.Errorf("the callee: %v", err)
		}
		eventually(t, 5*time.Second, "tcpdump has written the end of the call", func() bool { return answers("BYE") > ended })
		if got := answers("INVITE") - before; got != step.want {
			t.Errorf("after %s the caller got %d copies of the answer, want %d", step.code, got, step.want)
		}
	}
}

// TestDialLog: 989 and 990 switch the log's mode; 997 and 999 write calls and users into it;
// 998 sends the users to the phone.
func TestDialLog(t *testing.T) {
	d := newDialer(t)
	c := startBaresip(t, netns("a"), account{serverIP, "003", "secret"}, 660)
	c.registered(t)
	logs := func(what string, texts ...string) {
		t.Helper()
		eventually(t, 5*time.Second, what, func() bool {
			return !slices.ContainsFunc(texts, func(s string) bool { return !strings.Contains(d.log(), s) })
		})
	}
	d.code(t, "990", "log debug")
	d.rings(t)
	d.cancel(t)
	logs("the log shows messages", "\n    INVITE sip:002@", "changed on the way:\n    - INVITE sip:002@", "\n    CANCEL sip:002@")
	d.code(t, "989", "log brief")
	before := len(d.log())
	d.rings(t)
	eventually(t, 5*time.Second, "the log says that 002 rings", func() bool { return strings.Contains(d.log()[before:], ": 002 rings at "+natB) })
	if later := d.log()[before:]; strings.Contains(later, "INVITE") {
		t.Errorf("after 989 the log still shows messages:\n%s", later)
	}
	d.b.answer(t)
	d.a.connected(t)
	both(t, d.a, d.b.hz, d.b, d.a.hz, time.Second)
	d.codeBy(t, c, "997", "calls logged")
	logs("the log shows the call", "] calls: 1; dropped since the start: ", ": 001 at "+natA+":", " -> 002 (002 at "+natB+":", "): up, began ", ", media relayed, last packet ")
	d.codeBy(t, c, "999", "users logged")
	logs("the log shows the users", "] registered users: 3, bindings: 3; ", "] 001 -> "+natA+":", "] 002 -> "+natB+":", "] 003 -> "+natA+":", ", expires in ")
	seen := len(c.output.String())
	d.codeBy(t, c, "998", "users sent")
	eventually(t, 5*time.Second, "the phone gets the users by NOTIFY", func() bool {
		_, notify, found := strings.Cut(c.output.String()[seen:], "NOTIFY sip:003")
		return found && strings.Contains(notify, "\nEvent: registered-users\r\n") && strings.Contains(notify, "\nContent-Type: text/plain\r\n") &&
			strings.Contains(notify, "\n001 -> "+natA+":") && strings.Contains(notify, "\n002 -> "+natB+":")
	})
	ended := len(d.ends("001", "002"))
	d.a.hangup(t)
	d.b.closed(t)
	d.logsEnd(t, "001", "002", ended)
}
