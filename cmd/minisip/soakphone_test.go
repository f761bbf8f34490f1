package main

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// soakPhone is a phone that does by itself what a call needs, and repeats what is lost as RFC 3261 17 says. It
// shares nothing with the code under test.
type soakPhone struct {
	user   string
	server netip.AddrPort
	conn   *net.UDPConn
	count  atomic.Int64 // makes Call-IDs and branches differ

	registered time.Time // when it did so last

	mu      sync.Mutex
	waits   map[string]chan string // responses, by branch and method of what was asked
	replies map[string]string      // given, by branch and method of what came
	legs    map[string]*soakLeg    // by Call-ID
}

// soakLeg is a phone's side of a call.
type soakLeg struct {
	p                  *soakPhone
	callID, from, to   string // with their tags, as this side writes them
	target, routes     string
	cseq               int
	rtp                *net.UDPConn
	peer               netip.AddrPort // where to send media
	sent, heard        atomic.Int64   // RTP
	acked, over, taken chan struct{}  // closed when the ACK came, when BYE passed, when it was cancelled
	once               [3]sync.Once
}

func newSoakPhone(server netip.AddrPort, user string) (*soakPhone, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	p := &soakPhone{user: user, server: server, conn: conn,
		waits: map[string]chan string{}, replies: map[string]string{}, legs: map[string]*soakLeg{}}
	go p.read()
	return p, nil
}

// vanish is what a phone does whose battery is empty.
func (p *soakPhone) vanish() {
	p.conn.Close()
	p.mu.Lock()
	legs := maps.Clone(p.legs)
	p.mu.Unlock()
	for _, l := range legs {
		l.end()
	}
}

func (p *soakPhone) read() {
	b := make([]byte, 65536)
	for {
		n, err := p.conn.Read(b)
		if err != nil {
			return
		}
		m := string(b[:n])
		if strings.HasPrefix(m, "SIP/2.0 ") {
			p.mu.Lock()
			wait := p.waits[transactionOf(m)]
			p.mu.Unlock()
			if wait != nil {
				select {
				case wait <- m:
				default: // it has more than it can take in: copies
				}
			}
			continue
		}
		p.asked(m)
	}
}

// send sends to minisip; what is lost is repeated.
func (p *soakPhone) send(m string) { p.conn.WriteToUDPAddrPort([]byte(m), p.server) }

// The times of RFC 3261 17.1.1.1.
const (
	soakT1     = 500 * time.Millisecond
	soakT2     = 4 * time.Second
	soakGiveUp = 64 * soakT1
)

// ask sends a request until its final response has come, and gives that; "" when none comes. To an INVITE it also waits
// for what follows a provisional response; after ring its CANCEL is sent.
func (p *soakPhone) ask(m string, ring time.Duration) string {
	key := transactionOf(m)
	wait := make(chan string, 16)
	p.mu.Lock()
	p.waits[key] = wait
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.waits, key)
		p.mu.Unlock()
	}()
	gap, invite := soakT1, strings.HasPrefix(m, "INVITE ")
	p.send(m)
	again, late := time.NewTimer(gap), time.NewTimer(soakGiveUp)
	defer again.Stop()
	defer late.Stop()
	var cancel <-chan time.Time
	for {
		select {
		case r := <-wait:
			if r[8] != '1' {
				return r
			}
			if invite {
				again.Stop()
				if ring > 0 && cancel == nil && strings.HasPrefix(r, "SIP/2.0 18") {
					cancel = time.After(ring)
				}
			}
		case <-cancel:
			go p.ask(soakFollow(m, "CANCEL", ""), 0)
		case <-again.C:
			if gap *= 2; !invite {
				gap = min(gap, soakT2)
			}
			p.send(m)
			again.Reset(gap)
		case <-late.C:
			return ""
		}
	}
}

// next is a new number.
func (p *soakPhone) next() string { return fmt.Sprintf("%s-%d", p.conn.LocalAddr(), p.count.Add(1)) }

func (p *soakPhone) head(method, uri, from, to, callID string, cseq int, lines string) string {
	contact := fmt.Sprintf("<sip:%s@%s>", p.user, p.conn.LocalAddr())
	if strings.HasPrefix(lines, "Expires: 0") {
		contact = "*"
	}
	return fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=z9hG4bK%s\r\n%sMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n"+
		"Contact: %s\r\n", method, uri, p.conn.LocalAddr(), strings.ReplaceAll(p.next(), ":", "-"), lines, from, to, callID, cseq, method, contact)
}

func withBody(head, body string) string {
	if body != "" {
		head += "Content-Type: application/sdp\r\n"
	}
	return fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
}

// prove asks without and then with credentials, and gives the last request and its response.
func (p *soakPhone) prove(method, uri, from, to, callID, lines, body string, ring time.Duration) (m, response string) {
	proof := ""
	for cseq := 1; cseq <= 3; cseq++ { // a nonce can be stale after a restart
		m = withBody(p.head(method, uri, from, to, callID, cseq, lines+proof), body)
		response = p.ask(m, ring)
		if response == "" {
			return m, ""
		}
		if method == "INVITE" && !strings.HasPrefix(response, "SIP/2.0 2") {
			p.send(soakFollow(m, "ACK", soakField(response, "To")))
		}
		if !strings.HasPrefix(response, "SIP/2.0 401 ") && !strings.HasPrefix(response, "SIP/2.0 407 ") {
			return m, response
		}
		proof = credentials(response, p.user, "secret-"+p.user, method, uri)
	}
	return m, response
}

// register registers for a time; 0 ends all registrations of the user.
func (p *soakPhone) register(seconds int) bool {
	aor := fmt.Sprintf("<sip:%s@minisip>", p.user)
	_, r := p.prove("REGISTER", "sip:minisip", aor+";tag=r", aor, "reg-"+p.next(), fmt.Sprintf("Expires: %d\r\n", seconds), "", 0)
	return strings.HasPrefix(r, "SIP/2.0 200 ")
}

// transactionOf is the branch of the top Via and the method of CSeq.
func transactionOf(m string) string {
	_, branch, _ := strings.Cut(soakField(m, "Via"), "branch=")
	branch, _, _ = strings.Cut(branch, ";")
	_, method, _ := strings.Cut(soakField(m, "CSeq"), " ")
	return branch + method
}

// soakField is the first value of a field.
func soakField(m, name string) string {
	_, rest, _ := strings.Cut(m, "\r\n"+name+": ")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// soakFollow makes the CANCEL or the ACK that belongs to an INVITE.
func soakFollow(invite, method, to string) string {
	if to == "" {
		to = soakField(invite, "To")
	}
	cseq, _, _ := strings.Cut(soakField(invite, "CSeq"), " ")
	_, uri, _ := strings.Cut(invite, " ")
	uri, _, _ = strings.Cut(uri, " ")
	return fmt.Sprintf("%s %s SIP/2.0\r\nVia: %s\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s %s\r\nContent-Length: 0\r\n\r\n",
		method, uri, soakField(invite, "Via"), soakField(invite, "From"), to, soakField(invite, "Call-ID"), cseq, method)
}
